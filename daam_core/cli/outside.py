"""Let an existing classifier tell inputs that are unlike its training data.

From DATA, what it was trained on, its file outside.safetensors is made beside the weights, which stay as they
are: where the data lie among all cells, and the distance that 95 % of inputs of their kind keep to. How well
unlike inputs are told is measured on data of your own (--unlike) and on made-up ones, and stands in the card.
"""

import argparse
from pathlib import Path

from daam_core.checkpoint import CARD_FILE, OUTSIDE_FILE, find_checkpoint, write_known
from daam_core.cli import options
from daam_core.cli.encoders import add_encoder_arguments, model_of
from daam_core.cli.output import Output
from daam_core.errors import DataError
from daam_core.outside import Known
from daam_core.trained import TrainedClassifier, load_model
from daam_core.training.cards import card_with_outside
from daam_core.training.data_parts import MEASURED, TRAINED
from daam_core.training.experiment import DataOptions, DataPaths, Part
from daam_core.training.outside import (
    LEAST_INPUTS,
    distances_of,
    known_from,
    made_up,
    with_earlier,
    with_measures,
)
from daam_core.writing.files import write_text


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
    model = model_of(arguments.model, arguments)
    earlier = None if arguments.earlier is None else load_model(arguments.earlier).known
    known = _known(model, arguments)
    if earlier is not None:
        known = with_earlier(known, earlier)
    write_known(folder, known)
    if (folder / CARD_FILE).is_file() and model.card:
        write_text(folder / CARD_FILE, card_with_outside(model.card, known))
    found = {"model": model.name, "threshold": known.threshold, **known.facts}
    return Output(found, _text(model.name, known))


def _known(model: TrainedClassifier, arguments: argparse.Namespace) -> Known:
    reading, names = options.data_options(arguments), model.class_names
    modality, classifier = model.config.modality, model.classifier

    def part(path: DataPaths, reading: DataOptions, *, own: bool, main: bool) -> Part:
        dataset = reading.load(
            path,
            modality=modality,
            class_names=names if own else None,
            main=main,
            preferred=TRAINED if main else MEASURED,
        )
        return reading.extract(dataset, model.backbone)

    train = part(options.data_paths(arguments), reading, own=True, main=True)
    other = None
    if arguments.held_out is not None:
        held_out = part(arguments.held_out, reading, own=True, main=False)
        other = held_out.dataset.name, held_out.features
    if (known := known_from(classifier, train.features, train.dataset, other)) is None:
        raise DataError(
            f"Too few inputs: at least {LEAST_INPUTS} of {train.dataset.name}, and as many held out, are "
            "needed to say how far inputs of their kind lie."
        )
    tested = None
    if arguments.test is not None:
        test = part(arguments.test, reading, own=True, main=False)
        tested = test.dataset.name, distances_of(known, classifier, test.features)
    # Columns and classes that are named are those of DATA: other data are read as they say themselves.
    foreign = DataOptions(skip_broken=True, cache_dir=reading.cache_dir, say=reading.say)
    unlike = {}
    for said in arguments.unlike:
        name, _, path = said.rpartition("=")
        found = part(path, foreign, own=False, main=False)
        unlike[name or found.dataset.name] = distances_of(known, classifier, found.features)
    for name, features in made_up(model.backbone).items():
        unlike[name] = distances_of(known, classifier, features)
    return with_measures(known, test=tested, unlike=unlike)


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
