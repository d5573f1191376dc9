"""Folders that appear whole or not at all."""

import pytest

from daam_core.cli.output import new_folder
from daam_core.errors import DaamError
from tests.support.commands import leftovers


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "x").read_text() == "1"
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "c"):
        raise ZeroDivisionError
    assert not (tmp_path / "c").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(DaamError, match="Cannot write the folder d"), new_folder(tmp_path / "file" / "d"):
        pass
    assert leftovers(tmp_path) == []
