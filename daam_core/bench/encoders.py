"""Ways to compute a built-in encoder on a CPU: how fast each is, and how far its maps are from the usual.

What is used everywhere is the first, float32 as torch computes it step by step.
"""

import copy
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.backbones.audio import layer_outputs
from daam_core.backbones.base import Backbone
from daam_core.bench.batch import short_inputs
from daam_core.bench.library import classifiers, input_for
from daam_core.bench.measuring import Timings, median_seconds
from daam_core.encoding import Encoding
from daam_core.explaining import explain_encoding
from daam_core.inputs import Input, Modality, read_input
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier

#: Largest difference of Importance Factors, which lie in [0, 1], at which maps count as the same: it is two
#: shades of the 256 that a picture of a map has.
TOLERANCE = 0.01
#: Inputs whose maps are compared, beside the one that is timed.
COMPARED = 8
USUAL = "float32"

#: An encoder's run in one of the ways.
Encode = Callable[[Input], Encoding]


@dataclass(frozen=True)
class EncoderCase:
    """One way to compute an encoder.

    Attributes:
        encoder, way: which.
        seconds: of one ordinary input, median.
        speedup: the usual way's seconds over these.
        largest_difference: of the Importance Factor from the usual way's, over all inputs and cells.
        attribution_difference: of the token attribution, as a share of its largest value.
        same_class: share of inputs whose predicted class is the usual one.
        agrees: whether maps agree to :data:`TOLERANCE`, classes all.
        why_not: why the way cannot be taken here; its numbers are None then.
    """

    encoder: str
    way: str
    seconds: float | None = None
    speedup: float | None = None
    largest_difference: float | None = None
    attribution_difference: float | None = None
    same_class: float | None = None
    agrees: bool | None = None
    why_not: str = ""


def bench_encoders(
    *, runs: int = 15, models: Sequence[str] | None = None, progress: Progress | None = None
) -> Timings[EncoderCase]:
    """Every way for every built-in encoder, on one ordinary input; maps on that and short ones."""
    with tempfile.TemporaryDirectory() as folder:
        cases = [
            case for model in classifiers(models, progress) for case in _cases(model, runs, Path(folder))
        ]
    return Timings(runs, torch.get_num_threads(), tuple(cases))


def _cases(model: TrainedClassifier, runs: int, folder: Path) -> Iterator[EncoderCase]:
    modality, backbone = model.config.modality, model.backbone
    inputs = [read_input(one, modality) for one in (input_for(modality), *short_inputs(modality, COMPARED))]
    ways: dict[str, Encode] = {}
    for way, make in WAYS.items():
        try:
            ways[way] = make(backbone, folder)
            ways[way](inputs[0])
        except Exception as error:  # whatever a library of this machine has against it
            ways.pop(way, None)
            said = str(error).strip().splitlines() or [""]
            yield EncoderCase(backbone.name, way, why_not=f"{type(error).__name__}: {said[0][:100]}")
    seconds = median_seconds({way: partial(encode, inputs[0]) for way, encode in ways.items()}, runs=runs)
    usual = [explain_encoding(model, ways[USUAL](one)) for one in inputs]
    for way, encode in ways.items():
        found = [
            explain_encoding(model, encode(one), target=u.explained)
            for one, u in zip(inputs, usual, strict=True)
        ]
        pairs = list(zip(found, usual, strict=True))
        largest = max(float(np.nanmax(np.abs(f.importance - u.importance))) for f, u in pairs)
        attribution = max(
            float(np.abs(f.token_attribution - u.token_attribution).max() / np.abs(u.token_attribution).max())
            for f, u in pairs
        )
        same = sum(f.prediction == u.prediction for f, u in pairs) / len(pairs)
        yield EncoderCase(
            backbone.name,
            way,
            seconds=seconds[way],
            speedup=seconds[USUAL] / seconds[way],
            largest_difference=largest,
            attribution_difference=attribution,
            same_class=same,
            agrees=largest <= TOLERANCE and same == 1,
        )


# The ways


def _usual(backbone: Backbone, folder: Path) -> Encode:
    return backbone.encode


def _bfloat16(backbone: Backbone, folder: Path) -> Encode:
    def encode(given: Input) -> Encoding:
        with torch.autocast("cpu", torch.bfloat16):
            found = backbone.encode(given)
        return replace(found, hidden=found.hidden.float())

    return encode


def _channels_first(backbone: Backbone, folder: Path) -> Encode:
    """Weights of convolutions in torch's own order; the usual way has channels last."""
    network = copy.deepcopy(_network(backbone))
    if isinstance(network, nn.Module):
        raise TypeError("it has no convolutions of pictures")
    for part in network.parts():
        object.__setattr__(part, "weight", part.weight.contiguous())
    return _with(backbone, network)


def _int8(backbone: Backbone, folder: Path) -> Encode:
    """Weights of linear layers as whole numbers, values rounded to them as they come."""
    network = _network(backbone)
    if not isinstance(network, nn.Module):
        raise TypeError("only linear layers can be computed so, and it has convolutions")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that torch will do it elsewhere one day
        quantised = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(network), {nn.Linear}, dtype=torch.qint8
        )
    return _with(backbone, quantised)


def _onnxruntime(backbone: Backbone, folder: Path) -> Encode:
    network, modality = _network(backbone), backbone.modality
    run = _session(_Layers(network, modality), modality, folder / f"{backbone.name}.onnx")
    if modality == "text":

        def model(ids: Tensor, **_: object) -> SimpleNamespace:
            return SimpleNamespace(hidden_states=[None, *run(ids)])

        return _with(backbone, model)
    if modality == "image":
        return _with(backbone, SimpleNamespace(blocks=run))
    sounds = copy.copy(backbone)
    vars(sounds)["hidden_states"] = lambda mel: torch.stack(run(mel[None]))[:, 0]
    return sounds.encode


WAYS: dict[str, Callable[[Backbone, Path], Encode]] = {
    USUAL: _usual,
    "channels first": _channels_first,
    "bfloat16": _bfloat16,
    "int8": _int8,
    "onnxruntime": _onnxruntime,
}


_PLACES: Mapping[Modality, str] = {"text": "model", "audio": "_encoder", "image": "_network"}
#: An input of each network, and by which name which of its axes may have another length.
_EXAMPLES: Mapping[Modality, tuple[Tensor, Mapping[int, str]]] = {
    "text": (torch.ones(1, 12, dtype=torch.long), {1: "pieces"}),
    "audio": (torch.zeros(1, 80, 200), {2: "frames"}),
    "image": (torch.zeros(1, 3, 224, 224), {}),
}


def _network(backbone: Backbone) -> Any:
    return getattr(backbone, _PLACES[backbone.modality])


def _with(backbone: Backbone, network: object) -> Encode:
    """The encoder with another network in its place."""
    other = copy.copy(backbone)
    setattr(other, _PLACES[backbone.modality], network)
    return other.encode


class _Layers(nn.Module):
    """A network as ONNX has it: one tensor in, a tensor of each layer out."""

    def __init__(self, network: Any, modality: Modality) -> None:
        super().__init__()
        self.network, self.modality = network, modality

    def forward(self, x: Tensor) -> list[Tensor]:
        if self.modality == "text":
            return list(self.network(x, output_hidden_states=True).hidden_states[1:])
        if self.modality == "image":
            return list(self.network.blocks(x))
        return layer_outputs(self.network, x)


def _session(layers: _Layers, modality: Modality, path: Path) -> Callable[[Tensor], list[Tensor]]:
    onnxruntime: Any = import_module("onnxruntime")  # without types, and only here where it is asked for
    example, moving = _EXAMPLES[modality]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # lists packages that are not needed here
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        axes = dict.fromkeys(moving, torch.export.Dim.DYNAMIC)
        torch.onnx.export(
            layers.eval(), (example,), path, dynamo=True, dynamic_shapes=({**axes},) if axes else None
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(x: Tensor) -> list[Tensor]:
        return [torch.from_numpy(found) for found in session.run(None, {name: x.contiguous().numpy()})]

    return run
