"""Several inputs of ``daam explain``: a row each, kept at once, so that an interrupted run goes on."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli.named import existing, existing_file, existing_folder
from daam_core.cli.output import Output, progress_bar, refused_lines, say
from daam_core.errors import DaamError, InputError
from daam_core.export import save
from daam_core.export.row_per_input import ExplanationRow, explanation_row, json_line, row_suffix, write_rows
from daam_core.inputs import SUFFIXES, Modality, modality_by_suffix
from daam_core.inputs.text import text_sha256
from daam_core.result import Explanation, Scale
from daam_core.training.data import DataRow, TableColumns, parts_of, read_inputs
from daam_core.training.data_folders import files_below
from daam_core.training.data_layouts import is_iemocap, refuse_beside_iemocap
from daam_core.training.data_tables import TABLES

if TYPE_CHECKING:
    from daam_core.trained import TrainedClassifier

#: The rows of a folder that holds an NPZ of each explanation.
_ROWS = "rows.jsonl"
#: Bytes of a file's name, with room for what is added to it while it is written.
LONGEST_NAME = 200


def are_several(given: Sequence[str]) -> bool:
    """Whether these arguments are several inputs: more than one, a folder, or a table."""
    return len(given) > 1 or existing_folder(given[0]) is not None or _stored(given[0]) is not None


def _stored(given: str) -> Path | None:
    """The table, or the folder of tables, of that name."""
    if (folder := existing_folder(given)) is not None:
        parts = parts_of(folder) or {}
        tables = bool(parts) and all(
            isinstance(f, Path) and f.is_file() for one in parts.values() for f in one
        )
        return folder if tables else None
    return existing(given) if given.lower().endswith(TABLES) else None


def explain_several(
    load: Callable[[], "TrainedClassifier"],
    modality: Modality,
    given: Sequence[str],
    *,
    out: str | None,
    target: str | int | None,
    scale: Scale,
    asked: bool,
    columns: TableColumns,
    part: str | None,
    class_names: Sequence[str],
) -> Output:
    """Explain files, folders of files, rows of tables, and texts; one row each.

    Args:
        load: the classifier; called when what is given is in order.
        modality: of the classifier's inputs.
        given: names of files, folders and tables, or texts.
        out: a file of rows (``.jsonl``, ``.csv``, ``.parquet``), or a folder for rows and an NPZ each.
        target: the explained class.
        scale: of the Importance Factor.
        asked: whether nobody said what the inputs are: then an address is no text.
        columns: of tables.
        part: of a folder of tables in parts, such as ``test``.
        class_names: of the classifier.

    Raises:
        InputError: nothing is there to explain, or ``out`` is missing or of another kind.
        DaamError: rows of another run lie where this one would write.
    """
    if out is None:
        raise InputError("Several inputs need --out: a .jsonl, .csv or .parquet file, or a folder.")
    place = Path(out)
    whole = place if place.suffix else place / _ROWS
    row_suffix(whole)  # refused before the encoder runs
    inputs = _inputs(given, modality, asked=asked, columns=columns, part=part, class_names=class_names)
    from daam_core.explaining_many import explain_each  # here: wrong arguments do not wait for torch

    model = load()
    begun = whole.with_name(f".{whole.name}.begun")
    facts = {"checkpoint": model.sha256, "target": target, "scale": scale}
    rows = _rows_so_far(begun, facts)
    left = [one for one in inputs if one.place not in rows]
    try:
        begun.parent.mkdir(parents=True, exist_ok=True)
        with begun.open("a", encoding="utf-8") as file, progress_bar(len(inputs), "Explaining") as bar:
            if not rows and file.tell() == 0:
                file.write(json_line(facts) + "\n")
            bar.update(len(inputs) - len(left))
            results = explain_each(model, (one.given for one in left), target=target, scale=scale)
            for one, result in zip(left, results, strict=True):
                name = one.place
                rows[name] = _row(one, result, model)
                if isinstance(result, Explanation) and not place.suffix:
                    save(result, place / _arrays_name(name))
                file.write(json_line(rows[name]) + "\n")
                file.flush()
                bar.update()
    except OSError as error:
        raise DaamError(
            f"Cannot write {whole.name}: {error.strerror or error}. Choose a place that is writable and has "
            "space."
        ) from error
    finally:
        if not rows:  # nothing to go on with, and another run may be meant next
            begun.unlink(missing_ok=True)
    ordered = [rows[one.place] for one in inputs]
    write_rows(ordered, whole)
    begun.unlink()
    return _output(ordered, model.name, place.name)


def _inputs(
    given: Sequence[str],
    modality: Modality,
    *,
    asked: bool,
    columns: TableColumns,
    part: str | None,
    class_names: Sequence[str],
) -> list[DataRow]:
    """Inputs, each name once: files, those below folders that can be read by their names, IEMOCAP's
    utterances, rows of tables, texts."""
    found: dict[str, DataRow] = {}
    given_files: set[Path] = set()

    def add(row: DataRow, *names: str) -> None:
        """Under the first name that no other input has; one that is given twice is one."""
        if isinstance(row.given, Path):
            if row.given.absolute() in given_files:
                return
            given_files.add(row.given.absolute())
        for name in names:
            if found.setdefault(name, replace(row, place=name)).given == row.given:
                return

    def add_below(folder: Path, given_as: str, row: DataRow) -> None:
        """By its place below the folder, alone or after the folder's name."""
        add(row, row.place, f"{folder.name}/{row.place}", f"{given_as.rstrip('/')}/{row.place}")

    for one in given:
        if table := _stored(one):
            rows, notes = read_inputs(table, modality=modality, columns=columns, part=part)
            for note in notes:
                say(note)
            for row in rows:
                place = row.place if row.place.startswith(table.name) else f"{table.name} {row.place}"
                add(row, place, f"{Path(one).parent.name}/{place}", f"{one} {row.place}")
        elif (folder := existing_folder(one)) and modality == "audio" and is_iemocap(folder):
            rows, notes = read_inputs(
                folder, modality=modality, columns=columns, part=part, class_names=class_names
            )
            for note in notes:
                say(note)
            for row in rows:
                add_below(folder, one, row)
        elif folder:
            if modality == "audio":
                refuse_beside_iemocap(folder)
            files = [path for path in files_below(folder)[0] if path.suffix.lower() in SUFFIXES[modality]]
            if not files:
                raise InputError(
                    f"The folder {folder.name or one} holds no file that can be read as {modality}."
                )
            for path in files:
                place = path.relative_to(folder).as_posix()
                add_below(folder, one, DataRow(path, (path.parent.name,), place))
        else:
            file = existing_file(one, modality, asked=asked)
            name = file.name if file else one
            # As alone: what is named like a file and is none is no text, and refused in its row.
            missing = modality != "text" or (not any(map(str.isspace, one)) and modality_by_suffix(one))
            row = DataRow(file or (Path(one) if missing else one), (file.parent.name,) if file else (), name)
            add(row, name, one)
    return [*found.values()]


def _arrays_name(name: str) -> str:
    """What the file of an input's arrays is called; that of a long text is cut, and told apart by a hash."""
    plain = Path(name).as_posix().replace("/", "__")
    if len(plain.encode()) > LONGEST_NAME:
        plain = plain.encode()[: LONGEST_NAME - 13].decode(errors="ignore") + f" {text_sha256(name)[:12]}"
    return f"{plain}.npz"


def _row(given: DataRow, result: object, model: "TrainedClassifier") -> ExplanationRow:
    known = [one for one in given.labels if one in model.class_names]
    label = known if model.config.labels == "several" else next(iter(known), None)
    row: ExplanationRow = {"name": given.place, "label": label, "reason": None}
    if isinstance(result, Explanation):
        return row | explanation_row(result)
    return row | {"reason": str(result)}


def _rows_so_far(begun: Path, facts: Mapping[str, object]) -> dict[str, ExplanationRow]:
    """Rows that an interrupted run wrote, by name; its last line may be half written."""
    if not begun.is_file():
        return {}
    first, *lines = begun.read_text(encoding="utf-8").split("\n")
    if first != json_line(facts):
        raise DaamError(
            f"{begun.name} is what another run explained before it was interrupted; finish that one, or "
            "remove the file to begin anew."
        )
    rows = [json.loads(line) for line in lines[:-1]]
    begun.write_text("".join(f"{line}\n" for line in [first, *lines[:-1]]), encoding="utf-8")
    return {str(row["name"]): row for row in rows}


def _output(rows: Sequence[ExplanationRow], model: str, written: str) -> Output:
    refused = [row for row in rows if row["reason"] is not None]
    counts: dict[str, int] = {}
    for row in rows:
        if row["reason"] is None:
            counts[str(row["prediction"])] = counts.get(str(row["prediction"]), 0) + 1
    lines = [f"{model}: {len(rows) - len(refused):,} of {len(rows):,} inputs explained"]
    lines += [f"  {name}  {count:,}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1])]
    lines += refused_lines([(str(row["name"]), str(row["reason"])) for row in refused])
    data = {
        "model": model,
        "inputs": len(rows),
        "explained": len(rows) - len(refused),
        "predictions": counts,
        "refused": [{"name": row["name"], "reason": row["reason"]} for row in refused],
    }
    status = 2 if len(refused) == len(rows) else 0
    return Output(data, "\n".join([*lines, f"Written: {written}"]), status)
