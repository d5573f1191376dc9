"""Gates that say nothing though the training ended: closed, open for everything, or the same for every input.

Letters: N inputs, H heads, R rows (see ``layers``), F features.
"""

import torch
from torch import Tensor

from daam_core.model import DaamClassifier
from daam_core.reading.heads import CLOSED

#: A gate that is higher, or varies less than this on all of its cells does not gate.
OPEN, CONSTANT = 0.99, 1e-3
#: Inputs that are looked at.
MOST_INPUTS = 512


@torch.no_grad()
def gate_faults(classifier: DaamClassifier, features: Tensor) -> tuple[str, ...]:
    """One sentence for each kind of head whose gate says nothing, over pooled features ``[N, L, F]``."""
    attention = classifier.attention
    gate = attention.gate(classifier.standardise(features[:MOST_INPUTS].float()))  # [N, R, F]
    found: dict[str, list[int]] = {"closed": [], "open": [], "constant": []}
    meant_open = 1 if classifier.config.decoder == "density" else 0
    for head in range(meant_open, attention.n_heads):
        own = gate[:, attention.head_of_row == head]
        if own.max() < CLOSED:
            found["closed"].append(head)
        elif attention.gate_kind == "density" and own.min() > OPEN:
            found["open"].append(head)
        elif len(own) > 1 and (own.amax(0) - own.amin(0)).max() < CONSTANT:
            found["constant"].append(head)
    said = {
        "closed": "lets nothing through, it is dead. Give the gate a smaller learning rate, offsets of less "
        "spread, or no gate penalty",
        "open": "lets everything through, it does not gate. Give the gate a higher learning rate or a gate "
        "penalty",
        "constant": "is the same for every input, it does not depend on what it sees. Give the gate a "
        "smaller learning rate, or check that inputs differ",
    }
    return tuple(
        f"Head{'s' if len(heads) > 1 else ''} {', '.join(map(str, heads))}: the gate {said[kind]}."
        for kind, heads in found.items()
        if heads
    )
