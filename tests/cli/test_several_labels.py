"""Several labels an input, from the table to the explanation, by commands."""

import json

import numpy as np
import pytest
import torch

from daam_core import explain, load_model
from daam_core.export import from_json, from_npz, to_json, to_npz
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.reading.sentences import chances
from daam_core.view.payload import view_payload
from tests.support.commands import train_words
from tests.support.data import write_table


def rows(count, seed):
    """Texts of vowels, of consonants, of both and of figures, which are neither."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        kinds = [kind for kind in ("vowels", "consonants") if draw.random() < 0.6]
        letters = "".join({"vowels": "aeiou", "consonants": "bcdfghjk"}[kind] for kind in kinds) or "0123"
        made.append(("".join(draw.choice(list(letters), 8)), ";".join(kinds)))
    return [("text", "label"), *made]


@pytest.fixture
def tables(letters, tmp_path):
    return [
        write_table(tmp_path / f"{name}.tsv", rows(n, seed), delimiter="\t")
        for name, n, seed in (("train", 80, 0), ("test", 40, 1))
    ]


def test_several_labels_go_through_every_command(tables, run, refused, tmp_path):
    train, test = tables
    out, separator = tmp_path / "kinds", ("--label-separator", ";")
    words = train_words(train, out, *separator, "--test", test, "--epochs", 25, "--class-weights", "balanced")
    status, text, err = run(*words)
    assert status == 0, err
    model = load_model(out)
    assert (model.config.labels, model.class_names) == ("several", ("consonants", "vowels"))
    scores = model.report["scores"]
    assert scores["mean_average_precision"] > 0.9
    assert f"mean average precision {scores['mean_average_precision']:.4f} (at random 0." in text
    assert (
        f"always the most frequent set of labels of the training part {model.report['majority']:.4f}" in text
    )
    assert text.count("most frequent set of labels of the training part") == 2
    assert scores["majority"] == pytest.approx(model.report["majority"])
    assert "says which of 2 labels texts have" in model.card
    assert "mean_average_precision" in model.card.split("---")[1]

    status, text, _ = run("evaluate", test, "--model", out, *separator, "--out", tmp_path / "report")
    assert status == 0
    assert "average precision" in text
    assert text.count("most frequent set of labels of these inputs") == 2
    assert "no class stands in place of another" in (tmp_path / "report" / "report.md").read_text()
    again = json.loads((tmp_path / "report" / "report.json").read_text())["scores"]
    assert again["majority_of"] == "these inputs"
    assert {name for name in scores if again[name] != scores[name]} <= {
        name for name in scores if name.startswith("majority")
    }

    status, text, _ = run("explain", "aeiouaei", "--model", out, "--json")
    assert json.loads(text)["predicted"] == ["vowels"]
    both, none = (explain(model, given) for given in ("abebibob", "0101"))
    assert set(both.predicted) == {0, 1}
    assert both.answer == ", ".join(both.class_names[k] for k in both.predicted)
    assert chances(both).count("%") == 2
    assert both.probabilities.sum() > 1
    assert none.answer == "none of the classes reaches 50 %"
    assert chances(none).startswith(f"highest: {none.predicted_class}")
    assert view_payload(both)["a"]["answer"] == both.answer
    for back in (from_json(to_json(both)), from_npz(to_npz(both))):
        assert (back.labels, back.predicted) == ("several", both.predicted)
    other = explain(model, "abebibob", target="vowels")
    assert other.explained_class == "vowels"
    assert not np.array_equal(
        other.class_importance, explain(model, "abebibob", target="consonants").class_importance
    )
    status, text, _ = run("explain", "abebibob", "--model", out)
    assert text.startswith(f"kinds: {both.answer}\n")
    status, _, err = run("explain", test, "--model", out, "--out", tmp_path / "all.jsonl", *separator)
    assert status == 0, err
    row = json.loads((tmp_path / "all.jsonl").read_text().split("\n")[0])
    assert isinstance(row["label"], list)
    assert isinstance(row["predicted"], list)

    # Removing cells lowers the label's own probability, a sigmoid.
    cells = gated_cells(model.classifier, torch.from_numpy(both.pooled)[None])
    np.testing.assert_allclose(cells.probabilities()[0], both.probabilities, atol=1e-5)

    # Nothing is lost where one class was meant, and what needs one class says so.
    status, text, err = run("study", test, "--model", out, "--out", tmp_path / "study", *separator)
    assert status == 0, err
    assert f"with all labels right ({scores['accuracy']:.3f})" in text
    assert "All labels right" in (tmp_path / "study" / "report.md").read_text()
    few = "--inputs 10 --training-inputs 20 --sanity-inputs 3 --quantus-inputs 2 --changed-inputs 1"
    fewer = "--random-orders 1 --training-seeds 2 --retraining-seeds 1 --epochs 2"
    words = ("--model", out, "--out", tmp_path / "f", *few.split(), *fewer.split(), *separator)
    status, text, err = run("faithfulness", test, *words)
    assert status == 0, err
    report = json.loads((tmp_path / "f" / "faithfulness.json").read_text())
    assert report["gated"]["importance"]["gain"]["count"] == 10
    assert "follow the label that is most probable" in (tmp_path / "f" / "faithfulness.html").read_text()
    assert "have several labels each" in refused(
        *train_words(train, tmp_path / "no", *separator, "--labels", "one")
    )
