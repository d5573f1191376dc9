"""Cells that tell a class from all others, found in one pass over a study.

Letters: M explained inputs, C classes, H heads, L layers, F features.
"""

import numpy as np

from daam_core.study.folder import Study

Cell = tuple[int, int, int]


def telling_cells(study: Study, count: int = 5) -> dict[str, list[tuple[Cell, float]]]:
    """For each class, the cells whose density attention differs most between its inputs and all others.

    The difference of the two means is divided by the cell's deviation within the two groups (Cohen's d), so
    that cells of different spread can be compared. Nothing is tested here: that is what
    :func:`~daam_core.study.slices.compare_slices` is for.

    Args:
        study: the study.
        count: cells of each class.

    Returns:
        ``{class: [((head, layer, feature), d), …]}``, the largest |d| first; classes of which there are
        fewer than two inputs, or fewer than two others, are left out.
    """
    facts = study.facts
    members = np.array([study.of_class(name) for name in facts.class_names])  # [C, M]
    shape = facts.map_shape("density_attention")[1:]
    cells = int(np.prod(shape))
    sums = np.zeros((len(members), cells))
    total, squares = np.zeros(cells), np.zeros(cells)
    shift: np.ndarray | None = None
    start = 0
    for batch in study.batches("density_attention", study.numbers):
        maps = batch.reshape(len(batch), cells)
        shift = maps.mean(0) if shift is None else shift  # keeps the sums of squares exact in float32
        maps -= shift
        sums += members[:, start : start + len(maps)].astype(np.float32) @ maps
        total += maps.sum(0, dtype=np.float64)
        squares += np.einsum("ic,ic->c", maps, maps)
        start += len(maps)
    found: dict[str, list[tuple[Cell, float]]] = {}
    seen = np.broadcast_to(study.head_layers[..., None], shape).reshape(-1)
    count_all = members.shape[1]
    for number, name in enumerate(facts.class_names):
        inside = int(members[number].sum())
        outside = count_all - inside
        if min(inside, outside) < 2:
            continue
        mean, other = sums[number] / inside, (total - sums[number]) / outside
        within = np.maximum(squares - inside * mean**2 - outside * other**2, 0) / (count_all - 2)
        # A float16 map that does not vary within the groups leaves only rounding.
        spread = np.sqrt(within) + 1e-4 * np.sqrt(squares / count_all) + 1e-7
        size = np.where(seen, (mean - other) / spread, 0)
        best = np.argsort(-np.abs(size), kind="stable")[:count]
        found[name] = [(_cell(int(at), shape), float(size[at])) for at in best if size[at]]
    return found


def _cell(at: int, shape: tuple[int, ...]) -> Cell:
    head, layer, feature = np.unravel_index(at, shape)
    return int(head), int(layer), int(feature)
