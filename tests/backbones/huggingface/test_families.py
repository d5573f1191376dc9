"""Any Hugging Face encoder: tiny models of every supported type, against direct transformers calls."""

import json
import re
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from daam_core.backbones import load_backbone, text, weights
from daam_core.backbones.audio import log_mel
from daam_core.backbones.base import Backbone
from daam_core.backbones.grids import regrid, widen
from daam_core.backbones.huggingface.audio import frame_tokens, receptive_field
from daam_core.backbones.huggingface.families import FAMILIES, load_huggingface
from daam_core.backbones.huggingface.places import misplaced
from daam_core.backbones.huggingface.text import PretrainedText, context_length, trimmed, word_numbers
from daam_core.backbones.placing import Placing
from daam_core.backbones.text import window_starts
from daam_core.encoding import Encoding, pool
from daam_core.errors import EncoderError, InputError
from daam_core.inputs import read_text
from tests.support import tiny_models as tiny
from tests.support.encode import encode

TEXT_TYPES, PATCH_TYPES, WAVEFORM_TYPES, STAGE_TYPES = (
    [kind for family in FAMILIES if family.adapter[1] == adapter for kind in family.model_types]
    for adapter in ("PretrainedText", "PretrainedPatches", "PretrainedWaveform", "PretrainedStages")
)
SENTENCE = "The quick zebras explain five jugs."
LONG_TEXT = " ".join(f"{sentence} ({i})" for i in range(12) for sentence in tiny.CORPUS)
TOKENIZERS = {"WordPiece": tiny.wordpiece, "byte level": tiny.byte_level, "metaspace": tiny.metaspace}
#: How each type's own tokenizers split; transformers overrules others for Qwen.
TOKENIZER_OF = {"gpt2": "byte level", "qwen2": "byte level", "qwen3": "byte level", "llama": "metaspace"}
TOKENIZER_OF |= dict.fromkeys(("clip", "siglip", "siglip2", "clap"), "byte level")
#: The class that holds a type's text or picture part alone.
TEXT_CLASS = {
    **{kind: f"{kind.upper()}EncoderModel" for kind in ("t5", "mt5", "umt5")},
    **{
        f"{kind.lower()}{end}": f"{kind}TextModel"
        for kind in ("CLIP", "Siglip", "Siglip2")
        for end in ("", "_text_model")
    },
    "clap_text_model": "ClapTextModel",
}

#: What is asked for; some types hold a part for texts and one for pictures or sounds.
MODALITY_OF = {tiny.save_text: "text", tiny.save_patches: "image"}

Load = Callable[..., Backbone]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``folders(save, *args, **settings)``: what ``save`` writes, once per combination."""
    made: dict[str, Path] = {}

    def folder(save: Callable[..., Path], *args: Any, **settings: Any) -> Path:
        key = f"{save.__name__} {args} {sorted(settings.items(), key=str)}"
        if key not in made:
            made[key] = save(tmp_path_factory.mktemp("model") / "tiny", *args, **settings)
        return made[key]

    return folder


@pytest.fixture(scope="module")
def load(folders: Callable[..., Path]) -> Load:
    """``load(save, *args, **settings)``: the encoder in the folder that ``save`` writes."""
    loaded: dict[Path, Backbone] = {}

    def backbone(*args: Any, **settings: Any) -> Backbone:
        folder = folders(*args, **settings)
        if folder not in loaded:
            loaded[folder] = load_huggingface(str(folder), modality=MODALITY_OF.get(args[0]))
        return loaded[folder]

    return backbone


def direct(folder: Path, *, model_class: str = "AutoModel", **inputs: Tensor) -> Any:
    """What transformers itself returns, hidden states included."""
    model = getattr(transformers, model_class).from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(**inputs, output_hidden_states=True)


def picture(width: int = 90, height: int = 60) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def clip(seconds: float = 0.5, *, rate: int = 16_000) -> tuple[np.ndarray, int]:
    rng = np.random.default_rng(1)
    return (0.1 * rng.normal(size=round(seconds * rate))).astype(np.float32), rate


# Text


@pytest.mark.parametrize("kind", TEXT_TYPES)
def test_text_equals_a_direct_call(kind: str, folders: Callable[..., Path], load: Load) -> None:
    make = TOKENIZERS[TOKENIZER_OF.get(kind, "WordPiece")]
    own = {"class_name": TEXT_CLASS[kind]} if kind.endswith("_text_model") else {}
    folder = folders(tiny.save_text, kind, tokenizer=make, **own)
    backbone = load(tiny.save_text, kind, tokenizer=make, **own)
    encoding = encode(backbone, SENTENCE)
    inputs = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCE, return_tensors="pt")
    model = whole_text_model(folder, kind)
    with torch.no_grad():
        output = model(input_ids=inputs["input_ids"], output_hidden_states=True)
    expected = torch.cat(output.hidden_states[1:])
    assert torch.equal(encoding.hidden, expected)
    assert encoding.hidden.shape == (3, inputs["input_ids"].shape[1], 16)
    assert (backbone.n_layers, backbone.n_features) == (3, 16)
    assert (backbone.modality, backbone.revision, backbone.name) == ("text", "local", "tiny")
    check_plain(encoding)


def whole_text_model(folder: Path, kind: str) -> Any:
    loader = getattr(transformers, "ClapModel" if kind == "clap" else TEXT_CLASS.get(kind, "AutoModel"))
    model = loader.from_pretrained(folder, dtype=torch.float32).eval()
    return model.text_model if kind == "clap" else model


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("text", [SENTENCE, "  Pack\tmy\n box  ", "naïve 😀 box 日本 dog", "a"])
def test_spans_are_the_pieces_of_the_text(tokenizer: str, text: str, load: Load) -> None:
    encoding = encode(load(tiny.save_text, "bert", tokenizer=TOKENIZERS[tokenizer]), text)
    spans, labels = encoding.tokens.spans, encoding.tokens.labels
    assert encoding.text == text
    special = np.isnan(spans).any(axis=1)
    expected_special = {"WordPiece": ["[CLS]", "[SEP]"], "byte level": [], "metaspace": ["<s>"]}[tokenizer]
    assert [
        label for label, is_special in zip(labels, special, strict=True) if is_special
    ] == expected_special
    covered = set()
    for label, (start, end) in zip(np.array(labels)[~special], spans[~special].astype(int), strict=True):
        assert 0 <= start <= end <= len(text)
        assert re.sub(r" \(\d/\d\)$", "", label) == text[start:end] or start == end
        assert label.strip() == label or not label.strip()
        covered |= set(range(start, end))
    assert {i for i, sign in enumerate(text) if not sign.isspace()} <= covered


def test_the_pieces_of_one_letter_are_numbered(load: Load) -> None:
    encoding = encode(load(tiny.save_text, "bert", tokenizer=TOKENIZERS["byte level"]), "x 日😀")
    labels = [label for label in encoding.tokens.labels if not label.isascii()]
    assert labels == [*(f"日 ({i}/3)" for i in (1, 2, 3)), *(f"😀 ({i}/4)" for i in (1, 2, 3, 4))]


def test_a_text_that_would_take_too_long_is_refused_after_its_first_window(load: Load, monkeypatch) -> None:
    backbone = load(tiny.save_text, "bert")
    long = "dog box " * 400
    monkeypatch.setattr("daam_core.backbones.huggingface.text.MAX_SECONDS", 1e-6)
    with pytest.raises(
        InputError, match=r"would keep 'tiny' busy for about .* s on this computer, more than 0 s"
    ):
        encode(backbone, long)
    with pytest.raises(InputError, match="word pieces long; 16,384 can be explained at once"):
        encode(backbone, "dog box." * 6_000)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_long_texts_keep_every_word_once(tokenizer: str, folders: Callable[..., Path], load: Load) -> None:
    make = TOKENIZERS[tokenizer]
    folder = folders(tiny.save_text, "bert", tokenizer=make)
    encoding = encode(load(tiny.save_text, "bert", tokenizer=make), LONG_TEXT)
    fast = transformers.AutoTokenizer.from_pretrained(folder)
    ids = fast(LONG_TEXT, add_special_tokens=False, verbose=False)["input_ids"]
    before, after = {"WordPiece": ([2], [3]), "byte level": ([], []), "metaspace": ([1], [])}[tokenizer]
    spans = encoding.tokens.spans
    words = spans[~np.isnan(spans).any(axis=1)].astype(int).tolist()
    offsets = fast(LONG_TEXT, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    assert words == [list(trimmed(LONG_TEXT, *offset)) for offset in offsets["offset_mapping"]]

    # Each window starts with a word, fits the context, and is what the model says of it alone.
    room, position = 64 - len(before) - len(after), 0
    numbers = word_numbers(LONG_TEXT, offsets["offset_mapping"], longest=room)
    starts = window_starts(numbers, size=room)
    assert encoding.facts["windows"] == len(starts)
    assert len(starts) > 5
    for start, end in pairwise([*starts, len(ids)]):
        assert end - start <= room
        assert start == 0 or LONG_TEXT[words[start][0] - 1].isspace()
        window = [*before, *ids[start:end], *after]
        expected = torch.cat(direct(folder, input_ids=torch.tensor([window])).hidden_states[1:])
        assert torch.equal(encoding.hidden[:, position : position + len(window)], expected)
        position += len(window)
    assert position == len(encoding.tokens)


def test_a_run_without_spaces_is_cut_where_it_must(load: Load) -> None:
    text = "quick" * 60
    encoding = encode(load(tiny.save_text, "bert"), text)
    spans = encoding.tokens.spans[~np.isnan(encoding.tokens.spans).any(axis=1)].astype(int)
    assert "".join(text[start:end] for start, end in spans) == text or encoding.facts["word_pieces"] == 1
    byte_level = encode(load(tiny.save_text, "gpt2", tokenizer=tiny.byte_level), text)
    spans = byte_level.tokens.spans.astype(int)
    assert byte_level.facts["windows"] != 1
    assert "".join(text[start:end] for start, end in spans) == text


def test_special_tokens_in_the_text_are_text(load: Load) -> None:
    encoding = encode(load(tiny.save_text, "bert"), "fox [SEP] dog")
    special = np.isnan(encoding.tokens.spans).any(axis=1)
    assert special.tolist() == [True, *[False] * (len(special) - 2), True]
    assert encoding.tokens.labels.count("[SEP]") == 1


def test_roberta_counts_positions_from_its_padding(load: Load) -> None:
    # 64 position embeddings, of which those up to the padding's own (0) are never used.
    encoding = encode(load(tiny.save_text, "roberta"), LONG_TEXT)
    special = np.flatnonzero(np.isnan(encoding.tokens.spans).any(axis=1))
    sizes = [end - start + 1 for start, end in zip(special[::2], special[1::2], strict=True)]
    assert max(sizes) <= 63
    assert len(sizes) == encoding.facts["windows"]
    assert len(sizes) > 5


def test_the_context_is_the_least_of_all_limits() -> None:
    def context(
        *, positions: Any = 512, longest: float = 1e30, kind: str = "bert", pad: int | None = 1
    ) -> int:
        class Tokenizer:
            model_max_length = longest

            def num_special_tokens_to_add(self) -> int:
                return 2

        config = SimpleNamespace(max_position_embeddings=positions, pad_token_id=pad, model_type=kind)
        return context_length(config, Tokenizer())

    assert context() == 512
    assert context(longest=256) == 256
    assert context(positions=100_000) == 2048
    assert context(positions=None) == 2048
    assert context(positions=514, kind="roberta") == 512
    assert context(positions=514, kind="xlm-roberta", pad=None) == 513
    with pytest.raises(
        EncoderError, match=r"^The encoder's context of 2 positions leaves no room for a word"
    ):
        context(positions=2)


@given(st.text(alphabet="ab \n\t日", min_size=1, max_size=60), st.integers(1, 5), st.data())
def test_word_numbers(text: str, longest: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=12)) | {0, len(text)})
    offsets = [(start, end) for start, end in pairwise(cuts) if text[start:end].strip()]
    numbers = word_numbers(text, offsets, longest=longest)
    assert len(numbers) == len(offsets)
    steps = [after - before for before, after in pairwise(n for n in numbers if n is not None)]
    assert set(steps) <= {0, 1}
    assert max((numbers.count(number) for number in set(numbers)), default=0) <= longest
    for i, step in enumerate(steps):
        before, after = trimmed(text, *offsets[i]), trimmed(text, *offsets[i + 1])
        if text[before[0] : after[0]].split() != [text[before[0] : after[0]]]:
            assert step == 1  # white space between their first signs
        elif numbers.count(numbers[i]) < longest:
            assert step == 0


def test_texts_too_long_for_memory_are_refused(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = load(tiny.save_text, "bert")
    monkeypatch.setattr("daam_core.backbones.huggingface.text.MAX_BYTES", 4 * 3 * 16 * 100)
    assert len(encode(backbone, "fox " * 30).tokens) <= 100
    with pytest.raises(
        InputError, match=r"word pieces long; with the 3 layers and 16 features of 'tiny', 100 fit"
    ):
        encode(backbone, "fox " * 120)


def test_text_that_is_nothing_to_the_tokenizer(load: Load) -> None:
    with pytest.raises(InputError, match="holds no letter, digit or sign that the encoder can read"):
        encode(load(tiny.save_text, "bert"), "\u200b\u00ad")  # BERT's normaliser drops both
    with pytest.raises(InputError, match="empty"):
        encode(load(tiny.save_text, "bert"), "   ")


# Sound


@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("kind", WAVEFORM_TYPES)
def test_waveforms_equal_a_direct_call(
    kind: str, norm: str, folders: Callable[..., Path], load: Load
) -> None:
    own = {"feat_extract_norm": norm, "do_normalize": norm == "layer"}  # as published models pair them
    folder, backbone = folders(tiny.save_waveform, kind, **own), load(tiny.save_waveform, kind, **own)
    samples, rate = clip()
    encoding = encode(backbone, (samples, rate))
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = extractor(samples, sampling_rate=rate, return_tensors="pt")
    expected = torch.cat(direct(folder, input_values=inputs["input_values"]).hidden_states[1:])
    assert torch.equal(encoding.hidden, expected)
    assert (backbone.n_layers, backbone.n_features, backbone.modality) == (3, 16, "audio")
    if kind.startswith("sew"):
        # SEW's layers see two frames at a time: 400 tokens a second of 50 samples.
        assert encoding.hidden.shape[1] == ((8000 - 30) // 20 + 1) // 2
        spans = encoding.tokens.spans
        assert spans[10].tolist() == pytest.approx([(5 + 400) / 16_000, (5 + 440) / 16_000])
        assert spans[-1, 1] == pytest.approx((198 * 40 + 50) / 16_000)
        return
    # Strides 5, 2, 2: 800 frames a second, each seeing 10 + 2·5 + 1·10 = 30 samples.
    assert encoding.hidden.shape[1] == (8000 - 30) // 20 + 1
    spans = encoding.tokens.spans
    assert spans[0].tolist() == [0, pytest.approx(25 / 16_000)]
    assert spans[10].tolist() == pytest.approx([(5 + 200) / 16_000, (5 + 220) / 16_000])
    assert spans[-1, 1] == pytest.approx((398 * 20 + 30) / 16_000)
    assert (encoding.tokens.weights == 1).all()
    check_plain(encoding)


@pytest.mark.parametrize("kind", ["wavlm", "wav2vec2"])
def test_long_sounds_in_windows(kind: str, folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_waveform, kind), load(tiny.save_waveform, kind)
    samples, rate = clip(5.0)
    encoding = encode(backbone, (samples, rate))
    count = (len(samples) - 30) // 20 + 1  # 3999 frames: 3 windows of groups of 3
    assert encoding.facts["windows"] == 3
    assert encoding.facts["tokens_averaged"] == 3
    assert len(encoding.tokens) <= 1500
    assert encoding.tokens.weights.sum() == count
    spans = encoding.tokens.spans
    assert (spans[1:, 0] == spans[:-1, 1]).all()
    assert spans[0, 0] == 0
    assert 5.0 - 20 / rate <= spans[-1, 1] <= 5.0

    values = transformers.AutoFeatureExtractor.from_pretrained(folder)(samples, sampling_rate=rate)
    values = torch.tensor(np.array(values["input_values"]))
    windows = [
        torch.cat(direct(folder, input_values=values[:, 20 * start : last]).hidden_states[1:])
        for start, last in ((0, 20 * 1334 + 30), (1335, 20 * 2669 + 30), (2670, None))
    ]
    mean_over_frames = torch.cat(windows, dim=1).mean(1)
    torch.testing.assert_close(pool(encoding), mean_over_frames, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoding.hidden[:, 0], windows[0][:, :3].mean(1))


def test_sounds_shorter_than_one_frame_get_one_frame(load: Load) -> None:
    # 2 kHz: 0.1 s is 200 samples; kernels of 100 and 50 see 100 + 49·4 = 296.
    settings = {"conv_kernel": (100, 50, 1), "conv_stride": (4, 2, 1)}
    backbone = load(save_slow_waveform, "hubert", **settings)
    encoding = encode(backbone, clip(0.1, rate=2000))
    assert encoding.hidden.shape == (3, 1, 16)
    assert encoding.tokens.spans.tolist() == [[0.0, pytest.approx(0.1)]]


def save_slow_waveform(folder: Path, kind: str, **settings: Any) -> Path:
    saved = tiny.save_waveform(folder, kind, **settings)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=2000).save_pretrained(saved)
    return saved


def test_other_rates_are_resampled(load: Load) -> None:
    backbone = load(tiny.save_waveform, "wavlm")
    seconds = np.arange(22_050) / 22_050
    tone = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    encoding = encode(backbone, (tone, 22_050))
    same = encode(backbone, (np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32), 16_000))
    assert encoding.hidden.shape == same.hidden.shape
    torch.testing.assert_close(pool(encoding), pool(same), rtol=0.02, atol=0.02)


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(1, 5)), min_size=1, max_size=4), st.integers(0, 50))
@settings(deadline=None)
def test_receptive_field_against_convolutions(layers: list[tuple[int, int]], extra: int) -> None:
    kernels, strides = zip(*layers, strict=True)
    field = receptive_field(kernels, strides)
    stride = int(np.prod(strides))
    length = field + extra
    x = torch.zeros(1, 1, length, dtype=torch.float64, requires_grad=True)
    y = x
    for kernel, step in layers:
        y = torch.nn.functional.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), stride=step)
    assert y.shape[-1] == (length - field) // stride + 1
    y[0, 0, -1].backward()
    assert x.grad is not None
    seen = x.grad[0, 0].nonzero()
    assert seen.min() == (y.shape[-1] - 1) * stride
    assert seen.max() == (y.shape[-1] - 1) * stride + field - 1


def test_frame_tokens_meet_and_stay_within_the_clip() -> None:
    tokens = frame_tokens(np.array([1.0, 3.0, 2.0]), seconds=0.13, stride=0.02, field=0.025)
    expected = [[0, 0.0225], [0.0225, 0.0825], [0.0825, 0.125]]
    np.testing.assert_allclose(tokens.spans, expected, rtol=0, atol=1e-12)
    assert tokens.labels == ("0.00 s", "0.02 s", "0.08 s")
    assert frame_tokens(np.array([1.0]), seconds=0.01, stride=0.02, field=0.025).spans.tolist() == [[0, 0.01]]


def whisper_direct(folder: Path, samples: np.ndarray) -> Tensor:
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = extractor(samples, sampling_rate=16_000, return_tensors="pt")
    model = transformers.WhisperModel.from_pretrained(folder, dtype=torch.float32).eval().encoder
    with torch.no_grad():
        return torch.cat(model(inputs["input_features"], output_hidden_states=True).hidden_states[1:])


def test_whisper_of_thirty_seconds_equals_a_direct_call(folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_whisper), load(tiny.save_whisper)
    samples, _ = clip(30.0)
    encoding = encode(backbone, (samples, 16_000))
    assert encoding.hidden.shape == (3, 1500, 16)
    # The spectrogram is computed in float32 here and in float64 there.
    torch.testing.assert_close(encoding.hidden, whisper_direct(folder, samples), rtol=1e-3, atol=1e-3)
    assert (backbone.n_layers, backbone.n_features, backbone.modality) == (3, 16, "audio")
    check_plain(encoding)


def test_whisper_hears_no_padding(folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_whisper), load(tiny.save_whisper)
    samples, _ = clip(1.0)
    encoding = encode(backbone, (samples, 16_000))
    assert encoding.hidden.shape == (3, 50, 16)
    np.testing.assert_allclose(encoding.tokens.spans[[0, 49]], [[0, 0.02], [0.98, 1.0]], atol=1e-9)
    # A model whose context is the clip itself has nothing to pad.
    shorter = transformers.WhisperConfig.from_pretrained(folder)
    shorter.max_source_positions = 50
    encoder = transformers.WhisperModel(shorter).encoder.eval()
    state = transformers.WhisperModel.from_pretrained(folder).encoder.state_dict()
    state["embed_positions.weight"] = state["embed_positions.weight"][:50]
    encoder.load_state_dict(state)
    with torch.no_grad():
        states = encoder(log_mel(samples, n_mel=8)[None], output_hidden_states=True).hidden_states
    torch.testing.assert_close(encoding.hidden, torch.cat(states[1:]), rtol=1e-5, atol=1e-5)


SPECTROGRAMS: dict[str, tuple[Any, ...]] = {
    "ast": (tiny.save_ast,),
    "wav2vec2-bert": (tiny.save_wav2vec2_bert,),
    "clap audio": (tiny.save_clap,),
    "clap": (tiny.save_clap, "clap"),
}


def test_ast_has_one_token_for_each_step_in_time(folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_ast), load(tiny.save_ast)
    samples, rate = clip(0.4)
    encoding = encode(backbone, (samples, rate))
    made = transformers.AutoFeatureExtractor.from_pretrained(folder)(
        samples, sampling_rate=rate, return_tensors="pt"
    )
    states = torch.cat(direct(folder, input_values=made["input_values"]).hidden_states[1:])
    # 2 bands and 5 times of 16 × 16 patches, 10 apart; 38 frames of the clip hold the middles of 3.
    expected = states[:, 2:].reshape(3, 2, 5, 16).mean(1)[:, :3]
    torch.testing.assert_close(encoding.hidden, expected, rtol=1e-5, atol=1e-6)
    assert encoding.tokens.spans[1].tolist() == pytest.approx([0.1375, 0.2375])
    assert encoding.tokens.spans[-1, 1] == pytest.approx(0.375)

    longer, _ = clip(2.0)
    encoding = encode(backbone, (longer, rate))
    assert encoding.facts["windows"] == 4
    assert len(encoding.tokens) == 19  # of 198 frames
    window = longer[5 * 1600 : 5 * 1600 + 63 * 160 + 400]
    made = transformers.AutoFeatureExtractor.from_pretrained(folder)(
        window, sampling_rate=rate, return_tensors="pt"
    )
    states = torch.cat(direct(folder, input_values=made["input_values"]).hidden_states[1:])
    expected = states[:, 2:].reshape(3, 2, 5, 16).mean(1)
    torch.testing.assert_close(encoding.hidden[:, 5:10], expected, rtol=1e-5, atol=1e-6)


def test_wav2vec2_bert_equals_a_direct_call(folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_wav2vec2_bert), load(tiny.save_wav2vec2_bert)
    samples, rate = clip(0.5)
    encoding = encode(backbone, (samples, rate))
    made = transformers.AutoFeatureExtractor.from_pretrained(folder)(
        samples, sampling_rate=rate, return_tensors="pt"
    )
    expected = torch.cat(direct(folder, **made).hidden_states[1:])
    torch.testing.assert_close(encoding.hidden, expected, rtol=1e-5, atol=1e-5)
    assert encoding.hidden.shape == (3, 24, 16)
    assert encoding.tokens.spans[10].tolist() == pytest.approx([0.2075, 0.2275])  # 20 ms of the 35 it sees


@pytest.mark.parametrize("fused", [False, True])
def test_clap_hears_ten_seconds_in_pieces(fused: bool, folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_clap, fused=fused), load(tiny.save_clap, fused=fused)
    samples, rate = clip(1.0)  # the length of this model
    encoding = encode(backbone, (samples, rate))
    made = transformers.AutoFeatureExtractor.from_pretrained(folder)(
        samples, sampling_rate=rate, return_tensors="pt"
    )
    output = direct(folder, model_class="ClapAudioModel", **made)
    stages = [stage[0] for stage in output.hidden_states[1:]]
    assert [tuple(stage.shape) for stage in stages] == [(16, 16, 16), (32, 8, 8), (32, 8, 8)]
    assert encoding.hidden.shape == (3, 64, 32)
    # Four pieces of 16 columns below each other, four rows each.
    first = stages[0].reshape(16, 4, 4, 16).mean(2).reshape(16, 64).T
    torch.testing.assert_close(encoding.hidden[0], torch.cat([first, first], 1), rtol=1e-5, atol=1e-5)
    for layer, stage in zip(encoding.hidden, stages, strict=True):
        mean = stage.mean((1, 2))
        torch.testing.assert_close(layer.mean(0), mean.repeat(32 // len(mean)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(encoding.tokens.spans[[0, 63]], [[0, 1 / 64], [63 / 64, 1]], atol=1e-9)
    # A shorter clip is repeated, and what is said again is left out.
    assert encode(backbone, clip(0.3)).hidden.shape == (3, 20, 32)
    long = encode(backbone, clip(2.5))
    assert long.facts["windows"] == 3
    assert long.tokens.spans[-1, 1] == pytest.approx(2.5)


WITH_LAYER_NORM = {"feat_extract_norm": "layer"}  # the other one mixes all times of a clip


@pytest.mark.parametrize("kind", [*SPECTROGRAMS, "wav2vec2", "sew", "whisper"])
def test_a_change_in_a_sound_shows_at_its_time(kind: str, load: Load) -> None:
    if kind in SPECTROGRAMS:
        backbone = load(*SPECTROGRAMS[kind])
    elif kind == "whisper":
        backbone = load(tiny.save_whisper)
    else:
        backbone = load(tiny.save_waveform, kind, **WITH_LAYER_NORM)
    samples, rate = clip(1.3)
    before = encode(backbone, (0.1 * samples, rate))
    for time in (0.4, 0.9):
        burst = 0.1 * samples
        first = round((time - 0.025) * rate)
        burst[first : first + 800] = 5 * samples[:800]
        change = (encode(backbone, (burst, rate)).hidden[0] - before.hidden[0]).norm(dim=-1)
        start, end = before.tokens.spans[int(change.argmax())]
        slack = 0.025 + end - start
        assert start - slack < time < end + slack


@pytest.mark.parametrize("kind", ["ast", "wav2vec2-bert", "clap audio"])
def test_spectrograms_of_another_kind_are_refused(kind: str, tmp_path: Path) -> None:
    save, *args = SPECTROGRAMS[kind]
    folder = save(tmp_path / "tiny", *args)
    (folder / "preprocessor_config.json").unlink()
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    with pytest.raises(EncoderError, match=r"is Wav2Vec2FeatureExtractor, and its model takes \w+'s spectr"):
        load_huggingface(str(folder))


def test_ast_of_another_length_than_its_extractor_is_refused(tmp_path: Path) -> None:
    folder = tiny.save_ast(tmp_path / "tiny")
    transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=100).save_pretrained(folder)
    with pytest.raises(EncoderError, match=r"makes 32 mel bands × 100 frames, and its model takes 32 × 64"):
        load_huggingface(str(folder))


# Pictures


def pixels_of(folder: Path, image: Image.Image) -> Tensor:
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    pixels: Tensor = processor(image, return_tensors="pt")["pixel_values"].float()
    return pixels


VISION_CLASS = {
    "clip": "CLIPVisionModel",
    "clip_vision_model": "CLIPVisionModel",
    "siglip": "SiglipVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    "siglip2": "Siglip2VisionModel",
    "siglip2_vision_model": "Siglip2VisionModel",
}
FRONT = {"deit": ["[CLS]", "[DIST]"], "ijepa": [], "siglip": [], "siglip_vision_model": []}
FRONT["dinov2_with_registers"] = ["[CLS]", "[REG 1]", "[REG 2]", "[REG 3]", "[REG 4]"]
#: Its smallest stage needs more than one position; Hiera gives channels last, EfficientNet its blocks.
STAGE_SIZES = {"mobilevitv2": {"size": {"shortest_edge": 64}, "crop_pct": 0.8}}
STEM = {"mobilevit": 0, "mobilevitv2": 0, "efficientnet": 1}


@pytest.mark.parametrize("kind", PATCH_TYPES)
def test_patches_equal_a_direct_call(kind: str, folders: Callable[..., Path], load: Load) -> None:
    folder, backbone = folders(tiny.save_patches, kind), load(tiny.save_patches, kind)
    encoding = encode(backbone, picture())
    pixels = {"pixel_values": pixels_of(folder, picture())}
    if kind == "vit_mae":  # nothing is masked, nothing is shuffled
        content = json.loads((folder / "config.json").read_text())
        assert content["mask_ratio"] == 0.75
        (folder / "config.json").write_text(json.dumps(content | {"mask_ratio": 0.0}))
        pixels["noise"] = torch.linspace(0, 1, 16)[None]
    output = direct(folder, model_class=VISION_CLASS.get(kind, "AutoModel"), **pixels)
    assert torch.equal(encoding.hidden, torch.cat(output.hidden_states[1:]))
    assert (backbone.n_layers, backbone.n_features, backbone.modality) == (3, 16, "image")
    front = FRONT.get(kind, ["[CLS]"])
    assert list(encoding.tokens.labels[: len(front) + 2]) == [*front, "row 1, column 1", "row 1, column 2"]
    spans = encoding.tokens.spans
    assert np.isnan(spans[: len(front)]).all()
    patches = spans[len(front) :]
    assert patches[[0, 1, 4, 15]].tolist() == [
        [0, 0, 0.25, 0.25],
        [0.25, 0, 0.5, 0.25],
        [0, 0.25, 0.25, 0.5],
        [0.75, 0.75, 1, 1],
    ]
    check_plain(encoding)


@pytest.mark.parametrize("kind", STAGE_TYPES)
def test_stages_equal_a_direct_call_on_one_grid(kind: str, folders: Callable[..., Path], load: Load) -> None:
    size = STAGE_SIZES.get(kind, {})
    folder, backbone = folders(tiny.save_stages, kind, **size), load(tiny.save_stages, kind, **size)
    encoding = encode(backbone, picture())
    output = direct(folder, pixel_values=pixels_of(folder, picture()))
    states = getattr(output, "reshaped_hidden_states", None) or output.hidden_states
    first = STEM.get(kind, len(states) - len(tiny.STAGE_SETTINGS[kind].get("depths", ())))
    maps = [stage[0] if kind == "hiera" else stage[0].permute(1, 2, 0) for stage in states[first:]]
    widths = [stage.shape[-1] for stage in maps]
    assert min(widths) < max(widths) == backbone.n_features
    assert backbone.n_layers == len(maps) >= 3
    # 32 × 32 pixels: the finest stage of most is 8 × 8; one gets 64 × 64 pixels.
    n, wide = maps[0].shape[0], max(widths)
    assert n == {"mobilevit": 16, "mobilevitv2": 32, "efficientnet": 16}.get(kind, 8)
    n = min(n, 16)  # a grid has 600 cells at most
    assert encoding.hidden.shape == (len(maps), n * n, wide)
    for layer, stage in zip(encoding.hidden, maps, strict=True):
        assert torch.equal(layer, widen(regrid(stage, (n, n)), wide).flatten(0, 1))
        own_mean = stage.mean((0, 1))
        torch.testing.assert_close(
            layer.mean(0), own_mean[torch.arange(wide) % len(own_mean)], rtol=1e-4, atol=1e-4
        )
    # The stages differ, so none can have been taken for another.
    assert len({tuple(layer.flatten().tolist()) for layer in encoding.hidden}) == len(maps)
    # 90 × 60, shorter side to 40, the middle 32 × 32 of 60 × 40.
    spans, cell = encoding.tokens.spans, 32 / n
    np.testing.assert_allclose(spans[0], [14 / 60, 4 / 40, (14 + cell) / 60, (4 + cell) / 40], atol=1e-9)
    np.testing.assert_allclose(spans[-1], [(46 - cell) / 60, (36 - cell) / 40, 46 / 60, 36 / 40], atol=1e-9)
    check_plain(encoding)


def test_siglip2_keeps_the_shape_of_a_picture(folders: Callable[..., Path], load: Load) -> None:
    folder = folders(tiny.save_patches, "siglip2_vision_model", processor="Siglip2")
    encoding = encode(load(tiny.save_patches, "siglip2_vision_model", processor="Siglip2"), picture())
    made = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")(
        picture(), return_tensors="pt"
    )
    assert made["spatial_shapes"].tolist() == [[3, 5]]
    expected = torch.cat(direct(folder, model_class="Siglip2VisionModel", **made).hidden_states[1:])
    torch.testing.assert_close(encoding.hidden, expected[:, :15], rtol=1e-5, atol=1e-5)
    assert encoding.tokens.labels[5] == "row 2, column 1"
    np.testing.assert_allclose(
        encoding.tokens.spans[[5, 14]], [[0, 1 / 3, 1 / 5, 2 / 3], [4 / 5, 2 / 3, 1, 1]]
    )


def test_the_processor_of_dinov3_is_replaced_by_pillow(load: Load) -> None:
    by_torchvision = load(tiny.save_patches, "dinov3_vit", processor="DINOv3ViT")
    plain = load(tiny.save_patches, "dinov3_vit")
    assert torch.equal(encode(by_torchvision, picture()).hidden, encode(plain, picture()).hidden)


PLANTED: dict[str, tuple[Any, ...]] = {
    **{kind: (tiny.save_patches, kind) for kind in ("vit", "vit_mae", "dinov3_vit", "beit")},
    **{kind: (tiny.save_stages, kind) for kind in ("swin", "hiera", "convnext", "efficientnet", "mobilevit")},
}


@pytest.mark.parametrize("kind", [*PLANTED, "siglip2"])
def test_a_change_in_a_picture_shows_at_its_place(kind: str, load: Load) -> None:
    siglip = kind == "siglip2"
    args = (tiny.save_patches, "siglip2_vision_model") if siglip else PLANTED[kind]
    assert misplaced(load(*args, **({"processor": "Siglip2"} if siglip else {}))) is None


# Types without a reader of their own


def save_other(folder: Path, kind: str, **own: Any) -> Path:
    if kind in ("bart", "funnel"):
        fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tiny.wordpiece())
        fast.save_pretrained(folder)
        own["vocab_size"] = len(fast)
    else:
        tiny.save_processor(folder, "ViT", size={"height": 32, "width": 32}, do_center_crop=False)
    config = transformers.AutoConfig.for_model(kind, **own)
    return tiny.save_model(folder, config, class_name="FunnelModel" if kind == "funnel" else "AutoModel")


_FOUR = {"hidden_sizes": [8, 8, 16, 32], "depths": [1, 1, 1, 1]}
OTHERS: dict[str, tuple[str, int, int, dict[str, Any]]] = {
    "poolformer": ("image", 4, 32, _FOUR),
    "segformer": ("image", 4, 32, {**_FOUR, "num_attention_heads": [1, 1, 2, 2]}),
    "pixio": ("image", 3, 16, {**tiny.SMALL, "image_size": 32, "patch_size": 8}),
    "bart": (
        "text",
        3,
        16,
        {"d_model": 16, "encoder_layers": 3, "decoder_layers": 1, "encoder_ffn_dim": 32}
        | {"decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2},
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_type_that_nobody_tried_is_read_if_its_shapes_are_plain(kind: str, tmp_path: Path) -> None:
    modality, n_layers, n_features, own = OTHERS[kind]
    folder = save_other(tmp_path / "other", kind, **own)
    backbone = load_huggingface(str(folder))
    assert (backbone.modality, backbone.n_layers, backbone.n_features) == (modality, n_layers, n_features)
    if kind == "bart":  # the encoder alone
        ids = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCE, return_tensors="pt")["input_ids"]
        model = transformers.AutoModel.from_pretrained(folder).eval().encoder
        with torch.no_grad():
            expected = torch.cat(model(input_ids=ids, output_hidden_states=True).hidden_states[1:])
        assert torch.equal(encode(backbone, SENTENCE).hidden, expected)


@pytest.mark.parametrize(
    ("kind", "own", "said"),
    [
        ("levit", {"image_size": 32}, "whose hidden states are no maps of rows and columns"),
        ("funnel", {"d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32, "block_sizes": [1, 1]}, ""),
    ],
)
def test_a_type_with_other_shapes_is_refused(kind: str, own: dict[str, Any], said: str, tmp_path) -> None:
    folder = save_other(tmp_path / "other", kind, **own)
    expected = rf"is of type '{kind}', which has no reader of its own here, and it cannot be read as most "
    with pytest.raises(EncoderError, match=expected) as caught:
        load_huggingface(str(folder))
    assert said in str(caught.value)
    assert "Give one of a type that is tried, for" in str(caught.value)


def test_patches_in_another_order_are_found_out(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = load(tiny.save_patches, "vit")
    right = type(backbone).encode

    def shuffled(self: Backbone, given_picture: Any) -> Encoding:
        encoding = right(self, given_picture)
        return replace(encoding, hidden=encoding.hidden.roll(6, 1))

    monkeypatch.setattr(type(backbone), "encode", shuffled)
    wrong = misplaced(backbone)
    assert wrong is not None
    assert wrong.startswith("a change 40% from the left and 30% from the top shows at row ")


def test_padding_of_pictures_is_left_out(load: Load) -> None:
    size = {
        "size": {"height": 16, "width": 16},
        "crop_size": {"height": 32, "width": 32},
        "do_center_crop": True,
    }
    backbone = load(tiny.save_stages, "convnext", processor="CLIP", **size)
    encoding = encode(backbone, picture())
    # 8 × 8 cells of 4 pixels, of which the middle 4 × 4 show the picture.
    assert len(encoding.tokens) == 16
    assert encoding.tokens.labels[0] == "row 3, column 3"
    assert encoding.tokens.spans[0].tolist() == [0, 0, 0.25, 0.25]
    assert encoding.tokens.spans[-1].tolist() == [0.75, 0.75, 1, 1]


def test_dinov2_takes_other_sizes_than_it_was_trained_on(load: Load) -> None:
    backbone = load(save_free_size, "dinov2")
    encoding = encode(backbone, picture(90, 60))
    # Shorter side to 32: 48 × 32 pixels, 6 × 4 patches.
    assert len(encoding.tokens) == 1 + 24
    assert encoding.tokens.spans[-1].tolist() == pytest.approx([5 / 6, 3 / 4, 1, 1])


def save_free_size(folder: Path, kind: str) -> Path:
    saved = tiny.save_patches(folder, kind)
    tiny.save_processor(saved, "Bit", size={"shortest_edge": 32}, do_center_crop=False)
    return saved


def test_pixels_left_of_the_last_patch_are_in_no_box(load: Load) -> None:
    backbone = load(tiny.save_patches, "dinov2", patch_size=12, image_size=36)
    encoding = encode(backbone, picture())
    # 32 pixels are 2 patches of 12, and 8 pixels that the model does not see.
    assert len(encoding.tokens) == 1 + 4
    assert encoding.tokens.spans[-1].tolist() == pytest.approx([12 / 32, 12 / 32, 24 / 32, 24 / 32])


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (400, 2), (33, 700)])
@pytest.mark.parametrize("save", [tiny.save_patches, tiny.save_stages])
def test_odd_sizes_of_pictures(save: Callable[..., Path], size: tuple[int, int], load: Load) -> None:
    kind = "vit" if save is tiny.save_patches else "resnet"
    encoding = encode(load(save, kind), picture(*size))
    boxes = encoding.tokens.spans[~np.isnan(encoding.tokens.spans).any(axis=1)]
    assert ((boxes[:, 2:] > boxes[:, :2]) & (boxes[:, :2] >= 0) & (boxes[:, 2:] <= 1)).all()


# All of them


def check_plain(encoding: Encoding) -> None:
    """Hidden states as every encoder gives them: float32, no gradient, usable in one."""
    assert encoding.hidden.dtype == torch.float32
    assert not encoding.hidden.requires_grad
    weight = torch.ones((), requires_grad=True)
    (pool(encoding) * weight).sum().backward()  # refused for tensors made in inference mode


EXAMPLES: dict[str, tuple[Callable[..., Path], tuple[str, ...], Any]] = {
    "sound": (tiny.save_waveform, ("wavlm",), clip()),
    "whisper": (tiny.save_whisper, (), clip()),
    "text": (tiny.save_text, ("llama",), SENTENCE),
    "patches": (tiny.save_patches, ("beit",), picture()),
    "stages": (tiny.save_stages, ("swin",), picture()),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_encoding_has_no_memory_and_no_chance(example: str, load: Load, folders: Callable[..., Path]) -> None:
    save, args, sample = EXAMPLES[example]
    backbone = load(save, *args)
    first = encode(backbone, sample)
    again = encode(load_huggingface(str(folders(save, *args))), sample)
    assert torch.equal(first.hidden, again.hidden)
    assert torch.equal(first.hidden, encode(backbone, sample).hidden)
    assert first.tokens.labels == again.tokens.labels


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_embedding_layer_is_left_out(example: str, load: Load) -> None:
    save, args, sample = EXAMPLES[example]
    backbone = load(save, *args)
    config = backbone._model.config  # type: ignore[attr-defined]
    layers = len(config.depths) if hasattr(config, "depths") else config.num_hidden_layers
    assert backbone.n_layers == encode(backbone, sample).hidden.shape[0] == layers == 3


# Means without the layers, and half precision

#: Layers in one module that runs several times, transposed, of other widths; convolutions that see filling.
POOLED_TYPES = ("bert", "roberta", "albert", "convbert", "xlnet", "opt", "gpt2", "llama", "t5", "clap")


@pytest.mark.parametrize("kind", POOLED_TYPES)
def test_texts_pooled_together_are_what_they_are_alone(kind: str, load: Load) -> None:
    backbone = load(tiny.save_text, kind, tokenizer=TOKENIZERS[TOKENIZER_OF.get(kind, "WordPiece")])
    texts = [read_text(text) for text in ("dog box", LONG_TEXT, SENTENCE, "a")]
    for found, one in zip(backbone.pooled(texts), texts, strict=True):
        expected = pool(backbone.encode(one))
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_no_layer_is_kept_while_texts_are_pooled(folders: Callable[..., Path]) -> None:
    deep = load_huggingface(str(folders(tiny.save_text, "llama", num_hidden_layers=24)))
    assert isinstance(deep, PretrainedText)
    alive: list[int] = []
    states: list[weakref.ref[Tensor]] = []

    def watched(state: Tensor) -> Tensor:
        states.append(weakref.ref(state))
        alive.append(sum(ref() is not None for ref in states))
        return state.mean(1)

    ids = torch.arange(4, 40)[None]
    with torch.no_grad():
        found = deep._layers.reduced(watched, {"input_ids": ids})
    assert len(found) == deep.n_layers == 24
    assert max(alive) <= 3  # with all layers held: 24


@pytest.mark.parametrize(
    ("save", "args", "sample"),
    [
        (tiny.save_text, ("bert",), SENTENCE),
        (tiny.save_waveform, ("wav2vec2",), clip()),
        (tiny.save_whisper, (), clip()),
        (tiny.save_ast, (), clip()),
        (tiny.save_patches, ("vit",), picture()),
        (tiny.save_stages, ("convnext",), picture()),
    ],
)
def test_half_precision_gives_about_the_same_in_float32(
    save: Callable[..., Path], args: tuple[str, ...], sample: Any, load: Load, folders: Callable[..., Path]
) -> None:
    whole = load(save, *args)
    half = load_huggingface(str(folders(save, *args)), placing=Placing(dtype="bfloat16"))
    assert half._model.dtype == torch.bfloat16  # type: ignore[attr-defined]
    assert half.preprocessing == f"{whole.preprocessing}:bfloat16"
    found, expected = encode(half, sample).hidden, encode(whole, sample).hidden
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    assert float((found - expected).norm() / expected.norm()) < 0.1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype, tmp_path: Path, folders: Callable[..., Path]) -> None:
    folder = tiny.save_text(tmp_path / "half", "qwen2", tokenizer=tiny.byte_level, dtype=dtype)
    backbone = load_huggingface(str(folder))
    assert {p.dtype for p in backbone._model.parameters()} == {torch.float32}  # type: ignore[attr-defined]
    assert not any(p.requires_grad for p in backbone._model.parameters())  # type: ignore[attr-defined]
    ids = transformers.AutoTokenizer.from_pretrained(folder)(SENTENCE, return_tensors="pt")["input_ids"]
    expected = torch.cat(direct(folder, input_ids=ids).hidden_states[1:])
    assert torch.equal(encode(backbone, SENTENCE).hidden, expected)


def test_layers_of_other_width_are_widened(load: Load) -> None:
    # OPT-350m: the last hidden state is projected back to the embeddings' width.
    backbone = load(tiny.save_text, "opt", word_embed_proj_dim=8, do_layer_norm_before=False)
    assert backbone.n_features == 16
    assert encode(backbone, SENTENCE).hidden.shape[2] == 16


def test_preprocessing_changes_with_the_files_that_decide_it(
    folders: Callable[..., Path], load: Load
) -> None:
    one = load(tiny.save_patches, "vit").preprocessing
    assert one.startswith("huggingface-patches-1:")
    assert one != load(tiny.save_patches, "vit", processor="Siglip").preprocessing
    assert (
        load(tiny.save_text, "bert").preprocessing
        != load(tiny.save_text, "bert", tokenizer=tiny.byte_level).preprocessing
    )
    assert one == load_huggingface(str(folders(tiny.save_patches, "vit"))).preprocessing


def test_every_model_type_is_known_to_transformers_and_listed_once() -> None:
    listed = [(kind, family.modality) for family in FAMILIES for kind in family.model_types]
    assert len(listed) == len(set(listed))
    kinds = {kind for kind, _ in listed}
    assert set(kinds) <= set(transformers.CONFIG_MAPPING)
    tested = {*TEXT_TYPES, *PATCH_TYPES, *WAVEFORM_TYPES, *STAGE_TYPES, "whisper", "wav2vec2-bert"}
    tested |= {"audio-spectrogram-transformer", "clap", "clap_audio_model", "siglip2", "siglip2_vision_model"}
    assert tested == set(kinds)


# With real weights


def built_in(name: str) -> Backbone:
    try:
        return load_backbone(name)
    except EncoderError as e:
        pytest.skip(str(e))


def test_minilm_from_a_folder_is_the_built_in_minilm(tmp_path: Path) -> None:
    expected = encode(built_in("minilm-l6"), tiny.CORPUS[1])
    for file in (text.CONFIG, text.WEIGHTS, text.TOKENIZER):
        shutil.copy(weights.locate(file), tmp_path)
    backbone = load_huggingface(str(tmp_path))
    assert backbone.weights_sha256 == text.WEIGHTS.sha256
    found = encode(backbone, tiny.CORPUS[1])
    torch.testing.assert_close(found.hidden, expected.hidden, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.tokens.spans, expected.tokens.spans)
    assert found.text == expected.text == tiny.CORPUS[1]


def test_whisper_from_a_folder_is_the_built_in_whisper(tmp_path: Path) -> None:
    whisper = built_in("whisper-tiny-en")
    encoder = whisper._encoder  # type: ignore[attr-defined]
    state = {f"encoder.{name}": tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    encoder.config.save_pretrained(tmp_path)
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path)
    found, expected = encode(load_huggingface(str(tmp_path)), clip(1.7)), encode(whisper, clip(1.7))
    assert torch.equal(found.hidden, expected.hidden)
    np.testing.assert_allclose(found.tokens.spans, expected.tokens.spans, rtol=0, atol=1e-9)
    assert found.tokens.labels == expected.tokens.labels
