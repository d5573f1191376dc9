"""The suffix chooses the format; files are written whole or not at all."""

import errno

import pytest

from daam_core import export
from daam_core.errors import DaamError, InputError
from tests.support.builders import make_explanation
from tests.support.exports import SMALL, assert_equal, assert_one_sentence


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [
        ("json", b"{"),
        ("npz", b"PK"),
        ("csv", b"head,layer"),
        ("html", b"<!doctype html>"),
        ("png", b"\x89PNG"),
        ("svg", b"<?xml"),
        ("pdf", b"%PDF"),
        ("ipynb", b"{"),
    ],
)
def test_the_suffix_chooses_the_format(tmp_path, suffix, beginning):
    path = tmp_path / "new folder" / f"result.{suffix.upper()}"
    export.save(SMALL, path)
    assert path.read_bytes()[: len(beginning)].lower() == beginning.lower()
    left = {file.name for file in path.parent.iterdir()}
    assert left == {path.name} | ({f"{path.name}-metadata.json"} if suffix == "csv" else set())


def test_what_was_saved_can_be_loaded(tmp_path):
    for suffix in ("json", "npz"):
        export.save(SMALL, tmp_path / f"result.{suffix}")
        assert_equal(export.load(tmp_path / f"result.{suffix}"), SMALL)


def test_an_unknown_suffix_names_the_accepted_ones(tmp_path):
    with pytest.raises(
        InputError, match=r"format of 'result.xlsx'; end its name in one of \.json, \.npz, \.csv, \.html"
    ):
        export.save(SMALL, tmp_path / "result.xlsx")
    with pytest.raises(InputError, match="Cannot tell the format of 'result'"):
        export.save(SMALL, tmp_path / "result")
    with pytest.raises(InputError, match=r"read from \.json or \.npz"):
        export.load(tmp_path / "result.csv")
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read gone\.json: No such file"):
        export.load(tmp_path / "gone.json")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DaamError) as caught:
        export.save(SMALL, tmp_path / "file" / "result.json")
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"result.{suffix}"
    export.save(SMALL, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DaamError, match="No space left on device") as caught:
        export.save(make_explanation(seed=3), path)
    assert_one_sentence(caught.value)
    monkeypatch.undo()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
