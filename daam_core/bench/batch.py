"""Many short inputs together against one by one, and against the encoder's own batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from daam_core.bench.library import classifiers
from daam_core.bench.measuring import Timings, median_seconds
from daam_core.explaining import explain
from daam_core.explaining_many import BATCH_SIZE, explain_many
from daam_core.inputs import SAMPLE_RATE, Modality, read_input
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier

#: How many inputs are explained in one measurement.
INPUTS = 2 * BATCH_SIZE


@dataclass(frozen=True)
class BatchCase:
    """Median seconds for all inputs.

    ``speedup`` is over one by one and ``ratio`` over the encoder's own batches. No program has a larger
    speed-up than ``bound``: one by one over the encoder's batches, as if there were nothing else to do.
    """

    model: str
    modality: Modality
    inputs: int
    one_by_one_seconds: float
    together_seconds: float
    encoder_seconds: float
    encoder_one_by_one_seconds: float
    speedup: float
    ratio: float
    bound: float


def bench_batch(
    *, runs: int = 5, models: Sequence[str] | None = None, progress: Progress | None = None
) -> Timings[BatchCase]:
    """:func:`~daam_core.explaining_many.explain_many` against a loop, on short generated inputs."""
    cases = tuple(_case(model, runs) for model in classifiers(models, progress))
    return Timings(runs, torch.get_num_threads(), cases)


def short_inputs(modality: Modality, count: int = INPUTS) -> list[object]:
    """Always the same: texts of 4 to 12 words, sounds of 1 to 2 s, pictures of 160 × 120."""
    draw = np.random.default_rng(0)
    if modality == "text":
        words = "markets fell sharply on Monday as investors weighed the unexpected news from abroad".split()
        return [" ".join(draw.choice(words, size=draw.integers(4, 13))) for _ in range(count)]
    if modality == "image":
        return [draw.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(count)]
    lengths = draw.integers(SAMPLE_RATE, 2 * SAMPLE_RATE, size=count)
    return [(0.1 * draw.standard_normal(n).astype(np.float32), SAMPLE_RATE) for n in lengths]


def _case(model: TrainedClassifier, runs: int) -> BatchCase:
    modality, backbone = model.config.modality, model.backbone
    given = short_inputs(modality)
    read = [read_input(one, modality) for one in given]
    batches = [read[start : start + BATCH_SIZE] for start in range(0, len(read), BATCH_SIZE)]
    seconds = median_seconds(
        {
            "one by one": lambda: [explain(model, one) for one in given],
            "together": lambda: list(explain_many(model, given)),
            "encoder": lambda: [backbone.encode_many(batch) for batch in batches],
            "encoder one by one": lambda: [backbone.encode(one) for one in read],
        },
        runs=runs,
    )
    return BatchCase(
        model=model.name,
        modality=modality,
        inputs=len(given),
        one_by_one_seconds=seconds["one by one"],
        together_seconds=seconds["together"],
        encoder_seconds=seconds["encoder"],
        encoder_one_by_one_seconds=seconds["encoder one by one"],
        speedup=seconds["one by one"] / seconds["together"],
        ratio=seconds["together"] / seconds["encoder"],
        bound=seconds["one by one"] / seconds["encoder"],
    )
