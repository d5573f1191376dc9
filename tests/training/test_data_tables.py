"""Tables as people have them: quotation marks, separators, headings, encodings, labels."""

import csv

import hypothesis.strategies as st
import pytest
from hypothesis import given

from daam_core.errors import DataError
from daam_core.training.data import ClassChoice, TableColumns, TextFormat, load_dataset
from tests.support.data import write_table


def read(tmp_path, content, *, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_dataset(path, modality="text", **options)


# Quotation marks


def test_marks_that_do_not_enclose_a_cell_merge_no_rows_of_a_table_of_tabs(tmp_path):
    found = read(
        tmp_path,
        'id\tlabel\tsentence\n1\tpos\t"Good\n2\tneg\tBad\n3\tneg\tPoor\n4\tpos\tNice "\n5\tneg\tLast\n',
        name="q.tsv",
    )
    assert found.inputs == ('"Good', "Bad", "Poor", 'Nice "', "Last")
    assert found.notes == ()


def test_marks_that_enclose_a_cell_of_a_table_of_tabs_are_not_part_of_it(tmp_path):
    found = read(tmp_path, 'text\tlabel\n"one ""two"""\ta\n"three"\tb\n"four" and "five"\tb\n', name="q.tsv")
    assert found.inputs == ('one "two"', "three", '"four" and "five"')


def test_marks_may_enclose_tabs_and_line_breaks_where_only_that_makes_even_rows(tmp_path):
    assert read(tmp_path, 'text\tlabel\n"one\ntwo\tthree"\ta\nx\tb\n', name="q.tsv").inputs == (
        "one\ntwo\tthree",
        "x",
    )


def test_unpaired_marks_of_a_table_of_commas_are_letters_and_said(tmp_path):
    found = read(tmp_path, 'label,text\na,"Good\nb,Bad\nb,Poor\n')
    assert found.inputs == ('"Good', "Bad", "Poor")
    assert found.notes == (
        "Quotation marks in t.csv do not come in pairs and were read as letters like any other.",
    )


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from([",", ";", "|"]),
)
def test_whatever_a_csv_writer_wrote_is_read_as_it_was(tmp_path_factory, texts, delimiter):
    readable = [text for (text,) in texts if text.strip()]
    if len(readable) < 2:
        return
    rows = [(text, "ab"[number % 2]) for number, text in enumerate(readable)]
    path = write_table(
        tmp_path_factory.mktemp("t") / "t.csv", [("text", "label"), *rows], delimiter=delimiter
    )
    found = load_dataset(path, modality="text", classes=ClassChoice(("all",)), skip_broken=True)
    assert found.inputs == tuple(text.strip() for text, _ in rows)


# Separators and headings


@pytest.mark.parametrize(
    ("delimiter", "note"),
    [(";", "separated by semicolons"), ("|", "separated by vertical bars"), ("\t", "separated by tabs")],
)
def test_other_separators_are_found_out_and_said(tmp_path, delimiter, note):
    path = write_table(
        tmp_path / "t.csv", [("text", "label"), ("one, two", "a"), ("x", "b")], delimiter=delimiter
    )
    found = load_dataset(path, modality="text")
    assert found.inputs == ("one, two", "x")
    assert found.notes == (f"The cells of t.csv are {note}.",)
    assert load_dataset(path, modality="text", written=TextFormat(delimiter=delimiter)).notes == ()


def test_a_line_that_names_the_separator_is_no_heading(tmp_path):
    assert read(tmp_path, "sep=;\r\ntext;label\r\na, b;x\r\nc;y\r\n").inputs == ("a, b", "c")


def test_a_delimiter_of_several_letters_is_refused():
    with pytest.raises(DataError, match=r"The delimiter must be one character, such as ; or |"):
        TextFormat(delimiter="::")


def test_a_missing_heading_is_asked_about_and_read_where_said(tmp_path):
    content = "I liked this film very much,pos\nNot at all,neg\nIt was fine,pos\n"
    with pytest.raises(
        DataError,
        match=r"which column holds the texts.*I liked.*or give --no-heading if its first row is one",
    ):
        read(tmp_path, content)
    found = read(tmp_path, content, written=TextFormat(heading=False))
    assert found.inputs == ("I liked this film very much", "Not at all", "It was fine")
    assert [found.class_names[label] for label in found.labels] == ["pos", "neg", "pos"]
    assert "inputs from column 0, labels from column 1; --input-column" in found.notes[0]
    turned = read(tmp_path, content, written=TextFormat(heading=False), columns=TableColumns(("1",), "0"))
    assert turned.inputs == ("pos", "neg", "pos")
    assert turned.notes == ()


def test_paths_without_a_heading_are_found_by_how_they_end(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "t.csv").write_text("a long remark,1.png,x\nanother remark,2.png,y\nanother remark,2.png,y\n")
    found = load_dataset(tmp_path / "t.csv", modality="image", written=TextFormat(heading=False))
    assert [path.name for path in found.inputs] == ["1.png", "2.png", "2.png"]


def test_columns_that_hold_texts_beside_the_one_that_is_read_are_said(tmp_path):
    content = (
        "title,text,by,label\nA dog barks,A dog barks loudly,anna,x\nA cat purrs,A cat purrs softly,ben,y\n"
    )
    assert read(tmp_path, content).notes == (
        "The texts of t.csv are read from the column 'text' and not from title; --input-column names one or "
        "several.",
    )
    assert read(tmp_path, content, columns=TableColumns(("text",))).notes == ()
    assert read(tmp_path, content, columns=TableColumns(group="title")).notes == ()


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="has 2 columns called 'text'; rename them"):
        read(tmp_path, "text,text,label\na,b,x\nc,d,y\n", columns=TableColumns(("text",)))


# Encodings and sizes


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-16", "t.csv was read as UTF-16, as its first bytes say."),
        ("utf-16-le", "t.csv was read as UTF-16, as its first bytes say."),
        ("cp1252", "t.csv is not UTF-8 and was read as Windows-1252 (“Größe,a”); --encoding names another."),
        ("utf-8-sig", None),
    ],
)
def test_the_encoding_is_found_out_and_said(tmp_path, encoding, note):
    found = read(tmp_path, "text,label\nGröße,a\nx,b\n".encode(encoding))
    assert found.inputs == ("Größe", "x")
    assert found.notes == (() if note is None else (note,))


def test_an_encoding_is_read_as_said(tmp_path):
    content = "text,label\nПривет,a\nдом,b\n".encode("cp1251")
    with pytest.raises(DataError, match=r"t\.csv is not UTF-8 text; name its encoding with --encoding"):
        read(tmp_path, content)
    found = read(tmp_path, content, written=TextFormat(encoding="cp1251"))
    assert (found.inputs, found.notes) == (("Привет", "дом"), ())
    with pytest.raises(DataError, match="There is no encoding 'klingon'; name one such as utf-8"):
        read(tmp_path, content, written=TextFormat(encoding="klingon"))


def test_a_cell_may_be_longer_than_the_csv_module_allows(tmp_path):
    csv.field_size_limit(131_072)
    long = "word " * 40_000
    assert read(tmp_path, f"text,label\n{long},a\nx,b\n").inputs == (long.strip(), "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "pointer of Git LFS.*run 'git lfs pull'",
        ),
        (b"PK\x03\x04\x14\0\0\0\xff\xff", r"t\.csv is a ZIP archive, not a text; unpack it"),
        (
            "Größe über alles, naïve".encode() + b"\xff\n",
            "UTF-8 text with damaged bytes, the first in line 1",
        ),
    ],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_an_address_is_no_path():
    with pytest.raises(DataError, match="given as an address, and nothing is downloaded; fetch it first"):
        load_dataset("https://example.org/data.csv", modality="text")


# Labels


@pytest.mark.parametrize(("one", "other"), [("Happy", "happy"), ("1", "1.0"), ("very good", "very_good")])
def test_labels_that_people_take_for_the_same_are_asked_about(tmp_path, one, other):
    table = write_table(
        tmp_path / "t.csv", [("text", "label"), ("a", one), ("b", one), ("c", other), ("d", "sad")]
    )
    found = load_dataset(table, modality="text")
    assert len(found.class_names) == 3
    assert "differ only in case, white space or as 1 and 1.0 do" in found.notes[0]
    assert "--merge-alike makes them one" in found.notes[0]
    merged = load_dataset(table, modality="text", classes=ClassChoice(merge_alike=True))
    assert (merged.counts, merged.notes) == ({one: 3, "sad": 1}, ())
    kept = load_dataset(table, modality="text", classes=ClassChoice(("all",)))
    assert (len(kept.class_names), kept.notes) == (3, ())


@pytest.mark.parametrize(
    ("one", "other"), [("1234567", "1234568"), ("1.0000001", "1"), ("9007199254740993", "9007199254740992")]
)
def test_numbers_that_differ_in_a_late_digit_are_two_labels(tmp_path, one, other):
    table = write_table(tmp_path / "t.csv", [("text", "label"), ("a", one), ("b", other)])
    found = load_dataset(table, modality="text", classes=ClassChoice(merge_alike=True))
    assert (len(found.class_names), found.notes) == (2, ())
    assert load_dataset(table, modality="text").notes == ()


def test_labels_of_a_models_classes_in_other_spelling(tmp_path):
    table = write_table(tmp_path / "t.csv", [("text", "label"), ("a", "HAPPY"), ("b", "sad")])
    with pytest.raises(
        DataError, match="the class 'HAPPY' is not one of happy, sad; --merge-alike takes it for"
    ):
        load_dataset(table, modality="text", class_names=("happy", "sad"))
    merged = load_dataset(
        table, modality="text", class_names=("happy", "sad"), classes=ClassChoice(merge_alike=True)
    )
    assert merged.labels == (0, 1)


def test_classes_that_a_model_does_not_know_can_be_left_out(tmp_path):
    table = write_table(tmp_path / "t.csv", [("text", "label"), ("a", "x"), ("b", "z"), ("c", "x")])
    with pytest.raises(DataError, match="'z' is not one of x, y; leave such inputs out with --classes"):
        load_dataset(table, modality="text", class_names=("x", "y"))
    found = load_dataset(table, modality="text", class_names=("x", "y"), classes=ClassChoice(("x", "y")))
    assert found.inputs == ("a", "c")
    assert [(one.place, one.reason) for one in found.skipped] == [("row 2", "the class z was not asked for")]
    assert found.notes == ("t.csv has no inputs of y; they count as absent.",)
