"""Explain an input: the class, and which layers, features and parts of the input led to it.

INPUT is a sound or picture file, a text file, a text in quotes, or - for one of these on standard input.
Of several, of a folder of files or the rows of a table (CSV, JSON lines, Parquet, what datasets saved), one
row each is written: --out rows.parquet, .csv or .jsonl, or a folder
for the rows and an NPZ of each. An interrupted run goes on where it stopped. The exit status is 2 where not
one could be explained.
"""

import argparse
import sys
from pathlib import Path
from typing import IO, get_args

from daam_core.cli.columns import add_column_arguments, table_columns
from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.named import existing_file
from daam_core.cli.output import Output, say
from daam_core.configuration import class_index
from daam_core.errors import InputError
from daam_core.export import TableKind, checked_suffix, save, summary
from daam_core.inputs import MODALITIES, Modality, Sound, modality_by_suffix, read_input, without_silence
from daam_core.inputs.files import opened_file
from daam_core.reading.numbers import number, probability, signed
from daam_core.reading.outside import verdict
from daam_core.reading.quantities import caution, quantity_map, top_cells
from daam_core.reading.remarks import remarks
from daam_core.reading.sentences import STAND_ALONE, what_stands_out
from daam_core.result import Explanation, Scale

#: Classes that the printed answer names; JSON has them all.
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="INPUT", nargs="+", help="file, folder, text, or - for standard input"
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    parser.add_argument("--modality", choices=MODALITIES, help="what INPUT is, where its name does not say")
    parser.add_argument(
        "--target", metavar="CLASS", help="class to explain, by name or number (default: the predicted one)"
    )
    parser.add_argument("--encoding", metavar="NAME", help="of a text: utf-8, cp1252 (default: found out)")
    parser.add_argument(
        "--scale",
        choices=get_args(Scale),
        default="all_heads",
        help="what the Importance Factor's minimum and maximum are taken over (default: all_heads)",
    )
    parser.add_argument(
        "--trim-silence", action="store_true", help="cut the silence off both ends of a sound first"
    )
    add_encoder_arguments(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write .json, .npz, .csv, .html, .png, .svg, .pdf or .ipynb; of several inputs .jsonl, .csv, "
        ".parquet, or a folder",
    )
    add_column_arguments(parser.add_argument_group("columns of a table"))
    parser.add_argument("--part", metavar="NAME", help="of a folder of tables in parts: train, test")
    parser.add_argument(
        "--table",
        choices=get_args(TableKind),
        help="rows of a .csv: cells of the map (default), or tokens (words, seconds, regions)",
    )


def run(arguments: argparse.Namespace) -> Output:
    from daam_core.cli.explain_several import are_several

    if are_several(arguments.input):
        return _run_several(arguments)
    (only,) = arguments.input
    for name in ("input_column", "label_column", "part"):
        if getattr(arguments, name):
            raise InputError(f"--{name.replace('_', '-')} is for tables; leave it out.")
    if arguments.out is not None:
        # Refused before the encoder runs.
        if checked_suffix(arguments.out) != "csv" and arguments.table is not None:
            raise InputError("--table is for CSV files; end the name after --out in .csv.")
    elif arguments.table is not None:
        raise InputError("--table chooses what a file holds; name the file with --out FILE.csv.")
    config = config_of(arguments.model, arguments)
    class_index(config.class_names, arguments.target)
    modality = config.modality
    meant = meant_by(only, arguments.modality, modality, Path(arguments.model).name)
    from daam_core.explaining import explain  # here: wrong arguments do not wait for torch

    model = model_of(arguments.model, arguments)
    given = read_input(meant, modality, rate=model.backbone.sample_rate, encoding=arguments.encoding)
    for how in ("repaired", "noticed"):
        if how in given.facts:
            say(f"{given.name}: {given.facts[how]}.")
    if "read_as" in given.facts:
        say(str(given.facts["read_as"]))
    if arguments.trim_silence:
        if not isinstance(given, Sound):
            raise InputError("--trim-silence is for sounds; leave it out.")
        given = without_silence(given)
    explanation = explain(model, given, target=arguments.target, scale=arguments.scale)
    if arguments.out is not None:
        save(explanation, arguments.out, shown=given, table=arguments.table or "cells")
    return Output(summary(explanation), as_text(explanation, arguments.out))


def _run_several(arguments: argparse.Namespace) -> Output:
    for name in ("table", "trim_silence", "encoding"):
        if getattr(arguments, name):
            raise InputError(f"--{name.replace('_', '-')} is for one input; leave it out.")
    if "-" in arguments.input:
        raise InputError("Standard input is one input; give it alone.")
    config = config_of(arguments.model, arguments)
    if arguments.modality not in (None, config.modality):
        raise InputError(f"{Path(arguments.model).name} takes {config.modality}, not {arguments.modality}.")
    class_index(config.class_names, arguments.target)
    from daam_core.cli.explain_several import explain_several

    return explain_several(
        lambda: model_of(arguments.model, arguments),
        config.modality,
        arguments.input,
        out=arguments.out,
        target=arguments.target,
        scale=arguments.scale,
        asked=arguments.modality is None,
        columns=table_columns(arguments),
        part=arguments.part,
        class_names=config.class_names,
    )


def meant_by(given: str, said: Modality | None, needed: Modality, model: str) -> str | Path | IO[bytes]:
    """What the command line means: a text, the path of a file, or standard input.

    Args:
        given: the argument; ``-`` reads from standard input.
        said: the modality as the user states it.
        needed: the model's.
        model: its name, for messages.

    Raises:
        InputError: it is of another modality, there is no such file, or it is a folder or an address.
    """
    if given == "-":
        path, by_name = None, None
    else:
        path = existing_file(given, said or needed, asked=said is None)
        # What a name ends in says something of files only: a text may well end in "song.mp3".
        named = path is not None or not any(map(str.isspace, given))
        by_name = modality_by_suffix(given) if named else None
    kind = said or by_name or needed
    if kind != needed:
        raise InputError(f"{model} takes {needed}, but the input is {kind}; choose another model or input.")
    if given == "-":
        return sys.stdin.buffer
    if kind != "text":
        opened_file(Path(given), "sound" if kind == "audio" else "picture").close()  # refused at once
        return Path(given)
    if path is None and by_name is not None:
        raise InputError(f"There is no file {Path(given).name}; give an existing file, or a text in quotes.")
    return path or given


def as_text(explanation: Explanation, out: str | None) -> str:
    """What is printed of an explanation; ``out``: the file that was written, if one was."""
    names, probabilities = explanation.class_names, explanation.probabilities
    order = top_cells(probabilities, _SHOWN)[:, 0]
    width = max(len(names[index]) for index in order)
    lines = [f"{explanation.model}: {explanation.answer}", verdict(explanation), ""]
    lines += [f"  {names[index]:<{width}}  {probability(float(probabilities[index]))}" for index in order]
    if len(names) > _SHOWN:
        lines.append(f"  and {len(names) - _SHOWN} more classes")
    lines += [STAND_ALONE] if explanation.labels == "several" else []
    layers = explanation.layer_contribution.sum(0)
    strongest = top_cells(layers, 3)[:, 0]
    lines += [
        "",
        "Density attention by layer: " + ", ".join(f"{i} ({number(layers[i])} %)" for i in strongest),
    ]
    cells = top_cells(quantity_map(explanation, "importance"), 3)
    lines.append(
        "Highest Importance Factor: "
        + ", ".join(f"head {h} layer {layer} feature {f}" for h, layer, f in cells)
        + (" (the map is constant)" if explanation.degenerate else "")
    )
    tokens = explanation.token_attribution
    largest = [i for i in top_cells(tokens, 5, absolute=True)[:, 0] if round(float(tokens[i]), 3) != 0]
    explained = names[explanation.explained]
    for way, parts in (
        (f"for {explained}", [i for i in largest if tokens[i] > 0]),
        (f"against {explained}", [i for i in largest if tokens[i] < 0]),
    ):
        if parts:
            named = ", ".join(f"{explanation.token_labels[i]} ({signed(float(tokens[i]))})" for i in parts)
            lines.append(f"Parts of the input that count most {way}: {named}")
    if not largest:
        lines.append(f"No part of the input counts for or against {explained} by 0.001 or more.")
    lines += ["", *what_stands_out(explanation), caution("importance", explanation.labels), ""]
    lines += [f"The input: {remark}" for remark in remarks(explanation)]
    if out is not None:
        lines.append(f"Written: {Path(out).name}")
    return "\n".join(lines)
