"""Model cards and what their authors say."""

from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard

from daam_core.errors import DataError
from daam_core.training.about import About, read_about
from daam_core.training.accuracy import Measured
from daam_core.training.cards import model_card
from daam_core.training.evaluation import Movement, data_facts
from daam_core.training.run import Parameters, TrainingReport
from daam_core.training.scores import ClassFigures, Scores
from daam_core.training.settings import TrainingConfig
from tests.support.data import letters
from tests.support.small import CLASSES, FEATURES, LAYERS, letter_config


def card_report(**changes):
    movement = Movement(0, 0, -1, 1, 0, 0.5, 0.2, 1)
    report = TrainingReport(
        tool="daam-explorer",
        command="python -m daam_core train letters",
        accuracy=0.8125,
        accuracy_deviation=0.0213,
        protocol="5 folds: by group",
        scores=Scores(
            inputs=20,
            accuracy=0.8,
            balanced_accuracy=0.8,
            macro_f1=0.8,
            confusion=(),
            majority=0.5,
            answers=2,
            classes=tuple(ClassFigures(name, 10, 0.9, 0.7, 0.8) for name in CLASSES),
        ),
        data=data_facts(replace(letters(20), class_names=CLASSES)),
        trained_inputs=20,
        encoder=letter_config().encoder,
        parameters=Parameters(1234, None, 1200),
        training=TrainingConfig(),
        chosen_by="nothing held out",
        best_epoch=1,
        epochs=(),
        training_accuracy=0.9,
        mean_offset=movement,
        scaled_variance=movement,
        layer_contribution=(),
        top_cells=(),
    )
    return replace(report, **changes)


def test_a_card_has_valid_metadata_and_the_measured_figures():
    about = About(
        title="Letters",
        data_name="Letters: a set",
        data_terms="free",
        license="mit",
        language="en, de",
        misuse=("Not for crosswords.",),
        limits=("No accents.",),
    )
    text = model_card(letter_config(), card_report(), name="letters-head", about=about)
    metadata = yaml.safe_load(text.split("---")[1])
    (result,) = metadata["model-index"][0]["results"]
    assert metadata["pipeline_tag"] == "text-classification"
    assert metadata["license"] == "mit"
    assert metadata["language"] == ["en", "de"]
    assert result["dataset"]["name"] == "Letters: a set"
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {"accuracy": 0.8125, "f1": 0.8}
    assert ModelCard(text).data.eval_results[0].metric_value == 0.8125
    for said in (
        "# Letters\n",
        "0.812 ± 0.021",
        "5 folds: by group",
        "Terms: free.",
        "1,234",
        "No accents.",
        "Not for crosswords.",
        "must not decide about people",
        "python -m daam_core train letters",
        f"{LAYERS} × {FEATURES}",
    ):
        assert said in text


def test_figures_of_one_seed_are_called_so():
    accuracies = ((0.8,), (0.7,))
    measured = Measured("DAAM", True, {}, (3, 4), accuracies, 0.75, 0.7, 0.0, 0.05, 1234, 3.0, 1.0, ())
    several = card_report(measured=measured)
    text = model_card(letter_config(), several, name="x")
    metrics = yaml.safe_load(text.split("---")[1])["model-index"][0]["results"][0]["metrics"]
    assert [metric["name"] for metric in metrics] == [
        "Accuracy (5 folds: by group)",
        "Macro F1 of seed 3 (5 folds: by group)",
    ]
    assert "By class of seed 3:" in text
    assert "of seed" not in model_card(letter_config(), card_report(), name="x")


def test_a_card_without_figures_says_so():
    report = card_report(accuracy=None, accuracy_deviation=None, protocol=None, scores=None)
    text = model_card(letter_config(), report, name="x")
    assert "Not measured" in text
    assert "terms were not stated" in text
    assert "model-index" not in yaml.safe_load(text.split("---")[1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"titel": "x"}', "unknown entry 'titel'; there are title, description"),
        ('{"title": 3}', "'title' must be a text"),
        ('{"limits": "x"}', "'limits' must be a list of texts"),
        ("[]", "must hold a JSON object"),
        ("{", "is no JSON file"),
    ],
)
def test_an_unusable_about_file_is_refused(tmp_path, content, message):
    (tmp_path / "about.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_about(tmp_path / "about.json")


def test_an_about_file_is_read(tmp_path):
    (tmp_path / "about.json").write_text('{"title": "T", "misuse": ["a", "b"]}')
    assert read_about(tmp_path / "about.json") == About(title="T", misuse=("a", "b"))
    with pytest.raises(DataError, match=r"nothing\.json cannot be read"):
        read_about(tmp_path / "nothing.json")
