"""Studies for tests: maps that the test draws, written as ``make_study`` writes them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from daam_core.study.folder import (
    PART,
    Facts,
    Study,
    new_maps,
    open_maps,
    open_study,
    write_facts,
    write_part,
)

CLASSES = ("angry", "calm", "sad")


def drawn_study(
    folder: Path,
    *,
    inputs: int = 90,
    shape: tuple[int, int, int] = (2, 3, 20),
    planted: tuple[int, int, int] | None = None,
    seed: int = 0,
    refused: tuple[int, ...] = (),
    facts: Mapping[str, object] | None = None,
    row: Callable[[int], Mapping[str, object]] = lambda _: {},
) -> Study:
    """A study of random maps with labels in turn.

    Args:
        planted: (head, layer, feature) of a cell whose density attention is high for the last class alone,
            which is "sad".
        refused: numbers of inputs that could not be explained.
        facts: others than the usual ones.
        row: what an explained input has in other columns, or else in these.
    """
    heads, layers, features = shape
    draw = np.random.default_rng(seed)
    made = Facts(
        model="drawn",
        checkpoint_sha256="0" * 64,
        encoder="drawn",
        encoder_sha256="0" * 64,
        modality="text",
        class_names=CLASSES,
        heads=heads,
        layers=layers,
        features=features,
        head_layers=((True,) * layers,) * heads,
        amplitude=((2.0,) + (0.5,) * (layers - 1),) * heads,
        columns=("speaker",),
        data="drawn",
        data_sha256=f"{seed:064}",
        inputs=inputs,
        tool="daam-explorer",
        command="",
    )
    made = replace(made, **(facts or {}))  # type: ignore[arg-type]
    classes = made.class_names
    new_maps(folder, made)
    write_facts(folder, made)
    labels = [classes[number % len(classes)] for number in range(inputs)]
    attention = draw.uniform(0.2, 0.8, (inputs, *shape))
    if planted is not None:
        attention[(slice(None), *planted)] = (
            0.1 + 0.8 * np.equal(labels, classes[-1]) + draw.normal(0, 0.02, inputs)
        )
    maps = open_maps(folder)
    maps["density_attention"][:] = attention
    maps["class_importance"][:] = draw.uniform(-1, 1, (inputs, *shape))
    maps["values"][:] = draw.normal(size=(inputs, layers, features))
    for number in refused:
        for stored in maps.values():
            stored[number] = np.nan
    for stored in maps.values():
        stored.flush()
    rows: list[dict[str, object]] = [
        {"number": number, "place": f"row {number}", "label": labels[number]}
        | {"speaker": f"{number % 4:02}"}
        | (
            {"reason": "empty"}
            if number in refused
            else {"prediction": classes[-1], "right": labels[number] == classes[-1], "importance_scale": 2.0}
            | {"confidence": 0.5 + number / (2 * inputs), "layers": [100 / layers] * layers}
            | row(number)
        )
        for number in range(inputs)
    ]
    for part in range(made.parts):
        write_part(folder, made, part, rows[part * PART : (part + 1) * PART])
    return open_study(folder)
