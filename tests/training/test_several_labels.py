"""Inputs with several labels: how they are read, split, learned from and scored."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch.nn.functional import binary_cross_entropy_with_logits

from daam_core.errors import ConfigError, DataError
from daam_core.training.accuracy import SplitData, measure_accuracy
from daam_core.training.answers import right
from daam_core.training.data import ClassChoice, TableColumns, joined, load_dataset
from daam_core.training.data_splits import folds, hold_out
from daam_core.training.experiment import Split
from daam_core.training.fitting import epoch_order, loss_function, predict, train_classifier
from daam_core.training.methods import METHODS
from daam_core.training.pages import class_table, comparison_table
from daam_core.training.recipes import recipe_of
from daam_core.training.scores import balanced_accuracy, one_class_only, score_logits
from daam_core.training.settings import TrainingConfig
from tests.support.data import letters, write_table
from tests.support.small import letter_config, letter_features

ROWS = [("aei", "low|front"), ("ou", "back"), ("x", ""), ("ii", "front| front")]


def separated(tmp_path, rows=ROWS, sign="|"):
    lines = [(text, labels.replace("|", sign)) for text, labels in rows]
    return write_table(tmp_path / "sounds.csv", [("text", "label"), *lines])


def of_several(count=60):
    """Features of letters, with a second label that is there where the first is not, and one by chance."""
    features, labels = letter_features(count)
    chance = torch.from_numpy(np.random.default_rng(0).integers(0, 2, count))
    return features, torch.stack([labels, 1 - labels, chance], 1).float()


def test_labels_are_read_apart_by_a_sign_from_lists_and_from_columns(tmp_path):
    expected = ((1, 2), (0,), (), (1,))
    found = load_dataset(
        separated(tmp_path), modality="text", columns=TableColumns(separator="|"), skip_broken=False
    )
    assert found.class_names == ("back", "front", "low")
    assert (found.label_sets, found.labels, found.several) == (expected, (), True)
    assert found.counts == {"back": 1, "front": 2, "low": 1}
    assert found.targets.tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]]
    lists = tmp_path / "lists.jsonl"
    lists.write_text(
        "".join(json.dumps({"text": t, "label": [*filter(None, said.split("|"))]}) + "\n" for t, said in ROWS)
    )
    found = load_dataset(lists, modality="text")
    assert found.label_sets == expected
    assert found.notes == ("The column 'label' of lists.jsonl holds lists: an input has several labels.",)
    names = ("back", "front", "low")
    rows = [(text, *(int(name in said) for name in names)) for text, said in ROWS]
    table = write_table(tmp_path / "flags.csv", [("text", *names), *rows])
    assert load_dataset(table, modality="text", columns=TableColumns(classes=names)).label_sets == expected
    part = found.part([0, 3])
    assert part.label_sets == ((1, 2), (1,))
    assert joined([found, replace(found, name="again")]).label_sets == expected * 2


def test_a_column_of_nothing_but_0_is_no_class_and_said(tmp_path):
    rows = [("a", 1, 0, 0), ("b", 0, 1, 0), ("c", 1, 1, 0)]
    table = write_table(tmp_path / "flags.csv", [("text", "low", "back", "never"), *rows])
    columns = TableColumns(classes=("low", "back", "never"))
    found = load_dataset(table, modality="text", columns=columns)
    assert found.class_names == ("back", "low")
    assert found.notes == (
        "No input of flags.csv has the label never: what none has cannot be learned and is no class here.",
    )
    chosen = ClassChoice(("back", "low"))
    assert load_dataset(table, modality="text", columns=columns, classes=chosen).notes == ()


def test_a_class_that_every_input_has_is_said(tmp_path):
    table = write_table(
        tmp_path / "flags.csv", [("text", "low", "always"), ("a", 1, 1), ("b", 0, 1), ("c", 1, 1)]
    )
    columns = TableColumns(classes=("low", "always"))
    found = load_dataset(table, modality="text", columns=columns)
    assert found.class_names == ("always", "low")
    assert found.notes == (
        "Every input of flags.csv has the label always: what tells it from its absence cannot be learned.",
    )
    assert load_dataset(table, modality="text", columns=columns, class_names=("always", "low")).notes == ()


def test_lists_in_parquet_are_labels_by_their_names(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    features = {"label": {"feature": {"names": ["sad", "glad"]}}}
    schema = pa.schema([("text", pa.string()), ("label", pa.list_(pa.int64()))])
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    table = pa.Table.from_pydict({"text": ["a", "b"], "label": [[1, 0], []]}, schema=schema)
    pq.write_table(table, tmp_path / "moods.parquet")
    found = load_dataset(tmp_path / "moods.parquet", modality="text")
    assert (found.class_names, found.label_sets) == (("glad", "sad"), ((0, 1), ()))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (TableColumns(separator=";"), "No label of sounds.csv holds ';', which --label-separator says"),
        (TableColumns(classes=("text", "label")), "column 'text' must hold 0 or 1, .* got 'aei'"),
        (TableColumns(classes=("low", "high")), "sounds.csv has no column 'low'"),
    ],
)
def test_what_is_no_set_of_labels_is_refused_in_a_sentence(tmp_path, columns, said):
    with pytest.raises(DataError, match=said):
        load_dataset(separated(tmp_path), modality="text", columns=columns)


def test_columns_and_a_separator_are_not_given_together():
    with pytest.raises(DataError, match=r"in one column of names, .* or in several columns of 0 and 1"):
        TableColumns(classes=("a", "b"), separator="|")


def test_labels_that_look_like_several_are_said(tmp_path):
    table = separated(tmp_path, [("a", "x|y"), ("b", "x"), ("c", "y")])
    (note,) = load_dataset(table, modality="text").notes
    assert note.endswith("are read as one; --label-separator '|' reads them apart.")


def test_one_label_is_a_set_of_one_and_several_are_not_one(tmp_path):
    one = letters(10)
    assert one.with_labels("one") is one
    assert one.with_labels("several").label_sets == tuple((label,) for label in one.labels)
    several = load_dataset(separated(tmp_path), modality="text", columns=TableColumns(separator="|"))
    with pytest.raises(DataError, match=r"have several labels each, .* decides for one class"):
        several.with_labels("one")


def test_splits_keep_rare_labels_on_both_sides(tmp_path):
    rows = [("a" * (i % 9 + 1), "rare|often" if i % 10 == 0 else "often") for i in range(100)]
    found = load_dataset(separated(tmp_path, rows), modality="text", columns=TableColumns(separator="|"))
    for rest, held in [hold_out(found, 0.2), *folds(found, 5)]:
        assert (found.part(rest).counts["rare"], found.part(held).counts["rare"]) == (8, 2)


def test_the_loss_is_binary_cross_entropy_with_weights_of_rare_labels():
    draw = torch.Generator().manual_seed(0)
    labels = (torch.rand(50, 3, generator=draw) < torch.tensor([0.1, 0.5, 0.9])).float()
    logits = torch.randn(50, 3, generator=draw)
    plain = loss_function(TrainingConfig(), labels)(logits, labels)
    assert float(plain) == pytest.approx(float(binary_cross_entropy_with_logits(logits, labels)))
    weights = (50 - labels.sum(0)) / labels.sum(0)
    weighted = loss_function(TrainingConfig(class_weights="balanced"), labels)(logits, labels)
    expected = binary_cross_entropy_with_logits(logits, labels, pos_weight=weights)
    assert float(weighted) == pytest.approx(float(expected))
    p = logits.sigmoid()
    p_true = torch.where(labels > 0, p, 1 - p)
    focal = loss_function(TrainingConfig(focal_gamma=2.0), labels)(logits, labels)
    assert float(focal) == pytest.approx(float(((1 - p_true) ** 2 * -p_true.log()).mean()), rel=1e-5)
    order = epoch_order(TrainingConfig(sampling="balanced"), labels, draw)
    assert labels[order][:, 0].mean() > 1.5 * labels[:, 0].mean()


def test_scores_agree_with_scikit_learn():
    draw = np.random.default_rng(1)
    labels, logits = draw.integers(0, 2, (40, 4)), draw.normal(size=(40, 4))
    labels[:, 3] = 0  # never occurs
    found = score_logits(torch.tensor(labels), torch.tensor(logits), "abcd")
    guess = logits > 0
    assert found.micro_f1 == pytest.approx(f1_score(labels, guess, average="micro"))
    assert found.macro_f1 == pytest.approx(f1_score(labels[:, :3], guess[:, :3], average="macro"))
    areas = [average_precision_score(labels[:, k], logits[:, k]) for k in range(3)]
    assert [one.average_precision for one in found.classes] == pytest.approx([*areas, 0])
    sets, counts = np.unique(labels, axis=0, return_counts=True)
    always = np.tile(sets[counts.argmax()], (40, 1))
    assert found.majority_micro_f1 == pytest.approx(f1_score(labels, always, average="micro"))
    assert found.majority_macro_f1 == pytest.approx(
        f1_score(labels[:, :3], always[:, :3], average="macro", zero_division=0)
    )
    # What looks at nothing says the same of every input.
    at_random = [average_precision_score(labels[:, k], np.zeros(40)) for k in range(3)]
    assert found.random_average_precision == pytest.approx(np.mean(at_random))
    assert found.mean_average_precision == pytest.approx(np.mean(areas))
    assert found.accuracy == pytest.approx((labels == guess).all(1).mean())
    assert found.majority == pytest.approx(np.unique(labels, axis=0, return_counts=True)[1].max() / 40)
    assert found.confusion == ()
    assert class_table(found).rows[0][-1] == f"{labels[:, 0].mean():.3f}"
    flat = score_logits(torch.tensor(labels), torch.full((40, 4), -1.0), "abcd")
    assert one_class_only(flat).startswith("All 40 inputs get the same labels, which")
    assert balanced_accuracy(torch.tensor(guess), torch.tensor(labels)) == found.balanced_accuracy


@pytest.mark.parametrize(
    "method", ["daam", "gqdaam", "mlp", "logistic", "kernel_ridge", "mha", "joint_density"]
)
def test_every_kind_of_method_learns_several_labels(method):
    features, labels = of_several()
    config = letter_config(class_names=("a", "b", "c"), labels="several")
    data = SplitData(
        "half", "test set", features, labels, (Split(np.arange(40), np.zeros(0, int), np.arange(40, 60)),)
    )
    recipe = recipe_of(METHODS[method], config)
    training = TrainingConfig(epochs=25, learning_rate=1e-2)
    found = measure_accuracy(recipe, data, training=training, seeds=(0,))
    figures = score_logits(labels[40:], found.logits[0], "abc", always=data.always(data.splits[0]))
    sets, counts = np.unique(labels[:40], axis=0, return_counts=True)
    always = np.tile(sets[counts.argmax()], (20, 1))  # the training part's answer, in every figure
    for average in ("micro", "macro"):
        expected = f1_score(labels[40:], always, average=average, zero_division=0)
        assert found.several_figures[f"majority_{average}_f1"] == pytest.approx(expected)
    assert figures.majority == data.majority == (labels[40:].numpy() == always).all(1).mean()
    assert min(one.average_precision for one in figures.classes[:2]) > 0.8
    assert found.accuracy == pytest.approx(figures.accuracy)
    assert data.majority < 0.6
    assert found.as_dict()["mean_average_precision"] == pytest.approx(figures.mean_average_precision)
    table = comparison_table([found], data.majority)
    assert table.head[1:5] == ("mean average precision", "micro F1", "macro F1", "accuracy")
    assert table.rows[0][1] == f"{figures.mean_average_precision:.4f}"
    always = f"{data.majority:.4f}, micro F1 {figures.majority_micro_f1:.4f}"
    assert f"Always the most frequent set of labels of the training part: {always}" in table.note


def test_probabilities_stand_alone_and_classes_of_a_half_are_predicted():
    features, labels = of_several()
    config = letter_config(class_names=("a", "b", "c"), labels="several")
    classifier, history = train_classifier(
        config, TrainingConfig(epochs=30, learning_rate=1e-2), features, labels
    )
    assert float(right(predict(classifier, features), labels)[:20].float().mean()) > 0.4
    assert history.epochs[-1].loss < history.epochs[0].loss


def test_what_makes_no_sense_with_several_labels_is_refused():
    config = letter_config(labels="several")
    features, labels = letter_features(10)
    with pytest.raises(
        DataError, match=r"labels='several' learns from labels \[N, C\] of 0 and 1, got \[10\]"
    ):
        train_classifier(config, TrainingConfig(epochs=1), features, labels)
    with pytest.raises(ConfigError, match="labels must be one of one, several, got 'many'"):
        letter_config(labels="many")
