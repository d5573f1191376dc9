"""Text encoders and decoder-only language models from transformers, one token a word piece."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.backbones.grids import widen
from daam_core.backbones.huggingface.hub import TEXT_FILES, EncoderFiles
from daam_core.backbones.huggingface.layer_outputs import LayerOutputs
from daam_core.backbones.huggingface.pretrained import Pretrained, TransformersPart, load_part
from daam_core.backbones.text import check_pieces, window_starts
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import EncoderError, InputError
from daam_core.inputs import Input, Text, read_text
from daam_core.progress import stop_if_asked

NEEDS = TEXT_FILES

#: Positions in a window where the model itself would take more: bounds time and memory.
MAX_CONTEXT = 2048
#: A text is refused after its first window where all of them would take longer.
MAX_SECONDS = 120.0
#: The hidden states of one text fill at most this many bytes.
MAX_BYTES = 2 << 30

#: The piece that stands for a space before a word, and has the span of the word's first letter.
_SPACE = "▁"
NOWHERE = (np.nan, np.nan)  # the span of a special token

#: Model types that number positions from ``pad_token_id + 1``, so that fewer are left for tokens.
_SHIFTED_POSITIONS = {"roberta", "camembert", "xlm-roberta", "mpnet", "data2vec-text", "clap_text_model"}


class PretrainedText(Pretrained):
    """Hidden states ``[L, T, F]`` of a text.

    The tokenizer's own special tokens stand around every window and have no span. A text longer than
    the model's context is cut between words into windows of nearly equal length: every word is
    encoded once, and the mean runs over all positions of all windows.
    """

    modality = "text"
    algorithm = "huggingface-text-1"
    together = True

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        self._tokenizer: TransformersPart = load_part("AutoTokenizer", files, what="tokenizer")
        if not getattr(self._tokenizer, "is_fast", False):
            raise EncoderError(
                f"The tokenizer of '{files.name}' does not say where its pieces stand in the text; save it "
                "as a fast tokenizer (tokenizer.json)."
            )
        self._context = context_length(model.config, self._tokenizer)
        self._n_embeddings = model.get_input_embeddings().num_embeddings
        super().__init__(files, model, sha256=sha256, probe=read_text("a"))
        self._layers = LayerOutputs(self._model, self._there({"input_ids": self._few()}))
        self._fills = self._overlooks_filling(self._few())

    def with_module(self, module: nn.Module) -> Self:
        other = super().with_module(module)
        other._layers = LayerOutputs(module, other._there({"input_ids": self._few()}))
        return other

    def _few(self) -> Tensor:
        """The pieces ``[1, T]`` of a short text."""
        return torch.tensor([self._tokenizer("a")["input_ids"]])

    def encode(self, given: Input) -> Encoding:
        """Encode a text.

        Raises:
            InputError: it is not usable, or so long that it would take too much time or memory.
        """
        cut = self._cut(given)
        text, starts, (before, body, after) = cut.read.content, cut.starts, cut.pieces
        total = len(body) + len(starts) * (len(before) + len(after))
        self._check_size(total)

        # Filled window by window: a long text's hidden states are too large to hold twice.
        hidden = torch.empty(0)
        spans: list[tuple[float, float]] = []
        labels: list[str] = []
        started = time.monotonic()
        for start, end in pairwise([*starts, len(body)]):
            stop_if_asked()
            window = self._hidden([*before, *body[start:end], *after])
            if not labels:
                self._check_time((time.monotonic() - started) * len(starts), len(text))
                hidden = torch.empty(window.shape[0], total, window.shape[2])
            hidden[:, len(labels) : len(labels) + window.shape[1]] = window
            pieces = [trimmed(text, *offset) for offset in cut.offsets[start:end]]
            spans += [NOWHERE] * len(before) + pieces + [NOWHERE] * len(after)
            labels += self._names(before) + self._labels(text, body[start:end], pieces) + self._names(after)
        tokens = Tokens("text", np.array(spans, dtype=np.float64), tuple(labels), np.ones(total))
        facts = cut.read.record | {"word_pieces": len(body), "windows": len(starts)}
        return Encoding(hidden, tokens, facts, text)

    def pooled(self, given: Sequence[Input]) -> list[Tensor]:
        """Means over tokens ``[L, F]`` of texts: their windows sorted by length, several at a time, and each
        layer's hidden states dropped as soon as they are summed. So a text may be of any length.
        """
        texts = [self._cut(one) for one in given]
        windows = [(number, ids) for number, text in enumerate(texts) for ids in text.windows()]
        windows.sort(key=lambda window: len(window[1]))
        sums: dict[int, Tensor] = {}
        for batch in _batches(windows, mixed=self._fills):
            stop_if_asked()
            longest = len(batch[-1][1])
            ids = torch.tensor([ids + [0] * (longest - len(ids)) for _, ids in batch])
            kept = torch.tensor([[i < len(ids) for i in range(longest)] for _, ids in batch])
            filled = {} if bool(kept.all()) else {"attention_mask": kept.long()}
            layers = self._sums(kept, input_ids=ids, **filled)
            n_features = max(layer.shape[-1] for layer in layers)
            found = torch.stack([widen(layer, n_features) for layer in layers], dim=1)  # [B, L, F]
            for (number, _), of_window in zip(batch, found, strict=True):
                sums[number] = sums.get(number, 0) + of_window
        return [sums[number] / sum(map(len, text.windows())) for number, text in enumerate(texts)]

    def _sums(self, kept: Tensor, **inputs: Tensor) -> list[Tensor]:
        """Sums over tokens ``[B, F]`` of every layer.

        Args:
            kept: ``[B, T]``, true for a token that counts and false for filling.
            inputs: of the model.
        """
        weights = kept.to(self._model.device, torch.float32)

        def summed(state: Tensor) -> Tensor:
            return torch.einsum("btf,bt->bf", state.float(), weights).cpu()

        return self._layers.reduced(summed, self._there(inputs))

    def _overlooks_filling(self, ids: Tensor) -> bool:
        """Whether a window's hidden states stay what they are when another one beside it is longer.

        Not so in ConvBERT, whose convolutions do not know the mask.
        """
        kept = torch.ones_like(ids)
        filled, mask = (torch.nn.functional.pad(given, (0, 2)) for given in (ids, kept))
        try:
            alone = self._sums(kept, input_ids=ids)
            beside = self._sums(mask, input_ids=filled, attention_mask=mask)
        except (TypeError, ValueError, RuntimeError):
            return False
        tolerance = 1e-4 if self._model.dtype == torch.float32 else 2e-2
        return all(
            float((one - other).abs().max()) <= tolerance * float(one.abs().max())
            for one, other in zip(alone, beside, strict=True)
        )

    def _cut(self, given: Input) -> "_CutText":
        """A text's pieces and where its windows start."""
        read = self.taken(given, Text)
        text = read.content
        # A "[SEP]" or "</s>" that a person wrote is text like any other.
        encoded = self._tokenizer(
            text,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            split_special_tokens=True,
            verbose=False,
        )
        ids = encoded["input_ids"]
        first, last = _body(encoded["special_tokens_mask"])
        if first == last:
            raise InputError("The text holds no letter, digit or sign that the encoder can read.")
        if max(ids) >= self._n_embeddings:
            raise EncoderError(
                f"The tokenizer of '{self.name}' knows piece {max(ids)}, but its weights hold only "
                f"{self._n_embeddings}; they do not belong together."
            )
        check_pieces(last - first, len(text))
        before, body, after = ids[:first], ids[first:last], ids[last:]
        offsets = encoded["offset_mapping"][first:last]
        size = self._context - len(before) - len(after)
        starts = window_starts(word_numbers(text, offsets, longest=size), size=size)
        return _CutText(read, (before, body, after), offsets, starts)

    def _hidden(self, ids: list[int]) -> Tensor:
        """One window's ``[L, T, F]``; OPT's last layer is narrower than its others in some sizes."""
        states = [state[0] for state in self._states(input_ids=torch.tensor([ids]))]
        n_features = max(state.shape[-1] for state in states)
        return torch.stack([widen(state, n_features) for state in states])

    def _labels(self, text: str, ids: list[int], pieces: list[tuple[int, int]]) -> list[str]:
        """What each piece says in the text, or its own name where that is nothing.

        A letter of several pieces, as byte-level tokenizers make them, is numbered: ``語 (1/3)``.
        """
        labels = []
        for (start, end), same in groupby(zip(pieces, self._names(ids), strict=True), key=itemgetter(0)):
            names = [name for _, name in same]
            said = text[start:end]
            of_letter = len(names) - names.count(_SPACE)
            parts = numbered(said, of_letter) if of_letter > 1 and said.strip() else [said] * of_letter
            left = iter(parts)
            labels += [(said if name == _SPACE else next(left)) or name for name in names]
        return labels

    def _names(self, ids: list[int]) -> list[str]:
        names: list[str] = self._tokenizer.convert_ids_to_tokens(ids)
        return names

    def _check_time(self, expected: float, characters: int) -> None:
        if expected > MAX_SECONDS:
            raise InputError(
                f"The text would keep '{self.name}' busy for about {expected:,.0f} s on this computer, more "
                f"than {MAX_SECONDS:.0f} s: give a part of it, of about "
                f"{int(characters * MAX_SECONDS / expected):,} characters."
            )

    def _check_size(self, n_tokens: int) -> None:
        most = MAX_BYTES // (4 * self.n_layers * self.n_features) if self.n_layers else n_tokens
        if n_tokens > most:
            raise InputError(
                f"The text is {n_tokens:,} word pieces long; with the {self.n_layers} layers and "
                f"{self.n_features:,} features of '{self.name}', {most:,} fit into memory: give a part of it."
            )


@dataclass(frozen=True)
class _CutText:
    """A text's word pieces, with those that stand around every window, and where windows start."""

    read: Text
    pieces: tuple[list[int], list[int], list[int]]
    offsets: list[tuple[int, int]]
    starts: list[int]

    def windows(self) -> list[list[int]]:
        before, body, after = self.pieces
        return [[*before, *body[start:end], *after] for start, end in pairwise([*self.starts, len(body)])]


def _batches(windows: list[tuple[int, list[int]]], *, mixed: bool) -> Iterator[list[tuple[int, list[int]]]]:
    """Windows, sorted by length, in batches of at most :data:`MAX_CONTEXT` positions, or of one.

    Args:
        windows: number of the text, and pieces.
        mixed: whether lengths may differ in a batch.
    """
    batch: list[tuple[int, list[int]]] = []
    for window in windows:
        other = not mixed and batch and len(batch[0][1]) != len(window[1])
        if batch and (other or (len(batch) + 1) * len(window[1]) > MAX_CONTEXT):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def numbered(letter: str, count: int) -> list[str]:
    """Names of the pieces of one letter.

    >>> numbered("語", 2)
    ['語 (1/2)', '語 (2/2)']
    """
    return [f"{letter} ({number}/{count})" for number in range(1, count + 1)]


def context_length(config: TransformersPart, tokenizer: TransformersPart) -> int:
    """Positions in a window, special tokens included: the least of what model, tokenizer and memory allow.

    Raises:
        EncoderError: fewer than one word piece fits beside the special tokens.
    """
    limits = [MAX_CONTEXT, tokenizer.model_max_length]
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        shift = (config.pad_token_id or 0) + 1 if config.model_type in _SHIFTED_POSITIONS else 0
        limits.append(positions - shift)
    context = int(min(limits))
    if context <= tokenizer.num_special_tokens_to_add():
        raise EncoderError(
            f"The encoder's context of {context} positions leaves no room for a word; check its "
            "configuration (max_position_embeddings, and model_max_length of its tokenizer)."
        )
    return context


def word_numbers(text: str, offsets: list[tuple[int, int]], *, longest: int) -> list[int | None]:
    """The number of the white-space separated word that each piece belongs to.

    A run of more than ``longest`` pieces without white space, as in Chinese, counts as several.

    >>> word_numbers("to  be or", [(0, 2), (2, 4), (4, 5), (5, 6), (6, 9)], longest=8)
    [0, 0, 1, 1, 2]
    """
    numbers: list[int | None] = []
    number, length, reached = 0, 0, 0
    for offset in offsets:
        start, _ = trimmed(text, *offset)
        if numbers and (length == longest or any(sign.isspace() for sign in text[reached:start])):
            number, length = number + 1, 0
        numbers.append(number)
        length, reached = length + 1, start
    return numbers


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A piece's span without the white space that some tokenizers count to it, unless it is all there is.

    >>> trimmed("to be", 2, 5)
    (3, 5)
    """
    piece = text[start:end]
    if not piece.strip():
        return start, end
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def _body(special: list[int]) -> tuple[int, int]:
    """First and last position between the special tokens that the tokenizer put around the text."""
    first, last = 0, len(special)
    while first < last and special[first]:
        first += 1
    while first < last and special[last - 1]:
        last -= 1
    return first, last
