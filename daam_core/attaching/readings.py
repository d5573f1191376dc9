"""What each kind of density attention did with one input, in the same arrays.

Letters: H heads, K Gaussians, L positions along an attention's own axis, F all other axes together.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from daam_core.blocks import DensityMultiheadAttention
from daam_core.gating import axis_statistics
from daam_core.layers import DensityAttention, group_sizes
from daam_core.published import published_heads


@dataclass(frozen=True)
class Call:
    """One call of an attention, with a batch of one.

    Attributes:
        name: of the module.
        module: that was called.
        given: its arguments by name.
        output: what it gave; of several, the first.
    """

    name: str
    module: nn.Module
    given: Mapping[str, Any]
    output: Tensor


@dataclass(frozen=True)
class Read:
    """What an attention did in a call.

    Attributes:
        values: ``[L, F]`` what it was given.
        gate: ``[H, L, F]``, 0 where a head does not look.
        gradient: ``[H, L, F]`` of a logit by what each head lets through.
        head_rows: ``[H, L]`` bool, where along its axis a head looks.
        amplitude: ``[H, L]``.
        mean, variance: ``[H, F]`` the statistics of each head's gate.
        residual_share: in logits, what goes past all levels adds.
    """

    values: Tensor
    gate: Tensor
    gradient: Tensor
    head_rows: Tensor
    amplitude: Tensor
    mean: Tensor
    variance: Tensor
    residual_share: float = 0.0


class Reading(ABC):
    """Reads one kind of attention.

    Attributes:
        gate_kind: ``density`` or ``mixture``.
        n_levels: attentions one after the other whose heads these are, see ``levels``.
    """

    gate_kind: str
    n_levels = 1

    @abstractmethod
    def axis(self) -> int:
        """The attention's own axis, as it was given to it."""

    @abstractmethod
    def parameters(self) -> tuple[Tensor, Tensor]:
        """δ and ξ, or a mixture's m and c, ``[H, ..]``."""

    @abstractmethod
    def read(self, call: Call, of_output: Tensor) -> Read:
        """Everything about a call, given the gradient of a logit by its output."""

    def x(self, call: Call) -> Tensor:
        """What the attention was given: its first argument."""
        x: Tensor = next(iter(call.given.values()))
        return x.detach()

    def fewest(self, call: Call) -> int:
        """Positions along its axis that the head with the fewest sees."""
        return len(flat(self.x(call), self.axis()))

    def start(self) -> tuple[Tensor, Tensor]:
        """The parameters before training; where that is not known, as they are now."""
        offsets, scales = (one.detach().clone() for one in self.parameters())
        return offsets, scales

    def by_cell(self, parameter: Tensor, call: Call) -> Tensor:
        """A parameter ``[H, K]`` as it is, one per feature as ``[H, F]``."""
        if self.gate_kind == "mixture":
            return parameter
        x = self.x(call)
        # One per value of the last axis, or one for all where that is the attention's own.
        among = [size for place, size in enumerate(x.shape) if place != self.axis() % x.ndim]
        spread = parameter.view(len(parameter), *(1,) * (len(among) - 1), -1)
        return spread.expand(len(parameter), *among).flatten(1)


def reading_of(module: nn.Module) -> Reading | None:
    """How a module is read; None for one that is no density attention."""
    if isinstance(module, DensityAttention):
        return _OverLayers(module)
    if isinstance(module, DensityMultiheadAttention):
        return _InABlock(module)
    return _Published(module) if published_heads(module) else None


def flat(x: Tensor, axis: int) -> Tensor:
    """One tensor ``[L, F]``: its own axis first, all others together."""
    return x.movedim(axis, 0).flatten(1)


_Attention = TypeVar("_Attention", DensityAttention, DensityMultiheadAttention)


class _Ours(Reading, Generic[_Attention]):
    """An attention of this library: its start is known."""

    def __init__(self, attention: _Attention) -> None:
        self.attention: _Attention = attention
        self.gate_kind = attention.gate_kind

    def parameters(self) -> tuple[Tensor, Tensor]:
        return self.attention.mean_offset, self.attention.scaled_variance

    def start(self) -> tuple[Tensor, Tensor]:
        return self.attention.initial_mean_offset, self.attention.initial_scaled_variance


class _OverLayers(_Ours[DensityAttention]):
    def __init__(self, attention: DensityAttention) -> None:
        super().__init__(attention)
        self.n_levels = attention.n_levels

    def axis(self) -> int:
        return -2

    def read(self, call: Call, of_output: Tensor) -> Read:
        attention, x = self.attention, self.x(call)
        mean, variance = attention.statistics(x)
        gate = attention.gate(x)
        gain = attention.gain(gate)
        past = attention.residual_rows
        return Read(
            values=x[0],
            gate=attention.by_head(gate)[0],
            gradient=attention.by_head(of_output if gain is None else gain * of_output)[0],
            head_rows=attention.head_layers,
            amplitude=attention.amplitude,
            mean=mean[0],
            variance=variance[0],
            residual_share=float((of_output[:, past] * call.output[:, past].detach()).sum()),
        )


class _InABlock(_Ours[DensityMultiheadAttention]):
    def axis(self) -> int:
        return self.attention.axis

    def read(self, call: Call, of_output: Tensor) -> Read:
        attention, x = self.attention, self.x(call)
        padding, axis = call.given.get("key_padding_mask"), attention.axis
        gate, gradient = (
            torch.stack([flat(head, axis) for head in of[0].unbind(0)])
            for of in (attention.gate(x, padding), attention.of_gated(of_output))
        )
        counts = attention.counts(x, padding)
        values = x if counts is None else x.where(counts, 0)
        seen = torch.ones(gate.shape[:2], dtype=torch.bool, device=x.device)
        mean, variance = (
            flat(one[0], axis).expand(len(gate), -1) for one in attention.statistics(x, padding)
        )
        return Read(flat(values[0], axis), gate, gradient, seen, seen.to(x), mean, variance)


class _Published(Reading):
    gate_kind = "mixture"

    def __init__(self, module: nn.Module) -> None:
        self.module, self.heads = module, published_heads(module)

    def axis(self) -> int:
        axis: int = self.heads[0].norm_axis  # type: ignore[assignment]
        return axis

    def fewest(self, call: Call) -> int:
        positions = super().fewest(call)
        return min(group_sizes(positions, len(self.heads))) if positions >= len(self.heads) else 0

    def parameters(self) -> tuple[Tensor, Tensor]:
        offsets = torch.stack([head.get_parameter("mean_offsets") for head in self.heads])
        scales = torch.stack([head.get_parameter("c") for head in self.heads])
        return offsets, scales.abs()  # only its square counts

    def read(self, call: Call, of_output: Tensor) -> Read:
        x, axis = self.x(call), self.axis()
        # Its own gate; called past the hooks, since this is no call of the model's.
        _, mixture = self.module.forward(x, return_attention_details=True)
        padding: Any = self.heads[0].padding_value
        filled = torch.ones_like(x, dtype=torch.bool) if padding is None else torch.ne(x, padding)
        values, gate, gradient, counts = (flat(one, axis) for one in (x, mixture, of_output, filled))
        # The package lets padding through as it is; no head chose it, so it has no gate.
        gate = gate.where(counts, 0)
        sizes = group_sizes(len(values), len(self.heads))
        head = torch.arange(len(sizes), device=x.device).repeat_interleave(torch.tensor(sizes).to(x.device))
        looks = head == torch.arange(len(sizes), device=x.device)[:, None]  # [H, L]
        # Its statistics count padding as zeros.
        parts = [
            axis_statistics(part, axis=0, unbiased=True) for part in values.where(counts, 0).split(sizes)
        ]
        mean, variance = (torch.cat(part) for part in zip(*parts, strict=True))
        return Read(
            values, gate * looks[..., None], gradient * looks[..., None], looks, looks.to(x), mean, variance
        )
