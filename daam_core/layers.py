"""Multi-head density adaptive attention over the layers of an encoder. Delegates to ``gating``.

Letters: B batch, H heads, L layers, F features, K Gaussians, R rows. A *row* is one layer as one
head sees it: R = H·L where heads share all layers, R = L where each head has its own group.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from daam_core.configuration import MIN_LAYERS_PER_HEAD, Amplitude, GateKind, Mode
from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import axis_statistics, density_gate, mixture_gate
from daam_core.kernels.attend import attend, prepare
from daam_core.kernels.averages import summed_gates
from daam_core.kernels.heads import Heads

#: Smallest deviation a feature is divided by: a feature that never varied in training stays near 0.
DEVIATION_FLOOR = 1e-6
#: Range in which a learned scaled variance stays.
SCALED_VARIANCE_RANGE = (1e-3, 1e3)
#: Cells of heads computed at one time by the formulas: so many bytes of each step stay in a core's cache.
_CELLS_AT_ONCE = 2**18
#: Inputs that the standardisation looks at together.
_INPUTS_AT_ONCE = 32


def group_sizes(positions: int, groups: int) -> list[int]:
    """Sizes of ``groups`` consecutive groups; the last takes the rest (paper, Algorithm 2).

    >>> group_sizes(24, 5)
    [4, 4, 4, 4, 8]
    """
    if not 1 <= groups <= positions:
        raise ConfigError(f"{positions} positions cannot be split into {groups} groups.")
    size = positions // groups
    return [size] * (groups - 1) + [positions - size * (groups - 1)]


def grouped_gate(
    gate: Callable[..., Tensor], x: Tensor, offsets: Tensor, spreads: Tensor, *, axis: int = -2
) -> Tensor:
    """A gate per group of consecutive positions, each with its own parameters and statistics.

    Args:
        gate: :func:`~daam_core.gating.density_gate` or :func:`~daam_core.gating.mixture_gate`.
        x: ``[B, N, F]``.
        offsets: ``[H, ..]``, one entry per group.
        spreads: ``[H, ..]``.
        axis: the axis that is split into H groups, and that each gate's statistics run over.

    Returns:
        The gate, ``[B, N, F]``.
    """
    axis = axis % x.ndim - x.ndim
    heads = offsets.shape[0]
    sizes = group_sizes(x.shape[axis], heads)
    even = sizes[0] == sizes[-1]
    regular = x if even else x.narrow(axis, 0, sum(sizes[:-1]))
    regular_heads = heads if even else heads - 1
    # One call for all groups of equal size: [B, H, n, F], head axis in front of the last two.
    split = regular.unflatten(axis, (regular_heads, sizes[0]))
    if axis == -1:
        split = split.transpose(-3, -2)
    gated = gate(split, offsets[:regular_heads], spreads[:regular_heads], axis=axis)
    if axis == -1:
        gated = gated.transpose(-3, -2)
    gated = gated.flatten(axis - 1, axis)
    if even:
        return gated
    rest = x.narrow(axis, sum(sizes[:-1]), sizes[-1])
    return torch.cat([gated, gate(rest, offsets[-1], spreads[-1], axis=axis)], dim=axis)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class Standardisation(nn.Module):
    """Each layer's features minus their training mean, over their training deviation.

    Two buffers ``[L, F]``, saved with the weights: the data's statistics, not learned parameters.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, n_layers: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_layers, n_features))
        self.register_buffer("deviation", torch.ones(n_layers, n_features))

    @torch.no_grad()
    def fit(self, pooled: Tensor) -> None:
        """Take both from the training part, pooled hidden states ``[N, L, F]``."""
        mean = pooled.mean(0)
        # Few inputs at a time, which stay in a core's cache: eight times as fast as torch's std.
        squares = [(some - mean).square_().sum(0) for some in pooled.split(_INPUTS_AT_ONCE)]
        variance = torch.stack(squares).sum(0) / len(pooled)
        self.mean.copy_(mean)
        self.deviation.copy_(variance.sqrt_().clamp_min(DEVIATION_FLOOR))

    def forward(self, x: Tensor) -> Tensor:
        """``[.., L, F] → [.., L, F]``."""
        return (x - self.mean) / self.deviation


class DensityAttention(nn.Module):
    """Density adaptive attention heads: learned gates over the layers of pooled hidden states.

    ``forward(x [B, L, F]) → (output [B, R, F], gate [B, R, F])`` with ``output = λ · gate · x``;
    :meth:`by_head` turns rows into ``[.., H, L, F]``.

    Args:
        n_layers: L.
        n_features: F.
        n_heads: H.
        mode: ``shared`` (every head sees all layers, outputs stacked to H·L rows) or
            ``layer_groups`` (head h sees its own group of layers, as in the paper's experiments).
        gate_kind: ``density`` (Algorithm 1) or ``mixture`` (Algorithm 2).
        n_gaussians: K, mixture only. A head's start alike and get equal gradients, so they stay alike: K only
            sets the width that the one Gaussian they amount to starts with, 1/√K deviations.
        amplitude: ``layer`` learns ``λ[h, l]``, a softmax over the head's layers times their number
            (mean 1); ``none`` is λ = 1, the paper's own variants.
        offset_spread: the heads' offsets δ start evenly spread over ± this value (``shared`` only:
            there, equal heads would stay equal).
        amplitude_start: by how much the last layer's amplitude logit starts above the others
            (``shared`` only: in ``layer_groups`` the last layer is one head's).

    Attributes:
        head_of_row: ``[R]`` a row's head.
        layer_of_row: ``[R]`` a row's layer.
        head_layers: ``[H, L]`` bool, whether a head sees a layer.
        n_levels: attentions one after the other; one here, see ``levels``.
        own_rows: which of the R rows are heads'; all here.
        residual_rows: which are no head's; none here.

    Raises:
        ConfigError: fewer than three layers in a head's group, or sizes that cannot work.
    """

    n_levels = 1
    own_rows = slice(None)
    residual_rows = slice(0, 0)
    head_of_row: Tensor
    layer_of_row: Tensor
    head_layers: Tensor
    initial_mean_offset: Tensor
    initial_scaled_variance: Tensor

    def __init__(
        self,
        *,
        n_layers: int,
        n_features: int,
        n_heads: int,
        mode: Mode = "shared",
        gate_kind: GateKind = "density",
        n_gaussians: int = 1,
        amplitude: Amplitude = "none",
        offset_spread: float = 0.0,
        amplitude_start: float = 0.0,
    ) -> None:
        super().__init__()
        for name, size in {
            "layers": n_layers,
            "features": n_features,
            "heads": n_heads,
            "Gaussians": n_gaussians,
        }.items():
            if size < 1:
                raise ConfigError(f"The number of {name} must be at least 1, got {size}.")
        per_head = n_layers // n_heads if mode == "layer_groups" else n_layers
        if per_head < MIN_LAYERS_PER_HEAD:
            raise ConfigError(
                f"{n_layers} layers in mode '{mode}' with {n_heads} heads leave {per_head} layers to a head; "
                f"a gate needs at least {MIN_LAYERS_PER_HEAD}, since two values are always one standard "
                "deviation from their mean and one has no variance. Use fewer heads, or mode 'shared' "
                "with three layers or more."
            )
        self.n_layers, self.n_features, self.n_heads = n_layers, n_features, n_heads
        self.mode: Mode = mode
        self.gate_kind: GateKind = gate_kind
        self._heads = Heads(n_heads, n_layers, shared=mode == "shared", mixture=gate_kind == "mixture")

        if mode == "shared":
            head_of_row = torch.arange(n_heads).repeat_interleave(n_layers)
            layer_of_row = torch.arange(n_layers).repeat(n_heads)
        else:
            sizes = torch.tensor(group_sizes(n_layers, n_heads))
            head_of_row = torch.arange(n_heads).repeat_interleave(sizes, output_size=n_layers)
            layer_of_row = torch.arange(n_layers)
        self.register_buffer("head_of_row", head_of_row, persistent=False)
        self.register_buffer("layer_of_row", layer_of_row, persistent=False)
        head_layers = torch.zeros(n_heads, n_layers, dtype=torch.bool)
        head_layers[head_of_row, layer_of_row] = True
        self.register_buffer("head_layers", head_layers, persistent=False)

        width = n_features if gate_kind == "density" else n_gaussians
        spread = torch.linspace(-offset_spread, offset_spread, n_heads) if n_heads > 1 else torch.zeros(1)
        offset = (spread if mode == "shared" else torch.zeros(n_heads))[:, None].repeat(1, width)
        start_variance = 2.0 if gate_kind == "density" else 1.0
        variance = torch.full((n_heads, width), start_variance)
        self.mean_offset = nn.Parameter(offset.clone())
        # Not variance.log(), which on the meta device makes torch import its compiler: a second and a half.
        self.log_scaled_variance = nn.Parameter(torch.full_like(variance, math.log(start_variance)))
        self.register_buffer("initial_mean_offset", offset)
        self.register_buffer("initial_scaled_variance", variance)
        if amplitude == "layer":
            start = torch.zeros(n_heads, n_layers)
            if mode == "shared":
                start[:, -1] = amplitude_start
            self.amplitude_logits: nn.Parameter | None = nn.Parameter(start)
        else:
            self.register_parameter("amplitude_logits", None)

    @property
    def scaled_variance(self) -> Tensor:
        """Learned ξ ``[H, F]`` (or scales c ``[H, K]``), always within :data:`SCALED_VARIANCE_RANGE`."""
        low, high = SCALED_VARIANCE_RANGE
        return self.log_scaled_variance.clamp(math.log(low), math.log(high)).exp()

    @property
    def amplitude(self) -> Tensor:
        """λ ``[H, L]``: mean 1 over each head's own layers, 0 outside them."""
        seen = self.head_layers
        if self.amplitude_logits is None:
            return seen.to(self.mean_offset.dtype)
        shares = self.amplitude_logits.masked_fill(~seen, -torch.inf).softmax(-1)
        return shares * seen.sum(-1, keepdim=True)

    @torch.no_grad()
    def open_head(self, head: int, layer_scale: float) -> None:
        """Let a head pass everything: δ at 0 and ξ at its largest, where the gate is 1 to one percent.

        Args:
            head: which one; modes in which heads share all layers only.
            layer_scale: the square of a layer's amplitude over that of the layer after it.
        """
        self.mean_offset[head] = 0
        self.log_scaled_variance[head] = math.log(SCALED_VARIANCE_RANGE[1])
        if self.amplitude_logits is not None:
            up = torch.arange(1 - self.n_layers, 1).to(self.amplitude_logits)
            self.amplitude_logits[head] = -0.5 * math.log(layer_scale) * up
        self.initial_mean_offset[head] = self.mean_offset[head]
        self.initial_scaled_variance[head] = self.scaled_variance[head]

    @torch.no_grad()
    def take_heads(self, other: "DensityAttention", *, first: int) -> None:
        """Take over another attention's heads, the first of them as head ``first``."""
        heads = slice(first, first + other.n_heads)
        self.mean_offset[heads] = other.mean_offset
        self.log_scaled_variance[heads] = other.log_scaled_variance
        self.initial_mean_offset[heads] = other.initial_mean_offset
        self.initial_scaled_variance[heads] = other.initial_scaled_variance
        if self.amplitude_logits is not None and other.amplitude_logits is not None:
            self.amplitude_logits[heads] = other.amplitude_logits

    def gate(self, x: Tensor) -> Tensor:
        """``[B, L, F] → [B, R, F]``: the gate of every row."""
        self._check(x)
        function = density_gate if self.gate_kind == "density" else mixture_gate
        if self.mode == "shared":
            gate = function(x.unsqueeze(1), self.mean_offset, self.scaled_variance)
            return gate.expand(-1, self.n_heads, -1, -1).flatten(1, 2)
        return grouped_gate(function, x, self.mean_offset, self.scaled_variance)

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``[B, L, F] → 2 × [B, H, F]``: mean and variance over its layers that each head's gate uses."""
        self._check(x)
        unbiased = self.gate_kind == "mixture"
        if self.mode == "shared":
            mean, variance = axis_statistics(x, unbiased=unbiased)
            return mean.expand(-1, self.n_heads, -1), variance.expand(-1, self.n_heads, -1)
        groups = x.split(group_sizes(self.n_layers, self.n_heads), dim=1)
        means, variances = zip(*(axis_statistics(group, unbiased=unbiased) for group in groups), strict=True)
        return torch.cat(means, 1), torch.cat(variances, 1)

    def sums(self, features: Tensor, mean: Tensor, deviation: Tensor) -> tuple[Tensor, ...] | None:
        """Sums over N inputs ``[N, L, F]``, see :func:`~daam_core.kernels.averages.summed_gates`; None where
        no kernel has them."""
        self._check(features)
        return summed_gates(features, mean, deviation, self.mean_offset, self.scaled_variance, self._heads)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        output, gate = self._rows(x, with_gate=True)
        assert gate is not None  # noqa: S101 - it was asked for
        return output, gate

    def output(self, x: Tensor) -> Tensor:
        """``[B, L, F] → [B, R, F]``: the first of :meth:`forward`'s, without memory for the gate."""
        return self._rows(x, with_gate=False)[0]

    def pooled(self, x: Tensor) -> Tensor:
        """``[B, L, F] → [B, H, F]``: each head's mean of :meth:`output` over its layers, in one pass."""
        self._check(x)
        given = x, self.mean_offset, self.scaled_variance
        amplitude = None if self.amplitude_logits is None else self.amplitude
        fused = attend(*given, amplitude, heads=self._heads, plain=self._plain_pooled, pooled=True)
        return self.head_means(self.output(x)) if fused is None else fused[0]

    def head_means(self, rows: Tensor) -> Tensor:
        """``[B, R, F] → [B, H, F]``: the mean of each head's rows."""
        if self.mode == "shared":
            by_head = rows.reshape(-1, self.n_heads, self.n_layers, self.n_features)
            return by_head.mean(2)
        groups = rows.split(group_sizes(self.n_layers, self.n_heads), dim=1)
        return torch.stack([group.mean(1) for group in groups], 1)

    def prepare(self, samples: int) -> None:
        """Wait until the kernel for so many samples is compiled: from then on all are computed alike.

        The first time on a machine takes seconds, later tenths of one; nothing is waited for where the
        formulas compute them anyway.
        """
        prepare(self.mean_offset.new_empty(samples, self.n_layers, self.n_features), self._heads)

    def _rows(self, x: Tensor, *, with_gate: bool) -> tuple[Tensor, Tensor | None]:
        self._check(x)
        amplitude = None if self.amplitude_logits is None else self.amplitude
        return self._attended(x, self.mean_offset, self.scaled_variance, amplitude, with_gate=with_gate)

    def _attended(
        self, x: Tensor, offsets: Tensor, scales: Tensor, amplitude: Tensor | None, *, with_gate: bool
    ) -> tuple[Tensor, Tensor | None]:
        given = x, offsets, scales, amplitude
        fused = attend(*given, heads=self._heads, plain=self._plain, with_gate=with_gate)
        return self._plain(*given) if fused is None else fused

    def _plain(
        self, x: Tensor, offsets: Tensor, scales: Tensor, amplitude: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Output and gate by the formulas, a few heads at a time: what is computed stays in the caches."""
        function = density_gate if self.gate_kind == "density" else mixture_gate
        if self.mode == "layer_groups":
            gate = grouped_gate(function, x, offsets, scales)
            return self._raised(gate, amplitude) * x, gate
        seen = x.unsqueeze(1)
        statistics = axis_statistics(seen, unbiased=self.gate_kind == "mixture")
        at_once = self.n_heads
        if not torch.compiler.is_compiling():
            at_once = max(1, _CELLS_AT_ONCE // max(1, x.numel()))
        outputs, gates = [], []
        for first in range(0, self.n_heads, at_once):
            some = slice(first, first + at_once)
            gate = function(seen, offsets[some], scales[some], statistics=statistics)
            gates.append(gate.flatten(1, 2))
            density = gate if amplitude is None else amplitude[some, :, None].to(gate.dtype) * gate
            outputs.append((density * seen).flatten(1, 2))
        return _joined(outputs), _joined(gates)

    def _plain_pooled(
        self, x: Tensor, offsets: Tensor, scales: Tensor, amplitude: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        output, gate = self._plain(x, offsets, scales, amplitude)
        return self.head_means(output), gate

    def gain(self, gate: Tensor) -> Tensor | None:
        """What a row's values are multiplied with before its gate sees them, ``[.., R, F]``; None for 1."""

    def seen(self, x: Tensor, gate: Tensor) -> Tensor:
        """Values that the gate of each row sees, ``[B, R, F]``, of values ``[B, L, F]`` and the gate."""
        rows, gain = x[:, self.layer_of_row], self.gain(gate)
        return rows if gain is None else gain * rows

    def attend(self, gate: Tensor) -> Tensor:
        """Density attention of every row, amplitude × gate: ``[B, R, F] → [B, R, F]``."""
        return self._raised(gate, None if self.amplitude_logits is None else self.amplitude)

    def _raised(self, gate: Tensor, amplitude: Tensor | None) -> Tensor:
        if amplitude is None:
            return gate
        return amplitude[self.head_of_row, self.layer_of_row].to(gate.dtype)[:, None] * gate

    def by_head(self, rows: Tensor) -> Tensor:
        """``[.., R, F] → [.., H, L, F]``; layers that a head does not see are 0."""
        full = rows.new_zeros(*rows.shape[:-2], self.n_heads, self.n_layers, rows.shape[-1])
        full[..., self.head_of_row, self.layer_of_row, :] = rows
        return full

    def by_row(self, full: Tensor) -> Tensor:
        """``[.., H, L, F] → [.., R, F]``, the inverse of :meth:`by_head`."""
        return full[..., self.head_of_row, self.layer_of_row, :]

    def _check(self, x: Tensor) -> None:
        if x.ndim != 3 or x.shape[1:] != (self.n_layers, self.n_features):
            raise ShapeError(
                f"Expected pooled hidden states [B, {self.n_layers}, {self.n_features}], got {list(x.shape)}."
            )
