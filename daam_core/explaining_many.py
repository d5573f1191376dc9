"""Many inputs: read in worker threads, encoded and explained in batches, handed out in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

from daam_core.configuration import class_index
from daam_core.encoding import Encoding
from daam_core.errors import ConfigError, InputError, ShapeError, is_whole
from daam_core.explaining import explain_encodings
from daam_core.inputs import Input, Picture, Sound, read_input
from daam_core.result import Explanation, Scale
from daam_core.trained import TrainedClassifier

BATCH_SIZE = 32
#: Inputs read before they are sorted by length, in batches: more makes batches more even.
BATCHES_AHEAD = 8
#: Bytes of inputs, of those read ahead of them, and of explanations, that are held at a time, if one alone
#: does not take more.
HELD_BYTES = 128 << 20

Refused = InputError | ShapeError
T = TypeVar("T")
Made = TypeVar("Made")


def explain_many(
    model: TrainedClassifier,
    inputs: Iterable[object],
    *,
    batch_size: int = BATCH_SIZE,
    target: str | int | None = None,
    scale: Scale = "all_heads",
) -> Iterator[Explanation]:
    """Explanations of many inputs, lazily and in order; each equals :func:`~daam_core.explain` to 1e-5.

    Args:
        model: from :func:`~daam_core.trained.load_model`.
        inputs: as :func:`~daam_core.explaining.explain` takes them; read as they are needed.
        batch_size: inputs encoded together, at most.
        target: the explained class, by name or index; each input's predicted class by default.
        scale: what the Importance Factor is scaled by.

    Raises:
        InputError: an input cannot be used; its number, counted from 0, is named. Those before it
            have been handed out. :func:`explain_each` goes on after it.
        ConfigError: ``batch_size`` is not a positive whole number.
        EncoderError: the model's encoder is missing or another one.
    """
    results = explain_each(model, inputs, batch_size=batch_size, target=target, scale=scale)
    for number, result in enumerate(results):
        if isinstance(result, Refused):
            raise type(result)(f"Input {number}: {result}") from result
        yield result


def explain_each(
    model: TrainedClassifier,
    inputs: Iterable[object],
    *,
    batch_size: int = BATCH_SIZE,
    target: str | int | None = None,
    scale: Scale = "all_heads",
) -> Iterator[Explanation | Refused]:
    """As :func:`explain_many`; in place of an input that cannot be used, the error that says why."""
    for _, result in read_and_explain(model, inputs, batch_size=batch_size, target=target, scale=scale):
        yield result


def read_and_explain(
    model: TrainedClassifier,
    inputs: Iterable[object],
    *,
    batch_size: int = BATCH_SIZE,
    target: str | int | None = None,
    scale: Scale = "all_heads",
) -> Iterator[tuple[Input | None, Explanation | Refused]]:
    """As :func:`explain_each`, each result beside its input as it was read; None where it could not be.

    While some inputs are encoded, those after them are read.
    """
    class_index(model.class_names, target)  # refused before the encoder runs
    if not is_whole(batch_size) or batch_size < 1:
        raise ConfigError(f"batch_size must be a positive whole number, got {batch_size!r}.")

    def read(given: object) -> Input | Refused:
        try:
            return read_input(given, model.config.modality, rate=model.backbone.sample_rate)
        except InputError as error:
            return error

    def encoded(batch: Sequence[Input]) -> list[Encoding] | Refused:
        try:
            return model.backbone.encode_many(batch)
        except (InputError, ShapeError) as error:
            return error

    def explained(batch: Sequence[Input], encodings: list[Encoding] | Refused) -> list[Explanation | Refused]:
        try:
            if isinstance(encodings, Refused):
                raise encodings
            return [*explain_encodings(model, encodings, target=target, scale=scale)]
        except (InputError, ShapeError) as error:
            if len(batch) == 1:
                return [error]
            return [result for given in batch for result in explained([given], encoded([given]))]

    batch_size = min(batch_size, max(1, HELD_BYTES // _explanation_bytes(model)))
    workers = os.cpu_count() or 1
    with (
        ThreadPoolExecutor(workers) as readers,
        ThreadPoolExecutor(1) as ahead,
        ThreadPoolExecutor(1) as encoder,
    ):
        # Texts are read by whoever reads ahead: handing one to a worker takes longer than reading it.
        reading = map if model.config.modality == "text" else readers.map
        read_inputs = (one for some in _groups(inputs, workers) for one in reading(read, some))
        # An encoder of sound keeps all cores busy: whatever ran beside it would only slow it down.
        encode = map if model.config.modality == "audio" else partial(_one_ahead, encoder)
        groups = _held(read_inputs, BATCHES_AHEAD * batch_size)
        coming = ahead.submit(next, groups, None)
        while (held := coming.result()) is not None:
            coming = ahead.submit(next, groups, None)
            results: dict[int, Explanation | Refused] = {
                number: one for number, one in enumerate(held) if isinstance(one, Refused)
            }
            usable = [(number, one) for number, one in enumerate(held) if not isinstance(one, Refused)]
            usable.sort(key=lambda pair: _bytes(pair[1]))
            batches = [tuple(zip(*batch, strict=True)) for batch in _groups(usable, batch_size)]
            together = [given for _, given in batches]
            for (numbers, given), encodings in zip(batches, encode(encoded, together), strict=True):
                results |= zip(numbers, explained(given, encodings), strict=True)
            for number, one in enumerate(held):
                yield None if isinstance(one, Refused) else one, results.pop(number)


def _one_ahead(worker: ThreadPoolExecutor, make: Callable[[T], Made], items: Iterable[T]) -> Iterator[Made]:
    """As ``map``; while one is used the next one is made."""
    coming: deque[Future[Made]] = deque()
    for item in items:
        coming.append(worker.submit(make, item))
        if len(coming) > 1:
            yield coming.popleft().result()
    for one in coming:
        yield one.result()


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``size`` items at a time; the last group may have fewer."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group


def _held(inputs: Iterable[Input | Refused], most: int) -> Iterator[list[Input | Refused]]:
    """Groups of inputs that are held together: ``most`` at most, and :data:`HELD_BYTES` or little more."""
    group: list[Input | Refused] = []
    taken = 0
    for one in inputs:
        group.append(one)
        taken += 0 if isinstance(one, Refused) else _bytes(one)
        if len(group) == most or taken >= HELD_BYTES:
            yield group
            group, taken = [], 0
    if group:
        yield group


def _bytes(given: Input) -> int:
    """Memory that an input takes, about."""
    if isinstance(given, Sound):
        return int(given.samples.nbytes)
    return 3 * given.rgb.width * given.rgb.height if isinstance(given, Picture) else len(given.content)


def _explanation_bytes(model: TrainedClassifier) -> int:
    """Memory that an explanation takes, its maps ``[H, L, F]`` counted."""
    config = model.config
    return 6 * 4 * config.n_heads * config.n_layers * config.n_features
