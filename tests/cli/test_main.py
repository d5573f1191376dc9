"""The program itself: help, exit status, and what each stream carries."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from daam_core.cli import main
from daam_core.cli.main import COMMANDS


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_every_command(run, words):
    status, out, err = run(*words)
    assert (status, err) == (0, "")
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(run, name):
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: daam {name}")
    assert "--json" in out


def test_the_version_is_printed(run):
    assert run("--version")[1].startswith("daam-explorer ")


def test_an_unknown_command_is_refused_with_the_known_ones(refused):
    assert "there is no command 'trian'; there are models, explain, train" in refused("trian")


class TestCommandsOfOtherPackages:
    """They come as entry points: the library knows nothing of the page."""

    @pytest.fixture
    def added(self, monkeypatch):
        def add(value):
            points = EntryPoints([EntryPoint("app", value, main.ADDED)])
            monkeypatch.setattr(main, "entry_points", lambda group: points.select(group=group))

        return add

    def test_one_is_called_with_its_own_words(self, run, added, monkeypatch):
        monkeypatch.setattr(main, "page_of_a_test", lambda words: 40 + len(words), raising=False)
        added("daam_core.cli.main:page_of_a_test")
        assert run("app", "--port", "1")[0] == 42
        assert "  app " in run("--help")[1]

    def test_one_that_lacks_a_package_names_the_extra(self, refused, added):
        added("no_such_package:main")
        said = refused("app")
        assert "needs the package no_such_package" in said
        assert "pip install 'daam-explorer[app]'" in said

    def test_without_the_page_the_command_says_how_it_is_started(self, refused, monkeypatch):
        monkeypatch.setattr(main, "entry_points", lambda group: EntryPoints())
        assert "start it with: python -m app" in refused("app")


def test_a_command_that_lacks_a_package_names_the_extra(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "daam_core.cli.train", None)
    with pytest.raises(ModuleNotFoundError):  # a module of ours that is missing is a defect
        main.main(["train"])
    monkeypatch.setitem(COMMANDS, "train", main.Command("", "no_such_package", "train"))
    assert "pip install 'daam-explorer[train]'" in refused("train")


def python(*words, **more):
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, timeout=120, check=False, **more
    )


def test_wrong_input_ends_a_process_with_2_and_one_line(tmp_path):
    done = python("-m", "daam_core", "evaluate", tmp_path / "no", "--model", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("daam: There is no model 'nothing'")


def test_a_defect_ends_a_process_with_1_and_a_traceback():
    script = (
        "import sys, types, daam_core.cli.main as main\n"
        "broken = types.ModuleType('broken')\n"
        "broken.add_arguments = lambda parser: None\n"
        "broken.run = lambda arguments: 1 / 0\n"
        "sys.modules['broken'] = broken\n"
        "main.COMMANDS['broken'] = main.Command('', 'broken')\n"
        "sys.exit(main.main(['broken']))\n"
    )
    done = python("-c", script)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_reader_that_leaves_early_is_no_error():
    script = f"{sys.executable} -m daam_core models --json | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout in ("{0\n", "{\n0\n")
    assert done.stderr == ""
