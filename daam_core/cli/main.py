"""``python -m daam_core``: one table of commands, and what every one of them keeps to.

Exit status 0: done. 2: wrong input or arguments, one line on standard error. 1: a defect, with a
traceback. 130: interrupted. ``--json`` prints one JSON object on standard output and nothing else
there; progress goes to standard error.
"""

import argparse
import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from daam_core.errors import DaamError
from daam_core.version import __version__

PROGRAM = "daam"


@dataclass(frozen=True)
class Command:
    """A command and where it is written; its module is imported only when it is called."""

    summary: str
    module: str


COMMANDS: dict[str, Command] = {
    "models": Command("list trained heads and built-in encoders", "daam_core.cli.models"),
    "explain": Command("explain one sound, text or picture", "daam_core.cli.explain"),
    "train": Command("train a head on your data", "daam_core.cli.train"),
    "evaluate": Command("measure a trained head on labelled data", "daam_core.cli.evaluate"),
    "compare": Command("density attention against plain baselines", "daam_core.cli.compare"),
    "faithfulness": Command("is the explanation true? measure it", "daam_core.cli.faithfulness"),
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
        # Whoever read the output has seen enough. Nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(words: list[str]) -> int:
    top = _top_parser()
    if not words or words[0] in ("-h", "--help"):
        top.print_help()
        return 0
    if words[0] == "--version":
        print(f"daam-explorer {__version__}")
        return 0
    name = words[0]
    if name not in COMMANDS:
        top.error(f"there is no command {name!r}; there are {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    module = import_module(command.module)
    parser = _Parser(
        prog=f"{PROGRAM} {name}", description=module.__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(words[1:])
    arguments.words = words
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output = module.run(arguments)
    if arguments.json:
        print(json.dumps(output.data, allow_nan=False, indent=2))
    elif output.text:
        print(output.text)
    return 0


def _top_parser() -> _Parser:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
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
