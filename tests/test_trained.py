"""A trained classifier as a torch module, and what torch.export and ONNX make of it."""

import itertools
import json
from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import ArrayLike
from safetensors.torch import load_file

from daam_core.errors import DaamError, EncoderError, ShapeError
from daam_core.explaining import explain_encoding
from daam_core.inputs import read_text
from daam_core.locating import BUILT_IN_FOLDER, built_in_models
from daam_core.model import DaamClassifier
from daam_core.trained import TrainedClassifier, load_model
from tests.support.small import CLASSES, FEATURES, LAYERS, LetterEncoder, letter_config, letter_model

KINDS = [
    {"gate_kind": gate, "mode": mode, "decoder": decoder, "n_gaussians": 2}
    for gate, mode, decoder in itertools.product(
        ("density", "mixture"), ("shared", "layer_groups"), ("pool", "linear", "conv")
    )
] + [{"decoder": "density", "n_directions": 7, "n_prototypes": 9}]


def drawn_model(**changes: object) -> TrainedClassifier:
    """A classifier whose parameters are away from their start, so that no term of a formula vanishes."""
    torch.manual_seed(0)
    classifier = DaamClassifier(letter_config(**changes))
    with torch.no_grad():
        for parameter in classifier.attention.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    classifier.standardisation.fit(2 + 3 * torch.randn(30, LAYERS, FEATURES))
    return TrainedClassifier(classifier, name="drawn")


def pooled(count: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(count)
    return 2 + 3 * torch.randn(count, LAYERS, FEATURES, generator=draw)


@pytest.mark.parametrize("name", built_in_models())
def test_the_state_dict_holds_the_checkpoints_tensors_under_their_names(name):
    model = load_model(name)
    stored = load_file(BUILT_IN_FOLDER / name / "model.safetensors")
    state = model.state_dict()
    assert {key: state[key] for key in sorted(state)}.keys() == {
        key for key in stored if not key.startswith("dataset_")
    }
    assert all(torch.equal(tensor, stored[key]) for key, tensor in state.items())
    assert model.dataset.samples == int(stored["dataset_samples"])


def test_its_tensors_can_be_loaded_into_another_alone_or_inside_a_module():
    model, other = drawn_model(), TrainedClassifier(DaamClassifier(letter_config()))
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other(pooled(3)).logits, model(pooled(3)).logits)
    around, wide = torch.nn.ModuleList([model]), torch.nn.ModuleList([drawn_model(decoder="pool")])
    assert set(around.state_dict()) == {f"0.{name}" for name in model.state_dict()}
    wide.load_state_dict(around.state_dict())


def test_it_is_called_with_pooled_features_and_moves():
    model, x = drawn_model(), pooled(4)
    expected = model.classifier(x)
    assert torch.equal(model(x).logits, expected.logits)
    assert torch.equal(model(x).gate, expected.gate)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    double = drawn_model().to(torch.float64)
    torch.testing.assert_close(double(x.double()).logits.float(), expected.logits, atol=1e-4, rtol=1e-4)
    assert drawn_model().to("meta").classifier.standardisation.mean.device.type == "meta"


def test_an_explanation_in_double_precision_is_the_same_to_rounding():
    encoding = LetterEncoder().encode(read_text("hello"))
    single = explain_encoding(drawn_model(), encoding)
    double = explain_encoding(drawn_model().double(), encoding)
    assert double.gate.dtype == np.float64
    np.testing.assert_allclose(double.gate, single.gate, atol=1e-5)
    np.testing.assert_allclose(double.token_attribution, single.token_attribution, atol=1e-3)


def test_an_encoder_of_somebodys_own_must_be_given(tmp_path):
    letter_model().save_pretrained(tmp_path / "m")
    with pytest.raises(
        EncoderError, match=r"was trained on 'letters', an encoder of somebody's own .* encoder=…"
    ):
        _ = load_model(tmp_path / "m").backbone
    given = load_model(tmp_path / "m", encoder=LetterEncoder()).backbone
    assert isinstance(given, LetterEncoder)


def test_its_text_says_what_it_is():
    lines = repr(letter_model()).splitlines()
    assert lines[0] == f"TrainedClassifier 'letters': text, 2 classes ({', '.join(CLASSES)})"
    assert "density gates, 2 heads (shared), 6 layers × 8 features, pool decoder" in lines[1]
    assert lines[2:] == ["  encoder letters, revision 1", "  data set averages: over 80 inputs"]


def agrees(model: TrainedClassifier, run: Callable[[torch.Tensor], Sequence[ArrayLike]]) -> None:
    """Both outputs equal torch's own, for any number of inputs."""
    for count in (1, 2, 7):
        x = pooled(count)
        for found, expected in zip(run(x), model(x), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def named(kind: dict[str, object]) -> str:
    return "-".join(str(value) for value in kind.values())


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_torch_exports_program_equals_torch(kind):
    model, batch = drawn_model(**kind), torch.export.Dim("batch", min=1)
    agrees(model, torch.export.export(model, (pooled(2),), dynamic_shapes=({0: batch},)).module())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [KINDS[index] for index in (0, 3, 6, 8, 10)], ids=named)
def test_onnx_runtime_equals_torch(tmp_path, kind):
    """Both gates in both modes, and the other decoders."""
    model = drawn_model(**kind)
    model.export_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["class_names"]) == list(CLASSES)
    agrees(model, lambda x: session.run(["logits", "gate"], {"pooled": x.numpy()}))


ROWS = {
    "shared": {},
    "layer_groups": {"mode": "layer_groups"},
    "levels": {
        "n_levels": 2,
        "n_heads": 4,
        "mode": "layer_groups",
        "gate_kind": "mixture",
        "amplitude": "none",
        "decoder": "linear",
    },
}


@pytest.mark.parametrize("kind", ROWS.values(), ids=ROWS)
def test_an_onnx_file_says_of_which_head_and_layer_a_row_is(tmp_path, kind):
    model, x = drawn_model(**kind), pooled(3)
    model.export_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    stored = session.get_modelmeta().custom_metadata_map
    heads, layers = (json.loads(stored[name]) for name in ("head_of_row", "layer_of_row"))
    (gate,) = session.run(["gate"], {"pooled": x.numpy()})
    assert len(heads) == len(layers) == gate.shape[1]
    n_heads = model.config.n_heads
    expected = model.classifier.attention.by_head(model(x).gate).numpy()
    found = np.zeros((len(x), n_heads, *expected.shape[2:]))
    for row, (head, layer) in enumerate(zip(heads, layers, strict=True)):
        if head == n_heads:  # no head's: the values go past all levels
            assert (gate[:, row] == 1).all()
        else:
            found[:, head, layer] = gate[:, row]
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    assert heads.count(n_heads) == (LAYERS if model.config.n_levels > 1 else 0)


def test_values_are_checked_when_called_not_in_a_graph():
    model, broken = drawn_model(), torch.full((1, LAYERS, FEATURES), torch.nan)
    program = torch.export.export(model, (pooled(2),)).module()
    with pytest.raises(ShapeError, match="NaN"):
        model(broken)
    assert bool(program(broken.expand(2, -1, -1)).logits.isnan().all())


def test_missing_packages_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DaamError, match="pip install onnx onnxscript"):
        drawn_model().export_onnx(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
