"""Where checkpoints lie, and what their configuration says: what is known of one before torch is there."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from daam_core.configuration import ModelConfig
from daam_core.errors import CheckpointError, ConfigError, EncoderError, first_line
from daam_core.shipped import shipped

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
OUTSIDE_FILE = "outside.safetensors"  # what the training data look like; a checkpoint may lack it
ENCODER_FOLDER = "encoder_folder"  # entry of the configuration, beside those of ModelConfig
CARD_FILE = "README.md"
REPORT_FILE = "report.json"
BUILT_IN_FOLDER = shipped("checkpoints")
MAX_JSON_BYTES = 16_000_000  # of a configuration, report or card


def built_in_models() -> list[str]:
    """Names of the classifiers that come with the project."""
    return sorted(folder.parent.name for folder in BUILT_IN_FOLDER.glob(f"*/{CONFIG_FILE}"))


def find_checkpoint(name: str, *, revision: str | None = None, **hub_options: Any) -> Path:
    """The folder of a built-in name, a folder, or a hub id, which is downloaded.

    Raises:
        CheckpointError: nothing by that name.
    """
    if (BUILT_IN_FOLDER / name / CONFIG_FILE).is_file() and re.fullmatch(r"[\w-]+", name):
        return BUILT_IN_FOLDER / name
    if Path(name).is_dir():
        return Path(name)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        known = ", ".join(built_in_models()) or "none in this installation"
        raise CheckpointError(
            f"There is no model {name!r}: give a built-in name ({known}), a folder that holds "
            f"{CONFIG_FILE} and {WEIGHTS_FILE}, or a hub id such as owner/name."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        files = [CONFIG_FILE, WEIGHTS_FILE, OUTSIDE_FILE, CARD_FILE, REPORT_FILE]
        return Path(snapshot_download(name, revision=revision, allow_patterns=files, **hub_options))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise CheckpointError(
            f"There is no folder {name!r} here, and it cannot be had from the hub: {first_line(error)}"
        ) from error


def read_config(path: Path) -> tuple[ModelConfig, str]:
    """The configuration, and the path of the encoder's folder relative to this one's; empty if none."""
    try:
        raw = json.loads(read_text(path))
        encoder_folder = raw.pop(ENCODER_FOLDER, "") if isinstance(raw, dict) else ""
        if not isinstance(encoder_folder, str) or "\0" in encoder_folder:
            raise ConfigError(f"The configuration's {ENCODER_FOLDER} must be a path.")
        return ModelConfig.from_dict(raw), encoder_folder
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.parent.name} is not a checkpoint: it has no {CONFIG_FILE}.") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise CheckpointError(f"{path.parent.name}/{CONFIG_FILE}: {error}") from error
        raise CheckpointError(
            f"{path.parent.name}/{CONFIG_FILE} is damaged or no JSON: {first_line(error)}"
        ) from error


def read_text(path: Path) -> str:
    """The text of a file of ordinary kind and size."""
    # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        check_kind(path, os.fstat(file.fileno()), MAX_JSON_BYTES)
        return file.read(MAX_JSON_BYTES).decode("utf-8")


def check_kind(path: Path, status: os.stat_result, most: int) -> None:
    where = f"{path.parent.name}/{path.name}"
    if not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"{where} is no ordinary file, so it is not read.")
    if status.st_size > most:
        raise CheckpointError(f"{where} is larger than {most // 1_000_000} MB: not a checkpoint.")


def check_encoder_folder(config: ModelConfig, folder: str) -> None:
    """Refuse a place of a classifier's encoder that is no folder.

    Raises:
        EncoderError: naming both.
    """
    if not Path(folder).is_dir():
        raise EncoderError(
            f"There is no encoder folder {folder!r}; give the one to which {config.encoder.name!r} was "
            "copied, with its config.json and model.safetensors."
        )
