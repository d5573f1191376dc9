"""``explain``: what it takes, prints, writes and refuses."""

import csv
import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from daam_core.backbones import load_backbone
from daam_core.cli.explain import as_text
from daam_core.errors import EncoderError
from tests.support.builders import make_explanation


def test_a_text_is_given_in_quotes_in_a_file_or_on_standard_input(
    letter_checkpoint, run, tmp_path, monkeypatch
):
    (tmp_path / "note.txt").write_text("\ufeffaeiou", encoding="utf-8")
    stdin = io.TextIOWrapper(io.BytesIO(b"aeiou"))
    monkeypatch.setattr(sys, "stdin", stdin)
    answers = []
    for given in ("aeiou", tmp_path / "note.txt", "-"):
        status, text, err = run("explain", given, "--model", letter_checkpoint, "--json")
        assert (status, err) == (0, "")
        answers.append(json.loads(text))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["prediction"] == "vowels"
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)


def test_the_explained_class_and_the_scale_are_chosen(letter_checkpoint, run):
    words = ("explain", "aeiou", "--model", letter_checkpoint)
    one = json.loads(run(*words, "--target", "consonants", "--json")[1])
    assert (one["prediction"], one["explained"]) == ("vowels", "consonants")
    assert json.loads(run(*words, "--scale", "per_head", "--json")[1])["scale"] == "per_head"
    assert json.loads(run(*words, "--target", "0", "--json")[1]) == one
    status, text, _ = run(*words, "--target", "consonants")
    assert status == 0
    assert "vowels" in text
    assert "Parts of the input that count most against consonants: u (−" in text


def test_parts_that_speak_against_the_class_are_said_to():
    e = replace(make_explanation(tokens=7), explained=1)
    shares = np.array([0, 0.2, -1.6, -1.1, 0.5, 0.01, -0.3], np.float32)

    def parts(shares):
        said = as_text(replace(e, token_attribution=shares), None).splitlines()
        return [line for line in said if line.startswith("Parts of the input")]

    a, b, c, d, f = (e.token_labels[i] for i in (4, 1, 2, 3, 6))
    for_it = f"Parts of the input that count most for sports: {a} (+0.500), {b} (+0.200)"
    against = f"Parts of the input that count most against sports: {c} (−1.600), {d} (−1.100), {f} (−0.300)"
    assert parts(shares) == [for_it, against]
    assert [line.split(":")[0] for line in parts(abs(shares))] == [for_it.split(":")[0]]
    assert [line.split(":")[0] for line in parts(-abs(shares))] == [against.split(":")[0]]
    assert parts(np.zeros_like(shares)) == []
    tiny = as_text(replace(e, token_attribution=np.full_like(shares, 0.0004)), None)
    assert "No part of the input counts for or against sports by 0.001 or more." in tiny


@pytest.mark.parametrize("suffix", ["json", "npz", "csv", "html", "png", "svg"])
def test_an_explanation_is_written_in_every_format(letter_checkpoint, run, tmp_path, suffix):
    out = tmp_path / f"e.{suffix}"
    status, text, err = run("explain", "aeiou", "--model", letter_checkpoint, "--out", out)
    assert (status, err) == (0, "")
    assert text.rstrip().endswith(f"Written: e.{suffix}")
    assert out.stat().st_size > 100


def test_a_table_of_tokens_is_written_where_asked(letter_checkpoint, run, tmp_path):
    out = tmp_path / "e.csv"
    words = ("explain", "aei ou", "--model", letter_checkpoint, "--out", out, "--table")
    assert run(*words, "tokens")[0] == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert [row["word"] for row in rows] == ["aei"] * 3 + ["ou"] * 3
    assert json.loads((tmp_path / "e.csv-metadata.json").read_text())["tableSchema"]["primaryKey"] == [
        "token"
    ]
    assert run(*words, "cells")[0] == 0
    assert out.read_text().startswith("head,layer,feature,value")


def test_the_encoding_of_a_text_is_found_out_and_said_or_given(letter_checkpoint, run, tmp_path):
    (tmp_path / "note.txt").write_bytes("à é".encode("cp1252"))
    words = ("explain", tmp_path / "note.txt", "--model", letter_checkpoint, "--json")
    status, out, err = run(*words)
    assert status == 0
    assert err == (
        "daam: note: note.txt is not UTF-8 and was read as Windows-1252 (“à”); --encoding names another.\n"
    )
    assert "Windows-1252" in json.loads(out)["provenance"]["input"]["read_as"]
    status, _, err = run(*words, "--encoding", "latin-1")
    assert (status, err) == (0, "")


def test_what_was_repaired_in_an_input_is_said(letter_checkpoint, run, tmp_path):
    (tmp_path / "note.txt").write_bytes(b"aei\0ou")
    status, out, err = run("explain", tmp_path / "note.txt", "--model", letter_checkpoint, "--json")
    assert status == 0
    assert err == "daam: note: “aei\ufffdou”: 1 character that cannot be stored was replaced.\n"
    assert json.loads(out)["provenance"]["input"]["repaired"].startswith("1 character ")


def test_an_address_is_a_text_where_said(letter_checkpoint, run):
    words = ("--model", letter_checkpoint, "--modality", "text")
    assert run("explain", "https://example.org/aeiou", *words)[0] == 0


def test_a_text_that_ends_like_a_file_is_a_text(letter_checkpoint, run):
    assert run("explain", "a e i.mp3", "--model", letter_checkpoint)[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("clip.wav",), "checkpoint takes text, but the input is audio; choose another model or input"),
        (("note.txt",), "There is no file note.txt; give an existing file, or a text in quotes"),
        (("aeiou", "--modality", "image"), "checkpoint takes text, but the input is image"),
        (("aeiou", "--target", "digits"), "There is no class 'digits'; the classes are consonants, vowels"),
        (("aeiou", "--target", "2"), "There is no class 2; the classes are consonants, vowels, or 0 to 1"),
        (
            ("https://example.org/a.txt",),
            "is an address, and nothing is downloaded; fetch it and give the file",
        ),
        ((".",), "Several inputs need --out"),
        (
            ("aeiou", "--table", "tokens"),
            "--table chooses what a file holds; name the file with --out FILE.csv",
        ),
        (("aeiou", "--table", "tokens", "--out", "e.json"), "--table is for CSV files"),
        (("aeiou", "--out", "e.docx"), "end its name in one of .json, .npz"),
        (("aeiou", "--out", "e"), "Cannot tell the format of 'e'"),
        (("aeiou", "--trim-silence"), "--trim-silence is for sounds; leave it out"),
        (("aeiou", "--scale", "log"), "argument --scale: invalid choice"),
        ((), "the following arguments are required: INPUT"),
    ],
)
def test_wrong_input_of_explain_is_refused(letter_checkpoint, refused, words, said):
    assert said in refused("explain", *words, "--model", letter_checkpoint)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("今天天气很好".encode("gbk"), "The text is not UTF-8 text; name its encoding with --encoding"),
        (b"a" * 300_000, "longer than 50,000 characters"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", "The text is a WEBM film, not a text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run 'git lfs pull'"),
    ],
)
def test_wrong_standard_input_is_refused(letter_checkpoint, refused, monkeypatch, content, said):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert said in refused("explain", "-", "--model", letter_checkpoint)


def test_an_unknown_model_is_refused_with_the_known_ones(refused):
    assert "There is no model 'nothing': give a built-in name" in refused(
        "explain", "x", "--model", "nothing"
    )


def test_an_output_that_cannot_be_written_is_one_sentence(letter_checkpoint, refused, tmp_path):
    (tmp_path / "file").write_text("")
    said = refused("explain", "aeiou", "--model", letter_checkpoint, "--out", tmp_path / "file" / "e.json")
    assert "Cannot write" in said


def test_a_built_in_classifier_reads_the_news_from_standard_input(run, monkeypatch):
    try:
        load_backbone("minilm-l6")
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    text = "Shares fell on Monday after the bank warned that profits would shrink.\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    status, out, err = run("explain", "-", "--model", "news-topic", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["prediction"] == "Business"


def test_silence_is_cut_off_a_sound_where_asked(run, tmp_path):
    try:
        load_backbone("whisper-tiny-en")
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "clip.wav", np.concatenate([np.zeros(8000), tone, np.zeros(8000)]), 16_000)
    status, out, err = run(
        "explain", tmp_path / "clip.wav", "--model", "speech-emotion", "--trim-silence", "--json"
    )
    assert (status, err) == (0, "")
    given = json.loads(out)["provenance"]["input"]
    assert given["seconds"] == 2.0
    assert (given["change"]["start"], given["change"]["end"]) == pytest.approx((0.5, 1.5), abs=0.04)
