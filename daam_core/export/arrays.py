"""Explanations as JSON and NPZ, and back: equal in every number.

Letters in shapes: H heads, L layers, F features, T tokens, C classes.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from daam_core.errors import DaamError, DataError, first_line, is_number, is_whole
from daam_core.plain import PlainObject
from daam_core.result import AXIS_NAMES, DatasetMean, Explanation, Outside, arrays

FORMAT, FORMAT_VERSION = "daam-explanation", 3
MAX_UNPACKED_BYTES = 4 << 30  # an archive that claims more is not one of ours

_PLAIN_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "model": str,
    "modality": str,
    "mode": str,
    "gate_kind": str,
    "class_names": list,
    "prediction": int,
    "explained": int,
    "scale": str,
    "degenerate": bool,
    "token_labels": list,
    "token_units": str,
    "text": (str, type(None)),
    "provenance": dict,
}
#: Plain fields that a file may lack.
_SOMETIMES = ("outside", "axis_names", "n_levels", "residual_share", "labels")
_ARRAYS = tuple(
    field.name
    for field in fields(Explanation)
    if field.name not in _PLAIN_TYPES and field.name not in ("dataset", "evidence", *_SOMETIMES)
)
_OPTIONAL = ("evidence",)  # arrays that explanations by some decoders have
_DATASET_ARRAYS = tuple(field.name for field in fields(DatasetMean) if field.name != "samples")
_PICTURE_UNITS = "fraction"
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "modality": ("audio", "text", "image", "tensor"),
    "mode": ("shared", "layer_groups"),
    "gate_kind": ("density", "mixture"),
    "scale": ("all_heads", "per_head"),
    "labels": ("one", "several"),
}


# ---- JSON --------------------------------------------------------------------------------------------


def to_json(explanation: Explanation) -> str:
    """Everything as one JSON object: plain fields, arrays as nested lists, NaN as null.

    ``arrays`` lists each array's dtype and shape. Numbers have all their digits: read as float64 they
    equal the arrays' values exactly.
    """
    found = arrays(explanation)
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **_plain(explanation),
        **{name: _nested(found[name], name) for name in _ARRAYS},
        **{name: _nested(found[name], name) if name in found else None for name in _OPTIONAL},
        "dataset": None,
        "arrays": {name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in found.items()},
    }
    if explanation.dataset is not None:
        content["dataset"] = {
            "samples": explanation.dataset.samples,
            **{name: _nested(found[f"dataset_{name}"], name) for name in _DATASET_ARRAYS},
        }
    return json.dumps(content, allow_nan=False)


def from_json(content: str | bytes) -> Explanation:
    """The explanation that :func:`to_json` wrote, equal in every number.

    Raises:
        DataError: no JSON, no explanation, or one that contradicts itself.
    """
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"This is no JSON file, or a damaged one: {first_line(error)}.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DataError("This JSON file is no explanation; it must be one that this program has written.")
    _check_version(found.get("version"))
    declared, dataset = found.get("arrays"), found.get("dataset")
    if not isinstance(declared, dict) or not isinstance(dataset, dict | None):
        raise DataError("The explanation is damaged: its list of arrays is missing.")
    nested = {name: found.get(name) for name in _ARRAYS}
    nested |= {name: found[name] for name in _OPTIONAL if found.get(name) is not None}
    if dataset is not None:
        nested |= {f"dataset_{name}": dataset.get(name) for name in _DATASET_ARRAYS}
    read = {name: _from_nested(value, declared.get(name), name) for name, value in nested.items()}
    plain = {name: found[name] for name in (*_PLAIN_TYPES, *_SOMETIMES) if name in found}
    return _explanation(plain, read, None if dataset is None else dataset.get("samples"))


def _nested(array: np.ndarray, name: str) -> object:
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array.tolist()
    if np.isinf(array).any():
        raise DataError(f"{name} holds infinity, which JSON cannot express; write an .npz file.")
    as_objects = array.astype(object)
    as_objects[np.isnan(array)] = None
    return as_objects.tolist()


def _from_nested(value: Any, declared: Any, name: str) -> np.ndarray:
    try:
        array = np.array(value, dtype=np.dtype(declared["dtype"])).reshape(declared["shape"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"The explanation is damaged: {name} is not the array it should be.") from error
    if array.dtype.kind not in "fbiu" or np.isinf(array).any():
        raise DataError(f"The explanation is damaged: {name} must hold finite numbers.")
    return array


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


# ---- NPZ ---------------------------------------------------------------------------------------------


def to_npz(explanation: Explanation) -> bytes:
    """Arrays under the field names of ``Explanation``, the data set's under ``dataset_…``.

    Plain fields are arrays of one text or number; ``class_names`` and ``token_labels`` arrays of
    texts; ``provenance`` a JSON text, and ``plain`` a JSON text of all plain fields, which keeps what
    numpy's texts cannot hold. Equal explanations give equal bytes.
    """
    plain = _plain(explanation)
    readable: PlainObject = {
        name: np.array(json.dumps(value) if isinstance(value, dict) else value)
        for name, value in plain.items()
        if value is not None
    }
    samples = (
        {} if explanation.dataset is None else {"dataset_samples": np.array(explanation.dataset.samples)}
    )
    marks = {"format": np.array(FORMAT), "version": np.array(FORMAT_VERSION)}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        **{**arrays(explanation), **readable, **samples, **marks, "plain": np.array(json.dumps(plain))},
    )
    return buffer.getvalue()


def from_npz(content: bytes) -> Explanation:
    """The explanation that :func:`to_npz` wrote, equal in every number.

    Raises:
        DataError: no NPZ file, a damaged or truncated one, or no explanation.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise DataError("This NPZ file claims to hold more than 4 GB: it is no explanation.")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        # RuntimeError: a member that is marked as encrypted, or a version of ZIP that Python does not know.
        raise DataError(f"This is no NPZ file, or a damaged one: {first_line(error)}.") from error
    if str(found.get("format")) != FORMAT or "plain" not in found:
        raise DataError("This NPZ file is no explanation; it must be one that this program has written.")
    _check_version(found["version"].tolist() if "version" in found else None)
    try:
        plain = json.loads(str(found["plain"]))
    except ValueError as error:
        raise DataError("The explanation is damaged: its plain fields cannot be read.") from error
    if not isinstance(plain, dict):
        raise DataError("The explanation is damaged: its plain fields cannot be read.")
    wanted = [*_ARRAYS, *(f"dataset_{name}" for name in _DATASET_ARRAYS if "dataset_samples" in found)]
    if missing := [name for name in wanted if name not in found]:
        raise DataError(f"The explanation is damaged: {missing[0]} is missing.")
    samples = found["dataset_samples"].tolist() if "dataset_samples" in found else None
    wanted += [name for name in _OPTIONAL if name in found]
    return _explanation(plain, {name: found[name] for name in wanted}, samples)


# ---- From fields to an explanation -------------------------------------------------------------------


def _plain(explanation: Explanation) -> PlainObject:
    """Every field that is neither array nor data set, as JSON knows it."""
    plain = {name: getattr(explanation, name) for name in _PLAIN_TYPES}
    return plain | {
        "class_names": list(explanation.class_names),
        "token_labels": list(explanation.token_labels),
        "prediction": int(explanation.prediction),
        "explained": int(explanation.explained),
        "degenerate": bool(explanation.degenerate),
        "provenance": dict(explanation.provenance),
        "outside": None if explanation.outside is None else asdict(explanation.outside),
        **({} if explanation.axis_names == AXIS_NAMES else {"axis_names": list(explanation.axis_names)}),
        **(
            {}
            if explanation.n_levels == 1
            else {"n_levels": explanation.n_levels, "residual_share": float(explanation.residual_share)}
        ),
        **({} if explanation.labels == "one" else {"labels": explanation.labels}),
    }


def _explanation(plain: PlainObject, read: dict[str, np.ndarray], samples: object) -> Explanation:
    for name, kind in _PLAIN_TYPES.items():
        if name not in plain:
            raise DataError(f"The explanation is damaged: {name} is missing.")
        value = plain[name]
        if not (is_whole(value) if kind is int else isinstance(value, kind)):
            raise DataError(f"The explanation is damaged: {name} cannot be {str(value)[:40]!r}.")
    for name, choices in _CHOICES.items():
        if name in plain and plain[name] not in choices:
            raise DataError(
                f"The explanation is damaged: {name} must be one of {', '.join(choices)}, "
                f"got {str(plain[name])[:40]!r}."
            )
    for name in ("class_names", "token_labels"):
        if not all(isinstance(label, str) for label in plain[name]):
            raise DataError(f"The explanation is damaged: {name} must be texts.")
        plain[name] = tuple(plain[name])
    for name in ("prediction", "explained"):
        if not 0 <= plain[name] < len(plain["class_names"]):
            raise DataError(f"The explanation is damaged: there is no class {plain[name]}.")
    dataset = None
    if samples is not None:
        if not is_whole(samples) or samples < 1:
            raise DataError(f"The explanation is damaged: a data set of {str(samples)[:40]} samples.")
        dataset = DatasetMean(**{name: read[f"dataset_{name}"] for name in _DATASET_ARRAYS}, samples=samples)
    names = plain.setdefault("axis_names", AXIS_NAMES)
    if not (isinstance(names, list | tuple) and len(names) == 2 and all(isinstance(n, str) for n in names)):
        raise DataError("The explanation is damaged: axis_names must be two texts.")
    plain["axis_names"] = tuple(names)
    if not (is_whole(plain.setdefault("n_levels", 1)) and plain["n_levels"] >= 1):
        raise DataError("The explanation is damaged: n_levels must be a positive whole number.")
    if not is_number(plain.setdefault("residual_share", 0.0)):
        raise DataError("The explanation is damaged: residual_share must be a number.")
    plain["outside"] = _outside(plain.get("outside"))  # which files written before it was known lack
    try:
        numbers: dict[str, np.ndarray | None] = {name: read[name] for name in _ARRAYS}
        numbers |= {name: read.get(name) for name in _OPTIONAL}
        everything: PlainObject = {**plain, **numbers, "dataset": dataset}
        explanation = Explanation(**everything)
    except (DaamError, ValueError) as error:
        raise DataError(f"The explanation is damaged: {first_line(error)}") from error
    _check_the_rest(explanation, read)
    return explanation


def _outside(found: object) -> Outside | None:
    if found is None:
        return None
    numbers, reasons = ("distance", "threshold", "percentile"), "reasons"
    if not (
        isinstance(found, dict)
        and set(found) == {*numbers, "samples", reasons}
        and all(is_number(found[name]) for name in numbers)
        and is_whole(found["samples"])
        and isinstance(found[reasons], list | tuple)
        and all(isinstance(reason, str) for reason in found[reasons])
    ):
        raise DataError("The explanation is damaged: how far outside the input lies cannot be read.")
    return Outside(**(found | {reasons: tuple(found[reasons])}))


def _check_the_rest(explanation: Explanation, read: Mapping[str, np.ndarray]) -> None:
    """Shapes and types that ``Explanation`` itself does not check."""
    heads, layers, features = explanation.shape
    parameters = explanation.mean_offset.shape
    width = 4 if explanation.token_units == _PICTURE_UNITS else 2
    expected: dict[str, tuple[int, ...]] = {
        "mean_offset": (heads, features) if explanation.gate_kind == "density" else (heads, *parameters[1:2]),
        "initial_mean_offset": parameters,
        "initial_scaled_variance": parameters,
        "token_spans": (len(explanation.token_labels), width),
    }
    if explanation.dataset is not None:
        cells = (heads, layers, features)
        expected |= {f"dataset_{name}": cells for name in _DATASET_ARRAYS}
        expected |= {"dataset_values": cells[1:]}
        expected |= {f"dataset_statistic_{name}": (heads, features) for name in ("mean", "variance")}
    for name, shape in expected.items():
        if read[name].shape != shape:
            raise DataError(
                f"The explanation is damaged: {name} must be {list(shape)}, got {list(read[name].shape)}."
            )
    for name, array in read.items():
        if (array.dtype.kind == "b") != (name == "head_layers") or array.dtype.kind not in "bf":
            raise DataError(f"The explanation is damaged: {name} cannot hold {array.dtype}.")


def _check_version(version: object) -> None:
    if version != FORMAT_VERSION:
        raise DataError(
            f"The explanation has format version {version!r}, this program reads version {FORMAT_VERSION}; "
            "update it, or explain the input again."
        )
