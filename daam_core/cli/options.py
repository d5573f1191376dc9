"""Command line options that several commands share."""

import argparse
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from daam_core.encoding import MODALITIES, Modality
from daam_core.model import ModelConfig
from daam_core.training.data import Dataset, TableColumns, load_dataset
from daam_core.training.fitting import TrainingConfig

#: Settings of a head that are chosen on the command line; the others follow from data and encoder.
HEAD_OPTIONS = tuple(
    field.name
    for field in fields(ModelConfig)
    if field.name not in ("modality", "encoder", "n_layers", "n_features", "class_names", "seed")
)
TRAINING_OPTIONS = tuple(field.name for field in fields(TrainingConfig))


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The data set and how to read it."""
    parser.add_argument("data", metavar="DATA", help="folder of class folders, or a .csv or .tsv table")
    group = parser.add_argument_group("reading the data")
    group.add_argument("--input-column", metavar="NAME[,NAME…]", help="column of paths, or columns of texts")
    group.add_argument("--label-column", metavar="NAME", help="column of class names")
    group.add_argument("--group-column", metavar="NAME", help="column of groups, such as speakers")
    group.add_argument("--group-pattern", metavar="REGEX", help="where a file's name says its group: ^(..)")
    group.add_argument("--skip-broken", action="store_true", help="leave out samples that cannot be read")
    group.add_argument("--cache-dir", metavar="DIR", help="where features are kept (default: user's cache)")


def read_data(
    arguments: argparse.Namespace,
    source: str,
    *,
    modality: Modality,
    class_names: Sequence[str] | None = None,
    groups: bool = True,
) -> Dataset:
    """The data set that the options describe; ``groups`` is for the part that is split by them."""
    is_table = Path(source).is_file()
    inputs = tuple(name.strip() for name in (arguments.input_column or "").split(",") if name.strip())
    columns = TableColumns(
        inputs=inputs,
        label=arguments.label_column,
        group=arguments.group_column if groups else None,
    )
    # Options about columns may be meant for another part of the data, which is a table.
    only_here = is_table or source == arguments.data
    return load_dataset(
        source,
        modality=modality,
        columns=columns if only_here else None,
        group_pattern=arguments.group_pattern if groups else None,
        class_names=class_names,
        skip_broken=arguments.skip_broken,
    )


def add_encoder_arguments(parser: argparse.ArgumentParser) -> None:
    """The modality and the frozen encoder of a head that is yet to be trained."""
    parser.add_argument("--modality", choices=MODALITIES, required=True, help="what the samples are")
    parser.add_argument(
        "--backbone", required=True, metavar="NAME", help="built-in encoder, folder, or hub id (see: models)"
    )
    parser.add_argument("--revision", metavar="REV", help="the encoder's hub revision")


def add_fields(
    parser: argparse.ArgumentParser, title: str, owner: type[Any], names: Sequence[str], **defaults: Any
) -> None:
    """An option for each named field of a dataclass, explained by the dataclass's own docstring."""
    group = parser.add_argument_group(title)
    explained = attribute_help(owner)
    by_name = {field.name: field for field in fields(owner)}
    for name in names:
        field = by_name[name]
        kind = field.type
        default = defaults.get(name, field.default)
        settings: dict[str, Any] = {"default": default}
        if get_origin(kind) is Literal:
            settings["choices"] = get_args(kind)
        else:
            settings |= {"type": kind, "metavar": "N" if kind is int else "X"}
        text = explained.get(name, "").replace("%", "%%")
        group.add_argument(
            f"--{option_name(name)}", dest=name, help=f"{text} (default: {default})", **settings
        )


def option_name(field: str) -> str:
    """``n_heads`` → ``heads``, ``gate_learning_rate`` → ``gate-learning-rate``."""
    return field.removeprefix("n_").replace("_", "-")


def chosen(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """The values of the options that :func:`add_fields` made."""
    return {name: getattr(arguments, name) for name in names}


def attribute_help(owner: type[Any]) -> dict[str, str]:
    """What a class's docstring says of each attribute.

    >>> attribute_help(TrainingConfig)["epochs"]
    'upper limit.'
    """
    _, _, attributes = (owner.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", attributes, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def whole_number(least: int) -> Any:
    """A type for argparse: a whole number of at least ``least``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return value

    return read


def printed_command(words: Sequence[str]) -> str:
    """The command as a report prints it: folders of this computer left out."""
    shown: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--cache-dir":
            skip = True
        elif not word.startswith("--cache-dir="):
            option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
            shown.append(f"{option}{equals}{_without_folder(value)}")
    return shlex.join(["python", "-m", "daam_core", *shown])


def _without_folder(word: str) -> str:
    if os.sep in word and (Path(word).is_absolute() or Path(word).exists()):
        return Path(word).name
    return word
