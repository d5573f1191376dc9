"""Sound encoders from transformers that take spectrograms: AST, wav2vec2-BERT and CLAP's audio part.

Letters in shapes: L layers, T tokens, F features.
"""

import math

import torch
from torch import Tensor
from transformers import ASTFeatureExtractor, ClapFeatureExtractor, SeamlessM4TFeatureExtractor

from daam_core.backbones.grids import area_matrix, widen
from daam_core.backbones.huggingface.audio import in_windows, silence
from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, EncoderFiles
from daam_core.backbones.huggingface.pretrained import Pretrained, TransformersPart, load_part
from daam_core.encoding import Encoding
from daam_core.errors import EncoderError
from daam_core.inputs import Input, Sound

NEEDS = SOUND_OR_PICTURE_FILES

#: Kaldi's spectrograms, which both AST and wav2vec2-BERT take, at 16 kHz.
WINDOW, HOP = 400, 160  # samples: 25 and 10 ms


class PretrainedAst(Pretrained):
    """Hidden states ``[L, T, F]`` of an Audio Spectrogram Transformer, one token for each step in time.

    AST sees patches of 16 mel bands × 16 frames, 10 apart either way. The patches of one time are one
    token here, their mean, so the mean over tokens is that over the patches; the two tokens in front
    (``[CLS]``, ``[DIST]``) stand for no time and are left out. A clip is filled up to the model's length,
    as it was when the model was trained, and what the model says of the filling is left out; a longer one
    is cut into windows that share no token.
    """

    modality = "audio"
    algorithm = "huggingface-ast-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        self._extractor = _extractor(files, ASTFeatureExtractor)
        config = model.config
        self._patch, self._step = config.patch_size, config.time_stride
        self._bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        self._times = (config.max_length - config.patch_size) // config.time_stride + 1
        found = (self._extractor.num_mel_bins, self._extractor.max_length)
        if found != (config.num_mel_bins, config.max_length):
            raise EncoderError(
                f"The feature extractor of '{files.name}' makes {found[0]} mel bands × {found[1]} frames, "
                f"and its model takes {config.num_mel_bins} × {config.max_length}; they do not belong "
                "together."
            )
        self.sample_rate = self._extractor.sampling_rate
        super().__init__(files, model, sha256=sha256, probe=silence(self.sample_rate))

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(self.sample_rate)
        frames = (len(sound.samples) - WINDOW) // HOP + 1
        # Patches whose middle lies in the clip, and one at least.
        count = max(1, math.ceil((frames - self._patch / 2) / self._step))
        length = self._extractor.max_length

        def states(start: int, end: int) -> Tensor:
            first = start * self._step
            piece = sound.samples[first * HOP : (first + length - 1) * HOP + WINDOW]
            made = self._extractor(piece, sampling_rate=self.sample_rate, return_tensors="pt")
            hidden = torch.cat(self._states(input_values=made["input_values"]))
            # Behind the tokens in front, all times of the lowest band come first.
            patches = hidden[:, -self._bands * self._times :]
            by_band: Tensor = patches.unflatten(1, (self._bands, self._times))
            return by_band.mean(1)[:, : end - start]

        second = 1 / self.sample_rate
        return in_windows(
            states,
            sound,
            count=count,
            stride=self._step * HOP * second,
            field=((self._patch - 1) * HOP + WINDOW) * second,
            context=self._times,
        )


class PretrainedWav2Vec2Bert(Pretrained):
    """Hidden states ``[L, T, F]`` of wav2vec2-BERT, one token for every two mel frames (20 ms)."""

    modality = "audio"
    algorithm = "huggingface-wav2vec2-bert-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        self._extractor = _extractor(files, SeamlessM4TFeatureExtractor)
        self.sample_rate = self._extractor.sampling_rate
        super().__init__(files, model, sha256=sha256, probe=silence(self.sample_rate))

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(self.sample_rate)
        made = self._extractor(
            sound.samples,
            sampling_rate=self.sample_rate,
            pad_to_multiple_of=None,  # an odd frame at the end is left out instead of padded
            return_tensors="pt",
        )
        frames: Tensor = made["input_features"].float()  # [1, T, mel bands of both frames]
        together = self._extractor.stride

        def states(start: int, end: int) -> Tensor:
            return torch.cat(self._states(input_features=frames[:, start:end]))

        second = 1 / self.sample_rate
        return in_windows(
            states,
            sound,
            count=frames.shape[1],
            stride=together * HOP * second,
            field=((together - 1) * HOP + WINDOW) * second,
        )


class PretrainedClap(Pretrained):
    """Hidden states ``[L, T, F]`` of CLAP's audio encoder (HTS-AT), a layer for each of its stages.

    The encoder is a Swin transformer on a spectrogram of ten seconds, which is cut in time into four pieces
    that are laid below each other. Here the rows of one time are one token, their mean, and every stage is
    brought to the first one's steps in time (78 ms in CLAP as published), its channels repeated to F.
    A shorter clip is repeated up to ten seconds, as in CLAP's training, and only the first time it is said
    counts; a longer one is cut into windows instead of pieces drawn at random.
    """

    modality = "audio"
    algorithm = "huggingface-clap-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        self._extractor = _extractor(files, ClapFeatureExtractor)
        config = model.config
        self._fusion = "fusion" if config.enable_fusion else "rand_trunc"
        self._folds = config.spec_size // config.num_mel_bins  # pieces of time below each other
        stride = config.patch_stride if isinstance(config.patch_stride, int) else config.patch_stride[-1]
        halved = 2 if len(config.depths) > 1 else 1  # every stage but the last one ends by halving both sides
        self._times = self._folds * (config.spec_size // stride // halved)
        self.sample_rate = self._extractor.sampling_rate
        super().__init__(files, model, sha256=sha256, probe=silence(self.sample_rate))

    def encode(self, given: Input) -> Encoding:
        """Encode a clip of 0.1 s to 10 min."""
        sound = self.taken(given, Sound).at(self.sample_rate)
        step = self._extractor.nb_max_samples / self._times  # samples

        def states(start: int, end: int) -> Tensor:
            piece = sound.samples[round(start * step) : round(end * step)]
            made = self._extractor(
                piece, sampling_rate=self.sample_rate, truncation=self._fusion, return_tensors="pt"
            )
            stages = self._states(input_features=made["input_features"].float(), is_longer=made["is_longer"])
            over_time = [self._over_time(stage[0]) for stage in stages]
            n_features = max(stage.shape[-1] for stage in over_time)
            return torch.stack([widen(stage, n_features) for stage in over_time])[:, : end - start]

        return in_windows(
            states,
            sound,
            count=math.ceil(len(sound.samples) / step),
            stride=step / self.sample_rate,
            field=step / self.sample_rate,
            context=self._times,
        )

    def _over_time(self, stage: Tensor) -> Tensor:
        """A stage's ``[channels, rows, columns]`` as ``[times, channels]``, by area."""
        by_piece: Tensor = stage.unflatten(1, (self._folds, -1))
        pieces = by_piece.mean(2).flatten(1).T
        return area_matrix(len(pieces), self._times) @ pieces


def _extractor(files: EncoderFiles, kind: type) -> TransformersPart:
    """The feature extractor, of the kind that the model was trained with."""
    found = load_part("AutoFeatureExtractor", files, what="feature extractor")
    if not isinstance(found, kind):
        raise EncoderError(
            f"The feature extractor of '{files.name}' is {type(found).__name__}, and its model takes "
            f"{kind.__name__}'s spectrograms; give the file that was saved with the model."
        )
    return found
