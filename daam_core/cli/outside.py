"""Let an existing classifier tell inputs that are unlike its training data.

From DATA, what it was trained on, its file outside.safetensors is made beside the weights, which stay as they
are: where the data lie among all cells, and the distance that 95 % of inputs of their kind keep to. How well
unlike inputs are told is measured on data of your own (--unlike) and on made-up ones, and stands in the card.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli import options
from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.output import Output
from daam_core.errors import DataError
from daam_core.locating import CARD_FILE, OUTSIDE_FILE, find_checkpoint
from daam_core.outside import Known
from daam_core.training.data import Dataset
from daam_core.training.data_parts import MEASURED, TRAINED
from daam_core.training.options import DataOptions, DataPaths
from daam_core.writing.files import write_text

if TYPE_CHECKING:
    from daam_core.trained import TrainedClassifier
    from daam_core.training.experiment import Part


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_data_arguments(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name or folder")
    parser.add_argument(
        "--held-out",
        metavar="DATA",
        help="inputs of the same kind to find the distance on (default: DATA itself, in parts)",
    )
    parser.add_argument("--test", metavar="DATA", help="inputs of the same kind, not trained on")
    parser.add_argument(
        "--unlike",
        action="append",
        default=[],
        metavar="[NAME=]DATA",
        help="inputs of another kind, to measure how well they are told; may be given several times",
    )
    parser.add_argument(
        "--earlier",
        metavar="NAME",
        help="classifier that was trained on the same data: what was found with it on unlike inputs that are "
        "not given now holds as well, since distances do not depend on the head",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier run made")
    add_encoder_arguments(parser)


def run(arguments: argparse.Namespace) -> Output:
    if "/" in arguments.model and not Path(arguments.model).is_dir():
        raise DataError("The file is written beside the weights: give a folder, not a hub id.")
    folder = find_checkpoint(arguments.model)
    if (folder / OUTSIDE_FILE).exists() and not arguments.overwrite:
        raise DataError(f"{folder.name} has {OUTSIDE_FILE} already; give --overwrite to replace it.")
    config = config_of(arguments.model, arguments)
    if arguments.earlier is not None:
        find_checkpoint(arguments.earlier)
    reading = options.data_options(arguments)

    def read(path: DataPaths, reading: DataOptions, *, own: bool, main: bool) -> Dataset:
        return reading.load(
            path,
            modality=config.modality,
            class_names=config.class_names if own else None,
            main=main,
            preferred=TRAINED if main else MEASURED,
        )

    data = {"train": read(options.data_paths(arguments), reading, own=True, main=True)}
    for name in ("held_out", "test"):
        if (path := getattr(arguments, name)) is not None:
            data[name] = read(path, reading, own=True, main=False)
    # Columns and classes that are named are those of DATA: other data are read as they say themselves.
    foreign = DataOptions(skip_broken=True, cache_dir=reading.cache_dir, say=reading.say)
    unlike = {}
    for said in arguments.unlike:
        name, _, path = said.rpartition("=")
        found = read(path, foreign, own=False, main=False)
        unlike[name or found.name] = found
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.checkpoint import write_known
    from daam_core.trained import load_model
    from daam_core.training.cards import card_with_outside
    from daam_core.training.outside import with_earlier

    model = model_of(arguments.model, arguments)
    earlier = None if arguments.earlier is None else load_model(arguments.earlier).known
    known = _known(model, data, unlike, reading, foreign)
    if earlier is not None:
        known = with_earlier(known, earlier)
    write_known(folder, known)
    if (folder / CARD_FILE).is_file() and model.card:
        write_text(folder / CARD_FILE, card_with_outside(model.card, known))
    told = {"model": model.name, "threshold": known.threshold, **known.facts}
    return Output(told, _text(model.name, known))


def _known(
    model: "TrainedClassifier",
    data: Mapping[str, Dataset],
    unlike: Mapping[str, Dataset],
    reading: DataOptions,
    foreign: DataOptions,
) -> Known:
    from daam_core.training.experiment import extracted
    from daam_core.training.outside import LEAST_INPUTS, distances_of, known_from, made_up, with_measures

    classifier, backbone = model.classifier, model.backbone
    parts = {name: extracted(dataset, backbone, reading) for name, dataset in data.items()}
    train, held_out, test = (parts.get(name) for name in ("train", "held_out", "test"))
    assert train is not None  # noqa: S101 - it is always read
    other = None if held_out is None else (held_out.dataset.name, held_out.features)
    if (known := known_from(classifier, train.features, train.dataset, other)) is None:
        raise DataError(
            f"Too few inputs to say how far inputs of their kind lie: that takes at least {LEAST_INPUTS} of "
            f"DATA and of --held-out, if it is given; here are {_counts(parts)}."
        )
    tested = None
    if test is not None:
        tested = test.dataset.name, distances_of(known, classifier, test.features)
    distances = {
        name: distances_of(known, classifier, extracted(dataset, backbone, foreign).features)
        for name, dataset in unlike.items()
    }
    for name, features in made_up(backbone).items():
        distances[name] = distances_of(known, classifier, features)
    return with_measures(known, test=tested, unlike=distances)


def _counts(parts: "Mapping[str, Part]") -> str:
    return " and ".join(
        f"{len(parts[name].dataset):,} of {parts[name].dataset.name}"
        for name in ("train", "held_out")
        if name in parts
    )


def _text(name: str, known: Known) -> str:
    facts = known.facts
    lines = [f"{name}: inputs farther than {known.threshold:.3f} are outside of what it knows"]
    if "test" in facts:
        test = facts["test"]
        lines.append(f"  {test['inside']:.1%} of {test['inputs']:,} inputs of {test['data']} are not")
    lines += [
        f"  {told['name']}: AUROC {told['auroc']:.3f}, {told['outside']:.1%} outside"
        for told in facts.get("unlike", ())
    ]
    return "\n".join(lines)
