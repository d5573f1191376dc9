"""Decides by how typical a whole input is for each of many prototypes: joint Gaussian gates, then linear.

Letters: B batch, H heads, L layers, F features, R rows (see ``layers``), D directions, M prototypes,
C classes.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from daam_core.gating import joint_gate


class Joint(NamedTuple):
    """What the decoder sees: along its directions ``[B, D]``, and every prototype's joint gate ``[B, M]``."""

    seen: Tensor
    gates: Tensor


class Wide(NamedTuple):
    """Directions ``[D, L·F]``, prototypes ``[M, D]`` and their squared lengths ``[M]``, to compute with."""

    directions: Tensor
    prototypes: Tensor
    squares: Tensor


class DensityDecoder(nn.Module):
    """Gated values of all heads, added up by layer → directions → joint gates → logits.

    ``u = P · Σ_h w_h · gated_h``, ``gate_m = exp(−‖u − δ_m‖² / 2ξ)``, ``logits = A · gate + b``. It is not
    trained by gradients: :mod:`daam_core.training.joint_density` sets it.

    Args:
        n_heads: H.
        n_layers: L.
        n_features: F.
        n_directions: D.
        n_prototypes: M.
        n_classes: C.

    Attributes:
        head_weight: w ``[H]``, how much of each head is added.
        directions: P ``[D, L·F]`` float16.
        prototypes: δ ``[M, D]`` float16.
        scaled_variance: ξ ``[1]``.
        output: A ``[C, M]`` and b ``[C]``.
    """

    head_weight: Tensor
    scaled_variance: Tensor

    def __init__(
        self,
        *,
        n_heads: int,
        n_layers: int,
        n_features: int,
        n_directions: int,
        n_prototypes: int,
        n_classes: int,
    ) -> None:
        super().__init__()
        self.n_heads, self.n_layers, self.n_features = n_heads, n_layers, n_features
        self._kept: tuple[object, tuple[Tensor, Tensor], Wide] | None = None
        self.register_buffer("head_weight", torch.ones(n_heads))
        cells = n_layers * n_features
        bound = (3 / cells) ** 0.5  # of variance 1 / cells
        # Half precision halves the file; the closed form is solved with the rounded numbers.
        # Filled in place, uniformly: arithmetic and normal_ on the meta device make torch import its
        # compiler, more than a second.
        directions = torch.empty(n_directions, cells, dtype=torch.float16).uniform_(-bound, bound)
        self.directions = nn.Parameter(directions, requires_grad=False)
        prototypes = torch.empty(n_prototypes, n_directions, dtype=torch.float16).uniform_(-1, 1)
        self.prototypes = nn.Parameter(prototypes, requires_grad=False)
        self.register_buffer("scaled_variance", torch.full((1,), float(n_directions)))
        self.output = nn.Linear(n_prototypes, n_classes)

    def weighed(self, gated: Tensor) -> Tensor:
        """``[B, R, F] → [B, H, L, F]``: each head's gated values times its weight."""
        by_head = gated.reshape(-1, self.n_heads, self.n_layers, self.n_features)
        return by_head * self.head_weight.to(gated.dtype)[:, None, None]

    def see(self, gated: Tensor) -> Tensor:
        """``[B, R, F] → [B, L·F]``: the heads' gated values, weighed and added up by layer."""
        return self.weighed(gated).sum(1).flatten(1)

    def wide(self, kind: torch.dtype) -> Wide:
        """Both halves in the precision ``kind``, kept: making them takes longer than an input's decision."""
        halves = self.directions.detach(), self.prototypes.detach()
        if torch.compiler.is_compiling() or any(half.is_inference() for half in halves):
            return self._widened(halves, kind)
        # The halves are held, so that no other tensor comes to lie where they did.
        made_of = kind, [(half.data_ptr(), half.device, half._version) for half in halves]
        kept = self._kept
        if kept is None or kept[0] != made_of:
            with torch.inference_mode(False), torch.no_grad():
                kept = self._kept = made_of, halves, self._widened(halves, kind)
        return kept[2]

    @staticmethod
    def _widened(halves: tuple[Tensor, Tensor], kind: torch.dtype) -> Wide:
        directions, prototypes = (half.to(kind) for half in halves)
        return Wide(directions, prototypes, prototypes.square().sum(-1))

    def joint(self, gated: Tensor) -> Joint:
        """``[B, R, F]`` → what is seen of it ``[B, D]``, and the joint gate of every prototype ``[B, M]``."""
        kind = gated.dtype
        directions, prototypes, squares = self.wide(kind)
        seen = self.see(gated) @ directions.T
        return Joint(seen, joint_gate(seen, prototypes, self.scaled_variance.to(kind), squares=squares))

    def gates(self, gated: Tensor) -> Tensor:
        """``[B, R, F] → [B, M]``: the joint gate of every prototype."""
        return self.joint(gated).gates

    def forward(self, gated: Tensor) -> Tensor:
        logits: Tensor = self.output(self.gates(gated))
        return logits

    def direction_cells(self) -> Tensor:
        """The directions by cell, ``[D, L, F]``, in the precision of the output."""
        return self.wide(self.output.weight.dtype).directions.view(-1, self.n_layers, self.n_features)
