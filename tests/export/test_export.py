"""Round trips of real explanations, damaged files, files written whole or not at all."""

import csv
import errno
import io
import json
import zipfile
from dataclasses import fields, replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import daam_core
from daam_core import explain, explain_encoding, export
from daam_core.errors import DaamError, DataError, InputError
from daam_core.export import arrays as array_files
from daam_core.reading.quantities import quantity_map, top_cells
from daam_core.result import Explanation, arrays
from tests.support.builders import make_explanation
from tests.support.encode import encode
from tests.support.small import LetterEncoder, letter_model

KINDS = {
    "text": {},
    "audio-mixture": {"modality": "audio", "gate_kind": "mixture"},
    "image-groups": {"modality": "image", "mode": "layer_groups", "heads": 2},
    "no-data-set": {"dataset": False},
    "float64-per-head": {"dtype": np.float64, "scale": "per_head"},
    "constant": {"constant": True},
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def strict(content: str) -> dict:
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(content, parse_constant=refuse)


def assert_equal(found: Explanation, expected: Explanation) -> None:
    a, b = arrays(found), arrays(expected)
    assert a.keys() == b.keys()
    for name in b:
        assert a[name].dtype == b[name].dtype, name
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for field in fields(Explanation):
        value = getattr(expected, field.name)
        if not isinstance(value, np.ndarray) and field.name != "dataset":
            assert getattr(found, field.name) == value, field.name
    if expected.dataset is not None:
        assert found.dataset.samples == expected.dataset.samples


# ---- JSON and NPZ ------------------------------------------------------------------------------------


@kinds
def test_json_loads_back_to_the_same_explanation(kind):
    e = make_explanation(**kind)
    assert_equal(export.from_json(export.to_json(e)), e)


@kinds
def test_npz_loads_back_to_the_same_explanation(kind):
    e = make_explanation(**kind)
    assert_equal(export.from_npz(export.to_npz(e)), e)


def test_a_trained_models_explanation_survives_both_formats():
    e = explain(letter_model(), "hello")
    assert_equal(export.from_json(export.to_json(e)), e)
    assert_equal(export.from_npz(export.to_npz(e)), e)


@given(st.text(min_size=1, max_size=30), st.text(max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_any_text_and_label_survives(text, label):
    """Among them NUL at the end, which numpy's own texts lose, and lone surrogates."""
    e = make_explanation(tokens=4)
    e = replace(e, text=text, token_labels=("[CLS]", label, f"{label}\0", "</script>"))
    for found in (export.from_json(export.to_json(e)), export.from_npz(export.to_npz(e))):
        assert (found.text, found.token_labels) == (e.text, e.token_labels)


def test_json_holds_every_field_under_its_name_and_nothing_that_is_not_json():
    e = make_explanation()
    found = strict(export.to_json(e))
    assert {field.name for field in fields(Explanation)} <= found.keys()
    np.testing.assert_array_equal(np.array(found["importance"]), e.importance.astype(np.float64))
    assert found["token_spans"][0] == [None, None], "NaN spans are null"
    assert found["class_names"] == list(e.class_names)
    assert found["dataset"]["samples"] == 20
    assert found["provenance"] == e.provenance


def test_npz_opens_without_pickle_under_the_field_names():
    e = make_explanation("audio")
    with np.load(io.BytesIO(export.to_npz(e)), allow_pickle=False) as file:
        for field in fields(Explanation):
            if field.name not in ("dataset", "text"):  # a sound has no text
                assert field.name in file.files
        np.testing.assert_array_equal(file["gate"], e.gate)
        np.testing.assert_array_equal(file["dataset_importance"], e.dataset.importance)
        assert file["class_names"].tolist() == list(e.class_names)
        assert file["token_labels"].tolist() == list(e.token_labels)
        assert json.loads(str(file["provenance"])) == e.provenance
        assert int(file["prediction"]) == e.prediction


@pytest.mark.parametrize("write", [export.to_json, export.to_npz, export.to_csv, export.notebook])
def test_equal_explanations_give_equal_files(write):
    assert write(make_explanation()) == write(make_explanation())


def test_infinity_is_refused_by_json_and_kept_by_npz():
    e = make_explanation()
    e.pooled[0, 0] = np.inf
    with pytest.raises(DataError, match=r"pooled holds infinity, which JSON cannot express; write an \.npz"):
        export.to_json(e)
    assert export.from_npz(export.to_npz(e)).pooled[0, 0] == np.inf


# ---- Damaged files -----------------------------------------------------------------------------------

SMALL = make_explanation(heads=2, layers=3, features=4, tokens=4)
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


def assert_one_sentence(error: BaseException) -> None:
    text = str(error)
    assert text
    assert "\n" not in text
    assert len(text) < 400


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


# ---- CSV ---------------------------------------------------------------------------------------------


@kinds
def test_csv_loads_back_to_the_same_numbers(kind):
    e = make_explanation(**kind)
    table = export.from_csv(export.to_csv(e))
    for field in fields(export.CellTable):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(e, field.name), err_msg=field.name)


def test_csv_opens_with_any_reader_and_holds_each_seen_cell_once():
    e = make_explanation(mode="layer_groups", heads=2)
    rows = list(csv.DictReader(io.StringIO(export.to_csv(e))))
    _, layers, features = e.shape
    assert len(rows) == layers * features == e.head_layers.sum() * features
    assert list(rows[0]) == [
        "head", "layer", "feature", "value", "gate", "amplitude", "density_attention", "importance",
        "class_importance",
    ]  # fmt: skip
    for row in rows:
        head, layer, feature = (int(row[name]) for name in ("head", "layer", "feature"))
        assert np.float32(row["importance"]) == e.importance[head, layer, feature]
        assert np.float32(row["value"]) == e.values[layer, feature]
        assert np.float32(row["amplitude"]) == e.amplitude[head, layer]


def test_csv_rows_may_stand_in_any_order_and_begin_with_a_mark():
    header, *rows = export.to_csv(SMALL).splitlines()
    shuffled = "\n".join([header, *reversed(rows)]).encode("utf-8-sig")
    np.testing.assert_array_equal(export.from_csv(shuffled).gate, SMALL.gate)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: ["a,b", *lines[1:]], "needs the columns head, layer, feature"),
        (lambda lines: lines[:1], "it has no rows"),
        (lambda lines: lines[:-1], "cells are missing, or listed twice"),
        (lambda lines: [*lines, lines[-1]], "cells are missing, or listed twice"),
        (lambda lines: [*lines[:-1], lines[-2]], "cells are missing, or listed twice"),
        (lambda lines: [*lines[:-1], lines[-1].replace(",", ";")], "The table is damaged"),
        (lambda lines: [*lines[:-1], f"0.5{lines[-1][1:]}"], "must be whole numbers"),
        (lambda lines: [*lines[:-1], f"-1{lines[-1][1:]}"], "must be whole numbers"),
        (lambda lines: [*lines[:-1], f"9{lines[-1][1:]}"], "cells are missing"),
        (lambda lines: [*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",nan"], "9 finite numbers"),
        (lambda lines: [*lines[:-1], "1,2,3,7" + lines[-1].split(",", 3)[3].lstrip("-.0123456789e")],
         "value differs between rows"),
    ],
)  # fmt: skip
def test_a_damaged_table_is_refused_with_its_reason(damage, message):
    lines = export.to_csv(SMALL).splitlines()
    with pytest.raises(DataError, match=message) as caught:
        export.from_csv("\n".join(damage(lines)))
    assert_one_sentence(caught.value)


def test_the_table_has_its_description_beside_it(tmp_path):
    e = make_explanation()
    export.save(e, tmp_path / "cells.csv")
    described = strict((tmp_path / "cells.csv-metadata.json").read_text(encoding="utf-8"))
    names = [column["name"] for column in described["tableSchema"]["columns"]]
    assert names == (tmp_path / "cells.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert described["url"] == "cells.csv"
    assert described["notes"][0]["provenance"] == e.provenance
    assert described["notes"][0]["prediction"] == e.predicted_class


# ---- Summary -----------------------------------------------------------------------------------------


@kinds
def test_the_summary_is_small_plain_json(kind):
    e = make_explanation(**kind)
    found = strict(json.dumps(export.summary(e), allow_nan=False))
    assert found["prediction"] == e.predicted_class
    assert found["probabilities"] == {
        name: pytest.approx(float(p)) for name, p in zip(e.class_names, e.probabilities, strict=True)
    }
    assert found["shape"] == list(e.shape)
    assert found["provenance"] == e.provenance
    assert [token["attribution"] for token in found["tokens"]] == e.token_attribution.tolist()
    assert sum(layer["share"] for layer in found["top_layers"]) == pytest.approx(100, rel=1e-4)


def test_the_summary_lists_what_is_highest():
    e = make_explanation(features=200, planted=(2, 3, 150))
    found = export.summary(e, top=5)
    assert found["top_layers"][0]["layer"] == e.layer_contribution.sum(0).argmax()
    assert found["top_layers"][0]["by_head"] == pytest.approx(
        e.layer_contribution[:, found["top_layers"][0]["layer"]].tolist()
    )
    assert len(found["top_cells"]) == len(found["top_features"]) == 5
    hottest = found["top_cells"][0]
    assert (hottest["head"], hottest["layer"], hottest["feature"]) == (2, 3, 150)
    assert hottest["importance"] == 1
    assert hottest["value"] == e.values[3, 150]
    shares = 100 * e.density_attention.sum((0, 1)) / e.density_attention.sum()
    assert found["top_features"][0]["feature"] == shares.argmax() == 150
    assert found["top_features"][0]["share"] == pytest.approx(float(shares.max()), rel=1e-5)
    decisive = top_cells(quantity_map(e, "class_importance"), 1, absolute=True)[0].tolist()
    assert [found["top_class_cells"][0][k] for k in ("head", "layer", "feature")] == decisive
    assert len(json.dumps(found)) < 20_000


def test_the_summary_joins_words_and_marks_tokens_without_a_place():
    found = export.summary(make_explanation(tokens=8))
    assert found["tokens"][0] == {
        "label": "[CLS]", "span": None, "attribution": found["tokens"][0]["attribution"],
    }  # fmt: skip
    assert found["words"][0]["text"] == "Markets"
    pieces = [token["attribution"] for token in found["tokens"][1:3]]
    assert found["words"][0]["value"] == pytest.approx(sum(pieces))
    assert "words" not in export.summary(make_explanation("audio"))


# ---- Files -------------------------------------------------------------------------------------------


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


# ---- Notebook ----------------------------------------------------------------------------------------


def run_notebook(content: str, folder, monkeypatch) -> tuple[dict, str]:
    """Runs the code cells in order; returns their variables and everything printed."""
    printed: list[str] = []
    variables: dict = {"print": lambda *parts: printed.append(" ".join(map(str, parts)))}
    monkeypatch.chdir(folder)
    for cell in json.loads(content)["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), variables)
    return variables, "\n".join(printed)


def letters(monkeypatch, **changes: object):
    model = letter_model(**changes)
    monkeypatch.setattr(daam_core, "load_model", lambda name: model)
    return model


@pytest.mark.parametrize(
    "changes", [{}, {"gate_kind": "mixture", "n_gaussians": 2}, {"mode": "layer_groups"}]
)
def test_the_notebook_reproduces_the_explanation(tmp_path, monkeypatch, changes):
    e = explain(letters(monkeypatch, **changes), "hello\n'\"\\ {x} $5", target="vowels", scale="per_head")
    variables, printed = run_notebook(export.notebook(e), tmp_path, monkeypatch)
    assert "largest difference of a probability: 0.0e+00" in printed
    assert "differs from the recorded" not in printed
    np.testing.assert_array_equal(variables["e"].importance, e.importance)
    np.testing.assert_array_equal(variables["e"].class_importance, e.class_importance)
    assert_equal(export.load(tmp_path / "explanation.npz"), variables["e"])


def test_the_notebook_says_when_the_result_is_another_one(tmp_path, monkeypatch):
    e = explain(letters(monkeypatch), "hello")
    monkeypatch.setattr(daam_core, "load_model", lambda name: letter_model(n_heads=3))
    _, printed = run_notebook(export.notebook(e), tmp_path, monkeypatch)
    assert "The result differs from the recorded one" in printed


def mute(kind: str) -> np.ndarray:
    keep = np.ones((2, 6, 8), dtype=np.float32)
    if kind != "cells":
        keep[1] = 0
        keep[:, 3] = 0
    if kind != "head and layer":
        keep[0, 1, 2] = keep[0, 5, 7] = 0
    if kind == "all":
        keep[:, :, 4] = 0
    return keep


@pytest.mark.parametrize("kind", ["head and layer", "cells", "all"])
def test_the_notebook_mutes_again_what_was_muted(tmp_path, monkeypatch, kind):
    model = letters(monkeypatch)
    e = explain_encoding(model, encode(LetterEncoder(), "hello"), keep=mute(kind))
    content = export.notebook(e)
    variables, _ = run_notebook(content, tmp_path, monkeypatch)
    np.testing.assert_array_equal(variables["keep"], mute(kind))
    np.testing.assert_array_equal(variables["e"].logits, e.logits)


def test_a_partial_mute_is_refused_by_the_notebook(monkeypatch):
    keep = np.ones((2, 6, 8), dtype=np.float32)
    keep[0, 0, 0] = 0.5
    e = explain_encoding(letters(monkeypatch), encode(LetterEncoder(), "hello"), keep=keep)
    with pytest.raises(DataError, match="muted in part, which a notebook cannot state"):
        export.notebook(e)


def test_the_notebook_has_the_form_that_jupyter_reads():
    """The parts that the schema of nbformat 4.5 requires."""
    found = strict(export.notebook(make_explanation("audio")))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in found["cells"]:
        common = {"id", "cell_type", "metadata", "source"}
        assert set(cell) == common | (
            {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        )
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert "given = read_input('clip.wav', 'audio'" in "".join(
        "".join(cell["source"]) for cell in found["cells"]
    )
