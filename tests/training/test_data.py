"""Data sets on disk, how they are parted, and the feature cache."""

import csv
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.encoding import pool
from daam_core.errors import DaamError, DataError, InputError
from daam_core.training import features as feature_module
from daam_core.training.data import (
    Dataset,
    TableColumns,
    content_hash,
    folds,
    hold_out,
    hold_out_groups,
    load_dataset,
    shared_samples,
)
from daam_core.training.features import encoder_folder, extract, features, read_shards, write_shard
from tests.support.small import LetterEncoder, letter_data


def write_table(path, rows, *, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def class_folders(root, tree):
    """A folder for each class, with files of the given names and contents."""
    for name, files in tree.items():
        for file, content in files.items():
            path = root / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return root


def letters(count=40, *, groups=None):
    texts, labels = letter_data(count)
    return Dataset(
        name="letters",
        modality="text",
        samples=tuple(texts),
        labels=tuple(labels.tolist()),
        class_names=("vowels", "consonants"),
        places=tuple(f"row {i + 1}" for i in range(count)),
        groups=groups,
    )


class CountingEncoder(LetterEncoder):
    """Counts its calls, and refuses texts with a ``!``."""

    def __init__(self):
        self.calls = 0

    def encode(self, sample):
        if "!" in sample:
            raise InputError("The text has a '!'.")
        self.calls += 1
        return super().encode(sample)


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
    assert found.samples[0] == tmp_path / "a" / "deep" / "1.WAV"
    assert found.counts == {"a": 1, "b": 2}
    assert found.targets.tolist() == [0, 1, 1]
    assert found.targets.dtype == torch.int64


def test_text_files_are_read_as_texts(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "one"}, "b": {"2.txt": "zwei ä"}})
    assert load_dataset(tmp_path, modality="text").samples == ("one", "zwei ä")


@pytest.mark.parametrize(
    ("tree", "modality", "message"),
    [
        ({}, "audio", "has no class folders"),
        ({"a": {"1.wav": ""}}, "audio", "holds the one class 'a'; a classifier needs at least two"),
        ({"a": {"1.wav": ""}, "b": {"x.doc": ""}}, "audio", "The class folder b holds no audio files"),
        (
            {"train": {"1.wav": ""}, "test": {"1.wav": ""}},
            "audio",
            "holds the parts test, train and no classes",
        ),
        ({"a": {"1.txt": "  \n"}, "b": {"2.txt": "x"}}, "text", "a/1.txt is empty."),
    ],
)
def test_an_unusable_folder_is_refused(tmp_path, tree, modality, message):
    class_folders(tmp_path, tree)
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path, modality=modality)


def test_a_folder_with_tables_says_so(tmp_path):
    write_table(tmp_path / "train.csv", [("text", "label")])
    with pytest.raises(DataError, match=r"has no class folders; give one of its tables: train\.csv\."):
        load_dataset(tmp_path, modality="text")


def test_a_missing_data_set_is_named_without_its_folder(tmp_path):
    with pytest.raises(DataError, match="There is no data set 'nothing'") as caught:
        load_dataset(tmp_path / "nothing", modality="text")
    assert str(tmp_path) not in str(caught.value)


def test_empty_texts_can_be_skipped_and_are_listed(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "", "2.txt": "x"}, "b": {"3.txt": "y"}})
    found = load_dataset(tmp_path, modality="text", skip_broken=True)
    assert found.samples == ("x", "y")
    assert found.skipped == ("a/1.txt",)


def test_a_text_file_of_another_encoding_is_named(tmp_path):
    class_folders(tmp_path, {"a": {"1.txt": "x"}, "b": {"2.txt": "y"}})
    (tmp_path / "a" / "1.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a/1\.txt is not UTF-8 text"):
        load_dataset(tmp_path, modality="text")


# Tables


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t"), ("tabs.csv", "\t")])
def test_tables_of_commas_and_of_tabs_are_read(tmp_path, name, delimiter):
    rows = [("Text", "LABEL"), ("one, two\nthree", "b"), ('say "hi"', "a")]
    found = load_dataset(write_table(tmp_path / name, rows, delimiter=delimiter), modality="text")
    assert found.samples == ("one, two\nthree", 'say "hi"')
    assert found.labels == (1, 0)
    assert found.places == ("row 1", "row 2")


def test_text_columns_are_joined_by_a_line_break(tmp_path):
    rows = [("label", "title", "description"), ("x", "Head", "Body"), ("y", "Only", "")]
    table = write_table(tmp_path / "t.csv", rows)
    found = load_dataset(table, modality="text", columns=TableColumns(("title", "description")))
    assert found.samples == ("Head\nBody", "Only")


def test_paths_are_relative_to_the_table(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_text("")
    rows = [("path", "fine", "coarse"), ("pictures/1.png", "f", "a"), ("pictures/1.png", "g", "b")]
    table = write_table(tmp_path / "t.csv", rows)
    found = load_dataset(table, modality="image", columns=TableColumns(label="coarse"))
    assert found.samples == (tmp_path / "pictures" / "1.png",) * 2
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
        ([("text", "label")], {}, "holds no samples"),
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
    assert load_dataset(table, modality="image", skip_broken=True).skipped == ("row 2", "row 4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text,label\n\xff\xfe,a\n", "is not UTF-8 text"),
        (b'text,label\nx,a\n"never closed,b\n', "is no proper table after row 1"),
        (b"", "which column holds the texts"),
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
    assert load_dataset(tmp_path / "t.csv", modality="text").samples == ("x", "y")


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


def test_groups_come_from_a_column(tmp_path):
    rows = [("text", "label", "who"), ("x", "a", "p"), ("y", "b", " q ")]
    table = write_table(tmp_path / "t.csv", rows)
    assert load_dataset(table, modality="text", columns=TableColumns(group="who")).groups == ("p", "q")


def test_folds_by_group_take_every_fifth_group():
    groups = tuple(f"{i % 10:02d}" for i in range(40))
    parts = folds(letters(groups=groups), 5)
    assert [sorted({groups[i] for i in test}) for _, test in parts] == [
        ["00", "05"], ["01", "06"], ["02", "07"], ["03", "08"], ["04", "09"],
    ]  # fmt: skip
    for train, test in parts:
        assert not {groups[i] for i in train} & {groups[i] for i in test}
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(40))


@given(count=st.integers(2, 6), seed=st.integers(0, 5))
def test_folds_without_groups_test_each_sample_once_and_keep_proportions(count, seed):
    data = letters(60)
    parts = folds(data, count, seed=seed)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(60))
    share = np.mean(data.labels)
    for train, test in parts:
        assert not set(train) & set(test)
        assert abs(np.mean([data.labels[i] for i in test]) - share) < 0.1


def test_folds_that_cannot_be_made_are_refused():
    with pytest.raises(DataError, match="at least 2 folds, got 1"):
        folds(letters(), 1)
    with pytest.raises(DataError, match="3 folds need as many groups; there are 2: x, y"):
        folds(letters(groups=("x", "y") * 20), 3)
    few = letters(40).part(range(3))
    with pytest.raises(DataError, match="folds need 30 samples of each class"):
        folds(few, 30)


@given(amount=st.one_of(st.floats(0.1, 0.8), st.integers(4, 30)), seed=st.integers(0, 9))
def test_a_part_held_out_is_drawn_by_class_and_the_same_again(amount, seed):
    data = letters(50)
    rest, held = hold_out(data, amount, seed=seed)
    assert sorted([*rest, *held]) == list(range(50))
    assert len(held) == (amount if amount >= 1 else int(np.ceil(amount * 50)))
    assert {data.labels[i] for i in held} == {0, 1}
    again = hold_out(data, amount, seed=seed)
    assert again[0].tolist() == rest.tolist()
    assert again[1].tolist() == held.tolist()


@pytest.mark.parametrize("amount", [0, -1, 50, 2.5, 100])
def test_a_part_that_cannot_be_held_out_is_refused(amount):
    with pytest.raises(DataError, match="share between 0 and 1 or a number of samples below 50"):
        hold_out(letters(50), amount)


def test_a_part_too_small_for_every_class_is_refused():
    with pytest.raises(DataError, match="leaves a class without samples"):
        hold_out(letters(50), 1)


def test_groups_are_held_out_by_name():
    data = letters(groups=("p", "q") * 20)
    rest, held = hold_out_groups(data, ["q"])
    assert {data.groups[i] for i in held} == {"q"}
    assert len(rest) == len(held) == 20
    with pytest.raises(DataError, match="There is no group 'z'; the groups are p, q"):
        hold_out_groups(data, ["z"])
    with pytest.raises(DataError, match="none is left for training"):
        hold_out_groups(data, ["p", "q"])
    with pytest.raises(DataError, match="has no groups"):
        hold_out_groups(letters(), ["p"])


# Features


def test_features_are_the_pooled_encodings_in_order(tmp_path):
    data = letters(70)  # more than one shard
    found = features(data, LetterEncoder(), tmp_path, False)
    expected = torch.stack([pool(LetterEncoder().encode(text)) for text in data.samples])
    assert torch.equal(found, expected)
    assert torch.equal(features(data, LetterEncoder(), tmp_path, False), expected)


def test_each_content_is_encoded_once_even_across_data_sets(tmp_path):
    encoder = CountingEncoder()
    data = letters(40)
    distinct = len(set(data.samples))
    assert extract(data, encoder, cache_dir=tmp_path).encoded == distinct == encoder.calls
    other = replace(data.part(range(5, 25)), name="other", class_names=("c", "d"))
    assert extract(other, encoder, cache_dir=tmp_path).encoded == 0
    assert encoder.calls == distinct


def test_workers_do_not_change_the_result_nor_the_number_of_threads(tmp_path):
    data = letters(90)
    threads = torch.get_num_threads()
    one = extract(data, LetterEncoder(), cache_dir=tmp_path / "one", workers=1).features
    three = extract(data, LetterEncoder(), cache_dir=tmp_path / "three", workers=3).features
    assert torch.equal(one, three)
    assert torch.get_num_threads() == threads


def test_an_interrupted_run_resumes(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_module, "SHARD_SIZE", 8)
    data = letters(60)
    encoder = CountingEncoder()
    whole = encoder.encode

    def interrupted(sample):
        if encoder.calls == 20:
            raise KeyboardInterrupt
        return whole(sample)

    monkeypatch.setattr(encoder, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(data, encoder, cache_dir=tmp_path, workers=1)
    distinct = len(set(data.samples))
    kept = len(
        read_shards(encoder_folder(encoder, tmp_path), {content_hash(s) for s in data.samples}, shape=(6, 8))
    )
    assert 16 <= kept <= 20
    again = CountingEncoder()
    found = extract(data, again, cache_dir=tmp_path)
    assert again.calls == distinct - kept
    assert torch.equal(found.features, features(data, LetterEncoder(), tmp_path / "fresh", False))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "foreign"])
def test_a_damaged_shard_is_noticed_and_made_again(tmp_path, damage):
    data = letters(30)
    expected = features(data, LetterEncoder(), tmp_path, False)
    (shard,) = encoder_folder(LetterEncoder(), tmp_path).glob("*.safetensors")
    content = bytearray(shard.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[-3] ^= 0x40
    elif damage == "emptied":
        content = bytearray()
    else:
        content = bytearray(b"not safetensors at all" * 20)
    shard.write_bytes(content)
    encoder = CountingEncoder()
    assert torch.equal(extract(data, encoder, cache_dir=tmp_path).features, expected)
    assert encoder.calls == len(set(data.samples))
    assert extract(data, encoder, cache_dir=tmp_path).encoded == 0


def test_a_shard_of_another_shape_is_not_used(tmp_path):
    key = content_hash("abc")
    write_shard(tmp_path, {key: torch.zeros(2, 3)})
    assert read_shards(tmp_path, {key}, shape=(2, 3))[key].shape == (2, 3)
    assert read_shards(tmp_path, {key}, shape=(6, 8)) == {}


@pytest.mark.parametrize(
    "change", ["name", "revision", "weights_sha256", "preprocessing", "n_layers", "n_features"]
)
def test_every_part_of_an_encoders_identity_is_in_the_key(tmp_path, change):
    encoder = LetterEncoder()
    before = encoder_folder(encoder, tmp_path)
    setattr(encoder, change, 99 if change.startswith("n_") else "another")
    assert encoder_folder(encoder, tmp_path) != before


def test_a_changed_file_is_another_sample(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    before = content_hash(path)
    path.write_bytes(b"two")
    assert content_hash(path) != before
    assert content_hash("one") != content_hash("two")
    with pytest.raises(DataError, match=r"missing\.wav cannot be read"):
        content_hash(tmp_path / "missing.wav")


def test_samples_in_two_data_sets_are_counted_by_content():
    data = letters(30)
    one, two = data.part(range(20)), data.part(range(15, 30))
    known = set(one.samples)
    assert shared_samples(two, one) == sum(sample in known for sample in two.samples) >= 5


def test_a_broken_sample_is_refused_by_place_or_skipped(tmp_path):
    data = letters(10)
    data = replace(data, samples=(*data.samples[:3], "stop!", *data.samples[4:]))
    with pytest.raises(DataError, match=r"letters, row 4: The text has a '!'\. .*--skip-broken"):
        extract(data, CountingEncoder(), cache_dir=tmp_path)
    found = extract(data, CountingEncoder(), cache_dir=tmp_path, skip_broken=True)
    assert len(found.dataset) == len(found.features) == 9
    assert found.dataset.skipped == ("row 4",)
    assert "stop!" not in found.dataset.samples
    with pytest.raises(DataError, match="not one of its 1 samples can be read"):
        extract(data.part([3]), CountingEncoder(), cache_dir=tmp_path, skip_broken=True)


def test_an_encoder_of_another_modality_is_refused(tmp_path):
    with pytest.raises(DataError, match="letters holds audio samples, but the encoder letters takes text"):
        features(replace(letters(), modality="audio"), LetterEncoder(), tmp_path)


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DaamError, match="Cannot write"):
        features(letters(4), LetterEncoder(), tmp_path / "file", False)


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("DAAM_CACHE_DIR", os.fspath(tmp_path))
    assert encoder_folder(LetterEncoder()).parent == tmp_path / "features"
