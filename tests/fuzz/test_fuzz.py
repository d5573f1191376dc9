"""The targets of ``make fuzz`` in small, and that each of them can fail."""

import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daam_core.errors import InputError
from daam_core.inputs import read_input
from tests.fuzz.mutations import mutated
from tests.fuzz.run import fuzz
from tests.fuzz.samples import files
from tests.fuzz.targets import TARGETS, DefectError, endpoints, judged, right_call


def test_every_format_is_there_and_right(tmp_path):
    assert len(files()) >= 35
    for name, (modality, content) in files().items():
        path = tmp_path / "given"
        path.write_bytes(content)
        assert judged(lambda path=path, modality=modality: read_input(path, modality), name), name


@pytest.mark.slow
def test_what_arguments_are_changed_from_is_right():
    """Or every call would be refused for the same reason."""
    for name in endpoints():
        values, function = right_call(name)
        assert judged(lambda values=values, function=function: function(*values), name), name


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_is_given_is_taken_or_refused_in_one_sentence(target):
    tried = fuzz(target, examples=60)
    assert tried.defects == []
    assert tried.taken.total() + tried.refused.total() >= 60


def test_what_is_no_sentence_is_a_defect():
    def fails(error):
        def attempt():
            raise error

        return attempt

    assert not judged(fails(InputError("The file is empty.")), "it")
    wrong = ("", "a\nb", "a" * 1000, f"{tempfile.gettempdir()}/x is no file.")
    for error in (ValueError("x"), *map(InputError, wrong)):
        with pytest.raises(DefectError):
            judged(fails(error), "it")
    with pytest.raises(DefectError, match="a library said"):
        judged(lambda: os.write(2, b"noise"), "it")


@given(st.data())
@settings(max_examples=50)
def test_mutations_keep_a_file_recognisable(data):
    content = bytes(range(256)) * 4
    assert len(data.draw(mutated(content))) <= len(content) + 6 * 64
