"""A small report on letters, measured once."""

from functools import lru_cache

import torch

from daam_core.encoding import pool
from daam_core.faithfulness.report.contents import FaithfulnessReport
from daam_core.faithfulness.report.measures import measure_faithfulness
from daam_core.faithfulness.report.settings import Settings
from daam_core.progress import Progress
from tests.support.encode import encode
from tests.support.small import LetterEncoder, letter_data, letter_model

SMALL = Settings(
    inputs=24,
    training_inputs=60,
    sanity_inputs=5,
    quantus_inputs=4,
    changed_inputs=3,
    random_orders=2,
    training_seeds=2,
    retraining_seeds=1,
    epochs=4,
)


def features(count: int, seed: int) -> tuple[list[str], tuple[torch.Tensor, torch.Tensor]]:
    texts, labels = letter_data(count, seed=seed)
    texts = [f"{text} {text[::-1]}" for text in texts]
    return texts, (torch.stack([pool(encode(LetterEncoder(), text)) for text in texts]), labels)


@lru_cache
def small_report() -> tuple[FaithfulnessReport, tuple[float, ...]]:
    seen: list[float] = []
    texts, test = features(30, 1)
    report = measure_faithfulness(
        letter_model(),
        features(80, 0)[1],
        test,
        inputs=texts,
        settings=SMALL,
        provenance={"command": "python -m daam_core faithfulness"},
        progress=Progress(lambda share, _: seen.append(share)),
    )
    return report, tuple(seen)
