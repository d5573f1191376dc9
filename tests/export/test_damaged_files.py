"""Damaged and hostile files are refused in one sentence."""

import io
import json
import zipfile

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from daam_core import export
from daam_core.errors import DataError
from daam_core.export import arrays as array_files
from tests.support.exports import SMALL, assert_one_sentence

READERS = {
    "json": (
        export.to_json(SMALL).encode(),
        export.from_json,
    ),
    "npz": (export.to_npz(SMALL), export.from_npz),
    "csv": (
        export.to_csv(SMALL).encode(),
        export.from_csv,
    ),
}
readers = pytest.mark.parametrize(("content", "read"), READERS.values(), ids=READERS)


@readers
def test_a_truncated_file_is_refused_in_one_sentence(content, read):
    for share in (0, 0.01, 0.3, 0.7, 0.99):
        with pytest.raises(DataError) as caught:
            read(content[: int(share * len(content))])
        assert_one_sentence(caught.value)


@readers
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_a_file_with_wrong_bytes_is_read_or_refused_but_never_crashes(content, read, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(damaged))
    except DataError as error:
        assert_one_sentence(error)


@pytest.mark.parametrize(("offset", "value"), [(6, 64), (8, 1)], ids=["unknown version", "encrypted"])
def test_an_archive_that_cannot_be_unpacked_is_refused(offset, value):
    damaged = bytearray(export.to_npz(SMALL))
    damaged[damaged.index(b"PK\1\2") + offset] = value  # in the archive's list of its members
    with pytest.raises(DataError, match="no NPZ file, or a damaged one") as caught:
        export.from_npz(bytes(damaged))
    assert_one_sentence(caught.value)


@readers
def test_another_programs_file_is_refused(content, read):
    other = io.BytesIO()
    np.savez(other, x=np.zeros(3))
    for foreign in (
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b'{"a": 1}',
        b"[]",
        b"a,b\n1,2\n",
        other.getvalue(),
    ):
        with pytest.raises(DataError) as caught:
            read(foreign)
        assert_one_sentence(caught.value)


def changed(**changes: object) -> str:
    return json.dumps(json.loads(export.to_json(SMALL)) | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "has format version 2, this program reads version 3"),
        ({"format": "other"}, "is no explanation"),
        ({"gate": [[1.0]]}, "gate is not the array it should be"),
        ({"gate": None}, "gate is not the array it should be"),
        ({"gate": [["a"]]}, "gate is not the array it should be"),
        ({"prediction": 9}, "there is no class 9"),
        ({"prediction": "x"}, "prediction cannot be 'x'"),
        ({"scale": "log"}, "scale must be one of all_heads, per_head, got 'log'"),
        ({"class_names": [1, 2, 3, 4]}, "class_names must be texts"),
        (
            {"class_names": ["a"], "prediction": 0, "explained": 0},
            r"Explanation.logits must be \[1\], got \[4\]",
        ),
        ({"arrays": None}, "its list of arrays is missing"),
        ({"dataset": 3}, "its list of arrays is missing"),
        ({"dataset": {"samples": 3}}, "dataset_gate is not the array it should be"),
        ({"text": 5}, "text cannot be '5'"),
        ({"token_units": "fraction"}, r"token_spans must be \[4, 4\], got \[4, 2\]"),
    ],
)
def test_a_contradiction_is_named(changes, message):
    with pytest.raises(DataError, match=message) as caught:
        export.from_json(changed(**changes))
    assert_one_sentence(caught.value)


def test_a_missing_field_is_named():
    content = json.loads(export.to_json(SMALL))
    del content["degenerate"]
    with pytest.raises(DataError, match="degenerate is missing"):
        export.from_json(json.dumps(content))


def test_nan_in_json_is_refused():
    with pytest.raises(DataError, match="NaN is no JSON number"):
        export.from_json(export.to_json(SMALL).replace("null", "NaN", 1))


def test_numbers_beyond_floating_point_are_refused():
    content = json.loads(export.to_json(SMALL))
    text = json.dumps(content).replace(json.dumps(content["logits"]), "[1e999, 0, 0, 0]")
    with pytest.raises(DataError, match="logits must hold finite numbers"):
        export.from_json(text)


def test_a_pickle_inside_an_archive_is_refused_and_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    buffer = io.BytesIO()
    with np.load(io.BytesIO(export.to_npz(SMALL))) as file:
        content = {name: file[name] for name in file.files}
    np.savez(buffer, **(content | {"gate": np.array([Trap()], dtype=object)}))
    with pytest.raises(DataError, match="no NPZ file, or a damaged one"):
        export.from_npz(buffer.getvalue())
    assert not (tmp_path / "sprung").exists()


def test_an_archive_that_claims_too_much_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(array_files, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(DataError, match="claims to hold more than"):
        export.from_npz(export.to_npz(SMALL))


def test_an_archive_without_an_array_names_it():
    source, target = io.BytesIO(export.to_npz(SMALL)), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name != "gate.npy":
                new.writestr(name, old.read(name))
    with pytest.raises(DataError, match="gate is missing"):
        export.from_npz(target.getvalue())
