"""The numerical reference: inputs, parameters, gates, outputs and gradients in float64."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "daam_reference.npz"

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_file(), reason="the numerical reference is not beside this checkout"
)

DENSITY_CASES = ("density_h8", "density_h1", "density_h4_l40")
MIXTURE_CASES = ("mixture_layers", "mixture_features")


def load_case(name: str) -> dict[str, Tensor]:
    """Tensors of one case by their name, such as ``x`` and ``grad_x``."""
    with np.load(REFERENCE, allow_pickle=False) as file:
        keys = [key for key in file.files if key.startswith(f"{name}/")]
        return {key.partition("/")[2]: torch.from_numpy(file[key]) for key in keys}
