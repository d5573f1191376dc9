"""Oracles: the model untouched, the package's own numbers, the chain rule by hand, our own explanation."""

import copy
import json
from dataclasses import fields

import numpy as np
import pytest
import torch
from gaussian_adaptive_attention import (
    GaussianAdaptiveAttention,
    GaussianBlock,
    MultiHeadGaussianAdaptiveAttention,
)
from torch import Tensor, nn

from daam_core import export
from daam_core.attaching import attach, show
from daam_core.blocks import DensityEncoderLayer, DensityMultiheadAttention
from daam_core.configuration import EncoderIdentity, ModelConfig
from daam_core.encoding import Encoding, Tokens, pool
from daam_core.errors import ConfigError, InputError, ShapeError
from daam_core.explaining import explain_encoding
from daam_core.figures import token_figure
from daam_core.model import DaamClassifier
from daam_core.result import Explanation
from daam_core.trained import TrainedClassifier
from tests.support.own_models import CLASSES, FEATURES, Reader, numbers, prepare, sentences, trained

KINDS = ("several heads", "block", "transformer")
TEXT = "the old river thunder near a house gale"


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_know_new_sentences(kind):
    texts, labels = sentences(100, seed=9, length=12)
    found = trained(kind)(torch.cat([numbers(text) for text in texts])).argmax(-1)
    assert (found == labels).float().mean() > 0.95


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [False, True])
def test_outputs_are_the_same_to_the_last_bit_while_attached_and_explaining(kind, training):
    model, words = copy.deepcopy(trained(kind)).train(training), numbers(TEXT)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def output() -> Tensor:
        torch.manual_seed(3)  # of dropout
        return model(words)

    expected = output()
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES) as attached:
        assert torch.equal(output(), expected)
        (one, *_) = attached.explain(TEXT).values()
        assert torch.equal(output(), expected)
        assert [part.training for part in model.modules()] == [training] * len(list(model.modules()))
    assert torch.equal(output(), expected)
    np.testing.assert_array_equal(one.logits, model.eval()(words)[0].detach().numpy())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(part._forward_hooks for part in model.modules())


def test_the_packages_gate_parameters_and_gradient_are_the_explanations():
    model, words = trained("several heads"), numbers(TEXT)
    attention = model.attention
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES, axes=("token", "feature")) as attached:
        assert [(one.name, one.kind, one.shape) for one in attached.attentions] == [
            ("attention", "MultiHeadGaussianAdaptiveAttention", (2, 8, FEATURES))
        ]
        e = attached.explain(TEXT)["attention"]
    x = model.embed(words)
    output, mixture = attention(x, return_attention_details=True)
    assert e.predicted_class == "storm"
    np.testing.assert_array_equal(e.values, x[0].detach())
    np.testing.assert_array_equal(e.gate.sum(0), mixture[0])
    assert e.head_layers.tolist() == [[True] * 4 + [False] * 4, [False] * 4 + [True] * 4]
    np.testing.assert_array_equal(e.mean_offset[1], attention.attention_heads[1].mean_offsets.detach())
    np.testing.assert_array_equal(e.scaled_variance[1], attention.attention_heads[1].c.detach().abs())
    np.testing.assert_allclose(e.statistic_mean[1], x[0, 4:].mean(0).detach(), atol=1e-7)
    np.testing.assert_allclose(e.statistic_variance[1], x[0, 4:].var(0).detach() + 1e-8, rtol=1e-5)
    # The mean over N words is followed by one linear layer.
    expected = model.decide.weight[1].detach() / 8
    np.testing.assert_allclose(e.gradient.sum(0), expected.expand(8, -1), atol=1e-7)
    share = (output[0].detach() * expected).sum(1)
    np.testing.assert_allclose(e.token_attribution, share, atol=1e-6)
    assert e.token_labels == tuple(TEXT.split())
    assert e.text == TEXT
    assert e.axis_names == ("token", "feature")


def test_each_layer_of_a_block_has_an_explanation_over_its_own_axis():
    model, words = trained("block"), numbers(TEXT)
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES) as attached:
        found = attached.explain(TEXT)
    assert {name: e.shape for name, e in found.items()} == {
        "attention.layers.0": (1, 8, FEATURES),
        "attention.layers.1": (2, FEATURES, 8),
    }
    assert [e.axis_names for e in found.values()] == [("position", "feature"), ("feature", "position")]
    details = model.attention(model.embed(words), return_attention_details=True)[1]
    np.testing.assert_array_equal(found["attention.layers.0"].gate[0], details["layer_0"][0])
    np.testing.assert_array_equal(found["attention.layers.1"].gate.sum(0), details["layer_1"][0].T)
    assert all(e.modality == "tensor" and e.token_labels == () for e in found.values())


def test_a_density_transformers_gradient_is_that_of_finite_differences():
    model = copy.deepcopy(trained("transformer")).double()
    attention = model.attention[1].self_attn
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES, axes=("token", "feature")) as attached:
        e = attached.explain(TEXT, target="harvest")["attention.1.self_attn"]
    x = torch.tensor(e.values)[None]
    np.testing.assert_array_equal(e.gate, attention.gate(x)[0].detach())
    head, word, feature, step = 1, 3, 5, 1e-5
    logits = []
    for sign in (-1, 1):  # what one head lets through of one cell, moved a little
        moved = torch.zeros(1, 8, 2 * FEATURES, dtype=torch.float64)
        moved[0, word, head * FEATURES + feature] = sign * step
        hook = attention.out_proj.register_forward_pre_hook(lambda _, given, by=moved: (given[0] + by,))
        logits.append(float(model(numbers(TEXT))[0, 0].detach()))
        hook.remove()
    slope = (logits[1] - logits[0]) / (2 * step)
    assert e.gradient[head, word, feature] == pytest.approx(slope, rel=1e-5)
    np.testing.assert_array_equal(e.initial_mean_offset[0], -np.ones(FEATURES))
    assert np.abs(e.mean_offset - e.initial_mean_offset).max() > 0.01


def test_padding_of_a_call_stays_out_of_its_explanation():
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.reader = trained("transformer")
            self.more = 0

        def forward(self, words: Tensor) -> Tensor:
            words = nn.functional.pad(words, (0, self.more))
            x, padding = self.reader.embed(words), words == 0
            for layer in self.reader.attention:
                x = layer(x, src_key_padding_mask=padding)
            kept = (~padding)[..., None]
            return self.reader.decide((x * kept).sum(1) / kept.sum(1))

    model = Padded()
    with attach(model, numbers(TEXT)) as attached:
        plain = attached.explain(numbers(TEXT))["reader.attention.0.self_attn"]
        model.more = 3
        padded = attached.explain(numbers(TEXT))["reader.attention.0.self_attn"]
    assert padded.shape == (2, 11, FEATURES)
    assert not padded.gate[:, 8:].any()
    assert not padded.class_importance[:, 8:].any()
    np.testing.assert_allclose(padded.class_importance[:, :8], plain.class_importance, atol=1e-6)
    np.testing.assert_allclose(padded.statistic_variance, plain.statistic_variance, rtol=1e-5)


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_our_own_classifier_gets_the_explanation_that_it_gets_elsewhere(gate_kind, mode):
    torch.manual_seed(0)
    config = ModelConfig(
        "text", EncoderIdentity("e", "1", "0", "1"), 6, 5, ("a", "b"), 2, mode, gate_kind, n_gaussians=2
    )
    model = TrainedClassifier(DaamClassifier(config))
    tokens = Tokens("text", np.zeros((3, 2)), ("x", "y", "z"), np.ones(3))
    encoding = Encoding(torch.randn(6, 3, 5), tokens, {}, "x y z")
    expected = explain_encoding(model, encoding, target="b")
    given = pool(encoding)[None]
    with attach(model, given, class_names=("a", "b"), axes=("layer", "feature")) as attached:
        e = attached.explain(given, target=1)["classifier.attention"]
    of_input = {"token_attribution", "head_token_attribution", "token_spans", "pooled"}
    for field in fields(Explanation):
        value = getattr(expected, field.name)
        if isinstance(value, np.ndarray) and field.name not in of_input:
            np.testing.assert_allclose(getattr(e, field.name), value, atol=1e-7, err_msg=field.name)
    assert (e.mode, e.gate_kind, e.explained_class, e.axis_names) == (
        mode,
        gate_kind,
        "b",
        expected.axis_names,
    )


def test_a_padding_value_of_the_package_has_no_gate():
    torch.manual_seed(0)
    model = Reader(MultiHeadGaussianAdaptiveAttention(1, 2, 2, padding_value=0.0))
    with torch.no_grad():
        model.embed.weight[0] = 0
    words = torch.tensor([[3, 4, 5, 0, 6, 7, 0, 0]])
    with attach(model, words) as attached:
        e = attached.explain(words)["attention"]
    assert (e.gate.sum((0, 2)) > 0).tolist() == (words[0] > 0).tolist()
    x = model.embed(words)[0, 4:].detach()
    np.testing.assert_allclose(e.statistic_mean[1], x.mean(0), atol=1e-7)  # zeros count, as in the package


def test_a_module_called_twice_frozen_and_changed_in_place_is_explained_by_call():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = GaussianAdaptiveAttention(-1, 1, 2, None)
            self.decide = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            x = self.attention(x)
            x += 1
            return {"logits": self.decide(self.attention(x))}

    torch.manual_seed(0)
    model = Twice().requires_grad_(False)
    x = torch.randn(1, 6)
    with attach(model, {"x": x}, class_names="abc", name="mine") as attached:
        found = attached.explain((x,), target="c")
    assert list(found) == ["attention", "attention[1]"]
    first, second = found.values()
    assert first.model == "mine: attention"
    assert first.shape == (1, 6, 1)
    assert first.axis_names == ("feature", "value")
    np.testing.assert_allclose(second.gradient[0, :, 0], model.decide.weight[2], atol=1e-7)
    np.testing.assert_allclose(second.values, first.gate[0] * first.values + 1, atol=1e-6)
    with torch.enable_grad():  # through the second call
        through = torch.tensor((first.gate[0] * first.values).T, requires_grad=True)
        logit = model.decide(model.attention(through + 1))[0, 2]
        (expected,) = torch.autograd.grad(logit, through)
    np.testing.assert_allclose(first.gradient[0, :, 0], expected[0], atol=1e-6)


def test_a_pictures_channels_can_be_an_axis():
    """Any number of axes: an attention over the layers of [B, L, T, F]."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = DensityMultiheadAttention(4, 2, axis=-3)
            self.decide = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.decide(self.attention(x)[0].mean((1, 2)))

    torch.manual_seed(0)
    model, x = Net(), torch.randn(1, 5, 3, 4)
    with attach(model, x, axes={"attention": ("layer", "token", "feature")}) as attached:
        e = attached.explain(x)["attention"]
    assert e.shape == (2, 5, 12)
    assert e.axis_names == ("layer", "token and feature")
    np.testing.assert_array_equal(e.values, x[0].flatten(1))
    np.testing.assert_array_equal(e.gate, model.attention.gate(x)[0].flatten(2).detach())
    np.testing.assert_array_equal(e.mean_offset[0], model.attention.mean_offset[0].repeat(3).detach())


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"module": nn.Linear(4, 2)}, ConfigError, "Linear has no density attention inside"),
        ({"class_names": ("one",)}, ConfigError, "decides between 2 classes; class_names must be as many"),
        ({"axes": {"other": ("a", "b")}}, ConfigError, "axes names 'other'; the attentions are 'attention'"),
        ({"axes": ("a",)}, ConfigError, r"takes \[1, 8, 16\]: axes must name the 2 after .* got 1 \(a\)"),
        ({"axes": ("a", "a")}, ConfigError, "The names of axes must differ, got a, a"),
        ({"logits": lambda made: made[0]}, ShapeError, r"needs the logits \[1, C\] of one input.*gave \[2\]"),
        ({"example": numbers(TEXT).expand(2, -1), "prepare": None}, ShapeError, r"gave \[2, 2\]"),
    ],
)
def test_what_cannot_be_attached_is_said_and_leaves_no_hook(given, error, said):
    module = trained("several heads")
    arguments = {"module": module, "example": TEXT, "prepare": prepare, "class_names": CLASSES} | given
    with pytest.raises(error, match=said):
        attach(**arguments)
    assert not module.attention._forward_hooks


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_is_explained_in_numbers_that_files_know(kind, dtype):
    model = copy.deepcopy(trained(kind)).to(dtype)
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES, axes=("token", "feature")) as attached:
        found = attached.explain(TEXT).values()
    for e in found:
        assert {e.gate.dtype, e.values.dtype, e.logits.dtype, e.gradient.dtype} == {np.dtype(np.float32)}
        assert e.predicted_class == "storm"


@pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")
def test_an_attention_that_gave_nan_is_named_and_why():
    torch.manual_seed(0)
    model = Reader(GaussianBlock([1, 1], [2, 2], [2, 2], 2))
    with attach(model, TEXT, prepare=prepare, class_names=CLASSES) as attached:
        said = (
            r"'attention\.layers\.0' gave NaN: 3 positions along its axis 'position' are divided among 2 "
            r"heads, and a head needs at least two.*at least 4\."
        )
        with pytest.raises(InputError, match=said):
            attached.explain("the old river")
        assert len(attached.explain("the old river thunder")) == 2
        with pytest.raises(ShapeError, match="The input has no tokens, so there is nothing to explain"):
            attached.explain("")
        with torch.no_grad():
            model.attention.layers[1].attention_heads[0].mean_offsets[0] = torch.nan
        with pytest.raises(InputError, match=r"'attention\.layers\.1' gave NaN or infinity, though"):
            attached.explain(TEXT)


def test_what_cannot_be_explained_is_said():
    model = trained("several heads")
    attached = attach(model, TEXT, prepare=prepare, class_names=CLASSES, axes=("feature", "token"))
    with pytest.raises(InputError, match=r"no class 'fog'; the classes are harvest, storm"):
        attached.explain(TEXT, target="fog")
    with pytest.raises(
        InputError, match=rf"'attention' has {FEATURES} positions along .* but .* has 8 tokens"
    ):
        attached.explain(TEXT)
    attached.remove()
    with pytest.raises(ConfigError, match="Reader is attached no longer"):
        attached.explain(TEXT)

    class Numbers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.reader = model

        def forward(self, words: Tensor) -> Tensor:
            with torch.no_grad():
                return self.reader(words)

    with attach(Numbers(), numbers(TEXT)) as blind, pytest.raises(ConfigError, match="differentiate"):
        blind.explain(numbers(TEXT))


@pytest.mark.parametrize("axes", [("token", "feature"), None])
def test_an_explanation_goes_into_every_file_and_back(axes, tmp_path):
    with attach(trained("block"), TEXT, prepare=prepare, class_names=CLASSES, axes=axes) as attached:
        e = attached.explain(TEXT)["attention.layers.0"]
    for suffix in ("npz", "json"):
        export.save(e, tmp_path / f"e.{suffix}")
        again = export.load(tmp_path / f"e.{suffix}")
        for field in fields(Explanation):
            value, read = getattr(e, field.name), getattr(again, field.name)
            assert (
                np.array_equal(value, read, equal_nan=True)
                if isinstance(value, np.ndarray)
                else read == value
            )
    for suffix in ("html", "png", "csv"):
        export.save(e, tmp_path / f"e.{suffix}")
    rows = export.from_csv((tmp_path / "e.csv").read_text("utf-8"))
    np.testing.assert_array_equal(rows.gate, e.gate.astype(float))
    meanings = json.loads((tmp_path / "e.csv-metadata.json").read_text("utf-8"))["tableSchema"]["columns"]
    assert meanings[1]["dc:description"] == f"index along the axis {e.axis_names[0]!r}, counted from 0"
    summed = export.summary(e)
    assert summed["axis_names"] == list(e.axis_names)
    assert f"on {e.axis_names[0]}" in " ".join(summed["in_words"])
    with pytest.raises(InputError, match=r"cannot load Reader: attention\.layers\.0, a model of your own"):
        export.save(e, tmp_path / "e.ipynb")
    if axes is None:
        with pytest.raises(InputError, match="has no tokens that are known"):
            export.to_token_csv(e)
        with pytest.raises(ShapeError, match="Nothing is known of the tokens"):
            token_figure(e)
    else:
        assert len(export.to_token_csv(e).splitlines()) == 1 + len(TEXT.split())
        assert [word["text"] for word in summed["words"]] == TEXT.split()


def test_the_view_of_one_attention_in_a_notebook_cell():
    how = {"prepare": prepare, "class_names": CLASSES, "axes": ("token", "feature")}
    other = "the old river wheat near a house gale"
    widget = show(trained("transformer"), TEXT, beside=other, target="harvest", **how)
    assert widget.payload["a"]["model"] == "Reader: attention.1.self_attn"
    assert widget.payload["a"]["axis_names"] == ["token", "feature"]
    assert widget.payload["b"]["token_labels"] == other.split()
    assert widget.payload["b"]["explained"] == 0
    assert not any(part._forward_hooks for part in trained("transformer").modules())
    with attach(trained("transformer"), TEXT, **how) as attached:
        one = show(attached, TEXT, attention="attention.0.self_attn")
        assert (one.payload["a"]["model"], one.payload["b"]) == ("Reader: attention.0.self_attn", None)
        with pytest.raises(InputError, match="no attention 'mha'; there are 'attention"):
            show(attached, TEXT, attention="mha")


def test_a_model_with_several_labels_has_a_probability_for_each():
    block = DensityEncoderLayer(8, 2, 16)
    module = nn.Sequential(block, nn.Flatten(), nn.Linear(40, 3))
    given = torch.randn(1, 5, 8)
    with attach(module, given, labels="several") as attached:
        (e,) = attached.explain(given).values()
    np.testing.assert_allclose(e.probabilities, torch.sigmoid(module.eval()(given)[0]).detach(), atol=1e-6)
    assert e.predicted == tuple(k for k in np.argsort(-e.probabilities) if e.probabilities[k] >= 0.5)
    with pytest.raises(ConfigError, match="labels must be one of one, several, got 'both'"):
        attach(module, given, labels="both")
