"""Files are written whole or not at all."""

import os
import stat

import pytest

from daam_core.errors import DaamError
from daam_core.writing.files import replacing, usual_mode, write_text


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "report.md"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError), replacing(path) as temporary:
        temporary.write_text("new " + "é", encoding="ascii")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.md"]


def test_a_folder_is_made_and_the_suffix_is_kept_on_the_way(tmp_path):
    path = tmp_path / "new" / "map.npz"
    with replacing(path) as temporary:
        assert temporary.suffix == ".npz"
        temporary.write_bytes(b"1")
    assert path.read_bytes() == b"1"


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DaamError, match="Choose a folder that is writable and has space"):
        write_text(tmp_path / "file" / "below.txt", "text")


def test_others_may_read_what_the_mask_lets_them(tmp_path):
    path = tmp_path / "text.txt"
    mask = os.umask(0o027)
    try:
        write_text(path, "text")
        usual_mode(tmp_path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
