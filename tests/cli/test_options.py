"""Options that several commands share."""

from daam_core.cli import options
from daam_core.configuration import ModelConfig
from daam_core.training.settings import TrainingConfig


def test_every_option_has_an_explanation():
    for owner, names in (
        (ModelConfig, options.CLASSIFIER_OPTIONS),
        (TrainingConfig, options.TRAINING_OPTIONS),
    ):
        explained = options.attribute_help(owner)
        assert all(explained.get(name) for name in names)


def test_printed_commands_carry_no_folders_of_this_computer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "train",
        "/data/letters.csv",
        "--cache-dir",
        "/somewhere",
        f"--out={tmp_path}/new/one",
        "--test",
        "data/test.csv",
        "--backbone",
        "google/bert",
        "--group-pattern",
        "^(..)",
    ]
    assert options.printed_command(words) == (
        "python -m daam_core train letters.csv --out=new/one --test data/test.csv --backbone google/bert "
        "--group-pattern '^(..)'"
    )
