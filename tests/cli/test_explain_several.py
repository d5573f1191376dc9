"""Several inputs through the command line: rows, refusals, interruptions."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from daam_core import explain, explaining_many, export, load_model
from daam_core.cli.main import main

TEXTS = ["Stocks fell sharply on Monday.", "The team won the cup final.", "A new telescope saw a comet."]


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def given(tmp_path: Path) -> list[str]:
    folder = tmp_path / "texts"
    for name, text in zip(("Sports/b.txt", "a.txt", "c.txt"), TEXTS, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "empty.txt").write_text("")
    return [str(folder), "--model", "news-topic"]


def test_rows_are_those_of_each_input_alone(tmp_path, capsys):
    assert main(["explain", *given(tmp_path), "--out", str(tmp_path / "rows.jsonl")]) == 0
    said = capsys.readouterr().out
    assert "news-topic: 3 of 4 inputs explained" in said
    assert "refused: empty.txt: " in said
    rows = {row["name"]: row for row in rows_of(tmp_path / "rows.jsonl")}
    assert list(rows) == ["Sports/b.txt", "a.txt", "c.txt", "empty.txt"]
    assert rows["Sports/b.txt"]["label"] == "Sports"
    assert rows["a.txt"]["label"] is None
    assert "empty" in rows["empty.txt"]["reason"]
    model = load_model("news-topic")
    for name, text in zip(("Sports/b.txt", "a.txt", "c.txt"), TEXTS, strict=True):
        e, row = explain(model, text), rows[name]
        assert row["prediction"] == e.predicted_class
        assert list(row["probabilities"].values()) == pytest.approx(e.probabilities.tolist(), abs=1e-5)
        shares = e.layer_contribution.sum(0)
        assert row["top_layers"][0]["layer"] == int(shares.argmax())
        assert row["top_layers"][0]["share"] == pytest.approx(float(shares.max()), abs=1e-3)
        for part in row["top_parts"]:
            start, end = map(int, part["span"])
            assert text[start:end] == part["part"]
    assert not list(tmp_path.glob(".*"))


def test_texts_and_files_may_be_given_beside_each_other_as_csv_and_parquet(tmp_path, capsys):
    (tmp_path / "a.txt").write_text(TEXTS[0], encoding="utf-8")
    words = ["explain", str(tmp_path / "a.txt"), TEXTS[1], "--model", "news-topic", "--target", "World"]
    for suffix in ("csv", "parquet"):
        assert main([*words, "--out", str(tmp_path / f"rows.{suffix}"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["explained"] == 2
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        plain = list(csv.DictReader(file))
    nested = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["name"] for row in plain] == [row["name"] for row in nested] == ["a.txt", TEXTS[1]]
    assert {row["explained"] for row in plain} == {"World"}
    for one, other in zip(plain, nested, strict=True):
        assert json.loads(one["probabilities"]) == pytest.approx(other["probabilities"])
        assert json.loads(one["top_layers"]) == other["top_layers"]


def test_a_text_too_long_for_a_files_name_is_a_text(tmp_path):
    given = [f"{TEXTS[0]} " * 20, TEXTS[1]]
    words = ["explain", *given, "--model", "news-topic", "--out", str(tmp_path / "rows.jsonl")]
    assert main(words) == 0
    model = load_model("news-topic")
    expected = [explain(model, text).predicted_class for text in given]
    assert [row["prediction"] for row in rows_of(tmp_path / "rows.jsonl")] == expected


def test_an_address_among_several_is_refused_as_alone(tmp_path, capsys):
    words = ["explain", TEXTS[0], "https://example.org/a.txt", "--model", "news-topic"]
    assert main([*words, "--out", str(tmp_path / "rows.jsonl")]) == 2
    assert "is an address, and nothing is downloaded" in capsys.readouterr().err


def test_a_folder_takes_the_arrays_of_each(tmp_path):
    draw = np.random.default_rng(0)
    for name in ("x.png", "deep/y.png"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "pictures" / name)
    words = ["explain", str(tmp_path / "pictures"), "--model", "image-grocery"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "rows.jsonl",
        "x.png.npz",
        "deep__y.png.npz",
    }
    e = export.load(tmp_path / "out" / "x.png.npz")
    alone = explain(load_model("image-grocery"), tmp_path / "pictures" / "x.png")
    np.testing.assert_allclose(e.importance, alone.importance, atol=1e-4)


def test_arrays_of_a_long_text_have_a_short_name(tmp_path):
    long = [f"{'Oil prices rise. ' * 30}{number}" for number in (1, 2)]
    assert main(["explain", *long, "--model", "news-topic", "--out", str(tmp_path / "out")]) == 0
    names = sorted(path.name for path in (tmp_path / "out").glob("*.npz"))
    assert len(names) == 2
    assert all(len(name) < 210 and name.startswith("Oil prices rise.") for name in names)


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    words = ["explain", *given(tmp_path), "--out", str(tmp_path / "rows.jsonl")]
    real = explaining_many.explain_each

    def stopped(*arguments, **options):
        results = real(*arguments, **options)
        yield next(results)
        raise KeyboardInterrupt

    monkeypatch.setattr(explaining_many, "explain_each", stopped)
    assert main(words) == 130
    assert not (tmp_path / "rows.jsonl").exists()
    begun = tmp_path / ".rows.jsonl.begun"
    begun.write_text(begun.read_text("utf-8") + '{"name": "half', encoding="utf-8")
    asked = []

    def counted(model, inputs, **options):
        inputs = list(inputs)
        asked.append(len(inputs))
        return real(model, inputs, **options)

    monkeypatch.setattr(explaining_many, "explain_each", counted)
    assert main(words) == 0
    assert asked == [3]
    assert len(rows_of(tmp_path / "rows.jsonl")) == 4
    assert not begun.exists()


def test_what_another_run_began_is_kept(tmp_path, capsys):
    (tmp_path / ".rows.csv.begun").write_text("{}\n")
    words = ["explain", *given(tmp_path), "--out", str(tmp_path / "rows.csv")]
    assert main(words) == 2
    assert "is what another run explained before it was interrupted" in capsys.readouterr().err
    assert (tmp_path / ".rows.csv.begun").read_text() == "{}\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "Several inputs need --out"),
        (["--out", "x.json"], "for several inputs end its name in one of .jsonl, .csv, .parquet"),
        (["--out", "x.csv", "--table", "tokens"], "--table is for one input"),
        (["--out", "x.csv", "--modality", "image"], "news-topic takes text, not image"),
        (["--out", "x.csv", "--target", "Weather"], "There is no class 'Weather'"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(tmp_path, capsys, monkeypatch, more, message):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *given(tmp_path), *more]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob(".*"))


def test_an_empty_folder_is_said(tmp_path, capsys):
    words = ["explain", str(tmp_path), "--model", "image-grocery", "--out", str(tmp_path / "x.csv")]
    assert main(words) == 2
    assert "holds no file that can be read as image" in capsys.readouterr().err


def test_rows_of_a_table_are_inputs_with_or_without_labels(tmp_path, capsys):
    table = tmp_path / "news.jsonl"
    rows = [{"title": "Markets", "words": TEXTS[0], "topic": "Business"}, {"words": TEXTS[1]}]
    table.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    words = ["explain", str(table), "--model", "news-topic", "--out", str(tmp_path / "rows.jsonl")]
    assert main(words) == 2
    assert "which column holds the texts" in capsys.readouterr().err
    assert main([*words, "--input-column", "title,words", "--label-column", "topic"]) == 0
    found = rows_of(tmp_path / "rows.jsonl")
    assert [(row["name"], row["label"]) for row in found] == [
        ("news.jsonl row 1", "Business"),
        ("news.jsonl row 2", None),
    ]
    expected = explain(load_model("news-topic"), f"Markets\n{TEXTS[0]}")
    assert found[0]["confidence"] == pytest.approx(float(expected.probabilities.max()), abs=1e-5)


def test_of_a_folder_of_tables_the_test_part_is_explained_and_said(tmp_path, capsys):
    for name, text in (("train", TEXTS[0]), ("test", TEXTS[1])):
        (tmp_path / "set" / f"{name}.csv").parent.mkdir(exist_ok=True)
        (tmp_path / "set" / f"{name}.csv").write_text(f"text\n{text}\n", encoding="utf-8")
    words = ["explain", str(tmp_path / "set"), "--model", "news-topic", "--out", str(tmp_path / "rows.jsonl")]
    assert main(words) == 0
    assert "set has the parts test, train; test is read (--part)." in capsys.readouterr().err
    assert [row["name"] for row in rows_of(tmp_path / "rows.jsonl")] == ["set row 1"]


def test_options_of_tables_are_refused_for_one_input(capsys):
    assert main(["explain", TEXTS[0], "--model", "news-topic", "--part", "test"]) == 2
    assert "--part is for tables; leave it out" in capsys.readouterr().err


def test_inputs_of_one_name_each_have_a_row_and_what_is_no_file_is_refused_in_its_own(tmp_path, capsys):
    for folder, text in zip(("one", "two"), TEXTS[:2], strict=True):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(text)
    folders = [str(tmp_path / name) for name in ("one", "two")]
    asked = [*folders, str(tmp_path / "two" / "a.txt"), "", "nofile.txt", "--model", "news-topic"]
    assert main(["explain", *asked, "--out", str(tmp_path / "rows.jsonl")]) == 0
    rows = {row["name"]: row for row in rows_of(tmp_path / "rows.jsonl")}
    assert list(rows) == ["a.txt", "two/a.txt", "", "nofile.txt"]
    assert "empty" in rows[""]["reason"]
    assert "nofile.txt" in rows["nofile.txt"]["reason"]
    assert rows["a.txt"]["probabilities"] != rows["two/a.txt"]["probabilities"]
    assert "2 of 4 inputs explained" in capsys.readouterr().out


def test_that_nothing_could_be_explained_is_in_the_exit_status(tmp_path, capsys):
    out = tmp_path / "rows.csv"
    assert main(["explain", "", " ", "--model", "news-topic", "--out", str(out)]) == 2
    assert "0 of 2 inputs explained" in capsys.readouterr().out
    assert out.is_file()
