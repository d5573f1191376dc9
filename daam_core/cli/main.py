"""``python -m daam_core``: one table of commands, and what every one of them keeps to.

Exit status 0: done. 2: wrong input or arguments, one line on standard error, or many inputs of which none
could be explained. 1: a defect, with a traceback. 130: interrupted. ``--json`` prints one JSON object on
standard output and nothing else there; progress goes to standard error.
"""

import argparse
import errno
import io
import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import NoReturn

from daam_core.errors import DaamError
from daam_core.processes import is_first
from daam_core.version import __version__

PROGRAM = "daam"
ADDED = "daam.commands"  # entry points: commands that other packages bring, the page for one
ADDED_SUMMARIES = {"app": "serve the explorer as a web page"}


@dataclass(frozen=True)
class Command:
    """A command, where it is written, and the extra of the package that it needs, if it needs one.

    Its module is imported only when it is called.
    """

    summary: str
    module: str
    extra: str = ""


COMMANDS: dict[str, Command] = {
    "models": Command("list trained classifiers and built-in encoders", "daam_core.cli.models"),
    "explain": Command("explain one sound, text or picture", "daam_core.cli.explain"),
    "train": Command("train a classifier on your data", "daam_core.cli.train", "train"),
    "evaluate": Command("measure a trained classifier on labelled data", "daam_core.cli.evaluate", "train"),
    "outside": Command(
        "tell inputs unlike a classifier's training data from known ones", "daam_core.cli.outside", "train"
    ),
    "compare": Command("density attention against plain baselines", "daam_core.cli.compare", "train"),
    "benchmark": Command("every method on every data set, tuned alike", "daam_core.cli.benchmark", "train"),
    "faithfulness": Command(
        "is the explanation true? measure it", "daam_core.cli.faithfulness", "faithfulness"
    ),
    "study": Command("explain a whole data set, to be asked afterwards", "daam_core.cli.study", "study"),
    "verify": Command(
        "explain an input again and compare with an exported explanation", "daam_core.cli.verify"
    ),
    "publish": Command("a classifier as ONNX, as a Space, or on the hub", "daam_core.cli.publish", "onnx"),
    "bench": Command("time the layer, an explanation, the app", "daam_core.cli.bench"),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where the help is."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        raise SystemExit(_refuse(f"{line} (help: {self.prog} --help)"))


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    _quiet()
    try:
        status = _run(words)
        sys.stdout.flush()
        return status
    except DaamError as error:
        return _refuse(str(error))
    except SystemExit as stop:  # argparse: help was printed, or arguments were refused
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _write_no_more()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _write_no_more()
        return _refuse("The output cannot be written: there is no space left; free some and run it again.")


def _write_no_more() -> None:
    """Drop what is left of standard output: Python would try to write it at exit, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    top = _top_parser()
    if not words or words[0] in ("-h", "--help"):
        top.print_help()
        return 0
    if words[0] == "--version":
        print(f"daam-explorer {__version__}")
        return 0
    name = words[0]
    added = _added()
    if name in COMMANDS:
        with _said_if_missing(name, COMMANDS[name].extra):
            return _run_own(name, words)
    if name not in added.names:
        known = ", ".join([*COMMANDS, *added.names])
        top.error(
            "the page is not installed as a package here; in a checkout start it with: python -m app"
            if name in ADDED_SUMMARIES
            else f"there is no command {name!r}; there are {known}"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, and tidies up
    with _said_if_missing(name, name):
        return int(added[name].load()(words[1:]))


def _run_own(name: str, words: list[str]) -> int:
    module = import_module(COMMANDS[name].module)
    parser = _Parser(
        prog=f"{PROGRAM} {name}",
        description=module.__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(words[1:])
    arguments.words = words
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output = module.run(arguments)
    if not is_first():
        return 0
    if arguments.json:
        print(json.dumps(output.data, allow_nan=False, indent=2))
    elif output.text:
        print(output.text)
    status: int = output.status
    return status


def _added() -> EntryPoints:
    return entry_points(group=ADDED)


@contextmanager
def _said_if_missing(name: str, extra: str) -> Iterator[None]:
    """One sentence in place of a traceback where a package is missing that an extra would bring."""
    try:
        yield
    except ModuleNotFoundError as error:
        if not extra or str(error.name).startswith("daam_"):
            raise
        raise DaamError(
            f"'{PROGRAM} {name}' needs the package {error.name}, which is not installed; "
            f"get it with: pip install 'daam-explorer[{extra}]'"
        ) from error


def _top_parser() -> _Parser:
    summaries = {name: command.summary for name, command in COMMANDS.items()}
    summaries |= {name: ADDED_SUMMARIES.get(name, "from another package") for name in sorted(_added().names)}
    width = max(map(len, summaries))
    lines = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in summaries.items())
    return _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND [options]",
        description="Why a density adaptive attention model decided: explain, train, measure.",
        epilog=f"commands:\n{lines}\n\n'{PROGRAM} COMMAND --help' explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _refuse(message: str) -> int:
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _quiet() -> None:
    """Keep libraries off standard error, which holds our one line, and output printable anywhere."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show δ shows its code
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
