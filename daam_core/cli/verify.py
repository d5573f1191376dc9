"""Explain an input again and compare every number with an exported explanation.

FILE is an explanation in JSON or NPZ, INPUT what was explained: a file, a text, or - for a text on standard
input. Exit status 0: the same; 2: something differs, or cannot be compared. Muted parts and changes of an
input made on the page are not made again: verify the changed input itself.
"""

import argparse
from pathlib import Path

from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.explain import meant_by
from daam_core.cli.output import Output
from daam_core.errors import DataError
from daam_core.export import load
from daam_core.inputs import read_input
from daam_core.reading.differences import differences_by_part

#: What two machines may differ by in the last digits of float32, as a share of an array's largest value.
TOLERANCE = 1e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="explanation to verify, .json or .npz")
    parser.add_argument("input", metavar="INPUT", help="file, text, or - for standard input")
    parser.add_argument("--model", metavar="NAME", help="where the model lies (default: its name in FILE)")
    add_encoder_arguments(parser)
    parser.add_argument("--encoding", metavar="NAME", help="of a text: utf-8, cp1252 (default: found out)")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="SHARE",
        help=f"largest difference, as a share of an array's largest value ({TOLERANCE:g}; 0: bit for bit)",
    )


def run(arguments: argparse.Namespace) -> Output:
    recorded = load(arguments.file)
    if recorded.provenance.get("muted_cells"):
        raise DataError("Parts of the model were muted for this explanation, which verify does not do again.")
    name = arguments.model or recorded.model
    config = config_of(name, arguments)
    modality = config.modality
    meant = meant_by(arguments.input, None, modality, Path(name).name)
    if recorded.class_names != config.class_names:
        raise DataError(f"This explanation is of another model: its classes are not those of {name}.")
    from daam_core.explaining import explain  # here: wrong arguments do not wait for torch

    model = model_of(name, arguments)
    given = read_input(meant, modality, rate=model.backbone.sample_rate, encoding=arguments.encoding)
    target = recorded.class_names[recorded.explained]
    again = explain(model, given, target=target, scale=recorded.scale)
    found = differences_by_part(recorded, again)
    too_large = [name for name, share in found.items() if not share <= arguments.tolerance]
    known = recorded.provenance.get("checkpoint_sha256"), again.provenance.get("checkpoint_sha256")
    if known[0] != known[1]:
        too_large.insert(0, "the checkpoint")
    if too_large:
        differ = "differs" if len(too_large) == 1 else "differ"
        blank = " White space at a text's ends counts." if "text" in too_large else ""
        raise DataError(
            f"Not the same: {', '.join(too_large[:5])} {differ} from what {given.name} gives now.{blank}"
        )
    largest = max(found.values())
    text = f"The same: {again.predicted_class}, {len(found)} parts compared, " + (
        "bit for bit." if largest == 0 else f"largest difference {largest:.2g} of an array's largest value."
    )
    return Output({"same": True, "parts": len(found), "largest_difference": largest}, text)
