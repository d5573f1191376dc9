"""Where an encoder's files are: a local folder, or a hub repository at one pinned commit.

Only safetensors are read, no code from a repository is ever run, and nothing is unpickled.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daam_core.errors import EncoderError, first_line
from daam_core.inputs.files import describe
from daam_core.plain import PlainObject

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
#: Type of a model of the package timm: transformers' name for it.
TIMM = "timm_wrapper"
LOCAL = "local"  # the revision of a folder, which has no history to pin

#: Files that decide how an input is prepared; any of them makes a repository usable for its modality.
SOUND_OR_PICTURE_FILES = ("preprocessor_config.json", "processor_config.json")
TEXT_FILES = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json", "spiece.model", "spm.model")

#: What is fetched from a hub repository: the top folder's configuration, vocabulary and safetensors.
FETCHED = ("*.json", "*.txt", "*.model", WEIGHTS, "model-*-of-*.safetensors")

_PICKLE_ONLY = (
    f"'{{name}}' has no {WEIGHTS}, and nothing else is read, because a .bin or .pt file can run code when it "
    "is opened: load it with transformers where you trust it, save_pretrained it and give that folder, or "
    "name a revision that holds safetensors."
)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHUNK = 1 << 20  # bytes read at a time while hashing


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder's files on this disk.

    Attributes:
        name: the hub id, or the folder's own name.
        folder: where the files are.
        revision: the hub commit, or ``local``.
    """

    name: str
    folder: Path
    revision: str


def locate(name: str, *, revision: str | None = None) -> EncoderFiles:
    """Finds a folder, or fetches the configuration (nothing else) of a hub repository.

    Args:
        name: a folder's path or a hub id such as ``microsoft/wavlm-large``.
        revision: branch, tag or commit of a hub repository, by default its main branch; a folder
            has only ``local``.

    Raises:
        EncoderError: there is no such folder or repository, or it cannot be reached and is not in
            the local cache.
    """
    folder = Path(name).expanduser()
    if name.strip() and folder.is_dir():
        if revision not in (None, LOCAL):
            raise EncoderError(
                f"'{describe(name)}' is a folder on this computer and has no revision '{revision}'; "
                f"leave the revision out or give '{LOCAL}'."
            )
        return _checked(EncoderFiles(folder.resolve().name, folder, LOCAL))
    if not _HUB_ID.fullmatch(name) or name.endswith((".git", ".")) or "--" in name or ".." in name:
        raise EncoderError(
            f"There is no folder '{describe(name)}', and it is not a hub id; give an existing folder or an "
            "id such as 'microsoft/wavlm-large'."
        )
    return _checked(_cached(name, revision) or _snapshot(name, revision=revision, patterns=(CONFIG,)))


def fetch(files: EncoderFiles, *, needs: tuple[str, ...]) -> EncoderFiles:
    """Makes sure that the weights, and at least one file of ``needs``, are on this disk.

    A folder is only checked. For a hub repository the cached commit is used if it is complete,
    without asking the hub.

    Raises:
        EncoderError: files are missing, or the weights exist only in a format that can run code.
    """
    if files.revision != LOCAL and not _is_complete(files, needs):
        _check_offered(files)
        files = _snapshot(files.name, revision=files.revision, patterns=FETCHED)
    weight_files(files)
    if not any((files.folder / file).is_file() for file in needs):
        raise EncoderError(
            f"'{files.name}' holds none of {', '.join(needs)}, so its inputs cannot be prepared; add the "
            "file that was saved with the model."
        )
    return files


def weight_files(files: EncoderFiles) -> list[Path]:
    """The safetensors files of a model, in order of their names.

    Raises:
        EncoderError: there are none, one is missing, or the weights exist only as a pickle.
    """
    folder = files.folder
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / WEIGHTS_INDEX).is_file():
        names = sorted(set(_shards(files)))
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise EncoderError(
                f"'{files.name}' lacks {len(missing)} of its {len(names)} weight files, such as "
                f"{missing[0]}; copy or download the model again."
            )
        return [folder / name for name in names]
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        raise EncoderError(_PICKLE_ONLY.format(name=files.name))
    raise EncoderError(f"'{files.name}' has no {WEIGHTS}; give the folder that save_pretrained wrote.")


def weights_sha256(paths: Iterable[Path]) -> str:
    """SHA-256 of the files' bytes one after the other; for a single file the file's own SHA-256."""
    digest = hashlib.sha256()
    for file in paths:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def parameter_count(paths: Iterable[Path]) -> int:
    """Numbers in all tensors, read from the files' headers alone.

    Raises:
        SafetensorError, OSError: a file is damaged.
    """
    from safetensors import safe_open

    count = 0
    for file in paths:
        with safe_open(file, framework="pt") as opened:
            count += sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
    return count


def memory_bytes() -> int | None:
    """Memory that this process may use, the container's limit included; None where nothing tells."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return physical  # no container, or one without a limit
    return min(physical, limit)


def settings_digest(folder: Path) -> str:
    """Twelve hexadecimal digits over every small file that decides how an input becomes a hidden state."""
    names = [CONFIG, *SOUND_OR_PICTURE_FILES, *TEXT_FILES, "tokenizer_config.json", "merges.txt"]
    digest = hashlib.sha256()
    for name in names:
        file = folder / name
        if file.is_file():
            digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def read_config(files: EncoderFiles) -> PlainObject:
    """The model's configuration as a plain dictionary.

    Raises:
        EncoderError: the file is damaged or is not a transformers configuration.
    """
    config = read_json(files, CONFIG)
    if (
        "model_type" not in config
        and isinstance(config.get("architecture"), str)
        and "pretrained_cfg" in config
    ):
        return config | {"model_type": TIMM}  # as timm's own repositories lie on the hub
    if not isinstance(config.get("model_type"), str):
        raise EncoderError(
            f"The {CONFIG} of '{files.name}' names no model_type; give a model saved by transformers."
        )
    return config


def _checked(files: EncoderFiles) -> EncoderFiles:
    if not (files.folder / CONFIG).is_file():
        raise EncoderError(
            f"'{files.name}' holds no {CONFIG}; give the folder or hub id of a model saved by transformers."
        )
    return files


def _is_complete(files: EncoderFiles, needs: tuple[str, ...]) -> bool:
    try:
        weight_files(files)
    except EncoderError:
        return False
    return any((files.folder / file).is_file() for file in needs)


def _shards(files: EncoderFiles) -> list[str]:
    index = read_json(files, WEIGHTS_INDEX).get("weight_map")
    if not isinstance(index, dict) or not index:
        raise EncoderError(f"The {WEIGHTS_INDEX} of '{files.name}' is damaged; download the model again.")
    names = [str(name) for name in index.values()]
    if any(Path(name).name != name for name in names):
        raise EncoderError(
            f"The {WEIGHTS_INDEX} of '{files.name}' points outside its folder; it is not read."
        )
    return names


def read_json(files: EncoderFiles, name: str) -> PlainObject:
    """A JSON object among a model's files.

    Raises:
        EncoderError: the file is damaged or holds something else.
    """
    try:
        content = json.loads((files.folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"The {name} of '{files.name}' cannot be read as JSON; download it again."
        ) from error
    if not isinstance(content, dict):
        raise EncoderError(f"The {name} of '{files.name}' is not a JSON object; download it again.")
    return content


def _snapshot(name: str, *, revision: str | None, patterns: tuple[str, ...]) -> EncoderFiles:
    """The files of a hub repository that match ``patterns``, at one commit."""
    import huggingface_hub as hub

    with _hub_errors(name, revision):
        folder = hub.snapshot_download(
            name, revision=revision, allow_patterns=list(patterns), ignore_patterns=["*/*"]
        )
    return EncoderFiles(name, Path(folder), Path(folder).name)


def _cached(name: str, revision: str | None) -> EncoderFiles | None:
    """A commit whose configuration is already on this disk; other revisions may have moved on."""
    import huggingface_hub as hub

    if revision is None or not _COMMIT.fullmatch(revision):
        return None
    found = hub.try_to_load_from_cache(name, CONFIG, revision=revision)
    return EncoderFiles(name, Path(found).parent, revision) if isinstance(found, str) else None


def _check_offered(files: EncoderFiles) -> None:
    """Asks the hub whether the repository holds safetensors, before anything large is fetched."""
    import huggingface_hub as hub

    with _hub_errors(files.name, files.revision):
        offered = hub.model_info(files.name, revision=files.revision).siblings or []
    if not {file.rfilename for file in offered} & {WEIGHTS, WEIGHTS_INDEX}:
        raise EncoderError(_PICKLE_ONLY.format(name=files.name))


@contextmanager
def _hub_errors(name: str, revision: str | None) -> Iterator[None]:
    """Turns whatever goes wrong with the hub into one sentence."""
    from huggingface_hub import errors

    at = f" at revision '{revision}'" if revision else ""
    try:
        yield
    except errors.GatedRepoError as e:
        raise EncoderError(
            f"'{name}' is given out only to people who accepted its licence; accept it on the model's page "
            "and log in with 'hf auth login'."
        ) from e
    except errors.RevisionNotFoundError as e:
        raise EncoderError(
            f"The hub repository '{name}' has no revision '{revision}'; give a branch, tag or commit of it."
        ) from e
    except errors.RepositoryNotFoundError as e:
        raise EncoderError(
            f"'{name}' is neither a folder on this computer nor a hub repository you may read; check the "
            "spelling, or log in with 'hf auth login' if it is private."
        ) from e
    except errors.HfHubHTTPError as e:
        raise EncoderError(f"The hub did not deliver '{name}'{at}: {first_line(e)}") from e
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        errors.HTTPError,  # type: ignore[attr-defined] # imported there, under no other name elsewhere
    ) as e:
        raise EncoderError(
            f"'{name}'{at} is not in the local cache and the hub cannot be reached; connect this computer to "
            "the network, or give a folder that holds the model."
        ) from e
    except (OSError, ValueError) as e:
        raise EncoderError(f"'{name}'{at} could not be fetched from the hub: {first_line(e)}") from e
