"""The classifiers that come along, and the script that makes them."""

import argparse
import runpy
import shlex
from pathlib import Path

import pytest

from daam_core.checkpoint import built_in_models
from daam_core.cli import train
from daam_core.shipped import shipped
from daam_core.trained import load_model

PATHS = ("test", "validation", "about", "out")
CLASSIFIERS = runpy.run_path(str(shipped("about") / "make_classifiers.py"))["CLASSIFIERS"]


def settings(words: list[str]) -> dict[str, object]:
    """What 'train' is told, data sets by their last names: cards may have been made in other folders."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    told = vars(parser.parse_args(words))
    del told["overwrite"]
    told["data"] = [Path(path).name for path in told["data"]]
    return told | {name: told[name] and Path(told[name]).name for name in PATHS}


def test_the_script_makes_every_classifier_that_comes_along():
    assert set(CLASSIFIERS) == set(built_in_models())


@pytest.mark.parametrize("name", built_in_models())
def test_its_commands_are_those_that_made_them(name):
    made = CLASSIFIERS[name]
    words = [*made.train.split(), *made.measuring(), "--about", f"{name}.json", "--out", name]
    report = load_model(name).report
    assert settings(words) == settings(shlex.split(report["command"])[4:])
