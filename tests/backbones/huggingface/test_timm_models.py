"""Models of timm: a stand-in for the package, and the package itself where it can be imported."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from daam_core.backbones import load_backbone
from daam_core.errors import EncoderError
from tests.support.encode import encode
from tests.support.timm_models import PREPARED, saved, stand_in


@pytest.fixture
def network(monkeypatch):
    return stand_in(monkeypatch)


@pytest.mark.parametrize("wrapped", [False, True])
def test_intermediates_are_layers_on_one_grid(network, tmp_path, wrapped):
    made, created = network
    # timm 1.0.31 records what its factory was given, the number of classes among it.
    given = {"depth": 2, "num_classes": 7, "checkpoint_path": "other.pth"}
    more = {"model_type": "timm_wrapper", "prefix": "timm_model."} if wrapped else {}
    backbone = load_backbone(str(saved(tmp_path / "net", made, model_args=given, **more)))
    assert created == {"architecture": "three_stages", "pretrained": False, "num_classes": 0, "depth": 2}
    assert (backbone.modality, backbone.n_layers, backbone.n_features) == ("image", 3, 8)
    draw = np.random.default_rng(0)
    picture = Image.fromarray(draw.integers(0, 255, (40, 60, 3), dtype=np.uint8))
    encoding = encode(backbone, picture)
    # By timm's own steps: the shorter side to 32 / 0.8, the middle, colours over mean and deviation.
    middle = picture.crop((14, 4, 46, 36))
    values = torch.from_numpy(np.asarray(middle, np.float32) / 255)
    pixels = ((values - torch.tensor(PREPARED["mean"])) / torch.tensor(PREPARED["std"])).permute(2, 0, 1)
    first, second, _ = made.forward_intermediates(pixels[None], intermediates_only=True, output_fmt="NCHW")
    assert encoding.hidden.shape == (3, 256, 8)
    torch.testing.assert_close(encoding.hidden[0, :, :4], first[0].flatten(1).T)
    torch.testing.assert_close(encoding.hidden[1].mean(0), second[0].mean((1, 2)))
    np.testing.assert_allclose(encoding.tokens.spans[0], [14 / 60, 4 / 40, 16 / 60, 6 / 40])
    np.testing.assert_allclose(encoding.tokens.spans[-1], [44 / 60, 34 / 40, 46 / 60, 36 / 40])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "four_stages"}, "cannot be loaded by timm .Unknown model"),
        ({"architecture": "hf-hub:some/where"}, "'hf-hub:some/where' in .* is no architecture of timm"),
        ({"pretrained_cfg": {}}, "pretrained_cfg needs input_size, mean, std"),
        ({"pretrained_cfg": PREPARED | {"crop_mode": "border"}}, "crop_mode must be center"),
        ({"prefix": "other."}, "lack 4 parameters of its architecture, such as first.weight"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(network, tmp_path, changes, said):
    with pytest.raises(EncoderError, match=said):
        load_backbone(str(saved(tmp_path / "net", network[0], **changes)))


def test_without_timm_a_sentence_says_what_it_needs(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    folder = saved(tmp_path / "net", network[0])
    with pytest.raises(EncoderError, match="model of the package timm, which cannot be imported here"):
        load_backbone(str(folder))
    with pytest.raises(EncoderError, match="The encoder 'net' takes image, not text"):
        load_backbone(str(folder), modality="text")


@pytest.mark.parametrize(("width", "left"), [(47, 8), (45, 6)])
def test_half_a_pixel_goes_to_the_even_side(network, tmp_path, width, left):
    backbone = load_backbone(str(saved(tmp_path / "net", network[0])))
    draw = np.random.default_rng(0)
    picture = Image.fromarray(draw.integers(0, 255, (40, width, 3), dtype=np.uint8))
    spans = encode(backbone, picture).tokens.spans
    np.testing.assert_allclose(spans[0], [left / width, 4 / 40, (left + 2) / width, 6 / 40])


@pytest.mark.parametrize("architecture", ["convnext_atto", "vit_tiny_patch16_224"])
def test_a_model_of_timm_itself(tmp_path, architecture):
    try:
        import timm
        from timm.models import save_for_hf
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"timm cannot be imported here: {error}")
    model = timm.create_model(architecture).eval()
    save_for_hf(model, tmp_path / "net", safe_serialization=True)
    backbone = load_backbone(str(tmp_path / "net"))
    draw = np.random.default_rng(0)
    picture = Image.fromarray(draw.integers(0, 255, (300, 420, 3), dtype=np.uint8))
    prepare = timm.data.create_transform(**timm.data.resolve_data_config(model.pretrained_cfg))
    with torch.no_grad():
        layers = model.forward_intermediates(prepare(picture)[None], intermediates_only=True)
    hidden = encode(backbone, picture).hidden
    assert (backbone.n_layers, backbone.n_features) == (len(layers), layers[-1].shape[1])
    torch.testing.assert_close(hidden[-1].mean(0), layers[-1][0].mean((1, 2)), rtol=1e-4, atol=1e-5)
