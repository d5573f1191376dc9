"""How long density attention takes beside the paper's published loop, and beside what any layer must do.

The published loop computes one head after another, each with statistics of its own: Algorithm 1 of the paper
as in its experiments' code, and Algorithm 2 as in the package gaussian-adaptive-attention 0.1.5. Letters:
B batch, H heads, L layers, F features, K Gaussians.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from daam_core.bench.measuring import Timings, each, median_seconds, peak_bytes
from daam_core.configuration import GateKind, Mode
from daam_core.kernels import cpu
from daam_core.kernels.attend import formulas_alone
from daam_core.layers import DensityAttention, group_sizes
from daam_core.progress import Progress


@dataclass(frozen=True)
class LayerSize:
    """A size to time the layer at."""

    batch: int
    layers: int
    features: int
    heads: int
    mode: Mode = "shared"
    gate_kind: GateKind = "density"
    gaussians: int = 1

    def __str__(self) -> str:
        mixture = f" mixture K={self.gaussians}" if self.gate_kind == "mixture" else ""
        return f"[{self.batch}, {self.layers}, {self.features}] H={self.heads} {self.mode}{mixture}"


LAYER_SIZES = (
    LayerSize(8, 24, 1024, 8),  # WavLM large
    LayerSize(32, 24, 1024, 8),
    LayerSize(64, 16, 320, 4),  # EfficientNet-Lite0
    LayerSize(8, 6, 384, 4),  # MiniLM
    LayerSize(32, 6, 384, 4),
    LayerSize(4, 40, 5120, 8),  # Llama 2 13B
    LayerSize(32, 24, 1024, 8, "layer_groups"),  # as in the paper
    LayerSize(32, 24, 1024, 8, "shared", "mixture", 4),
    LayerSize(32, 24, 1024, 4, "layer_groups", "mixture", 4),
)


@dataclass(frozen=True, kw_only=True)
class LayerCase(LayerSize):
    """The layer beside the published loop, in median seconds and peak bytes of tensors.

    Attributes:
        kernel: whether the layer ran on its kernel; else the formulas did.
        layer_seconds, formulas_seconds, loop_seconds: forward and backward of the layer, of its plain
            formulas (what runs where numba is absent), and of the published loop.
        speedup, formulas_speedup: the loop's seconds over theirs.
        forward_seconds, loop_forward_seconds, write_seconds: forward alone, of both, and of writing as many
            numbers as the output has.
        forward_over_write: what the layer takes beside the least that any takes.
        output_bytes, layer_peak_bytes, loop_peak_bytes: of the output, and the most held at one time.
        peak_over_output: the layer's peak; 1 is the output itself, x's gradient is beside it.
        largest_difference, gradient_difference: between the layer and the loop in float64: of outputs, and
            of gradients of x and of the offsets over the largest gradient.
    """

    kernel: bool
    layer_seconds: float
    formulas_seconds: float
    loop_seconds: float
    speedup: float
    formulas_speedup: float
    forward_seconds: float
    loop_forward_seconds: float
    write_seconds: float
    forward_over_write: float
    output_bytes: int
    layer_peak_bytes: int
    loop_peak_bytes: int
    peak_over_output: float
    largest_difference: float
    gradient_difference: float


def bench_layer(
    sizes: Sequence[LayerSize] = LAYER_SIZES, *, runs: int = 20, progress: Progress | None = None
) -> Timings[LayerCase]:
    """Density attention, forward and backward, against the published loop over heads.

    The amplitude, which the paper does not have, is off. The incoming gradient is given, not computed.
    """
    kernel = cpu.prepare(wait=True)
    cases = tuple(_layer_case(size, runs, kernel) for size in each(sizes, str, progress))
    return Timings(runs, torch.get_num_threads(), cases)


class PublishedHead(nn.Module):
    """One head of the paper as its code has it: ``x [B, N, F] → [B, N, F]``, statistics over N.

    Algorithm 1 has an offset and a scale of each feature, Algorithm 2 K of each for the whole head.
    """

    def __init__(self, offset: Tensor, scale: Tensor, gate_kind: GateKind) -> None:
        super().__init__()
        self.offset, self.scale = nn.Parameter(offset.clone()), nn.Parameter(scale.clone())
        self.gate_kind = gate_kind

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        if self.gate_kind == "density":
            variance = torch.abs(torch.mean(x**2, dim=1, keepdim=True) - mean**2) + 1e-8
            normalised = (x - mean - self.offset) / torch.sqrt(variance + 1e-5)
            return torch.exp(-(normalised**2) / (2 * self.scale)) * x
        variance = x.var(dim=1, keepdim=True) + 1e-8
        mixture: Tensor | float = 1
        for k in range(len(self.offset)):
            normalised = (x - (mean + self.offset[k])) / torch.sqrt(variance)
            bell = torch.exp(-((normalised**2) / (2.0 * self.scale[k] ** 2)))
            mixture = mixture * (bell / torch.sqrt(2 * math.pi * self.scale[k] ** 2))
        assert isinstance(mixture, Tensor)  # noqa: S101 - K is at least 1
        return x * (mixture / mixture.sum(dim=1, keepdim=True).clamp(min=1e-8))


class PublishedLoop(nn.Module):
    """The paper's heads one after another, outputs joined: ``x [B, L, F] → [B, R, F]``."""

    def __init__(self, attention: DensityAttention) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            PublishedHead(offset, scale, attention.gate_kind)
            for offset, scale in zip(
                attention.mean_offset.detach(), attention.scaled_variance.detach(), strict=True
            )
        )
        sizes = group_sizes(attention.n_layers, attention.n_heads)
        self.sizes = sizes if attention.mode == "layer_groups" else None

    def forward(self, x: Tensor) -> Tensor:
        seen = [x] * len(self.heads) if self.sizes is None else x.split(self.sizes, dim=1)
        return torch.cat([head(own) for head, own in zip(self.heads, seen, strict=True)], dim=1)


def _layer_case(size: LayerSize, runs: int, kernel: bool) -> LayerCase:
    torch.manual_seed(0)
    attention = DensityAttention(
        n_layers=size.layers,
        n_features=size.features,
        n_heads=size.heads,
        mode=size.mode,
        gate_kind=size.gate_kind,
        n_gaussians=size.gaussians,
        # A product of four Gaussians far from the values would underflow in the published loop.
        offset_spread=0.0 if size.mode == "layer_groups" else 0.5 if size.gate_kind == "mixture" else 2.0,
    )
    loop = PublishedLoop(attention)
    x = torch.randn(size.batch, size.layers, size.features, requires_grad=True)
    incoming = torch.randn(size.batch, len(attention.head_of_row), size.features)

    def formulas(values: Tensor) -> Tensor:
        with formulas_alone():
            return attention.output(values)

    def trained(forward: Callable[[Tensor], Tensor]) -> Callable[[], None]:
        def run() -> None:
            forward(x).backward(incoming)
            for tensor in (x, *attention.parameters(), *loop.parameters()):
                tensor.grad = None

        return run

    def untrained(forward: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
        def run() -> Tensor:
            with torch.no_grad():
                return forward(x)

        return run

    calls: dict[str, Callable[[Tensor], Tensor]] = {
        "layer": attention.output,
        "formulas": formulas,
        "loop": loop,
    }
    both = {name: trained(call) for name, call in calls.items()}
    alone = {name: untrained(call) for name, call in calls.items()}
    alone["write"] = lambda: torch.full_like(incoming, 1.0)
    seconds = median_seconds(both, runs=runs)
    forward = median_seconds(alone, runs=runs)
    memory = {name: peak_bytes(call) for name, call in both.items()}
    output_bytes = incoming.numel() * incoming.element_size()
    difference, gradient_difference = _differences(attention, loop, x, incoming)
    return LayerCase(
        **vars(size),
        kernel=kernel,
        layer_seconds=seconds["layer"],
        formulas_seconds=seconds["formulas"],
        loop_seconds=seconds["loop"],
        speedup=seconds["loop"] / seconds["layer"],
        formulas_speedup=seconds["loop"] / seconds["formulas"],
        forward_seconds=forward["layer"],
        loop_forward_seconds=forward["loop"],
        write_seconds=forward["write"],
        forward_over_write=forward["layer"] / forward["write"],
        output_bytes=output_bytes,
        layer_peak_bytes=memory["layer"],
        loop_peak_bytes=memory["loop"],
        peak_over_output=memory["layer"] / output_bytes,
        largest_difference=difference,
        gradient_difference=gradient_difference,
    )


def _differences(
    attention: DensityAttention, loop: PublishedLoop, x: Tensor, incoming: Tensor
) -> tuple[float, float]:
    """In float64 the loop's ``E[x²] − mean²`` does not cancel: what differs is the layer's rounding."""
    exact = x.detach().double().requires_grad_()
    ours, theirs = attention.output(x), loop.double()(exact)
    own = torch.autograd.grad(ours, [x, attention.mean_offset], incoming)
    offsets = [head.get_parameter("offset") for head in loop.heads]
    of_x, *of_offsets = torch.autograd.grad(theirs, [exact, *offsets], incoming.double())
    pairs = zip(own, (of_x, torch.stack(of_offsets)), strict=True)
    largest = max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)
    return float((ours.detach() - theirs.detach()).abs().max()), largest
