"""Pictures' feature maps of different sizes and widths brought onto one grid and one width.

Letters in shapes: rows × columns is a grid of positions, F features.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

#: A common grid is the finest of the layers' own with at most this many cells: 14 × 14 for a picture
#: of 224 pixels and 24 × 24 for one of 384, as fine as a patch encoder's and bounded in memory.
MAX_CELLS = 600

Size = tuple[int, int]  # rows, columns


def area_matrix(n_from: int, n_to: int) -> Tensor:
    """``[n_to, n_from]``: the share of each of ``n_from`` equal cells in each of ``n_to`` equal cells.

    Rows sum to 1, and columns to ``n_to / n_from``, so the mean over the new cells is the mean over
    the old ones, whatever the two numbers.

    >>> area_matrix(3, 2)
    tensor([[0.6667, 0.3333, 0.0000],
            [0.0000, 0.3333, 0.6667]])
    """
    # In units of 1 / (n_from · n_to) all edges are whole numbers.
    to = torch.arange(n_to).unsqueeze(1) * n_from
    come = torch.arange(n_from).unsqueeze(0) * n_to
    overlap = torch.minimum(to + n_from, come + n_to) - torch.maximum(to, come)
    return overlap.clamp(min=0).float() / n_from


def regrid(features: Tensor, size: Size) -> Tensor:
    """``[rows, columns, F] → [size, F]`` by area; the mean over positions stays the same."""
    rows, columns, _ = features.shape
    if (rows, columns) == size:
        return features
    return torch.einsum("ar,bc,rcf->abf", area_matrix(rows, size[0]), area_matrix(columns, size[1]), features)


def common_grid(sizes: Sequence[Size]) -> Size:
    """The finest of the layers' grids with at most :data:`MAX_CELLS` cells, or else the coarsest."""
    fitting = [size for size in sizes if size[0] * size[1] <= MAX_CELLS]
    return max(fitting, key=_cells) if fitting else min(sizes, key=_cells)


def widen(features: Tensor, n_features: int) -> Tensor:
    """``[.., f] → [.., n_features]``, channels repeated in a cycle: every column is one real channel."""
    width = features.shape[-1]
    return features if width == n_features else features[..., torch.arange(n_features) % width]


def _cells(size: Size) -> int:
    return size[0] * size[1]
