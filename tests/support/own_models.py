"""Models of somebody's own with density attention inside, trained here in seconds on sentences made here."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from gaussian_adaptive_attention import GaussianBlock, MultiHeadGaussianAdaptiveAttention
from torch import Tensor, nn

from daam_core.attaching import Prepared
from daam_core.blocks import DensityEncoderLayer
from daam_core.encoding import Tokens

CLASSES = ("harvest", "storm")
_TELLING = (("wheat", "barley", "orchard"), ("thunder", "gale", "lightning"))
_FILLING = "the in of a near old river with long after some house before day two stood road by field".split()
WORDS = ("[pad]", *_FILLING, *_TELLING[0], *_TELLING[1])
FEATURES = 16


def sentences(count: int, *, seed: int, length: int = 9) -> tuple[list[str], Tensor]:
    """Sentences of filling words with one or two that tell the class."""
    draw = np.random.default_rng(seed)
    texts = []
    for index in range(count):
        words = list(draw.choice(_FILLING, length))
        for place in draw.choice(length, int(draw.integers(1, 3)), replace=False):
            words[place] = str(draw.choice(_TELLING[index % 2]))
        texts.append(" ".join(words))
    return texts, torch.arange(count) % 2


def numbers(text: str) -> Tensor:
    """``[1, N]`` a word's place in the list."""
    return torch.tensor([[WORDS.index(word) for word in text.split()]])


def prepare(text: str) -> Prepared:
    """What a model here is called with, and where its words stand."""
    labels, spans, end = text.split(), [], 0
    for word in labels:
        start = text.index(word, end)
        end = start + len(word)
        spans.append((start, end))
    tokens = Tokens("text", np.array(spans, dtype=float), tuple(labels), np.ones(len(labels)))
    return Prepared(numbers(text), tokens, text)


class Reader(nn.Module):
    """Words → attention over them → their mean → a class."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(WORDS), FEATURES)
        self.attention = attention
        self.decide = nn.Linear(FEATURES, len(CLASSES))

    def forward(self, words: Tensor) -> Tensor:
        logits: Tensor = self.decide(self.attention(self.embed(words)).mean(1))
        return logits


_ATTENTIONS: dict[str, Callable[[], nn.Module]] = {
    "several heads": lambda: MultiHeadGaussianAdaptiveAttention(1, 2, 3),
    "block": lambda: GaussianBlock([1, 2], [1, 2], [2, 2], 2),
    "transformer": lambda: nn.Sequential(
        *(DensityEncoderLayer(FEATURES, 2, dim_feedforward=32, dropout=0.1) for _ in range(2))
    ),
}


@cache
def trained(kind: str) -> Reader:
    """A reader of a kind, trained: it knows nearly every new sentence. Whoever changes it takes a copy."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reader = Reader(_ATTENTIONS[kind]())
        texts, labels = sentences(400, seed=1)
        words = torch.cat([numbers(text) for text in texts])
        optimiser = torch.optim.AdamW(reader.parameters(), lr=0.05)
        for _ in range(60):
            optimiser.zero_grad()
            nn.functional.cross_entropy(reader(words), labels).backward()
            optimiser.step()
    return reader.eval()
