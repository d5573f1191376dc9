"""Density attentions one after the other with residuals: the paper's Density Block (Algorithm 4).

Letters: B batch, N levels, H heads of all levels, L layers, F features, R rows (see ``layers``), K Gaussians.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from daam_core.configuration import GateKind
from daam_core.errors import ConfigError
from daam_core.gating import axis_statistics, density_gate, mixture_gate
from daam_core.layers import DensityAttention, group_sizes, grouped_gate


class DensityStack(DensityAttention):
    r"""N levels of gates: each adds to its input what its heads let through of it.

    With ``x_0`` the values and ``g_n`` the gate of level n over ``x_{n−1}``,
    ``x_n = x_{n−1} + g_n · x_{n−1}``, so that ``x_N = x_0 + Σ_n output_n``. Heads are those of all levels,
    level by level. Of the R = (N + 1) · L rows the last L are no head's: the values themselves, which the
    residual passes on, with gate 1.

    Args:
        n_levels: N ≥ 1.
        n_layers: L.
        n_features: F.
        n_heads: H, a multiple of N; each head of a level sees its own group of layers.
        gate_kind: ``density`` or, as in the paper, ``mixture``.
        n_gaussians: K, mixture only.

    Attributes:
        head_of_row: ``[R]`` a row's head; H for a row that is no head's.

    Raises:
        ConfigError: heads that do not divide evenly among levels, or what ``DensityAttention`` refuses.

    >>> import torch
    >>> stack = DensityStack(n_levels=2, n_layers=6, n_features=8, n_heads=4, n_gaussians=3)
    >>> output, gate = stack(torch.randn(3, 6, 8))
    >>> output.shape, stack.by_head(gate).shape
    (torch.Size([3, 18, 8]), torch.Size([3, 4, 6, 8]))
    """

    def __init__(
        self,
        *,
        n_levels: int,
        n_layers: int,
        n_features: int,
        n_heads: int,
        gate_kind: GateKind = "mixture",
        n_gaussians: int = 1,
    ) -> None:
        if n_levels < 1 or n_heads % n_levels:
            raise ConfigError(f"{n_heads} heads do not divide evenly among {n_levels} levels.")
        super().__init__(
            n_layers=n_layers,
            n_features=n_features,
            n_heads=n_heads // n_levels,
            mode="layer_groups",
            gate_kind=gate_kind,
            n_gaussians=n_gaussians,
        )
        self.n_levels, self.n_heads = n_levels, n_heads
        self.own_rows = slice(n_levels * n_layers)
        self.residual_rows = slice(n_levels * n_layers, None)
        self._sizes = n_levels * group_sizes(n_layers, n_heads // n_levels)
        of_level = self.head_of_row + (n_heads // n_levels) * torch.arange(n_levels)[:, None]
        self.head_of_row = torch.cat([of_level.flatten(), torch.full((n_layers,), n_heads)])
        self.layer_of_row = self.layer_of_row.repeat(n_levels + 1)
        self.head_layers = self.head_layers.repeat(n_levels, 1)
        for name in ("mean_offset", "log_scaled_variance"):
            setattr(self, name, nn.Parameter(getattr(self, name).detach().repeat(n_levels, 1)))
        self.initial_mean_offset = self.initial_mean_offset.repeat(n_levels, 1)
        self.initial_scaled_variance = self.initial_scaled_variance.repeat(n_levels, 1)

    def gain(self, gate: Tensor) -> Tensor:
        """What the levels before a row's multiply its values with, ``Π (1 + gate)``: ``[.., R, F]``, of rows.

        That of the last rows is 1: the residual passes on the values that were given.
        """
        by_level = gate.unflatten(-2, (self.n_levels + 1, self.n_layers))
        once = torch.ones_like(by_level[..., :1, :, :])
        before = torch.cat([once, 1 + by_level[..., :-2, :, :]], -3).cumprod(-3)
        gain: Tensor = torch.cat([before, once], -3).flatten(-3, -2)
        return gain

    def gate(self, x: Tensor) -> Tensor:
        self._check(x)
        function = density_gate if self.gate_kind == "density" else mixture_gate
        gates = []
        raised = x
        for offsets, spreads in self._levels():
            gates.append(grouped_gate(function, raised, offsets, spreads))
            raised = raised + gates[-1] * raised
        return torch.cat([*gates, torch.ones_like(x)], 1)

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.seen(x, self.gate(x))[:, self.own_rows].split(self._sizes, dim=1)
        unbiased = self.gate_kind == "mixture"
        means, variances = zip(*(axis_statistics(group, unbiased=unbiased) for group in seen), strict=True)
        return torch.cat(means, 1), torch.cat(variances, 1)

    def sum_of_levels(self, rows: Tensor) -> Tensor:
        """Output rows ``[.., R, F] →`` what the last level makes, ``x_N``, ``[.., L, F]``."""
        last: Tensor = rows.unflatten(-2, (self.n_levels + 1, self.n_layers)).sum(-3)
        return last

    def pooled(self, x: Tensor) -> Tensor:
        return self.head_means(self.output(x))

    def head_means(self, rows: Tensor) -> Tensor:
        return torch.stack([group.mean(1) for group in rows[:, self.own_rows].split(self._sizes, dim=1)], 1)

    def sums(self, features: Tensor, mean: Tensor, deviation: Tensor) -> None:
        """No kernel has them."""

    def by_head(self, rows: Tensor) -> Tensor:
        """``[.., R, F] → [.., H, L, F]``: of the heads' own rows."""
        full = rows.new_zeros(*rows.shape[:-2], self.n_heads + 1, self.n_layers, rows.shape[-1])
        full[..., self.head_of_row, self.layer_of_row, :] = rows
        return full[..., :-1, :, :]

    def by_row(self, full: Tensor) -> Tensor:
        """``[.., H, L, F] → [.., R, F]``; 1 for the rows that are no head's, as their gate is."""
        return super().by_row(torch.cat([full, torch.ones_like(full[..., :1, :, :])], -3))

    def _levels(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Offsets and variances of each level's heads."""
        yield from zip(
            self.mean_offset.chunk(self.n_levels), self.scaled_variance.chunk(self.n_levels), strict=True
        )

    def _rows(self, x: Tensor, *, with_gate: bool) -> tuple[Tensor, Tensor | None]:
        self._check(x)
        raised, outputs, gates = x, [], []
        for offsets, spreads in self._levels():
            output, gate = self._attended(raised, offsets, spreads, None, with_gate=with_gate)
            raised = raised + output
            outputs.append(output)
            if gate is not None:
                gates.append(gate)
        rows = torch.cat([*outputs, x], 1)
        return rows, torch.cat([*gates, torch.ones_like(x)], 1) if with_gate else None
