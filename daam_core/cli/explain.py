"""Explain one input: the class, and which layers, features and parts of the input led to it.

INPUT is a sound or picture file, a text file, a text in quotes, or - for a text on standard input.
"""

import argparse
import sys
from pathlib import Path
from typing import get_args

from daam_core.cli.output import Output
from daam_core.errors import InputError
from daam_core.explain import explain
from daam_core.export import checked_suffix, save, summary
from daam_core.inputs import MODALITIES, Modality, Sound, modality_by_suffix, read_input, without_silence
from daam_core.inputs.text import MAX_CHARACTERS
from daam_core.reading.numbers import signed
from daam_core.reading.quantities import quantity_map, top_cells
from daam_core.result import Explanation, Scale
from daam_core.trained import load_model

#: A text file of more bytes holds more characters than can be explained.
_MAX_TEXT_BYTES = 4 * MAX_CHARACTERS + 3
#: Classes that the printed answer names; JSON has them all.
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="INPUT", help="file, text, or - for standard input")
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    parser.add_argument("--modality", choices=MODALITIES, help="what INPUT is, where its name does not say")
    parser.add_argument("--target", metavar="CLASS", help="class to explain (default: the predicted one)")
    parser.add_argument(
        "--scale",
        choices=get_args(Scale),
        default="all_heads",
        help="what the Importance Factor's minimum and maximum are taken over (default: all_heads)",
    )
    parser.add_argument(
        "--trim-silence", action="store_true", help="cut the silence off both ends of a sound first"
    )
    parser.add_argument(
        "--encoder", metavar="DIR", help="where the model's encoder lies, if not in its place"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write .json, .npz, .csv, .html, .png, .svg, .pdf or .ipynb"
    )


def run(arguments: argparse.Namespace) -> Output:
    if arguments.out is not None:
        checked_suffix(arguments.out)  # refused before the encoder runs
    model = load_model(arguments.model, encoder=arguments.encoder)
    modality = model.config.modality
    meant = meant_by(arguments.input, arguments.modality, modality, model.name)
    given = read_input(meant, modality, rate=model.backbone.sample_rate)
    if arguments.trim_silence:
        if not isinstance(given, Sound):
            raise InputError("--trim-silence is for sounds; leave it out.")
        given = without_silence(given)
    explanation = explain(model, given, target=arguments.target, scale=arguments.scale)
    if arguments.out is not None:
        save(explanation, arguments.out, shown=given)
    return Output(summary(explanation), _text(explanation, arguments.out))


def meant_by(given: str, said: Modality | None, needed: Modality, model: str) -> str | Path:
    """What the command line means: a text, or the path of a file.

    Args:
        given: the argument; ``-`` reads a text from standard input.
        said: the modality as the user states it.
        needed: the model's.
        model: its name, for messages.

    Raises:
        InputError: it is of another modality, there is no such file, or it is no text.
    """
    path = None if given == "-" else _existing(given)
    # What a name ends in says something of files only: a text may well end in "song.mp3".
    named = path is not None or not any(map(str.isspace, given))
    by_name = modality_by_suffix(given) if named and given != "-" else None
    kind = said or ("text" if given == "-" else by_name) or needed
    if kind != needed:
        raise InputError(f"{model} takes {needed}, but the input is {kind}; choose another model or input.")
    if kind != "text":
        return Path(given)
    if given == "-":
        return _decoded(sys.stdin.buffer.read(_MAX_TEXT_BYTES + 1), "standard input")
    if path is not None:
        with path.open("rb") as file:
            return _decoded(file.read(_MAX_TEXT_BYTES + 1), path.name)
    if by_name is not None:
        raise InputError(f"There is no file {Path(given).name}; give an existing file, or a text in quotes.")
    return given


def _existing(given: str) -> Path | None:
    try:
        path = Path(given)
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long for a name, or with characters that no name has: a text
        return None


def _decoded(content: bytes, name: str) -> str:
    if len(content) > _MAX_TEXT_BYTES:
        raise InputError(
            f"The text of {name} is longer than {MAX_CHARACTERS:,} characters; give a part of it."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text.") from error


def _text(explanation: Explanation, out: str | None) -> str:
    names, probabilities = explanation.class_names, explanation.probabilities
    order = top_cells(probabilities, _SHOWN)[:, 0]
    width = max(len(names[index]) for index in order)
    lines = [f"{explanation.model}: {names[explanation.prediction]}", ""]
    lines += [f"  {names[index]:<{width}}  {probabilities[index]:.4f}" for index in order]
    if len(names) > _SHOWN:
        lines.append(f"  and {len(names) - _SHOWN} more classes")
    layers = explanation.layer_contribution.sum(0)
    strongest = top_cells(layers, 3)[:, 0]
    lines += ["", "Density attention by layer: " + ", ".join(f"{i} ({layers[i]:.1f} %)" for i in strongest)]
    cells = top_cells(quantity_map(explanation, "importance"), 3)
    lines.append(
        "Highest Importance Factor: "
        + ", ".join(f"head {h} layer {layer} feature {f}" for h, layer, f in cells)
        + (" (the map is constant)" if explanation.degenerate else "")
    )
    tokens = explanation.token_attribution
    largest = top_cells(tokens, 5, absolute=True)[:, 0]
    lines.append(
        f"Parts of the input that count most for {names[explanation.explained]}: "
        + ", ".join(f"{explanation.token_labels[i]} ({signed(float(tokens[i]))})" for i in largest)
    )
    if out is not None:
        lines.append(f"Written: {Path(out).name}")
    return "\n".join(lines)
