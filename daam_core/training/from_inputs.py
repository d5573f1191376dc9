"""Rivals that need more than pooled features: every token's hidden state, or the encoder itself.

They are given the inputs' numbers ``[N]`` and hold the inputs. Letters: N and B inputs, T tokens, F features,
C classes.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from daam_core.backbones.base import Backbone
from daam_core.errors import ConfigError
from daam_core.inputs import Text, read_input
from daam_core.layers import DEVIATION_FLOOR, Standardisation
from daam_core.training.data import Given

#: Units of the layer that says how much a token counts.
BOTTLENECK = 128
#: Rank and scale of the matrices that are added to the encoder's.
RANK, SCALE = 8, 16
#: Inputs whose frozen features say how large the encoder's values are.
SIZED_BY = 256
#: Texts that the encoder sees at one time.
TEXTS_AT_ONCE = 32

Adaptation = Literal["lora", "lora_plus"]


@dataclass(frozen=True)
class Sources:
    """The inputs behind features, in their order, and their encoder."""

    inputs: Sequence[Given]
    backbone: Backbone

    @cached_property
    def tokens(self) -> list[tuple[Tensor, Tensor]]:
        """Last layer's hidden states ``[T, F]`` in half precision and log shares ``[T]`` of every input."""
        return list(self._encoded())

    def _encoded(self) -> Iterator[tuple[Tensor, Tensor]]:
        for given in self.inputs:
            read = read_input(given, self.backbone.modality, rate=self.backbone.sample_rate)
            encoding = self.backbone.encode(read)
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


class FrozenSize(Standardisation):
    """By the frozen encoder's pooled last layer, over some of the training inputs."""

    def __init__(self, encoder: "AdaptedEncoder", n_features: int) -> None:
        super().__init__(1, n_features)
        self._encoder = [encoder]  # in a list, so that it is no part of this module

    @torch.no_grad()
    def fit(self, numbers: Tensor) -> None:
        """Take both from the first inputs of these numbers."""
        super().fit(self._encoder[0].pooled(numbers[:SIZED_BY]).unsqueeze(1))


class AdaptedEncoder(nn.Module):
    """The encoder with low-rank matrices added to its query and key projections, by peft, and a linear layer.

    ``numbers [B] → [B, C]``. A text counts with its first window of word pieces.
    """

    def __init__(self, sources: Sources, n_classes: int, *, adaptation: Adaptation) -> None:
        try:
            from peft import LoraConfig, get_peft_model
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"The method {adaptation} needs the package {error.name}, which is not installed; get it "
                "with: pip install 'daam-explorer[lora]'"
            ) from error

        from daam_core.backbones.text import MiniLM

        super().__init__()
        backbone = sources.backbone
        if not isinstance(backbone, MiniLM):
            raise ConfigError(
                f"The method {adaptation} trains the encoder itself, which is there for minilm-l6 (texts) "
                f"and not for {backbone.name}; leave it out with --methods, or take --backbone minilm-l6."
            )
        self.adaptation = adaptation
        self._texts = backbone.batches([_text(given) for given in sources.inputs])
        settings = LoraConfig(r=RANK, lora_alpha=SCALE, target_modules=["query", "key"])
        self.encoder = get_peft_model(copy.deepcopy(backbone.model), settings)
        self.standardisation = FrozenSize(self, backbone.n_features)
        self.decoder = nn.Linear(backbone.n_features, n_classes)

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """For ``lora_plus`` the second matrices, which start at 0 and may learn faster."""
        return list(self._second()) if self.adaptation == "lora_plus" else ()

    def _second(self) -> Iterable[nn.Parameter]:
        return (one for name, one in self.encoder.named_parameters() if "lora_B" in name)

    def pooled(self, numbers: Tensor) -> Tensor:
        """``[B] → [B, F]``: mean over tokens of the last layer."""
        found = []
        for part in numbers.split(TEXTS_AT_ONCE):
            ids, mask = self._texts.batch(part.tolist())
            states = self.encoder(ids, attention_mask=mask).last_hidden_state
            shares = mask / mask.sum(-1, keepdim=True)
            found.append(torch.einsum("btf,bt->bf", states, shares))
        return torch.cat(found)

    def forward(self, numbers: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.standardisation(self.pooled(numbers)))
        return logits


def _text(given: Given) -> Text:
    read = read_input(given, "text")
    if not isinstance(read, Text):
        raise ConfigError("Only texts can be learned from by this encoder.")
    return read
