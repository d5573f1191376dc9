"""Rivals that need more than pooled features: the inputs, and every token's hidden state.

They are given the inputs' numbers ``[N]`` and hold the inputs. Letters: N and B inputs, T tokens, F features,
C classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from daam_core.backbones.base import Backbone
from daam_core.inputs import Input, read_input
from daam_core.layers import DEVIATION_FLOOR, Standardisation
from daam_core.training.data import Given

#: Units of the layer that says how much a token counts.
BOTTLENECK = 128


@dataclass(frozen=True)
class Sources:
    """The inputs behind features, in their order, and their encoder."""

    inputs: Sequence[Given]
    backbone: Backbone

    def read(self, number: int) -> Input:
        """An input as the encoder takes it."""
        return read_input(self.inputs[number], self.backbone.modality, rate=self.backbone.sample_rate)

    @cached_property
    def tokens(self) -> list[tuple[Tensor, Tensor]]:
        """Last layer's hidden states ``[T, F]`` in half precision and log shares ``[T]`` of every input."""
        return list(self._encoded())

    def _encoded(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number in range(len(self.inputs)):
            encoding = self.backbone.encode(self.read(number))
            yield encoding.hidden[-1].half(), torch.as_tensor(encoding.tokens.shares).log().float()


class TokenStatistics(Standardisation):
    """By each feature's mean and deviation over the tokens of training inputs."""

    def __init__(self, sources: Sources, n_features: int) -> None:
        super().__init__(1, n_features)
        self._sources = sources

    @torch.no_grad()
    def fit(self, numbers: Tensor) -> None:
        """Take both from the inputs of these numbers."""
        states = (self._sources.tokens[number][0].float() for number in numbers.tolist())
        moments = torch.stack([torch.stack([one.mean(0), one.square().mean(0)]) for one in states]).mean(0)
        self.mean.copy_(moments[0])
        self.deviation.copy_((moments[1] - moments[0].square()).clamp_min(DEVIATION_FLOOR**2).sqrt())


class AttentiveStatistics(nn.Module):
    """Mean and deviation over tokens, weighted by a small network (Okabe et al., 2018), on the last layer.

    ``numbers [B] → [B, C]``. The network's answer stands beside each token's share in the plain mean, which
    it starts from.
    """

    def __init__(self, sources: Sources, n_features: int, n_classes: int) -> None:
        super().__init__()
        self._sources = sources
        self.standardisation = TokenStatistics(sources, n_features)
        last = nn.Linear(BOTTLENECK, 1)
        nn.init.zeros_(last.weight)
        self.score = nn.Sequential(nn.Linear(n_features, BOTTLENECK), nn.Tanh(), last)
        self.decoder = nn.Linear(2 * n_features, n_classes)

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        return ()

    def forward(self, numbers: Tensor) -> Tensor:
        chosen = [self._sources.tokens[number] for number in numbers.tolist()]
        x = pad_sequence([states for states, _ in chosen], batch_first=True).float()  # [B, T, F]
        x = self.standardisation(x)
        shares = pad_sequence([one for _, one in chosen], batch_first=True, padding_value=-torch.inf)
        weights = (self.score(x).squeeze(-1) + shares).softmax(-1)
        mean = torch.einsum("bt,btf->bf", weights, x)
        spread = torch.einsum("bt,btf->bf", weights, (x - mean[:, None]).square()).clamp_min(1e-6).sqrt()
        logits: Tensor = self.decoder(torch.cat([mean, spread], dim=-1))
        return logits
