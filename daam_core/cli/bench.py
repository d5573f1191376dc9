"""Time a part: the layer (against the paper's published loop over heads), an explanation (against the
encoder's forward pass alone), many inputs together (against one by one), ways to compute encoders, training
(against reading each input's file), averages of a large data set (against reading it), the app (start, first
result, size of a heat map), the app under load (many visitors against one), or the view and the page in a
browser (what an action takes, what is loaded).
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from daam_core.cli.named import whole_number
from daam_core.cli.output import Output
from daam_core.locating import find_checkpoint
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
PARTS = ("layer", "explain", "batch", "encoders", "train", "scale", "app", "load", "view")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", nargs="?", choices=PARTS, help="what to time (default: layer and explain)")
    parser.add_argument("--runs", type=whole_number(1), metavar="N", help="repetitions")
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="classifiers to time; not with layer and scale"
    )


def run(arguments: argparse.Namespace) -> Output:
    for name in arguments.model or ():
        find_checkpoint(name)
    # Here, so that help and wrong arguments do not wait for torch.
    from daam_core.bench.app import bench_app
    from daam_core.bench.batch import bench_batch
    from daam_core.bench.browser import bench_browser
    from daam_core.bench.encoders import bench_encoders
    from daam_core.bench.layer import bench_layer
    from daam_core.bench.library import bench_explain
    from daam_core.bench.load import bench_load
    from daam_core.bench.scale import bench_scale
    from daam_core.bench.training import bench_train
    from daam_core.training.pages import aligned

    parts = (arguments.part,) if arguments.part else ("layer", "explain")
    found: dict[str, object] = {}
    lines = []
    if "layer" in parts:
        layer = bench_layer(runs=arguments.runs or 20)
        found["layer"] = asdict(layer)
        lines.append(aligned(_layer_table(layer.cases)))
    if "explain" in parts:
        explained = bench_explain(runs=arguments.runs or 7, models=arguments.model)
        found["explain"] = asdict(explained)
        lines += [aligned(_explain_table(explained.cases)), aligned(_parts_table(explained.cases))]
    if "batch" in parts:
        batch = bench_batch(runs=arguments.runs or 5, models=arguments.model)
        found["batch"] = asdict(batch)
        lines += [aligned(_batch_table(batch.cases)), "\n".join(map(_batch_text, batch.cases))]
    if "encoders" in parts:
        encoders = bench_encoders(runs=arguments.runs or 15, models=arguments.model)
        found["encoders"] = asdict(encoders)
        lines.append(aligned(_encoder_table(encoders.cases)))
    if "train" in parts:
        training = bench_train(runs=arguments.runs or 5, models=arguments.model)
        found["train"] = asdict(training)
        lines.append(aligned(_train_table(training.cases)))
    if "scale" in parts:
        scale = bench_scale()
        found["scale"] = asdict(scale)
        lines += [aligned(_scale_table(scale)), _scale_text(scale)]
    if "app" in parts:
        app = bench_app(models=arguments.model)
        found["app"] = asdict(app)
        lines += [_app_text(app), aligned(_view_table(app.views))]
    if "load" in parts:
        load = bench_load(model=arguments.model[0] if arguments.model else None)
        found["load"] = asdict(load)
        lines.append(_load_text(load))
    if "view" in parts:
        seen = bench_browser(runs=arguments.runs or 5, model=arguments.model[0] if arguments.model else None)
        found["view"] = asdict(seen)
        lines += [f"{title}\n{aligned(table)}" for title, table in _browser_tables(seen)]
    return Output(found, "\n\n".join(lines))


def _layer_table(cases: "Sequence[LayerCase]") -> Table:
    rows = tuple(
        (
            f"[{c.batch}, {c.layers}, {c.features}] H={c.heads} {c.mode}"
            + (f" mixture K={c.gaussians}" if c.gate_kind == "mixture" else ""),
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


def _browser_tables(found: "BrowserTimes") -> list[tuple[str, Table]]:
    where = f"Chromium {found.browser}, {found.window} pixels, medians of {found.runs}"
    sizes = [
        (
            f"Random numbers, {view.heads} × {view.layers} × {view.features}, a page of "
            f"{view.file_bytes / 1e6:.1f} MB; {where}",
            _action_table(view.actions),
        )
        for view in found.views
    ]
    weights = Table(
        ("loaded before the first result", "files", "kB", "kB sent"),
        tuple(
            (w.kind, str(w.files), f"{w.bytes / 1e3:.0f}", f"{w.sent_bytes / 1e3:.0f}") for w in found.weights
        ),
    )
    return [*sizes, ("The app", _action_table(found.app_actions)), ("Its page", weights)]


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
