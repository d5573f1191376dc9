"""Command line options that several commands share."""

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from daam_core.backbones.names import DTYPES, check_named
from daam_core.cli.columns import DELIMITERS, add_column_arguments, table_columns
from daam_core.cli.encoders import add_device_argument
from daam_core.cli.named import names_in, whole_number
from daam_core.cli.output import say
from daam_core.configuration import ModelConfig
from daam_core.inputs import MODALITIES
from daam_core.plain import PlainObject
from daam_core.processes import own_device
from daam_core.training.data import ClassChoice, TextFormat
from daam_core.training.methods import option_of
from daam_core.training.options import DataOptions, DataPaths, ExperimentOptions
from daam_core.training.presets import PRESETS, preset
from daam_core.training.settings import DensitySettings, TrainingConfig

#: Settings of a classifier that are chosen on the command line; the others follow from data and encoder.
CLASSIFIER_OPTIONS = tuple(
    field.name
    for field in fields(ModelConfig)
    if field.name
    not in ("modality", "encoder", "n_layers", "n_features", "class_names", "n_prototypes", "seed")
)
TRAINING_OPTIONS = tuple(field.name for field in fields(TrainingConfig) if field.name != "density")
DENSITY_OPTIONS = tuple(field.name for field in fields(DensitySettings))


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The data set and how to read it."""
    parser.add_argument(
        "data",
        nargs="+",
        metavar="DATA",
        help="folder of class folders, table (CSV, JSON lines, Parquet), saved data set, a name on the hub; "
        "several are read as one",
    )
    group = parser.add_argument_group("reading the data")
    group.add_argument("--part", metavar="NAME", help="of a data set in parts: train, test (default: said)")
    add_column_arguments(group)
    group.add_argument("--group-column", metavar="NAME", help="column of groups, such as speakers")
    group.add_argument(
        "--group-pattern",
        metavar="REGEX",
        help="where a file's name, or with a / in it its path, says its group: ^(..), /Actor_(..)/",
    )
    group.add_argument(
        "--encoding", metavar="NAME", help="of tables and texts: utf-8, cp1252 (default: found out)"
    )
    group.add_argument(
        "--delimiter", metavar="SIGN", help="what separates a table's cells: , ; tab (default: found out)"
    )
    group.add_argument(
        "--no-heading",
        dest="heading",
        action="store_false",
        help="the table's first row is an input; its columns are called 0, 1, 2",
    )
    group.add_argument("--classes", metavar="A[,B…]", help="read these classes only; all: every one, unasked")
    group.add_argument(
        "--class-pattern",
        metavar="REGEX",
        help="where a file's path below DATA says its class: ^[^/]+/([^/]+)/",
    )
    group.add_argument(
        "--merge-alike",
        action="store_true",
        help="labels that differ only in case, white space or as 1 and 1.0 are one class",
    )
    group.add_argument(
        "--rename",
        action="append",
        type=_old_and_new,
        default=[],
        metavar="OLD=NEW",
        help="call a class otherwise (repeatable); classes of one name are one",
    )
    group.add_argument(
        "--per-class", type=whole_number(1), metavar="N", help="take at most N inputs of each class, drawn"
    )
    group.add_argument("--skip-broken", action="store_true", help="leave out inputs that cannot be read")
    group.add_argument(
        "--workers",
        type=whole_number(1),
        metavar="N",
        help="inputs read and encoded at a time (default: as many as processors)",
    )
    group.add_argument("--cache-dir", metavar="DIR", help="where features are kept (default: user's cache)")


def data_options(arguments: argparse.Namespace) -> DataOptions:
    """How the options say that data sets are read."""
    said = arguments.delimiter
    return DataOptions(
        columns=table_columns(arguments),
        group_pattern=arguments.group_pattern,
        skip_broken=arguments.skip_broken,
        cache_dir=arguments.cache_dir,
        workers=arguments.workers,
        written=TextFormat(arguments.encoding, DELIMITERS.get(said, said), arguments.heading),
        classes=ClassChoice(
            names_in(arguments.classes),
            arguments.class_pattern,
            arguments.merge_alike,
            tuple(arguments.rename),
        ),
        part=arguments.part,
        per_class=arguments.per_class,
        say=say,
    )


def data_paths(arguments: argparse.Namespace) -> DataPaths:
    """The data set that a command is about, or several."""
    given: list[str] = arguments.data
    return given[0] if len(given) == 1 else given


def _old_and_new(text: str) -> tuple[str, str]:
    old, equals, new = (word.strip() for word in text.partition("="))
    if not (old and equals and new):
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW, such as excitement=happiness")
    return old, new


def add_experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, encoder, parts, classifier and training."""
    add_data_arguments(parser)
    parser.add_argument("--modality", choices=MODALITIES, required=True, help="what the inputs are")
    parser.add_argument(
        "--backbone", required=True, metavar="NAME", help="built-in encoder, folder, or hub id (see: models)"
    )
    parser.add_argument("--revision", metavar="REV", help="the encoder's hub revision")
    add_device_argument(parser)
    parser.add_argument(
        "--dtype",
        default="float32",
        choices=DTYPES,
        help="numbers the encoder computes in; the classifier is used with the same (default: float32)",
    )
    group = parser.add_argument_group("measuring")
    group.add_argument("--test", metavar="DATA", help="data set to measure on, read like DATA")
    group.add_argument("--folds", type=whole_number(2), metavar="N", help="cross-validation, by group")
    group.add_argument(
        "--seeds", type=whole_number(1), default=1, metavar="N", help="how many seeds (default: 1)"
    )
    group.add_argument(
        "--validation",
        default="0.1",
        metavar="PART",
        help="what chooses the epoch: a share (0.1), a number of inputs, a data set, or 0 (default: 0.1)",
    )
    group.add_argument("--validation-groups", metavar="A[,B…]", help="groups that choose the epoch")
    group.add_argument(
        "--whole-groups",
        action="store_true",
        help="the share that chooses the epoch is one of the groups: no speaker is on both sides",
    )
    group.add_argument(
        "--accuracy-by",
        metavar="NAME[,NAME…]",
        help="columns, also that of groups: accuracy for each of their values, too (several DATA: always for "
        "each of them)",
    )
    group.add_argument(
        "--no-refit",
        dest="refit",
        action="store_false",
        help="keep the weights trained without the validation part, instead of training again on all",
    )
    add_fields(parser, "classifier", ModelConfig, CLASSIFIER_OPTIONS)
    parser.add_argument(
        "--recipe",
        choices=PRESETS,
        default="ours",
        help="settings of the training that go together: "
        + "; ".join(f"{name}: {what}" for name, what in PRESETS.items())
        + "; options of the training that are given hold in either",
    )
    add_fields(parser, "training", TrainingConfig, TRAINING_OPTIONS)
    add_fields(parser, "density decoder", DensitySettings, DENSITY_OPTIONS)


def experiment_options(arguments: argparse.Namespace, *, method: str = "daam") -> ExperimentOptions:
    """What the options of :func:`add_experiment_arguments` ask for, with a method of density attention.

    Raises:
        ConfigError: unusable settings of the training.
        DataError: options that do not fit each other.
        EncoderError: there is no such encoder or device.
    """
    check_named(arguments.backbone, device=own_device(arguments.device), dtype=arguments.dtype)
    return ExperimentOptions(
        data=data_paths(arguments),
        modality=arguments.modality,
        backbone=arguments.backbone,
        revision=arguments.revision,
        device=own_device(arguments.device),
        dtype=arguments.dtype,
        test=arguments.test,
        folds=arguments.folds,
        seeds=arguments.seeds,
        validation=_number_or_path(arguments.validation),
        validation_groups=names_in(arguments.validation_groups),
        whole_groups=arguments.whole_groups,
        accuracy_by=names_in(arguments.accuracy_by),
        refit=arguments.refit,
        reading=data_options(arguments),
        method=method,
        classifier=chosen(arguments, CLASSIFIER_OPTIONS),
        training=TrainingConfig(
            **preset(arguments.recipe, arguments.modality, chosen(arguments, TRAINING_OPTIONS)),
            density=DensitySettings(**chosen(arguments, DENSITY_OPTIONS)),
        ),
    )


def _number_or_path(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def add_fields(parser: argparse.ArgumentParser, title: str, owner: type[Any], names: Sequence[str]) -> None:
    """An option for each named field of a dataclass, explained by the dataclass's own docstring.

    What is not given is not there among the arguments, so that the dataclass's default or a preset holds.
    """
    group = parser.add_argument_group(title)
    explained = attribute_help(owner)
    by_name = {field.name: field for field in fields(owner)}
    absent: PlainObject = {"default": argparse.SUPPRESS}
    for name in names:
        kind, default = by_name[name].type, by_name[name].default
        usual = "chosen from the data" if default is None else default
        text = f"{explained.get(name, '').replace('%', '%%')} (default: {usual})"
        option = option_of(name)
        if get_origin(kind) is Literal:
            group.add_argument(option, dest=name, choices=get_args(kind), help=text, **absent)
        else:
            read, letter = (int, "N") if kind is int else (float, "X")
            group.add_argument(option, dest=name, type=read, metavar=letter, help=text, **absent)


def chosen(arguments: argparse.Namespace, names: Sequence[str]) -> PlainObject:
    """The values of those options that :func:`add_fields` made and that were given."""
    return {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}


def attribute_help(owner: type) -> dict[str, str]:
    """What a class's docstring says of each attribute.

    >>> attribute_help(TrainingConfig)["epochs"]
    'upper limit.'
    """
    _, _, attributes = (owner.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", attributes, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def printed_command(words: Sequence[str]) -> str:
    """The command as a report prints it, so that it can be read and given again elsewhere.

    Relative paths stay; absolute ones name folders of this computer, so they become relative where they
    are below the current folder, and else the last name alone. Where features are kept is left out.
    """
    shown: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--cache-dir":
            skip = True
        elif not word.startswith("--cache-dir="):
            option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
            shown.append(f"{option}{equals}{_readable(value)}")
    return shlex.join(["python", "-m", "daam_core", *shown])


def _readable(word: str) -> str:
    path = Path(word)
    if not path.is_absolute():
        return word
    below = path.is_relative_to(Path.cwd())
    return path.relative_to(Path.cwd()).as_posix() if below else path.name
