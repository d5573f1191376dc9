"""Class folders as people have them: other files, system files, empty folders, speakers for classes."""

import pytest

from daam_core.errors import DataError
from daam_core.training.data import ClassChoice, Skipped, TextFormat, load_dataset
from tests.support.data import class_folders


def said(found, words):
    (note,) = [note for note in found.notes if words in note]
    return note


@pytest.mark.parametrize(
    "suffix", ["wav", "au", "snd", "caf", "w64", "voc", "sph", "m4a", "aac", "webm", "WAV"]
)
def test_every_readable_sound_counts(tmp_path, suffix):
    class_folders(tmp_path, {"a": {f"1.{suffix}": "x", "2.wav": ""}, "b": {"1.wav": ""}})
    found = load_dataset(tmp_path, modality="audio")
    assert found.counts == {"a": 2, "b": 1}
    assert (found.skipped, found.notes) == ((), ())


@pytest.mark.parametrize("suffix", ["jpg", "jfif", "pgm", "tga", "heic", "avif", "tif", "webp"])
def test_every_readable_picture_counts(tmp_path, suffix):
    class_folders(tmp_path, {"a": {f"1.{suffix}": "x"}, "b": {"1.png": ""}})
    assert len(load_dataset(tmp_path, modality="image")) == 2


def test_files_of_other_kinds_are_counted_and_listed_with_their_reason(tmp_path):
    class_folders(
        tmp_path, {"a": {"1.wav": "", "1.json": "", "2.json": "", "README": ""}, "b": {"1.wav": ""}}
    )
    found = load_dataset(tmp_path, modality="audio")
    assert len(found) == 2
    assert Skipped("a/1.json", ".json is not the name of a sound that can be read") in found.skipped
    assert len(found.skipped) == 3
    assert said(found, "by their names").endswith(
        "Left out 3 files that are no sound by their names: .json (2), without ending (1)."
    )


def test_what_computers_put_into_folders_is_left_out_and_said(tmp_path):
    class_folders(
        tmp_path,
        {
            "a": {"1.wav": "", ".DS_Store": "", "._1.wav": "", "Thumbs.db": ""},
            "b": {"1.wav": "", "__MACOSX/1.wav": ""},
            "__MACOSX": {"a/._1.wav": ""},
        },
    )
    found = load_dataset(tmp_path, modality="audio")
    assert found.places == ("a/1.wav", "b/1.wav")
    note = said(found, "what computers put")
    assert all(name in note for name in (".DS_Store (1)", "__MACOSX (2)", "Thumbs.db (1)", "._1.wav (1)"))


def test_an_empty_class_folder_is_no_class_and_said(tmp_path):
    class_folders(tmp_path, {"a": {"1.wav": ""}, "b": {"1.wav": ""}, "d": {"notes.txt": ""}})
    (tmp_path / "c").mkdir()
    found = load_dataset(tmp_path, modality="audio")
    assert found.class_names == ("a", "b")
    assert said(found, "The folder c").endswith("is no class here: it holds no file that is a sound.")
    assert "none of its 1 files is a sound" in said(found, "The folder d")


@pytest.mark.parametrize(
    ("names", "like"),
    [
        (["Actor_01", "Actor_02"], "speakers, sessions or folds"),
        (["fold1", "fold2"], "speakers, sessions or folds"),
        (["Session1", "Session2", "docs"], "speakers, sessions or folds"),
        (["neg", "pos", "unsup"], "inputs without a class"),
        (["neg", "pos", "test"], "parts of a data set"),
    ],
)
def test_folders_that_look_like_something_else_are_asked_about(tmp_path, names, like):
    class_folders(tmp_path, {name: {"1.txt": "x"} for name in names})
    note = said(load_dataset(tmp_path, modality="text"), "are taken for classes")
    assert f"look like {like}: --classes names the classes" in note
    assert "--class-pattern says where else they stand" in note
    answered = load_dataset(tmp_path, modality="text", classes=ClassChoice(("all",)))
    assert (answered.class_names, answered.notes) == (
        tuple(names if "docs" not in names else sorted(names)),
        (),
    )


def test_only_the_classes_asked_for_are_read(tmp_path):
    class_folders(tmp_path, {name: {"1.txt": name} for name in ("neg", "pos", "unsup")})
    found = load_dataset(tmp_path, modality="text", classes=ClassChoice(("neg", "pos")))
    assert (found.inputs, found.notes) == (("neg", "pos"), ())
    # Those that were not asked for are named too: one of them is meant.
    with pytest.raises(DataError, match=r"has no class 'bad'; its classes are neg, pos, unsup\.$"):
        load_dataset(tmp_path, modality="text", classes=ClassChoice(("neg", "bad")))


def test_the_class_may_stand_elsewhere_in_the_path(tmp_path):
    class_folders(tmp_path, {"Actor_01": {"03-05.wav": "", "03-06.wav": ""}, "Actor_02": {"03-05.wav": ""}})
    found = load_dataset(tmp_path, modality="audio", classes=ClassChoice(pattern=r"-(\d+)\.wav$"))
    assert (found.class_names, found.labels, found.notes) == (("05", "06"), (0, 1, 0), ())
    parts = tmp_path / "parts"
    class_folders(parts, {"train/a": {"1.txt": "x"}, "train/b": {"1.txt": "y"}, "test/a": {"1.txt": "z"}})
    assert load_dataset(parts, modality="text").inputs == ("x", "y")
    found = load_dataset(parts, modality="text", classes=ClassChoice(pattern="^[^/]+/([^/]+)/"))
    assert found.counts == {"a": 2, "b": 1}
    with pytest.raises(DataError, match=r"class pattern 'q' does not match 'test/a/1.txt'"):
        load_dataset(parts, modality="text", classes=ClassChoice(pattern="q"))
    with pytest.raises(DataError, match=r"class pattern '\\d\\d' does not match"):  # as it was given
        load_dataset(parts, modality="text", classes=ClassChoice(pattern=r"\d\d"))
    with pytest.raises(DataError, match=r"class pattern '\(' is no regular expression"):
        load_dataset(parts, modality="text", classes=ClassChoice(pattern="("))


def test_the_encoding_of_text_files_is_found_out_and_said(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": ""}, "b": {"2.txt": "y"}})
    (tmp_path / "a" / "1.txt").write_bytes("Grüße".encode("cp1252"))
    (tmp_path / "a" / "2.txt").write_bytes("Öl".encode("cp1252"))
    (tmp_path / "a" / "3.txt").write_bytes("Ä".encode("utf-16"))
    found = load_dataset(tmp_path, modality="text")
    assert found.inputs == ("Grüße", "Öl", "Ä", "y")
    note = "a/1.txt is not UTF-8 and was read as Windows-1252 (“Grüße”); --encoding names another."
    assert said(found, "Windows-1252") == f"{note} So were 1 more files."
    assert "a/3.txt was read as UTF-16" in said(found, "UTF-16")
    with pytest.raises(DataError, match=r"a/1\.txt is not utf-8 text; leave --encoding out, or name another"):
        load_dataset(tmp_path, modality="text", written=TextFormat(encoding="utf-8"))
