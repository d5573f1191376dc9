"""LoRA and LoRA+ on encoders of every modality: where the matrices sit, what learns, what is refused."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from daam_core.backbones import load_backbone
from daam_core.backbones.huggingface.families import load_huggingface
from daam_core.backbones.text import MiniLM
from daam_core.errors import ConfigError
from daam_core.inputs import read_input
from daam_core.training.accuracy import trained_parameters
from daam_core.training.adapted_encoder import RANK, AdaptedEncoder
from daam_core.training.fitting import accuracy
from daam_core.training.from_inputs import Sources
from daam_core.training.methods import METHODS
from daam_core.training.recipes import recipe_of, train_method
from daam_core.training.settings import TrainingConfig
from tests.support import tiny_models as tiny
from tests.support.small import LetterEncoder, letter_config

LABELS = torch.arange(8) % 2
SETTINGS = {"epochs": 3, "learning_rate": 1e-2, "batch_size": 4}
draw = np.random.default_rng(0)


def text(label):
    return ("quick foxes jump over", "liquor jugs explain")[label] + " daft"[: int(draw.integers(6))]


def sound(label):
    """0.15 s of a low or a high tone in noise."""
    tone = np.sin(2 * np.pi * (300, 1500)[label] * np.arange(2400) / 16_000)
    return (0.3 * tone + 0.03 * draw.standard_normal(2400)).astype(np.float32), 16_000


def picture(label):
    """Blue or red, in noise."""
    pixels = draw.integers(0, 90, (32, 32, 3))
    pixels[:, :, (2, 0)[label]] += 120
    return Image.fromarray(pixels.astype(np.uint8))


def trained(backbone, given, *, method="lora"):
    sources = Sources([given(label) for label in LABELS.tolist()], backbone)
    config = letter_config(n_features=backbone.n_features)
    return train_method(
        METHODS[method],
        config,
        TrainingConfig(),
        torch.arange(len(LABELS)),
        LABELS,
        settings=SETTINGS,
        sources=sources,
    )


CASES = {
    "bert": (tiny.save_text, ("bert",), text, "encoder.layer.{}.attention.self.{}", ("query", "key")),
    "distilbert": (
        *(tiny.save_text, ("distilbert",), text),
        *("transformer.layer.{}.attention.{}", ("q_lin", "k_lin")),
    ),
    "wav2vec2": (
        *(tiny.save_waveform, ("wav2vec2",), sound),
        *("encoder.layers.{}.attention.{}", ("q_proj", "k_proj")),
    ),
    # Its attention takes the projections' weights instead of calling them.
    "wavlm": (
        *(tiny.save_waveform, ("wavlm",), sound),
        *("encoder.layers.{}.attention.{}", ("q_proj", "k_proj")),
    ),
    "whisper": (tiny.save_whisper, (), sound, "layers.{}.self_attn.{}", ("q_proj", "k_proj")),
    "vit": (tiny.save_patches, ("vit",), picture, "layers.{}.attention.{}", ("q_proj", "k_proj")),
}


@pytest.mark.parametrize("kind", CASES)
def test_queries_and_keys_alone_learn_and_the_encoder_stays_as_it_was(kind, tmp_path):
    save, settings, given, place, pair = CASES[kind]
    backbone = load_huggingface(str(save(tmp_path, *settings)))
    before = {name: value.clone() for name, value in backbone.module.state_dict().items()}
    model, history = trained(backbone, given)
    losses = [epoch.loss for epoch in history.epochs]
    assert losses[-1] < 0.9 * losses[0]
    found = [name for name, module in model.encoder.named_modules() if hasattr(module, "lora_A")]
    assert sorted(found) == sorted(place.format(layer, name) for layer in range(3) for name in pair)
    assert all(float(second.detach().abs().max()) > 1e-3 for second in model.second)  # they start at 0
    assert trained_parameters(model) == 6 * RANK * (16 + 16) + 16 * 2 + 2
    after = backbone.module.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_before_it_learns_it_pools_as_the_frozen_encoder_in_any_numbers(tmp_path):
    backbone = load_huggingface(str(tiny.save_text(tmp_path, "bert")))
    half = load_backbone(str(tmp_path), dtype="bfloat16")
    texts = [text(0), "jugs", text(1)]
    for encoder, tolerance in ((backbone, 1e-5), (half, 0.05)):
        sources = Sources(texts, encoder)
        model = AdaptedEncoder(sources, 2, adaptation="lora").eval()
        expected = torch.stack([one[-1] for one in encoder.pooled([sources.read(i) for i in range(3)])])
        torch.testing.assert_close(model.pooled(torch.arange(3)), expected, atol=tolerance, rtol=tolerance)
        assert {one.dtype for one in model.parameters()} == {torch.float32}  # steps are small


def test_dropout_alone_is_on_while_it_learns(tmp_path):
    """No masked stretches of sound, no skipped layers, no batch statistics."""
    backbone = load_huggingface(str(tiny.save_waveform(tmp_path, "wav2vec2-conformer")))
    model = AdaptedEncoder(Sources([sound(0)], backbone), 2, adaptation="lora").train()
    on = {type(one).__name__ for one in model.encoder.modules() if one.training}
    assert on == {"Dropout", "Wav2Vec2ConformerSelfAttention"}
    model.eval()
    assert not any(one.training for one in model.encoder.modules())


REFUSED = {
    "resnet": (tiny.save_stages, "it is a network without attention, such as one of convolutions; leave"),
    "hiera": (tiny.save_stages, r"one layer, encoder.\S+.attn.qkv, makes queries, keys and values together"),
    "gpt2": (tiny.save_text, "one layer, h.0.attn.c_attn, makes queries, keys and values together"),
    "xlnet": (tiny.save_text, "its attention has no linear layers of a known name .q_proj and k_proj, query"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_encoders_without_such_projections_are_refused_and_told_why(kind, tmp_path):
    save, why = REFUSED[kind]
    backbone = load_huggingface(str(save(tmp_path, kind)))
    with pytest.raises(ConfigError, match=f"The method lora_plus learns .* does not have: {why}"):
        trained(backbone, picture, method="lora_plus")


def test_other_encoders_are_refused_and_told_why(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="efficientnet-lite0 does not have: it is a network without att"):
        trained(load_backbone("efficientnet-lite0"), picture)
    with pytest.raises(ConfigError, match="letters does not have: it does not say which torch module"):
        trained(LetterEncoder(), text)
    backbone = load_huggingface(str(tiny.save_text(tmp_path, "bert")))
    monkeypatch.setattr(type(backbone), "pooled", torch.inference_mode()(type(backbone).pooled))
    with pytest.raises(
        ConfigError, match=r"computes its hidden states without gradients, .* torch.no_grad or"
    ):
        trained(backbone, text)


@pytest.fixture
def small_encoder():
    """The first two layers of the text encoder."""
    whole = load_backbone("minilm-l6")
    model = copy.deepcopy(whole.model)
    model.encoder.layer = model.encoder.layer[:2]
    model.config.num_hidden_layers = 2
    return MiniLM(model, whole._tokenizer)


def test_texts_of_several_windows_teach_it(small_encoder):
    """Their gradient is that of their windows as texts of their own, weighted by positions."""
    long = " ".join(f"word {i} of a text that is longer than the context" for i in range(60))
    model = AdaptedEncoder(Sources([long, "a short one"], small_encoder), 2, adaptation="lora")
    pooled = model.pooled(torch.tensor([0, 1]))
    pooled.sum(1)[0].backward()
    found = [one.grad.clone() for one in model.second]
    assert all(float(one.abs().max()) > 0 for one in found)
    adapted = small_encoder.with_module(model.encoder)
    cut = small_encoder._cut(read_input(long, "text"))
    assert len(cut.windows) > 1
    model.zero_grad()
    states = [adapted._hidden([ids])[0, -1].sum(0) for _, ids in cut.windows]
    (torch.stack(states).sum() / len(cut.labels)).backward()
    for one, expected in zip(model.second, found, strict=True):
        torch.testing.assert_close(one.grad, expected, rtol=1e-3, atol=1e-6)


def test_lora_changes_queries_and_keys_of_the_encoder_and_learns(small_encoder):
    sports = ["the striker scored a late goal", "the team won the cup final", "a coach praised his players"]
    money = ["shares fell as profits shrank", "the bank raised its interest rate", "a merger lifted stocks"]
    numbers, labels = torch.arange(6), torch.tensor([0] * 3 + [1] * 3)
    before = {key: value.clone() for key, value in small_encoder.model.state_dict().items()}
    sources = Sources([*sports, *money], small_encoder)
    moved = {}
    for name in ("lora", "lora_plus"):
        recipe = recipe_of(METHODS[name], letter_config(n_features=384), sources=sources)
        model, history = recipe.train(TrainingConfig(), numbers, labels)
        assert accuracy(model, numbers, labels) == 1.0
        assert history.best_epoch == history.settings["epochs"]
        trained = {key: one for key, one in model.encoder.named_parameters() if one.requires_grad}
        assert all(".query." in key or ".key." in key for key in trained)
        second = [one for key, one in trained.items() if "lora_B" in key]
        assert len(second) == 2 * 2  # queries and keys of two layers
        assert trained_parameters(model) == 8 * len(second) * (384 + 384) + 384 * 2 + 2
        moved[name] = float(torch.stack([one.detach().abs().mean() for one in second]).mean())
    assert moved["lora_plus"] > 4 * moved["lora"] > 0
    after = small_encoder.model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
