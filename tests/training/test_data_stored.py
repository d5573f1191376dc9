"""JSON lines, Parquet, what 🤗 datasets saves, parts, and names on the hub."""

import io
import json
import re
import wave

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daam_core.errors import DataError
from daam_core.inputs import read_input
from daam_core.training import data_parts
from daam_core.training.data import TableColumns, content_hash, load_dataset, read_inputs
from daam_core.training.data_stored import StoredInput, stored_input
from tests.support.data import class_folders, write_table

CLASSES = {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (12, 8), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(np.zeros(4_000, "<i2").tobytes())
    return file.getvalue()


def pictures_table(count=5, *, metadata=True):
    stored = [{"bytes": picture(n), "path": f"{n}.png"} for n in range(count)]
    table = pa.table(
        {"image": stored, "label": [n % 2 for n in range(count)], "shop": [None, *"abcd"][:count]}
    )
    features = json.dumps({"info": {"features": CLASSES | {"image": {"_type": "Image"}}}})
    return table.replace_schema_metadata({"huggingface": features} if metadata else {})


def saved(folder, table, features):
    """As ``save_to_disk`` writes a data set: an Arrow stream, its description and its list of files."""
    folder.mkdir(parents=True)
    file = str(folder / "data-00000-of-00001.arrow")
    with pa.OSFile(file, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "test"}
    (folder / "state.json").write_text(json.dumps(state))


# JSON lines


def test_json_lines_are_a_table(tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [
        {"text": "x\ny", "label": "a", "stars": 3, "tags": ["p", "q"]},
        {"text": "z", "label": True, "more": None},
        {"text": "", "label": "b"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n[1]\n{\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.jsonl, line 5: it is no JSON object, such as"):
        load_dataset(path, modality="text")
    found = load_dataset(path, modality="text", skip_broken=True)
    assert found.inputs == ("x\ny", "z")
    assert found.class_names == ("a", "true")
    assert found.places == ("row 1", "row 2")
    assert dict(found.columns) == {"stars": ("3", ""), "tags": ('["p", "q"]', ""), "more": ("", "")}
    assert [one.place for one in found.skipped] == ["line 5", "line 6", "row 3"]
    assert found.skipped[1].reason.startswith("t.jsonl, line 6: it is no JSON: ")
    assert found.part([1]).columns["stars"] == ("",)


def test_a_list_of_json_objects_is_a_table_too(tmp_path):
    (tmp_path / "t.json").write_text('[{"text": "x", "label": 1}, {"text": "y", "label": 2.0}]')
    found = load_dataset(tmp_path / "t.json", modality="text")
    assert found.class_names == ("1", "2.0")
    (tmp_path / "t.json").write_text('[{"text": "x"')
    with pytest.raises(DataError, match=r"t\.json is no list of JSON objects"):
        load_dataset(tmp_path / "t.json", modality="text")


def test_a_column_that_is_not_there_is_named_without_speaking_of_headings(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"words": "x", "label": "a"}')
    with pytest.raises(DataError, match=r"Its columns are words, label; name one with --input-column\.$"):
        load_dataset(tmp_path / "t.jsonl", modality="text")


# Parquet and Arrow


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_pictures_of_a_file_are_read_when_they_are_opened(tmp_path, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pictures_table(), path, row_group_size=2)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, pictures_table().schema) as writer:
            writer.write_table(pictures_table())
    found = load_dataset(path, modality="image")
    assert found.class_names == ("bad", "good")
    assert found.labels == (0, 1, 0, 1, 0)
    assert found.columns["shop"] == ("", "a", "b", "c", "d")
    for number, given in enumerate(found.inputs):
        assert isinstance(given, StoredInput)
        read = read_input(given, "image")
        assert read.rgb.getpixel((0, 0)) == (number, 0, 0)
        assert read.name == f"{number}.png"
        assert content_hash(given) == read.sha256
        assert stored_input(str(given)) == given


def test_bare_bytes_and_paths_are_inputs_too(tmp_path):
    (tmp_path / "s.wav").write_bytes(sound())
    pq.write_table(pa.table({"audio": [sound(), sound()], "label": ["a", "b"]}), tmp_path / "bytes.parquet")
    (given, _) = load_dataset(tmp_path / "bytes.parquet", modality="audio").inputs
    assert read_input(given, "audio").seconds == 0.25
    stored = [{"bytes": None, "path": "s.wav"}] * 2
    pq.write_table(pa.table({"audio": stored, "label": ["a", "b"]}), tmp_path / "paths.parquet")
    (given, _) = load_dataset(tmp_path / "paths.parquet", modality="audio").inputs
    assert read_input(given, "audio").seconds == 0.25
    assert content_hash(given) == read_input(given, "audio").sha256


def test_numbers_stay_numbers_where_nothing_names_the_classes(tmp_path):
    pq.write_table(pictures_table(metadata=False), tmp_path / "t.parquet")
    assert load_dataset(tmp_path / "t.parquet", modality="image").class_names == ("0", "1")


def test_a_class_that_is_none_is_an_empty_label(tmp_path):
    table = pa.table({"text": ["x", "y"], "label": [0, -1]})
    pq.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": CLASSES}})}),
        tmp_path / "t.parquet",
    )
    with pytest.raises(DataError, match=r"t\.parquet, row 2: the column 'label' is empty"):
        load_dataset(tmp_path / "t.parquet", modality="text")
    rows, _ = read_inputs(tmp_path / "t.parquet", modality="text")
    assert [(row.given, row.label) for row in rows] == [("x", "bad"), ("y", "")]


def test_a_column_of_files_is_no_column_of_texts(tmp_path):
    pq.write_table(pictures_table(), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"The column 'image' of t\.parquet holds files and no texts"):
        load_dataset(tmp_path / "t.parquet", modality="text", columns=TableColumns(("image",)))


def test_a_damaged_file_is_said_to_be(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"t\.parquet is damaged or no table of its kind \(.*fetch it again"):
        load_dataset(tmp_path / "t.parquet", modality="text")


# Saved folders and parts


def test_a_saved_data_set_is_read(tmp_path):
    saved(tmp_path / "set", pictures_table(metadata=False), CLASSES)
    found = load_dataset(tmp_path / "set", modality="image")
    assert found.name == "set"
    assert found.class_names == ("bad", "good")
    assert read_input(found.inputs[3], "image").rgb.getpixel((0, 0)) == (3, 0, 0)


def test_of_saved_parts_one_is_read_and_said(tmp_path):
    folder = tmp_path / "set"
    saved(folder / "train", pa.table({"text": ["a", "b"], "label": [0, 1]}), CLASSES)
    saved(folder / "test", pa.table({"text": ["c", "d", "e"], "label": [0, 1, 1]}), CLASSES)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    found = load_dataset(folder, modality="text")
    assert (found.name, found.inputs) == ("set/train", ("a", "b"))
    assert found.notes == ("set has the parts test, train; train is read (--part).",)
    found = load_dataset(folder, modality="text", part="test")
    assert (found.name, found.inputs, found.notes) == ("set/test", ("c", "d", "e"), ())
    assert load_dataset(folder, modality="text", preferred=("test", "train")).name == "set/test"
    with pytest.raises(DataError, match="set has no part 'dev'; its parts are test, train"):
        load_dataset(folder, modality="text", part="dev")
    (folder / "test" / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=r"test lacks its file data-00000-of-00001\.arrow; save the data set"):
        load_dataset(folder, modality="text")
    (folder / "test" / "state.json").write_text("{")
    with pytest.raises(DataError, match="its list of files is damaged; save it again"):
        load_dataset(folder, modality="text")


def test_class_folders_in_parts_are_recognised(tmp_path):
    class_folders(tmp_path, {"train/a": {"1.txt": "p"}, "train/b": {"2.txt": "q"}})
    class_folders(tmp_path, {"val/a": {"1.txt": "r"}, "val/b": {"2.txt": "s"}})
    assert load_dataset(tmp_path, modality="text").inputs == ("p", "q")
    assert load_dataset(tmp_path, modality="text", part="validation").inputs == ("r", "s")
    with pytest.raises(DataError, match="has no parts; leave out --part"):
        load_dataset(tmp_path / "train", modality="text", part="train")


def test_tables_in_parts_are_recognised_and_shards_put_together(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_table(folder / "test.csv", [("text", "label"), ("z", "a"), ("w", "b")])
    for number, texts in enumerate((["x"], ["y"])):
        table = pa.table({"text": texts, "label": ["ab"[number]]})
        pq.write_table(table, folder / f"train-0000{number}-of-00002.parquet")
    assert load_dataset(tmp_path, modality="text", part="test").inputs == ("z", "w")
    (folder / "test.csv").unlink()
    found = load_dataset(tmp_path, modality="text")
    assert found.inputs == ("x", "y")
    assert found.places == ("train-00000-of-00002.parquet row 1", "train-00001-of-00002.parquet row 1")


# The hub


def test_a_name_on_the_hub_is_fetched_as_parquet(tmp_path, monkeypatch):
    import huggingface_hub

    files = ["plain/train/0000.parquet", "plain/test/0000.parquet", "README.md"]
    fetched = []

    def fetch(data_set, name, **options):
        fetched.append((data_set, name, options))
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": ["x", "y"], "label": ["a", "b"]}), path)
        return str(path)

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", lambda self, *a, **k: files)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    found = load_dataset("owner/name", modality="text", part="test")
    assert (found.name, found.inputs) == ("owner/name/test", ("x", "y"))
    assert fetched == [
        (
            "owner/name",
            "plain/test/0000.parquet",
            {"repo_type": "dataset", "revision": "refs/convert/parquet"},
        )
    ]
    files += ["other/partial-test/0000.parquet"]
    with pytest.raises(
        DataError, match=r"several configurations; give one: owner/name/other, owner/name/plain"
    ):
        load_dataset("owner/name", modality="text")
    assert load_dataset("owner/name/other", modality="text").name == "owner/name/other/test"
    with pytest.raises(DataError, match="has no configuration 'third'; it has other, plain"):
        load_dataset("owner/name/third", modality="text")


# The second is what comes of a machine without a network: no OSError.
@pytest.mark.parametrize("kind", ["OSError", "HTTPError"])
def test_where_the_hub_cannot_be_reached_the_sentence_says_what_to_do(monkeypatch, kind):
    import huggingface_hub

    def offline(*given, **options):
        kinds = {"OSError": OSError, "HTTPError": huggingface_hub.errors.HTTPError}
        raise kinds[kind]("Cannot reach it: offline mode.\nTraceback of many lines")

    def not_kept(*given, **options):
        raise huggingface_hub.errors.LocalEntryNotFoundError("Not here.")

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", offline)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", not_kept)
    with pytest.raises(DataError) as refused:
        load_dataset("owner/name", modality="text")
    assert str(refused.value) == (
        "There is no folder 'owner/name' here, and the hub's data set of that name cannot be had (Cannot "
        "reach it: offline mode). Give a folder or table, or what datasets wrote with save_to_disk."
    )


@pytest.mark.parametrize("name", ["data.csv", "owner/data.csv", "/owner/name", "../name", "a/b/c/d", "name"])
def test_what_is_no_name_on_the_hub_is_not_asked_for_there(name):
    assert not data_parts.hub_name(name)
    with pytest.raises(DataError, match=re.escape("There is no data set ")):
        load_dataset(name, modality="text")
