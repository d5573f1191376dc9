"""Published data sets through the commands, on miniatures and tiny encoders."""

import json
from collections import Counter

import pytest

from tests.support import layouts
from tests.support import tiny_models as tiny

FAST = ("--epochs", "2", "--heads", "2", "--validation", "0", "--batch-size", "8")


@pytest.fixture
def trained(run, tmp_path):
    def train(data, modality, *more):
        words = ("--modality", modality, "--backbone", tmp_path / "TINY", "--out", tmp_path / "head")
        kept = ("--cache-dir", tmp_path / "cache")
        status, out, err = run("train", data, *words, *FAST, *kept, "--json", *more)
        assert status == 0, err
        return json.loads(out), err

    return train


def test_iemocap_leaves_out_one_session_at_a_time_and_is_explained_by_utterance(trained, run, tmp_path):
    tiny.save_waveform(tmp_path / "TINY", "wavlm")
    data = layouts.iemocap(tmp_path / "IEMOCAP", sessions=3, turns=("ang", "exc", "neu", "sad", "fru"))
    report, err = trained(data, "audio", "--folds", 3)
    assert report["protocol"] == "3 folds by group (3 groups); 2 epochs, nothing held out"
    assert report["data"]["classes"] == {"anger": 6, "happiness": 6, "neutral": 6, "sadness": 6}
    assert "excitement counts as happiness; 6 utterances of frustration are left out" in err
    words = ("--model", tmp_path / "head", "--out", tmp_path / "rows.jsonl")
    (data / "Session1" / "dialog" / "wav").mkdir()
    (data / "Session1" / "dialog" / "wav" / "Ses01F_impro01.wav").write_bytes(b"of the whole dialogue")
    status, out, err = run("explain", data, *words)
    assert status == 0, err
    assert "30 of 30 inputs explained" in out
    assert "IEMOCAP was read as IEMOCAP: excitement counts as happiness." in err
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["name"] == "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    assert Counter(row["label"] for row in rows) == {
        "anger": 6,
        "happiness": 6,
        "neutral": 6,
        "sadness": 6,
        None: 6,  # frustration
    }
    status, _, err = run("explain", data / "Session1", *words[:2], "--out", tmp_path / "one.jsonl")
    assert (status, "Session1 is one session of IEMOCAP, which is read as a whole" in err) == (2, True)
    assert not (tmp_path / "one.jsonl").exists()


def test_cifar_100_is_measured_on_its_test_part(trained, run, tmp_path):
    tiny.save_patches(tmp_path / "TINY", "vit")
    data = layouts.cifar100(tmp_path / "cifar-100-binary")
    report, _ = trained(data, "image", "--label-column", "coarse", "--rename", "animal=beast")
    assert report["data"]["classes"] == {"beast": 8, "fruit": 4}
    assert report["test_data"]["inputs"] == 6


def test_ag_news_as_published(trained, refused, tmp_path):
    tiny.save_text(tmp_path / "TINY", "bert")
    data = layouts.ag_news(tmp_path / "ag_news_csv")
    report, err = trained(data, "text")
    assert sorted(report["data"]["classes"]) == ["Business", "Sci/Tech", "Sports", "World"]
    assert "train.csv has no heading: its first column numbers the classes of classes.txt" in err
    words = ("--modality", "text", "--backbone", tmp_path / "TINY", "--out", tmp_path / "b")
    assert "'World' is not OLD=NEW, such as excitement=happiness" in refused(
        "train", data, *words, "--rename", "World"
    )
