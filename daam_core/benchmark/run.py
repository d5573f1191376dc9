"""Which cells there are, in which order they are worked on, and their files: one JSON each, whole or not.

A folder of results is gone on with where it was left; cells whose method, protocol, budget, data and
encoder are the same are not made again, and where more seeds are asked for than a cell has, only those are
trained. What was made otherwise is refused before anything is measured.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.benchmark.cells import Chosen, Work, few, measure, robust, seeds_of
from daam_core.benchmark.changes import harder_features
from daam_core.benchmark.plan import Measurement, Plan
from daam_core.benchmark.sets import ENCODERS, BenchmarkSet, set_named
from daam_core.errors import ConfigError, DataError
from daam_core.plain import PlainMapping, PlainObject
from daam_core.progress import Progress
from daam_core.trained import identity_of
from daam_core.training.data import Dataset
from daam_core.training.evaluation import data_facts
from daam_core.training.experiment import prepare
from daam_core.training.from_inputs import Sources
from daam_core.training.methods import Method, method_named
from daam_core.version import __version__
from daam_core.writing.files import replacing, write_text

#: What a finished cell holds, by measurement.
_HOLDS: dict[Measurement, set[str]] = {
    "accuracy": {
        *("chosen", "predictions", "labels", "accuracies", "balanced"),
        *("parameters", "seconds", "majority", "protocol"),
    },
    "few": {"accuracies"},
    "harder": {"as_given", "changed"},
}


def run(plan: Plan, *, overwrite: bool = False, progress: Progress | None = None) -> list[str]:
    """Work on every cell that has no result yet.

    Args:
        plan: what is asked for.
        overwrite: make cells again that lie there and were made with another budget, of other data or by
            another encoder.
        progress: told what is worked on.

    Returns:
        Sentences about cells that could not be made, which the rest goes on without.

    Raises:
        DataError: data are missing, or a cell was made otherwise; before anything is measured.
    """
    progress = progress or Progress()
    data = {name: _read_data(plan, name) for name in plan.sets}
    marks = {name: data_mark(found, encoder_of(name)) for name, found in data.items()}
    if not overwrite:
        refuse_others(plan, marks)
    worked: dict[str, Work] = {}
    cells = list(plan.cells())
    refused = []
    for index, (what, method, name) in enumerate(cells):
        here = progress.part(index / len(cells), (index + 1) / len(cells))
        here.check()
        made = fingerprint(plan, method, name)
        before = read(plan.file(what, method, name), made, marks[name])
        if before is not None and seeds_in(what, before) >= _needed(plan, what, method):
            continue
        here.report(0, f"{index} of {len(cells)} cells done; now {method} on {name}: {what}")
        if name not in worked:
            worked[name] = work_on(plan, name, data[name])
        try:
            found = _cell(plan, what, method_named(method), name, worked[name], before, here, marks[name])
        except (ConfigError, DataError) as error:
            refused.append(f"{what}, {method} on {name}: {error}")
            continue
        facts = {"tool": f"daam-explorer {__version__}", "measurement": what, "method": method, "set": name}
        facts["data"] = marks[name]
        write_text(plan.file(what, method, name), json.dumps({**facts, "fingerprint": made, **found}) + "\n")
    return refused


def _read_data(plan: Plan, name: str) -> dict[str, Dataset]:
    return set_named(name).options(plan.data, plan.cache_dir).read()


def encoder_of(name: str) -> Backbone:
    """The encoder of a data set's inputs."""
    return load_backbone(ENCODERS[set_named(name).modality])


def data_mark(data: Mapping[str, Dataset], encoder: Backbone) -> str:
    """What inputs and labels a cell was made of, and by which encoder, in 16 characters."""
    facts = [(part, data_facts(found).sha256) for part, found in sorted(data.items())]
    said = [facts, asdict(identity_of(encoder))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def refuse_others(plan: Plan, marks: Mapping[str, str]) -> None:
    """Refuse cells of this plan that were made with another budget, of other data or by another encoder.

    Raises:
        DataError: names the first.
    """
    for what, method, name in plan.cells():
        file = plan.file(what, method, name)
        found = _stored(file)
        if found is None:
            continue
        cell = f"{what}/{file.name} in {plan.out.name}"
        instead = "another --out, or --overwrite to make it anew"
        if found["fingerprint"] != fingerprint(plan, method, name):
            raise DataError(
                f"{cell} was made with another budget or another version of the method: give the --settings, "
                f"--epochs and --patience that it was made with, {instead}."
            )
        if found["data"] != marks[name]:
            raise DataError(
                f"{cell} was made of other data than {plan.data.name} holds, or by another version of their "
                f"encoder: give {instead}."
            )


def work_on(plan: Plan, name: str, datasets: dict[str, Dataset] | None = None) -> Work:
    """Features and splits of a data set, where its inputs were read before, of these."""
    described: BenchmarkSet = set_named(name)
    experiment = prepare(described.options(plan.data, plan.cache_dir), datasets)
    data = experiment.measured_on
    if data is None:
        raise DataError(f"{described.title} has nothing to measure on.")
    inputs = [given for part in experiment.parts for given in part.dataset.inputs]
    sources = Sources(inputs, experiment.backbone)
    return Work(data, experiment.config, sources, plan.budget.training(described.batch_size), plan.budget)


def seeds_in(what: Measurement, cell: PlainMapping) -> int:
    """How many seeds a cell's result is over."""
    if what == "accuracy":
        return len(cell["predictions"])
    return max((len(one) for one in cell["accuracies"].values()), default=0) if what == "few" else 1


def _needed(plan: Plan, what: Measurement, method: str) -> int:
    """What :func:`seeds_in` is of a cell that is finished: draws of a few inputs differ by seed anyway."""
    if what == "accuracy":
        return seeds_of(method_named(method), plan.budget)
    return plan.budget.seeds if what == "few" else 1


def _cell(
    plan: Plan,
    what: Measurement,
    method: Method,
    name: str,
    work: Work,
    before: PlainMapping | None,
    progress: Progress,
    data: str,
) -> PlainObject:
    if what == "accuracy":
        labels = work.data.labels.numpy()
        return {
            "protocol": work.data.protocol,
            "majority": work.data.majority,
            "labels": [labels[split.test].tolist() for split in work.data.splits],
            **measure(method, work, before=before, progress=progress),
        }
    full = read(plan.file("accuracy", method.name, name), fingerprint(plan, method.name, name), data)
    if full is None:
        raise DataError("its accuracy on all inputs comes first, which chooses the settings.")
    chosen = [Chosen.read(one) for one in full["chosen"]]
    if what == "few":
        return {"accuracies": few(method, work, chosen)}
    return robust(method, work, chosen, _changed(plan, name, work, progress, data))


def _changed(plan: Plan, name: str, work: Work, progress: Progress, data: str) -> Tensor:
    """Features of harder test inputs, made once for all methods; those of another mark are made anew."""
    file = plan.out / "harder" / f"{name}.safetensors"
    try:
        with safe_open(file, framework="pt") as stored:
            if (stored.metadata() or {}).get("data") == data:
                kept: Tensor = stored.get_tensor("features")
                return kept
    except (SafetensorError, OSError):  # not there, or damaged: made anew
        pass
    numbers = np.unique(np.concatenate([split.test for split in work.data.splits]))
    made = harder_features(work.sources, work.data.features, numbers, progress=progress)
    with replacing(file) as temporary:
        save_file({"features": made.contiguous()}, temporary, metadata={"data": data})
    return made


def fingerprint(plan: Plan, method: str, name: str) -> str:
    """What a result depends on besides the data: method's settings, data set's protocol, budget.

    The number of seeds is not in it: more of them go on with what is there.
    """
    one = method_named(method)
    budget = {name: value for name, value in asdict(plan.budget).items() if name != "seeds"}
    said = [one.name, one.grid[: plan.budget.settings], asdict(set_named(name)), budget]
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()[:16]


def read(file: Path, made: str, data: str | None = None) -> PlainObject | None:
    """A cell's result, if it is there, whole, and of this :func:`fingerprint` and this :func:`data_mark` (of
    any by default).
    """
    found = _stored(file)
    if found is None or found["fingerprint"] != made or data not in (None, found["data"]):
        return None
    return found


def _stored(file: Path) -> PlainObject | None:
    """A cell's result however it was made, if it is there and whole."""
    try:
        found: PlainObject = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("measurement") not in _HOLDS:
        return None
    needed = {"fingerprint", "data", *_HOLDS[found["measurement"]]}
    return found if needed <= found.keys() else None


def results(plan: Plan, what: Measurement) -> dict[tuple[str, str], PlainObject]:
    """Finished cells of a measurement by data set and method.

    Raises:
        DataError: those of a data set were made of different data or by different encoders.
    """
    found = {}
    for method, name in ((m, n) for n in plan.sets for m in plan.methods):
        cell = read(plan.file(what, method, name), fingerprint(plan, method, name))
        if cell is not None:
            found[name, method] = cell
    for name in plan.sets:
        if len({cell["data"] for (one, _), cell in found.items() if one == name}) > 1:
            raise DataError(
                f"The cells of {name} in {plan.out.name} were made of different data, or by different "
                "versions of their encoder, and cannot stand in one table: run the benchmark with "
                "--overwrite, or give another --out."
            )
    return found
