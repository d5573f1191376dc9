"""Models of timm: a stand-in for the package, and the package itself where it can be imported."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from daam_core.backbones import load_backbone
from daam_core.errors import EncoderError
from tests.support.encode import encode

PREPARED = {
    "input_size": [3, 32, 32],
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.3, 0.4],
    "crop_pct": 0.8,
    "interpolation": "bilinear",
}


class TwoStages(nn.Module):
    """What timm gives of a small hierarchy: 4 channels on 16 × 16 cells, then 8 on 8 × 8."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 8, 2, 2)

    def forward_intermediates(self, x, *, intermediates_only, output_fmt):
        assert (intermediates_only, output_fmt) == (True, "NCHW")
        first = self.first(x)
        return [first, self.second(first)]


@pytest.fixture
def network(monkeypatch):
    torch.manual_seed(0)
    made = TwoStages()
    created = {}

    def create_model(architecture, **settings):
        created.update(settings, architecture=architecture)
        if architecture != "two_stages":
            raise RuntimeError(f"Unknown model ({architecture})")
        return TwoStages()

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    return made, created


def saved(folder, network, *, prefix="", **changes):
    folder.mkdir()
    config = {"architecture": "two_stages", "num_classes": 5, "pretrained_cfg": PREPARED} | changes
    (folder / "config.json").write_text(json.dumps(config))
    weights = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    save_file(weights | {f"{prefix}head.weight": torch.zeros(5, 8)}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("wrapped", [False, True])
def test_intermediates_are_layers_on_one_grid(network, tmp_path, wrapped):
    made, created = network
    more = {"model_type": "timm_wrapper", "prefix": "timm_model."} if wrapped else {}
    backbone = load_backbone(str(saved(tmp_path / "net", made, model_args={"depth": 2}, **more)))
    assert created == {"architecture": "two_stages", "pretrained": False, "num_classes": 0, "depth": 2}
    assert (backbone.modality, backbone.n_layers, backbone.n_features) == ("image", 2, 8)
    draw = np.random.default_rng(0)
    picture = Image.fromarray(draw.integers(0, 255, (40, 60, 3), dtype=np.uint8))
    encoding = encode(backbone, picture)
    # By timm's own steps: the shorter side to 32 / 0.8, the middle, colours over mean and deviation.
    middle = picture.crop((14, 4, 46, 36))
    values = torch.from_numpy(np.asarray(middle, np.float32) / 255)
    pixels = ((values - torch.tensor(PREPARED["mean"])) / torch.tensor(PREPARED["std"])).permute(2, 0, 1)
    first, second = made.forward_intermediates(pixels[None], intermediates_only=True, output_fmt="NCHW")
    assert encoding.hidden.shape == (2, 256, 8)
    torch.testing.assert_close(encoding.hidden[0, :, :4], first[0].flatten(1).T)
    torch.testing.assert_close(encoding.hidden[1].mean(0), second[0].mean((1, 2)))
    np.testing.assert_allclose(encoding.tokens.spans[0], [14 / 60, 4 / 40, 16 / 60, 6 / 40])
    np.testing.assert_allclose(encoding.tokens.spans[-1], [44 / 60, 34 / 40, 46 / 60, 36 / 40])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "three_stages"}, "cannot be loaded by timm .Unknown model"),
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


def test_a_model_of_timm_itself(tmp_path):
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"timm cannot be imported here: {error}")
    model = timm.create_model("convnext_atto", num_classes=0)
    folder = saved(tmp_path / "net", model, architecture="convnext_atto")
    backbone = load_backbone(str(folder))
    assert (backbone.n_layers, backbone.n_features) == (4, 320)
