"""Figures of an explanation: with matplotlib for print, with plotly for notebooks.

Each takes an :class:`~daam_core.result.Explanation` and returns the library's own ``Figure``. Layers,
features, heads and tokens carry their array index, counted from 0. A printed figure is written with
:func:`~daam_core.figures.style.figure_bytes`. The libraries load when a figure is first asked for.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "figure_bytes": "style",
    "gaussian_figure": "gaussians",
    "importance_figure": "maps",
    "layer_contribution_figure": "layers",
    "parameters_figure": "parameters",
    "plotly_layers": "plotly_figures",
    "plotly_map": "plotly_figures",
    "plotly_parameters": "plotly_figures",
    "report_figure": "report",
    "token_figure": "tokens",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
