"""Pooled hidden states of a data set: extracted once, kept on disk, found again by content.

The cache holds one folder per encoder (name, revision, weights, preprocessing) with shards of inputs,
each input under the SHA-256 of its content. So a data set that shares inputs with another one shares
their features, an interrupted run goes on where it stopped, and a file that changed is encoded anew.
Letters: N inputs, L layers, F features.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from daam_core.backbones.base import Backbone
from daam_core.backbones.weights import cache_folder
from daam_core.errors import DaamError, DataError, EncoderError, InputError, ShapeError
from daam_core.inputs import Input, Text, read_input
from daam_core.processes import among_processes, gathered
from daam_core.training.data import Dataset, Skipped, content_hash
from daam_core.writing.files import replacing

#: Samples written together: what an interruption loses at most, and how many files there will be.
SHARD_SIZE = 64
#: Parts that a round is cut into for each worker, where inputs are encoded together.
_CHUNKS = 4
#: Version of the shards' layout and of the pooling; part of every folder's name.
LAYOUT = "1"


@dataclass(frozen=True)
class Extracted:
    """Features of a data set.

    Attributes:
        features: ``[N, L, F]`` float32.
        dataset: the N inputs, without those that could not be encoded, which stand in its
            ``skipped``.
        encoded: how many inputs the encoder was run on; the others came from the cache.
    """

    features: Tensor
    dataset: Dataset
    encoded: int


def extract(
    dataset: Dataset,
    backbone: Backbone,
    *,
    cache_dir: str | Path | None = None,
    progress: bool = True,
    skip_broken: bool = False,
    workers: int | None = None,
) -> Extracted:
    """Encode and pool every input that the cache does not hold yet.

    Of several processes (``accelerate launch``) each encodes its share, and all end up with all features.

    Args:
        dataset: the inputs.
        backbone: the frozen encoder.
        cache_dir: where features are kept; a folder in the user's cache directory by default.
        progress: show a progress bar on standard error, if that is a terminal.
        skip_broken: leave out inputs that cannot be read, instead of stopping at the first.
        workers: inputs encoded at the same time, each on one thread: as many as processors by
            default. Measured at 2 processors: as fast as one input on all threads when nothing else
            runs, and ten times faster when something does.

    Raises:
        DataError: an input cannot be read (its file or row is named), or modalities differ.
        EncoderError: the encoder returns something else than it says.
        DaamError: the cache cannot be written to.
    """
    if dataset.modality != backbone.modality:
        raise DataError(
            f"{dataset.name} holds {dataset.modality} inputs, but the encoder {backbone.name} takes "
            f"{backbone.modality}."
        )
    folder = encoder_folder(backbone, cache_dir)
    keys = [content_hash(given) for given in dataset.inputs]
    found = read_shards(folder, set(keys), shape=(backbone.n_layers, backbone.n_features))
    missing = [number for number in _first_of_each(keys) if keys[number] not in found]
    # Everybody has read before anybody writes, so that all agree on what is missing.
    (index, count), _ = among_processes()
    gathered(None)
    found_here: dict[str, Tensor] = {}
    broken: dict[str, str] = {}
    failure: DaamError | None = None
    bar = tqdm(
        _encoded(dataset, backbone, missing[index::count], workers or os.cpu_count() or 1),
        total=len(missing[index::count]),
        desc=f"Encoding {dataset.name}",
        unit=" inputs",
        disable=None if progress and index == 0 else True,
        leave=False,
    )
    try:
        with _Shards(folder) as shards, contextlib.closing(bar):
            for number, result in bar:
                key = keys[number]
                if not isinstance(result, InputError | ShapeError):
                    found_here[key] = result
                    shards.add(key, result)
                elif skip_broken:
                    broken[key] = str(result)
                else:
                    raise DataError(
                        f"{dataset.name}, {dataset.places[number]}: {result} "
                        "Mend or remove it, or leave out such inputs with --skip-broken."
                    ) from result
    except DaamError as error:
        if count == 1:
            raise
        failure = error  # the others wait, and must hear of it
    found |= found_here
    for of_process, failed in gathered((broken, failure)):
        if failed is not None:
            raise failed
        broken = broken | of_process
    if count > 1:
        others = {keys[number] for number in missing} - set(found) - set(broken)
        found |= read_shards(folder, others, shape=(backbone.n_layers, backbone.n_features))
    kept = [number for number, key in enumerate(keys) if key not in broken]
    if not kept:
        raise DataError(
            f"{dataset.name}: not one of its {len(dataset)} inputs can be read. {next(iter(broken.values()))}"
        )
    remaining = dataset
    if broken:
        lost = [
            Skipped(place, broken[key])
            for place, key in zip(dataset.places, keys, strict=True)
            if key in broken
        ]
        note = f"Left out {len(lost):,} inputs of {dataset.name} that cannot be read, the first, "
        note += f"{lost[0].place}: {lost[0].reason}"
        remaining = replace(
            dataset.part(kept),
            skipped=(*dataset.skipped, *lost),
            notes=(*dataset.notes, note),
        )
    features = torch.stack([found[keys[number]] for number in kept])
    return Extracted(features, remaining, len(missing) - len(broken))


class _Shards:
    """Collects features and writes them in shards; what is left is written at the end, come what may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unsaved: dict[str, Tensor] = {}

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, key: str, features: Tensor) -> None:
        self._unsaved[key] = features
        if len(self._unsaved) == SHARD_SIZE:
            self._write()

    def _write(self) -> None:
        rows, self._unsaved = self._unsaved, {}
        if rows:
            write_shard(self._folder, rows)


def encoder_folder(backbone: Backbone, cache_dir: str | Path | None = None) -> Path:
    """Where this encoder's features are kept."""
    identity = (
        LAYOUT,
        backbone.name,
        backbone.revision,
        backbone.weights_sha256,
        backbone.preprocessing,
        str(backbone.n_layers),
        str(backbone.n_features),
    )
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()
    base = Path(cache_dir) if cache_dir is not None else cache_folder() / "features"
    return base / digest[:24]


def read_shards(folder: Path, hashes: set[str], *, shape: tuple[int, int]) -> dict[str, Tensor]:
    """Features ``[L, F]`` by content hash, of those inputs that undamaged shards hold.

    A damaged shard is removed: what it held is encoded again.
    """
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("[0-9a-f]*.safetensors")):
        try:
            with safe_open(path, framework="pt") as shard:
                facts = shard.metadata() or {}
                keys = facts.get("keys", "").split()
                needed = [row for row, key in enumerate(keys) if key in hashes and key not in found]
                if not needed:
                    continue
                stored = shard.get_tensor("features")
        except (SafetensorError, OSError):
            stored, keys, facts, needed = torch.empty(0), [], {}, []
        fits = stored.dtype == torch.float32 and stored.shape == (len(keys), *shape)
        if not fits or facts.get("sha256") != _digest(stored):
            path.unlink(missing_ok=True)
            continue
        found |= {keys[row]: stored[row].clone() for row in needed}
    return found


def write_shard(folder: Path, rows: dict[str, Tensor]) -> None:
    """Write ``[L, F]`` features by content hash, whole or not at all."""
    keys = sorted(rows)
    stored = torch.stack([rows[key] for key in keys])
    name = hashlib.sha256("".join(keys).encode()).hexdigest()[:24]
    with replacing(folder / f"{name}.safetensors") as temporary:
        save_file(
            {"features": stored}, temporary, metadata={"keys": " ".join(keys), "sha256": _digest(stored)}
        )


_Result = Tensor | InputError | ShapeError


def _encoded(
    dataset: Dataset, backbone: Backbone, numbers: Sequence[int], workers: int
) -> Iterator[tuple[int, _Result]]:
    def read(number: int) -> Input | InputError:
        try:
            return read_input(dataset.inputs[number], dataset.modality, rate=backbone.sample_rate)
        except InputError as error:
            return error

    shape = (backbone.n_layers, backbone.n_features)

    def encode(given: Sequence[Input]) -> Sequence[_Result]:
        try:
            pooled = [found.float().cpu().contiguous() for found in backbone.pooled(given)]
            if wrong := [tuple(found.shape) for found in pooled if found.shape != shape]:
                raise EncoderError(
                    f"The encoder {backbone.name} has n_layers = {shape[0]} and n_features = {shape[1]}, but "
                    f"its hidden states have {wrong[0][0]} layers and {wrong[0][1]} features; they must be "
                    "[n_layers, T, n_features] for every input."
                )
            return pooled
        except (InputError, ShapeError) as error:
            return [error] if len(given) == 1 else [encode([one])[0] for one in given]

    def one(number: int) -> _Result:
        found = read(number)
        return found if isinstance(found, InputError) else encode([found])[0]

    def several(executor: ThreadPoolExecutor, batch: Sequence[int]) -> Iterator[tuple[int, _Result]]:
        """Those of about one length together, so that little is filled up."""
        inputs = dict(zip(batch, executor.map(read, batch), strict=True))
        results: dict[int, _Result] = {
            number: found for number, found in inputs.items() if isinstance(found, InputError)
        }
        usable = {number: found for number, found in inputs.items() if not isinstance(found, InputError)}
        by_length = sorted(usable, key=lambda number: _length(usable[number]))
        size = max(1, -(-len(by_length) // (_CHUNKS * workers)))
        chunks = [by_length[start : start + size] for start in range(0, len(by_length), size)]
        encoded = executor.map(lambda chunk: encode([usable[number] for number in chunk]), chunks)
        for chunk, found in zip(chunks, encoded, strict=True):
            results |= zip(chunk, found, strict=True)
        yield from ((number, results[number]) for number in batch)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as executor:
            # In rounds of one shard: after a refusal or an interruption little is left to wait for.
            for start in range(0, len(numbers), SHARD_SIZE):
                batch = numbers[start : start + SHARD_SIZE]
                if backbone.together:
                    yield from several(executor, batch)
                else:
                    yield from zip(batch, executor.map(one, batch), strict=True)
    finally:
        torch.set_num_threads(threads)


def _length(given: Input) -> int:
    return len(given.content) if isinstance(given, Text) else 0


def _first_of_each(keys: Sequence[str]) -> list[int]:
    """Positions of the first input of each content."""
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    return list(first.values())


def _digest(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().flatten().view(torch.uint8).numpy().data).hexdigest()
