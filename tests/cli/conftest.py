"""Commands as functions, and a classifier trained by one."""

import pytest

import daam_core.trained
from daam_core.cli.main import main
from daam_core.training import experiment
from tests.support.commands import letter_table, train_words
from tests.support.small import LetterEncoder


@pytest.fixture
def run(capsys):
    """Runs a command; gives its status, standard output and standard error."""

    def call(*words):
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture
def refused(run):
    """Runs a command that must be refused: status 2, one line, nothing on standard output."""

    def call(*words):
        status, out, err = run(*words)
        assert status == 2, err
        assert out == ""
        assert err.startswith("daam: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        assert "Traceback" not in err
        return err

    return call


@pytest.fixture
def letters(monkeypatch, tmp_path):
    """The encoder of letters in every encoder's place; gives a table of vowels and consonants."""
    for module in (experiment, daam_core.trained):
        monkeypatch.setattr(module, "load_backbone", lambda *_, **__: LetterEncoder())
    monkeypatch.setenv("DAAM_CACHE_DIR", str(tmp_path / "cache"))
    return letter_table(tmp_path / "letters.csv", 60)


@pytest.fixture
def letter_checkpoint(letters, run, tmp_path):
    """A folder with a head trained on letters by the command."""
    out = tmp_path / "checkpoint"
    status, _, err = run(*train_words(letters, out))
    assert status == 0, err
    return out
