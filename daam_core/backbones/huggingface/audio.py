"""Speech encoders from transformers: on raw samples (wav2vec 2.0 and its relatives), and Whisper."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from transformers import Wav2Vec2FeatureExtractor

from daam_core.backbones.audio import (
    CONTEXT,
    FRAMES_PER_TOKEN,
    HOP,
    TOKEN_SECONDS,
    WINDOW,
    encoder_states,
    grouped_means,
    log_mel,
    window_and_group,
)
from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, EncoderFiles
from daam_core.backbones.huggingface.pretrained import Pretrained, TransformersPart, here, load_part
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import EncoderError
from daam_core.inputs import SAMPLE_RATE, Input, Sound, read_sound
from daam_core.inputs.limits import MIN_SECONDS
from daam_core.progress import stop_if_asked

NEEDS = SOUND_OR_PICTURE_FILES


class PretrainedWaveform(Pretrained):
    """Hidden states ``[L, T, F]`` of an encoder on raw samples such as WavLM, HuBERT or wav2vec 2.0.

    A clip of more than 1500 frames (30 s) is cut into windows that share no frame and skip none, and
    neighbouring frames are averaged, as for the built-in Whisper: memory stays bounded, the mean over
    all frames is the same.
    """

    modality = "audio"
    algorithm = "huggingface-waveform-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        self._extractor = load_part("AutoFeatureExtractor", files, what="feature extractor")
        if not isinstance(self._extractor, Wav2Vec2FeatureExtractor):
            raise EncoderError(
                f"The feature extractor of '{files.name}' ({type(self._extractor).__name__}) is not one of "
                "raw samples (Wav2Vec2FeatureExtractor); give the file that was saved with the model."
            )
        config = model.config
        self.sample_rate = _rate(self._extractor, files)
        if not hasattr(config, "conv_stride") or not hasattr(config, "conv_kernel"):
            raise EncoderError(
                f"'{files.name}' is of type '{config.model_type}', whose configuration does not say where "
                "its frames lie (conv_kernel and conv_stride); it is not supported."
            )
        # SEW's layers see the mean of neighbouring frames.
        squeezed = getattr(config, "squeeze_factor", 1)
        step = math.prod(config.conv_stride)
        self._stride = squeezed * step
        self._field = receptive_field(config.conv_kernel, config.conv_stride) + (squeezed - 1) * step
        super().__init__(files, model, sha256=sha256, probe=silence(self.sample_rate))

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(self.sample_rate)
        values = self._values(sound)

        def states(start: int, end: int) -> Tensor:
            # The last samples are in no frame, but in the statistics of models that normalise over time.
            last = len(values) if end == count else (end - 1) * self._stride + self._field
            piece = values[start * self._stride : last]
            return torch.cat(self._states(input_values=torch.from_numpy(piece)[None]))

        count = (len(values) - self._field) // self._stride + 1
        stride, field = self._stride / self.sample_rate, self._field / self.sample_rate
        return in_windows(states, sound, count=count, stride=stride, field=field)

    def _values(self, sound: Sound) -> np.ndarray:
        """``[N]`` float32 as the model takes them; a clip shorter than one frame is followed by silence."""
        prepared = self._extractor(sound.samples, sampling_rate=self.sample_rate, return_tensors="np")
        values = np.asarray(prepared["input_values"][0], dtype=np.float32)
        return np.pad(values, (0, max(0, self._field - len(values))))


class PretrainedWhisper(Pretrained):
    """Hidden states ``[L, T, F]`` of a Whisper encoder, as the built-in one: on the clip's own length."""

    modality = "audio"
    algorithm = "huggingface-whisper-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        extractor = load_part("AutoFeatureExtractor", files, what="feature extractor")
        config = model.config
        self._n_mel = config.num_mel_bins
        names = ("sampling_rate", "n_fft", "hop_length", "feature_size")
        found = tuple(getattr(extractor, name, None) for name in names)
        expected = (SAMPLE_RATE, WINDOW, HOP, self._n_mel)
        if found != expected or config.max_source_positions != CONTEXT:
            raise EncoderError(
                f"'{files.name}' departs from Whisper's spectrogram: rate, window, hop and mel bands are "
                f"{found} instead of {expected}, or its context is not {CONTEXT} frames."
            )
        super().__init__(files, model, sha256=sha256, probe=silence(SAMPLE_RATE))

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(SAMPLE_RATE)
        mel = log_mel(sound.samples, n_mel=self._n_mel)

        def states(start: int, end: int) -> Tensor:
            frames = mel[:, FRAMES_PER_TOKEN * start : FRAMES_PER_TOKEN * end]
            return here(encoder_states(self._model, frames.to(self._model.device, self._model.dtype)))

        count = -(-mel.shape[1] // FRAMES_PER_TOKEN)
        return in_windows(states, sound, count=count, stride=TOKEN_SECONDS, field=TOKEN_SECONDS)


def in_windows(
    states: Callable[[int, int], Tensor],
    sound: Sound,
    *,
    count: int,
    stride: float,
    field: float,
    context: int = CONTEXT,
) -> Encoding:
    """Encode a clip of ``count`` frames, averaging neighbours where it is long.

    Args:
        states: from first and end of a window's frames to its hidden states ``[L, end − first, F]``.
        sound: the clip.
        count: its frames.
        stride: seconds between frames.
        field: seconds that a frame stands for.
        context: frames that a window has at most.
    """
    size, group = window_and_group(count, context=context)
    hidden, weights = [], []
    for start in range(0, count, size):
        stop_if_asked()
        end = min(start + size, count)
        hidden.append(grouped_means(states(start, end), group))
        weights += [min(group, end - first) for first in range(start, end, group)]
    tokens = frame_tokens(np.array(weights, float), seconds=sound.seconds, stride=stride, field=field)
    facts = sound.record | {"windows": len(hidden), "tokens_averaged": group}
    return Encoding(torch.cat(hidden, dim=1), tokens, facts)


def receptive_field(kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Samples that one frame of a stack of convolutions without padding sees.

    >>> receptive_field((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))  # wav2vec 2.0: 25 ms
    400
    """
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step *= stride
    return field


def frame_tokens(weights: np.ndarray, *, seconds: float, stride: float, field: float) -> Tokens:
    """Tokens ``[T]`` of ``weights`` frames each, every frame around the middle of what it sees.

    Spans meet halfway between the middles of neighbouring frames; the first starts and the last ends
    where its frames start and end to see, all within the clip.

    Args:
        weights: frames in each token.
        seconds: length of the clip.
        stride: seconds between frames.
        field: seconds that a frame sees.
    """
    reached = np.concatenate([[0.0], np.cumsum(weights)])
    edges = reached * stride + (field - stride) / 2
    edges[0], edges[-1] = 0.0, (reached[-1] - 1) * stride + field
    edges = edges.clip(0.0, seconds)
    spans = np.stack([edges[:-1], edges[1:]], axis=1)
    return Tokens("audio", spans, tuple(f"{start:.2f} s" for start in edges[:-1]), weights)


def _rate(extractor: TransformersPart, files: EncoderFiles) -> int:
    rate = getattr(extractor, "sampling_rate", None)
    if not isinstance(rate, int) or rate < 1:
        raise EncoderError(
            f"The feature extractor of '{files.name}' ({type(extractor).__name__}) names no sampling rate."
        )
    return rate


def silence(rate: int) -> Sound:
    return read_sound((np.zeros(math.ceil(MIN_SECONDS * rate), np.float32), rate), rate=rate)
