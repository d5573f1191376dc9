"""What all kernels compute: which layers each head sees, and with which gate."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heads:
    """Which layers each head sees, and with which gate.

    Attributes:
        heads: H.
        layers: L.
        shared: every head sees all layers; else each its own group, the last the rest too.
        mixture: gates sum to 1 over a head's layers.
    """

    heads: int
    layers: int
    shared: bool
    mixture: bool

    @property
    def rows(self) -> int:
        """R."""
        return self.heads * self.layers if self.shared else self.layers


class NotFiniteError(Exception):
    """A kernel met a number that is not finite."""
