"""Time a part: the layer (against the paper's published loop over heads), an explanation (against the
encoder's forward pass alone), many inputs together (against one by one), ways to compute encoders, training
(against reading each input's file), averages of a large data set (against reading it), the app (start, first
result, size of a heat map), the app under load (many visitors against one), or the view and the page in a
browser (what an action takes, what is loaded).
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from daam_core.cli.named import whole_number
from daam_core.cli.output import Output, say
from daam_core.errors import ConfigError
from daam_core.locating import find_checkpoint
from daam_core.progress import Progress
from daam_core.writing.pages import Table

if TYPE_CHECKING:
    from daam_core.bench.app import AppTimes, ViewCase
    from daam_core.bench.batch import BatchCase
    from daam_core.bench.browser import Action, BrowserTimes
    from daam_core.bench.encoders import EncoderCase
    from daam_core.bench.layer import LayerCase
    from daam_core.bench.library import ExplainCase
    from daam_core.bench.load import LoadTimes
    from daam_core.bench.scale import ScaleTimes
    from daam_core.bench.training import TrainCase

#: Inputs that the seconds of batches are told for.
TOLD = 200


@dataclass(frozen=True)
class Asked:
    """How a part is to be timed.

    Attributes:
        runs: repetitions.
        models: names of classifiers, or None for the part's own.
        progress: told before each case.
    """

    runs: int
    models: Sequence[str] | None
    progress: Progress

    @property
    def model(self) -> str | None:
        """The one classifier, of parts that take no more."""
        return self.models[0] if self.models else None


#: What a part found, and what is printed of it.
Found: TypeAlias = "tuple[dict[str, object], list[Table | str]]"


# Imports of what is timed stand inside, so that help and wrong arguments do not wait for torch.


def _layer(asked: Asked) -> Found:
    from daam_core.bench.layer import bench_layer

    found = bench_layer(runs=asked.runs, progress=asked.progress)
    return asdict(found), [_layer_table(found.cases)]


def _explain(asked: Asked) -> Found:
    from daam_core.bench.library import bench_explain

    found = bench_explain(runs=asked.runs, models=asked.models, progress=asked.progress)
    return asdict(found), [_explain_table(found.cases), _parts_table(found.cases)]


def _batch(asked: Asked) -> Found:
    from daam_core.bench.batch import bench_batch

    found = bench_batch(runs=asked.runs, models=asked.models, progress=asked.progress)
    return asdict(found), [_batch_table(found.cases), "\n".join(map(_batch_text, found.cases))]


def _encoders(asked: Asked) -> Found:
    from daam_core.bench.encoders import bench_encoders

    found = bench_encoders(runs=asked.runs, models=asked.models, progress=asked.progress)
    return asdict(found), [_encoder_table(found.cases)]


def _train(asked: Asked) -> Found:
    from daam_core.bench.training import bench_train

    found = bench_train(runs=asked.runs, models=asked.models, progress=asked.progress)
    return asdict(found), [_train_table(found.cases)]


def _scale(asked: Asked) -> Found:
    from daam_core.bench.scale import bench_scale

    found = bench_scale()
    return asdict(found), [_scale_table(found), _scale_text(found)]


def _app(asked: Asked) -> Found:
    from daam_core.bench.app import bench_app

    found = bench_app(models=asked.models)
    return asdict(found), [_app_text(found), _view_table(found.views)]


def _load(asked: Asked) -> Found:
    from daam_core.bench.load import bench_load

    found = bench_load(model=asked.model)
    return asdict(found), [_load_text(found)]


def _view(asked: Asked) -> Found:
    from daam_core.bench.browser import bench_browser

    found = bench_browser(runs=asked.runs, model=asked.model)
    return asdict(found), _browser_tables(found)


@dataclass(frozen=True)
class Part:
    """A part that can be timed.

    Attributes:
        measure: times it.
        times: what, for messages.
        runs: repetitions where no number is given; None where there is nothing to choose.
        models: how many classifiers may be named; None is any number.
    """

    measure: Callable[[Asked], Found]
    times: str
    runs: int | None = None
    models: int | None = None


PARTS = {
    "layer": Part(_layer, "density attention by itself, forward and backward", runs=20, models=0),
    "explain": Part(_explain, "one explanation", runs=7),
    "batch": Part(_batch, "many short inputs", runs=5),
    "encoders": Part(_encoders, "ways to compute the encoders", runs=15),
    "train": Part(_train, "training", runs=5),
    "scale": Part(_scale, "averages of 100,000 inputs of random numbers", models=0),
    "app": Part(_app, "the app's start and first results"),
    "load": Part(_load, "many visitors of one classifier", models=1),
    "view": Part(_view, "the view and the page in a browser", runs=5, models=1),
}
#: Timed where no part is named.
USUAL = ("layer", "explain")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="?", choices=PARTS, help="what to time (default: layer and explain)")
    parser.add_argument(
        "--runs", type=whole_number(1), metavar="N", help="repetitions; not of scale, app and load"
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="classifier to time, may be repeated; not with layer and scale, one alone with load and view",
    )


def run(arguments: argparse.Namespace) -> Output:
    if arguments.part:
        _check(arguments.part, arguments.runs, arguments.model or ())
    for name in arguments.model or ():
        find_checkpoint(name)
    data: dict[str, object] = {}
    shown: list[Table | str] = []
    for name in (arguments.part,) if arguments.part else USUAL:
        part = PARTS[name]
        say(f"{name}: {part.times}")
        progress = Progress(partial(_told, name))
        data[name], lines = part.measure(Asked(arguments.runs or part.runs or 1, arguments.model, progress))
        shown += lines
    from daam_core.training.pages import aligned  # here for the same reason

    return Output(data, "\n\n".join(one if isinstance(one, str) else aligned(one) for one in shown))


def _told(name: str, _share: float, message: str) -> None:
    say(f"{name}, {message}")


def _check(name: str, runs: int | None, models: Sequence[str]) -> None:
    """Refuse what a part would leave out."""
    part = PARTS[name]
    if runs is not None and part.runs is None:
        raise ConfigError(f"bench {name} times {part.times}, once: leave out --runs.")
    if part.models is not None and len(models) > part.models:
        instead = "leave out --model" if part.models == 0 else "give one --model"
        raise ConfigError(f"bench {name} times {part.times}: {instead}.")


def _layer_table(cases: "Sequence[LayerCase]") -> Table:
    rows = tuple(
        (
            str(c),
            f"{1e3 * c.layer_seconds:.2f}",
            f"{1e3 * c.loop_seconds:.2f}",
            f"{c.speedup:.1f}",
            f"{c.formulas_speedup:.1f}",
            f"{c.forward_over_write:.1f}",
            f"{c.peak_over_output:.2f}",
        )
        for c in cases
    )
    heads = ("layer, forward + backward", "ms", "loop ms", "speed-up", "without kernel")
    return Table((*heads, "forward / write", "peak / output"), rows)


def _explain_table(cases: "Sequence[ExplainCase]") -> Table:
    rows = tuple(
        (
            c.model,
            f"{1e3 * c.encoder_seconds:.1f}",
            f"{1e3 * c.explanation_seconds:.1f}",
            f"{c.ratio:.2f}",
            f"{1e3 * c.beyond_encoder_seconds:.1f}",
        )
        for c in cases
    )
    return Table(("explanation", "encoder ms", "whole ms", "ratio", "beyond encoder ms"), rows)


def _parts_table(cases: "Sequence[ExplainCase]") -> Table:
    rows = tuple((part, *(f"{1e3 * c.parts[part]:.2f}" for c in cases)) for part in cases[0].parts)
    return Table(("beyond the encoder, profiled, ms", *(c.model for c in cases)), rows)


def _batch_table(cases: "Sequence[BatchCase]") -> Table:
    rows = tuple(
        (
            c.model,
            str(c.inputs),
            f"{c.inputs / c.one_by_one_seconds:.1f}",
            f"{c.inputs / c.together_seconds:.1f}",
            f"{c.inputs / c.encoder_one_by_one_seconds:.1f}",
            f"{c.inputs / c.encoder_seconds:.1f}",
            f"{c.speedup:.2f}",
            f"{c.bound:.2f}",
            f"{c.ratio:.2f}",
        )
        for c in cases
    )
    heads = ("short inputs", "number", "one by one /s", "together /s")
    alone = ("encoder one by one /s", "its batches /s")
    return Table((*heads, *alone, "speed-up", "at most", "time over encoder's"), rows)


def _batch_text(c: "BatchCase") -> str:
    alone, together = (TOLD * seconds / c.inputs for seconds in (c.one_by_one_seconds, c.together_seconds))
    return (
        f"{TOLD} short inputs of {c.model}: {alone:.2f} s one by one, {together:.2f} s together, which is "
        f"{c.speedup:.1f} times as fast and takes {c.ratio:.2f} times as long as the encoder's batches alone."
    )


def _encoder_table(cases: "Sequence[EncoderCase]") -> Table:
    def row(c: "EncoderCase") -> tuple[str, ...]:
        if c.seconds is None:
            return (c.encoder, c.way, "–", "–", "–", "–", c.why_not)
        agrees = "yes" if c.agrees else "no"
        return (
            *(c.encoder, c.way, f"{1e3 * c.seconds:.1f}", f"{c.speedup:.2f}"),
            *(f"{c.largest_difference:.2g}", f"{c.same_class:.0%}", agrees),
        )

    heads = ("encoder", "computed", "ms", "speed-up", "largest difference of IF", "same class", "agrees")
    return Table(heads, tuple(map(row, cases)))


def _train_table(cases: "Sequence[TrainCase]") -> Table:
    rows = tuple(
        (
            f"{c.encoder}, {c.heads} × {c.layers} × {c.features}",
            f"{c.per_second:,.0f}",
            f"{c.read_per_second:,.0f}",
            f"{c.speedup:.1f}",
            f"{c.over_encoding:,.0f}",
        )
        for c in cases
    )
    return Table(("training", "inputs /s", "a file each /s", "speed-up", "over the encoder's"), rows)


def _scale_table(found: "ScaleTimes") -> Table:
    rows = tuple(
        (f"{c.samples:,}", f"{c.seconds:.2f}", f"{c.read_seconds:.2f}", f"{c.ratio:.2f}") for c in found.cases
    )
    return Table(("inputs averaged", "s", "reading, s", "ratio"), rows)


def _scale_text(found: "ScaleTimes") -> str:
    growth = "" if found.growth_mib is None else f"; memory grew by {found.growth_mib:.0f} MiB"
    return (
        f"{found.start_seconds:.2f} s and {found.per_thousand_seconds:.4f} s for 1,000 inputs, off by "
        f"{found.fit_error:.0%} at most{growth}"
    )


def _app_text(found: "AppTimes") -> str:
    return (
        f"app: listens after {found.start_seconds:.1f} s ({found.start_ratio:.2f} times the imports of torch "
        f"and gradio), page of {found.page_bytes / 1e3:.0f} kB in "
        f"{found.page_seconds:.2f} s, first result {found.first_result_seconds:.2f} s, "
        f"next {found.next_result_seconds:.2f} s"
    )


def _load_text(found: "LoadTimes") -> str:
    return (
        f"one visitor: {found.alone_per_second:.1f} /s; {found.visitors} visitors: "
        f"{found.together_per_second:.1f} /s, {found.ratio:.2f} times as many, slowest over fastest "
        f"{found.fairness:.2f}\none text for all: {found.alike_seconds:.2f} s; another for each: "
        f"{found.unlike_seconds:.2f} s\nrefused while all wait: {found.refusal_seconds:.2f} s\n"
        f"long text: {found.long_seconds:.1f} s; the longest that another visitor waits beside it: "
        f"{found.beside_long_seconds:.2f} s"
    )


def _browser_tables(found: "BrowserTimes") -> "list[Table | str]":
    where = f"Chromium {found.browser}, {found.window} pixels, medians of {found.runs}"
    shown: list[Table | str] = []
    for view in found.views:
        shown += [
            f"Random numbers, {view.heads} × {view.layers} × {view.features}, a page of "
            f"{view.file_bytes / 1e6:.1f} MB; {where}:",
            _action_table(view.actions),
        ]
    weights = Table(
        ("loaded before the first result", "files", "kB", "kB sent"),
        tuple(
            (w.kind, str(w.files), f"{w.bytes / 1e3:.0f}", f"{w.sent_bytes / 1e3:.0f}") for w in found.weights
        ),
    )
    return [*shown, "The app:", _action_table(found.app_actions), "Its page:", weights]


def _action_table(actions: "Sequence[Action]") -> Table:
    rows = tuple(
        (
            a.name,
            f"{a.frame_ms:.0f}",
            f"{a.drawn_ms:.0f}",
            f"{a.long_tasks:.0f}",
            f"{a.longest_ms:.0f}" if a.long_tasks else "–",
            f"{a.redraws:.0f}",
            f"{a.bytes / 1e3:.0f}",
        )
        for a in actions
    )
    heads = ("action", "next frame, ms", "all drawn, ms", "long tasks", "longest, ms", "redraws", "kB")
    return Table(heads, rows)


def _view_table(views: "Sequence[ViewCase]") -> Table:
    rows = tuple(
        (
            view.model,
            f"{view.heads} × {view.layers} × {view.features}",
            f"{view.payload_bytes / 1e3:.0f}",
            f"{view.payload_bytes_per_head / 1e3:.0f}",
        )
        for view in views
    )
    return Table(("view", "heads × layers × features", "kB", "kB a head"), rows)
