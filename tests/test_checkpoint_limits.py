"""Checkpoints that would take all memory, hang, or hold something else than they say."""

import json
import os
import resource
from pathlib import Path

import pytest

from daam_core.checkpoint import read_checkpoint
from daam_core.errors import CheckpointError
from tests.test_checkpoint import folder  # noqa: F401

MEMORY = 200_000_000


def change_config(folder: Path, **changes: object) -> None:  # noqa: F811
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    "changes",
    [
        {"decoder": "conv", "conv_channels": 10**9},
        {"decoder": "conv", "conv_channels": 20_000},
        {"decoder": "conv", "conv_channels": 10**18},
        {"decoder": "density", "n_prototypes": 10**9},
        {"decoder": "density", "n_directions": 10**18},
        {"class_names": [str(index) for index in range(500_000)]},
        {"n_features": 10**9},
        {"n_layers": 10**9},
        {"n_heads": 10**6, "mode": "shared"},
        {"n_heads": 10**30, "mode": "shared"},
    ],
    ids=str,
)
def test_sizes_that_the_weights_do_not_have_cost_nothing(folder, changes):  # noqa: F811
    change_config(folder, **changes)
    before = peak()
    with pytest.raises(CheckpointError):
        read_checkpoint(folder)
    assert peak() - before < MEMORY


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "report.json", "README.md"])
@pytest.mark.parametrize("kind", ["endless", "pipe", "folder"])
def test_only_ordinary_files_are_read(folder, name, kind):  # noqa: F811
    path = folder / name
    path.unlink(missing_ok=True)
    if kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(CheckpointError, match=r"is no ordinary file|is damaged|Is a directory"):
        read_checkpoint(folder)


@pytest.mark.parametrize("text", ["[1]", '"x"', "1", "[" * 100_000, '{"a":' * 100_000, "{", "\xff"])
def test_a_report_is_an_object(folder, text):  # noqa: F811
    (folder / "report.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"report\.json is damaged"):
        read_checkpoint(folder)


def test_a_report_is_bounded(folder):  # noqa: F811
    with (folder / "report.json").open("wb") as file:
        file.truncate(17_000_000)
    with pytest.raises(CheckpointError, match=r"larger than 16 MB"):
        read_checkpoint(folder)


def test_a_link_to_an_ordinary_file_is_read(folder, tmp_path):  # noqa: F811
    """As the hub's cache keeps its files."""
    (folder / "config.json").rename(tmp_path / "elsewhere")
    (folder / "config.json").symlink_to(tmp_path / "elsewhere")
    read_checkpoint(folder)
