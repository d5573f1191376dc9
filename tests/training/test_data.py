"""Data sets on disk."""

import pytest
import torch

from daam_core.errors import DataError
from daam_core.training.data import Skipped, TableColumns, joined, load_dataset
from tests.support.data import class_folders, letters, write_table

# Folders


def test_a_folder_of_class_folders_is_read_in_the_order_of_names(tmp_path):
    class_folders(
        tmp_path,
        {"b": {"2.wav": "x", "10.wav": "y"}, "a": {"deep/1.WAV": "z", ".hidden.wav": "", "notes.txt": ""}},
    )
    found = load_dataset(tmp_path, modality="audio")
    assert found.class_names == ("a", "b")
    assert found.places == ("a/deep/1.WAV", "b/10.wav", "b/2.wav")
    assert found.labels == (0, 1, 1)
    assert found.inputs[0] == tmp_path / "a" / "deep" / "1.WAV"
    assert found.counts == {"a": 1, "b": 2}
    assert found.targets.tolist() == [0, 1, 1]
    assert found.targets.dtype == torch.int64


def test_text_files_are_read_as_texts(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "one"}, "b": {"2.txt": "zwei ä"}})
    assert load_dataset(tmp_path, modality="text").inputs == ("one", "zwei ä")


@pytest.mark.parametrize(
    ("tree", "modality", "message"),
    [
        ({}, "audio", "has no class folders"),
        ({"a": {"1.wav": ""}}, "audio", "holds the one class 'a'; a classifier needs at least two"),
        (
            {"a": {"1.wav": ""}, "b": {"x.doc": ""}},
            "audio",
            "holds the one class 'a'.*The folder b of .* is no class here: none of its 1 files is a sound",
        ),
        (
            {"train": {"1.wav": ""}, "test": {"1.wav": ""}},
            "audio",
            "train has no class folders",
        ),
        ({"a": {"1.txt": "  \n"}, "b": {"2.txt": "x"}}, "text", "a/1.txt is empty."),
    ],
)
def test_an_unusable_folder_is_refused(tmp_path, tree, modality, message):
    class_folders(tmp_path, tree)
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path, modality=modality)


def test_a_folder_with_tables_says_so(tmp_path):
    write_table(tmp_path / "letters.csv", [("text", "label")])
    with pytest.raises(DataError, match=r"has no class folders; give one of its tables: letters\.csv\."):
        load_dataset(tmp_path, modality="text")


def test_a_missing_data_set_is_named_without_its_folder(tmp_path):
    with pytest.raises(DataError, match="There is no data set 'nothing'") as caught:
        load_dataset(tmp_path / "nothing", modality="text")
    assert str(tmp_path) not in str(caught.value)


def test_empty_texts_can_be_skipped_and_are_listed(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "", "2.txt": "x"}, "b": {"3.txt": "y"}})
    found = load_dataset(tmp_path, modality="text", skip_broken=True)
    assert found.inputs == ("x", "y")
    assert found.skipped == (Skipped("a/1.txt", "a/1.txt is empty."),)
    assert found.notes == (
        f"Left out 1 inputs of {tmp_path.name} that cannot be used, the first: a/1.txt is empty.",
    )


def test_a_text_file_of_another_encoding_is_named(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "x"}, "b": {"2.txt": "y"}})
    (tmp_path / "a" / "1.txt").write_bytes("今天天气很好".encode("gbk"))
    with pytest.raises(DataError, match=r"a/1\.txt is not UTF-8 text; name its encoding with --encoding"):
        load_dataset(tmp_path, modality="text")


# Tables


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t"), ("tabs.csv", "\t")])
def test_tables_of_commas_and_of_tabs_are_read(tmp_path, name, delimiter):
    rows = [("Text", "LABEL"), ("one, two\nthree", "b"), ('say "hi"', "a")]
    found = load_dataset(write_table(tmp_path / name, rows, delimiter=delimiter), modality="text")
    assert found.inputs == ("one, two\nthree", 'say "hi"')
    assert found.labels == (1, 0)
    assert found.places == ("row 1", "row 2")


def test_text_columns_are_joined_by_a_line_break(tmp_path):
    rows = [("label", "title", "description"), ("x", "Head", "Body"), ("y", "Only", "")]
    table = write_table(tmp_path / "t.csv", rows)
    found = load_dataset(table, modality="text", columns=TableColumns(("title", "description")))
    assert found.inputs == ("Head\nBody", "Only")


def test_paths_are_relative_to_the_table(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_text("")
    rows = [("path", "fine", "coarse"), ("pictures/1.png", "f", "a"), ("pictures/1.png", "g", "b")]
    table = write_table(tmp_path / "t.csv", rows)
    found = load_dataset(table, modality="image", columns=TableColumns(label="coarse"))
    assert found.inputs == (tmp_path / "pictures" / "1.png",) * 2
    assert found.class_names == ("a", "b")


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([("title", "label"), ("x", "a")], {}, "which column holds the texts.*title, label.*--input-column"),
        ([("text", "kind"), ("x", "a")], {}, "which column holds the labels.*text, kind.*--label-column"),
        (
            [("text", "label"), ("x", "a")],
            {"columns": TableColumns(label="klass")},
            "has no column 'klass'; its columns are text, label",
        ),
        ([("text", "label"), ("x", "a"), ("  ", "b")], {}, "row 2 below the heading: the text is empty"),
        (
            [("text", "label"), ("x", "a"), ("y", " ")],
            {},
            "row 2 below the heading: the column 'label' is empty",
        ),
        ([("text", "label"), ("x", "a"), ("y",)], {}, "row 2 below the heading: it has not as many cells"),
        ([("text", "label"), ("x", "a", "more")], {}, "row 1 below the heading: it has not as many cells"),
        ([("text", "label"), ("x", "a"), ("y", "a")], {}, "holds the one class 'a'"),
        ([("text", "label")], {}, "holds no inputs"),
        (
            [("text", "label"), ("x", "a")],
            {"class_names": ("b", "c")},
            "row 1: the class 'a' is not one of b, c",
        ),
    ],
)
def test_an_unusable_table_is_refused(tmp_path, rows, options, message):
    with pytest.raises(DataError, match=message):
        load_dataset(write_table(tmp_path / "t.csv", rows), modality="text", **options)


def test_a_missing_file_is_refused_with_its_row_or_skipped(tmp_path):
    (tmp_path / "1.png").write_text("")
    rows = [("path", "label"), ("1.png", "a"), ("2.png", "b"), ("1.png", "b"), ("no\0name", "b")]
    table = write_table(tmp_path / "t.csv", rows)
    with pytest.raises(DataError, match=r"t\.csv, row 2 below the heading: there is no file '2\.png'"):
        load_dataset(table, modality="image")
    skipped = load_dataset(table, modality="image", skip_broken=True).skipped
    assert [one.place for one in skipped] == ["row 2", "row 4"]
    assert "there is no file '2.png'" in skipped[0].reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "text,label\n今天天气很好,a\n".encode("gbk"),
            "is not UTF-8 text; name its encoding with --encoding",
        ),
        (b'text,label\nx,a\n"never, closed,b\n', "is no proper table after row 1"),
        (b"", r"^t\.csv is empty; give a table with a row for each input\.$"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path / "t.csv", modality="text")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(DataError, match=r"notes\.md is no table"):
        load_dataset(tmp_path / "notes.md", modality="text")


def test_a_byte_order_mark_is_no_part_of_the_heading(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbftext,label\nx,a\ny,b\n")
    assert load_dataset(tmp_path / "t.csv", modality="text").inputs == ("x", "y")


def test_classes_keep_the_order_of_a_model(tmp_path):
    table = write_table(tmp_path / "t.csv", [("text", "label"), ("x", "a")])
    assert load_dataset(table, modality="text", class_names=("b", "a")).labels == (1,)


# Groups


def test_groups_come_from_file_names(tmp_path):
    class_folders(tmp_path, {"a": {"03a01.wav": "", "08a02.wav": ""}, "b": {"03b01.wav": ""}})
    assert load_dataset(tmp_path, modality="audio", group_pattern="^(..)").groups == ("03", "08", "03")
    assert load_dataset(tmp_path, modality="audio", group_pattern=r"^\d").groups == ("0", "0", "0")
    with pytest.raises(DataError, match=r"'x\(.\)' does not match the file name '03a01.wav'"):
        load_dataset(tmp_path, modality="audio", group_pattern="x(.)")
    with pytest.raises(DataError, match="is no regular expression"):
        load_dataset(tmp_path, modality="audio", group_pattern="(")


def test_groups_come_from_paths(tmp_path):
    """A pattern with a / is searched from the data set's name on, so one pattern serves several data sets."""
    class_folders(tmp_path / "berlin", {"a": {"03a.wav": "", "08a.wav": ""}, "b": {"03b.wav": ""}})
    class_folders(tmp_path / "york", {"a": {"Actor_7/1.wav": ""}, "b": {"Actor_9/1.wav": ""}})
    pattern = r"berlin/[^/]+/(\d\d)|/Actor_(\d)/"
    found = [
        load_dataset(tmp_path / name, modality="audio", group_pattern=pattern) for name in ("berlin", "york")
    ]
    assert [data.groups for data in found] == [("03", "08", "03"), ("7", "9")]
    with pytest.raises(DataError, match=r"does not match the path 'york/a/Actor_7/1\.wav'"):
        load_dataset(tmp_path / "york", modality="audio", group_pattern="Speaker/")


def test_several_data_sets_are_one_whose_groups_stay_apart(tmp_path):
    rows = [("text", "label", "who"), ("x", "b", "1"), ("y", "a", "2")]
    others = [("text", "label", "who", "year"), ("z", "c", "1", "1998"), ("w", "a", "3", "1999")]
    first, second = (
        load_dataset(write_table(tmp_path / name, table), modality="text", columns=TableColumns(group="who"))
        for name, table in (("one.csv", rows), ("two.csv", others))
    )
    found = joined([first, second])
    assert found.name == "one.csv + two.csv"
    assert found.inputs == ("x", "y", "z", "w")
    assert [found.class_names[label] for label in found.labels] == ["b", "a", "c", "a"]
    assert found.class_names == ("a", "b", "c")
    assert found.groups == ("one.csv/1", "one.csv/2", "two.csv/1", "two.csv/3")
    assert found.places[2] == "two.csv/row 1"
    assert found.columns == {
        "year": ("", "", "1998", "1999"),
        "data set": ("one.csv", "one.csv", "two.csv", "two.csv"),
    }
    assert joined([first]) is first
    with pytest.raises(DataError, match=r"Two of the data sets are called 'one\.csv'; rename one"):
        joined([first, first])
    with pytest.raises(DataError, match="of one modality, with groups or without"):
        joined([first, letters()])


def test_groups_come_from_a_column(tmp_path):
    rows = [("text", "label", "who"), ("x", "a", "p"), ("y", "b", " q ")]
    table = write_table(tmp_path / "t.csv", rows)
    assert load_dataset(table, modality="text", columns=TableColumns(group="who")).groups == ("p", "q")
