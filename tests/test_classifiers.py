"""The classifiers that come along, and the script that makes them."""

import argparse
import shlex
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from daam_core.cli import train
from daam_core.locating import built_in_models
from daam_core.trained import load_model

ROOT = Path(__file__).parent.parent
PATHS = ("test", "validation", "about", "out")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = spec_from_file_location("make_classifiers", ROOT / "assets" / "make_classifiers.py")
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, found)  # dataclasses look there for types
    spec.loader.exec_module(found)
    return found


def settings(words: list[str]) -> dict[str, object]:
    """What 'train' is told, data sets by their last names: cards may have been made in other folders."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    told = vars(parser.parse_args(words))
    del told["overwrite"]
    told["data"] = [Path(path).name for path in told["data"]]
    return told | {name: told[name] and Path(told[name]).name for name in PATHS}


def test_the_script_makes_every_classifier_that_comes_along(script):
    assert set(script.CLASSIFIERS) == set(built_in_models())


@pytest.mark.parametrize("name", built_in_models())
def test_its_commands_are_those_that_made_them(name, script):
    made = script.CLASSIFIERS[name]
    words = [*made.train.split(), *made.measuring(), "--about", f"{name}.json", "--out", name]
    report = load_model(name).report
    assert settings(words) == settings(shlex.split(report["command"])[4:])


def test_what_is_there_is_not_made_again(script, monkeypatch, tmp_path):
    ran, fails = [], ["study"]

    def run(words, *, cwd, **_):
        command, out = words[3], Path(words[words.index("--out") + 1]) if "--out" in words else None
        ran.append(command)
        if command in fails:
            raise subprocess.CalledProcessError(1, words)
        if out is not None:
            out.mkdir(parents=True)
            (out / "overview.npz").write_text(command)
        return subprocess.CompletedProcess(words, 0, stdout=b"{}")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "MADE", tmp_path / "made")
    for kind in ("checkpoints", "studies", "faithfulness"):
        (tmp_path / "assets" / kind).mkdir(parents=True)
    made = script.CLASSIFIERS["image-object"]
    making = script.Making("image-object", made, tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        making.make()
    fails.clear()
    making.make(["faithfulness"])
    making.make()
    making.make()
    assert ran == ["train", "outside", "study", "faithfulness", "study", "compare"]
    assert (tmp_path / "assets" / "studies" / "image-object.npz").read_text() == "study"
    assert (tmp_path / "assets" / "faithfulness" / "image-object.json").read_text() == "{}"
    assert (tmp_path / "assets" / "checkpoints" / "image-object").is_dir()


def run_by_hand(script, monkeypatch, capsys, *words: object) -> tuple[object, str]:
    """The exit status, or the sentence that is one, and what was printed as an error."""
    monkeypatch.setattr(sys, "argv", ["make_classifiers.py", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        script.main()
    return left.value.code, capsys.readouterr().err


def test_what_is_missing_is_said_before_anything_is_made(script, monkeypatch, capsys, tmp_path):
    code, said = run_by_hand(script, monkeypatch, capsys, tmp_path / "nowhere", "news-topic")
    assert code == 2
    assert said.endswith(
        f"news-topic needs 'text-agnews/train.csv', which does not lie in {tmp_path}/nowhere\n"
    )
    code, said = run_by_hand(script, monkeypatch, capsys, tmp_path, "news")
    assert code == 2
    assert "there is no classifier 'news'; there are speech-emotion, news-topic, image-object" in said


def test_a_step_that_fails_ends_in_one_sentence(script, monkeypatch, capsys, tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / "text-agnews").mkdir(exist_ok=True)
        (tmp_path / "text-agnews" / name).write_text("")
    ran = []

    def run(words, **_):
        ran.append(words)
        raise subprocess.CalledProcessError(2, words)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(script, "MADE", tmp_path / "made")
    said, _ = run_by_hand(script, monkeypatch, capsys, tmp_path, "news-topic", "--step", "compare")
    assert said == f"news-topic: stopped in 'compare'; the steps before it are kept in {tmp_path / 'made'}"
    (words,) = ran
    assert words[3:5] == ["compare", "text-agnews/train.csv"]
    assert words[words.index("--methods") + 1] == "daam,linear,last_layer,weighted_sum,mha"
