"""Data sets in the layout in which they are published, on miniatures; and classes by other names."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from daam_core.errors import DataError
from daam_core.inputs import read_input
from daam_core.training.data import (
    ClassChoice,
    TableColumns,
    content_hash,
    load_dataset,
    parts_of,
    read_inputs,
)
from daam_core.training.data_splits import folds
from daam_core.training.data_stored import stored_input
from tests.support import layouts
from tests.support.data import class_folders, write_table

# IEMOCAP


@pytest.fixture(scope="module")
def iemocap(tmp_path_factory):
    return layouts.iemocap(tmp_path_factory.mktemp("data") / "IEMOCAP_full_release")


def test_iemocap_has_four_emotions_and_sessions_for_groups(iemocap):
    found = load_dataset(iemocap, modality="audio")
    assert found.class_names == ("anger", "happiness", "neutral", "sadness")
    assert found.counts == {"anger": 10, "happiness": 20, "neutral": 10, "sadness": 10}
    assert found.groups is not None
    assert sorted(set(found.groups)) == [f"Session{i}" for i in range(1, 6)]
    assert found.places[0] == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    assert {name: cells[1] for name, cells in found.columns.items()} == {
        "session": "Session1",
        "speaker": "Ses01M",
        "kind": "improvised",
        "dialogue": "Ses01F_impro01",
    }
    assert found.notes == (
        "IEMOCAP_full_release was read as IEMOCAP: excitement counts as happiness; 20 utterances of "
        "frustration, undecided are left out; --classes names others, all: every one.",
        "The 5 sessions of IEMOCAP_full_release are its groups; with --folds 5 each is left out once.",
    )
    # One session is left out at a time.
    for number, (train, test) in enumerate(folds(found, 5), start=1):
        assert {found.groups[i] for i in test} == {f"Session{number}"}
        assert len(train) == 40
    by_speaker = load_dataset(iemocap, modality="audio", group_pattern=r"(Ses\d\d).*_([FM])\d+\.wav$")
    assert len(by_speaker.notes) == 1  # sessions are no groups then


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "Session1",
            "Session1 is one session of IEMOCAP, which is read as a whole; give the folder above it, "
            "IEMOCAP_full_release.",
        ),
        ("", "is the folder that IEMOCAP lies in; give {}/IEMOCAP_full_release."),
    ],
)
def test_a_folder_beside_that_of_iemocap_is_refused(iemocap, given, message):
    folder = iemocap / given if given else iemocap.parent
    with pytest.raises(DataError) as caught:
        load_dataset(folder, modality="audio", classes=ClassChoice(("anger", "sadness")))
    assert str(caught.value).endswith(message.format(folder.name))
    # Who says where the classes stand means another layout.
    pattern = ClassChoice(pattern=r"_([FM])\d+\.|txt$")
    assert load_dataset(folder, modality="audio", classes=pattern).class_names == ("F", "M")


def test_unlabelled_every_utterance_of_iemocap_is_read(iemocap):
    rows, notes = read_inputs(iemocap, modality="audio")
    assert len(rows) == 70
    assert {"happiness", "frustration", "undecided"} < {row.label for row in rows}
    assert notes == ["IEMOCAP_full_release was read as IEMOCAP: excitement counts as happiness."]
    rows, notes = read_inputs(iemocap, modality="audio", class_names=("excitement", "happiness"))
    assert sum(row.label == "excitement" for row in rows) == 10
    assert notes == ["IEMOCAP_full_release was read as IEMOCAP."]


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        (("excitement", "happiness"), {"excitement": 10, "happiness": 10}),
        (("happiness", "frustration"), {"happiness": 20, "frustration": 10}),
    ],
)
def test_a_model_is_measured_on_the_classes_of_iemocap_that_it_knows(iemocap, model, counts):
    assert load_dataset(iemocap, modality="audio", class_names=model).counts == counts


def test_iemocap_with_other_classes(iemocap):
    def names(*asked, **more):
        return load_dataset(iemocap, modality="audio", classes=ClassChoice(asked, **more)).counts

    assert names("anger", "excitement", "happiness") == {"anger": 10, "excitement": 10, "happiness": 10}
    assert names("all") == {
        "anger": 10,
        "frustration": 10,
        "happiness": 20,
        "neutral": 10,
        "sadness": 10,
        "undecided": 10,
    }
    assert names("anger", "joy", renamed=(("happiness", "joy"),)) == {"anger": 10, "joy": 20}


def test_iemocap_that_is_not_complete(iemocap, tmp_path):
    with pytest.raises(DataError, match=r"is IEMOCAP, which holds sounds here; give --modality audio\."):
        load_dataset(iemocap, modality="text")
    root = layouts.iemocap(tmp_path / "half", sessions=1)
    missing = root / "Session1" / "sentences" / "wav" / "Ses01F_impro01" / "Ses01F_impro01_M001.wav"
    missing.unlink()
    with pytest.raises(DataError, match=r"half lacks the sound Session1/\S+_M001\.wav that its evaluation"):
        load_dataset(root, modality="audio")
    found = load_dataset(root, modality="audio", skip_broken=True)
    assert len(found) == 9
    (root / "Session2" / "dialog" / "EmoEvaluation").mkdir(parents=True)
    with pytest.raises(DataError, match=r"half/Session2 has no dialog/EmoEvaluation/Ses….txt"):
        load_dataset(root, modality="audio", skip_broken=True)


# CIFAR


@pytest.fixture(scope="module")
def cifar(tmp_path_factory):
    return layouts.cifar100(tmp_path_factory.mktemp("data") / "cifar-100-binary")


def test_cifar_100_in_its_binary_version(cifar):
    assert {name: [file.name for file in files] for name, files in parts_of(cifar).items()} == {
        "train": ["train.bin"],
        "test": ["test.bin"],
    }
    found = load_dataset(cifar, modality="image")
    assert found.name == "cifar-100-binary/train"
    assert found.counts == {"apple": 4, "bear": 4, "crab": 4}
    assert found.columns == {"coarse": ("fruit", "animal", "animal") * 4}
    assert found.places[1] == "train.bin row 2"
    picture = Image.open(io.BytesIO(found.inputs[4]["bytes"]))
    pixels = np.asarray(picture)
    assert pixels.shape == (32, 32, 3)
    assert pixels[1, 0].tolist() == [20, 204, 20]
    assert pixels[0, 0].tolist() == [20, 0, 20]
    assert read_input(found.inputs[4], "image").rgb.getpixel((5, 5)) == (20, 204, 20)
    assert content_hash(found.inputs[0]) != content_hash(found.inputs[3])
    assert stored_input(str(found.inputs[4])) == found.inputs[4]
    assert load_dataset(cifar, modality="image", part="test").counts == {"apple": 2, "bear": 2, "crab": 2}


def test_cifar_by_its_superclasses(cifar):
    found = load_dataset(cifar, modality="image", columns=TableColumns(label="coarse"))
    assert found.counts == {"animal": 8, "fruit": 4}
    with pytest.raises(DataError, match=r"train.bin has the columns of labels coarse, fine and no others"):
        load_dataset(cifar, modality="image", columns=TableColumns(label="colour"))


def test_cifar_10_has_five_files(tmp_path):
    (tmp_path / "batches.meta.txt").write_text("cat\ndog\n\n")
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (tmp_path / f"{name}.bin").write_bytes(b"".join(bytes([i]) + bytes(3072) for i in (0, 1)))
    found = load_dataset(tmp_path, modality="image")
    assert found.counts == {"cat": 5, "dog": 5}
    assert found.places[9] == "data_batch_5.bin row 2"


def test_cifar_as_pickles_is_refused_and_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trace"), "w"))

    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test", "meta"):
        (folder / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError) as caught:
        load_dataset(folder, modality="image")
    assert str(caught.value) == (
        "cifar-100-python is CIFAR as Python pickles, which can run code when they are opened and are not "
        "read; give the binary version from the same page, cifar-100-binary (train.bin, test.bin, "
        "fine_label_names.txt)."
    )
    assert not (tmp_path / "trace").exists()


def test_damaged_cifar(tmp_path):
    root = layouts.cifar100(tmp_path / "cifar")
    content = (root / "train.bin").read_bytes()
    (root / "train.bin").write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"^train.bin is 36,887 bytes long, which is no multiple of 3,074"):
        load_dataset(root, modality="image")
    (root / "train.bin").write_bytes(content[:1] + b"\x09" + content[2:])
    with pytest.raises(DataError, match=r"^train.bin holds the label 9, and there are 3 names; unpack it"):
        load_dataset(root, modality="image")
    with pytest.raises(DataError, match=r"holds CIFAR's pictures; give --modality image"):
        load_dataset(root, modality="text")


# Tables that number their classes


def test_ag_news_as_published(tmp_path):
    root = layouts.ag_news(tmp_path / "ag_news_csv")
    found = load_dataset(root, modality="text")
    assert found.name == "ag_news_csv/train"
    assert found.class_names == ("Business", "Sci/Tech", "Sports", "World")
    assert found.counts == dict.fromkeys(found.class_names, 2)
    assert found.inputs[0] == 'dog box 0\nThe "five" dog box, then 0'
    assert found.class_names[found.labels[0]] == "World"
    assert found.notes[-1] == (
        "train.csv has no heading: its first column numbers the classes of classes.txt, World, Sports, "
        "Business, Sci/Tech; the others are the texts."
    )
    assert len(load_dataset(root, modality="text", part="test")) == 4
    assert len(load_dataset(root / "test.csv", modality="text")) == 4


def test_a_table_with_a_heading_beside_a_list_of_classes_stays_as_it_is(tmp_path):
    (tmp_path / "classes.txt").write_text("a\nb\n")
    table = write_table(tmp_path / "d.csv", [("label", "text"), ("1", "x"), ("2", "y")])
    assert load_dataset(table, modality="text").class_names == ("1", "2")


# Other names


def test_classes_are_called_otherwise_and_become_one(tmp_path):
    folder = class_folders(tmp_path / "d", {name: {"1.txt": name} for name in ("exc", "hap", "sad", "odd")})

    def counts(*names, renamed):
        return load_dataset(folder, modality="text", classes=ClassChoice(names, renamed=renamed)).counts

    joy = (("exc", "joy"), ("hap", "joy"))
    assert counts(renamed=joy) == {"joy": 2, "odd": 1, "sad": 1}
    assert counts("joy", "sad", renamed=joy) == {"joy": 2, "sad": 1}
    with pytest.raises(
        DataError, match=r"^d has no class 'glad' to call 'joy'; its classes are exc, hap, odd"
    ):
        counts(renamed=(("glad", "joy"),))
    with pytest.raises(DataError, match=r"^The class 'exc' is given two names; say one"):
        counts(renamed=(("exc", "joy"), ("exc", "bliss")))
    # A test set need not have every class.
    small = class_folders(tmp_path / "t", {"hap": {"1.txt": "x"}})
    found = load_dataset(
        small, modality="text", classes=ClassChoice(renamed=joy), class_names=("joy", "odd", "sad")
    )
    assert found.counts == {"joy": 1, "odd": 0, "sad": 0}
