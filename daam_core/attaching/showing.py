"""An attention's explanation as the interactive view, in a notebook cell."""

from typing import TYPE_CHECKING, Any

from torch import nn

from daam_core.attaching.watching import Attached, attach
from daam_core.errors import InputError
from daam_core.result import Explanation
from daam_core.view.notebook import notebook_view

if TYPE_CHECKING:
    import anywidget


def show(
    module: nn.Module | Attached,
    given: object,
    *,
    beside: object = None,
    attention: str | None = None,
    target: str | int | None = None,
    **how: Any,
) -> "anywidget.AnyWidget":
    """The interactive view of one attention on one input, or on two, as the value of a notebook cell.

    For a page of its own: ``export.save(attached.explain(given)[name], "page.html")``.

    Args:
        module: a model, or one that is attached already.
        given: the input.
        beside: a second one, to compare the first with.
        attention: its name; by default the last that the model calls, which is nearest to the decision.
        target: the explained class; by default the predicted one.
        how: for a model, how it is attached; see :func:`attach`.

    Raises:
        InputError: there is no such attention.
        ConfigError: as :func:`attach`; anywidget is not installed.
    """
    if isinstance(module, nn.Module):
        with attach(module, given, **how) as attached:
            return show(attached, given, beside=beside, attention=attention, target=target)
    first = one_of(module.explain(given, target=target), attention)
    second = None if beside is None else one_of(module.explain(beside, target=target), attention)
    return notebook_view(first, compare=second)


def one_of(found: dict[str, Explanation], attention: str | None) -> Explanation:
    """The explanation of an attention by its name, or of the last.

    Raises:
        InputError: there is none of that name.
    """
    name = list(found)[-1] if attention is None else attention
    if name not in found:
        known = ", ".join(map(repr, found))
        raise InputError(f"There is no attention {name!r}; there are {known}.")
    return found[name]
