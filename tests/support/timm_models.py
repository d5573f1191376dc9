"""A stand-in for the package timm, and a folder as its repositories hold a model."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

PREPARED = {
    "input_size": [3, 32, 32],
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.3, 0.4],
    "crop_pct": 0.8,
    "interpolation": "bilinear",
}


class ThreeStages(nn.Module):
    """What timm gives of a small hierarchy: 4 channels on 16 × 16 cells, then twice 8 on 8 × 8."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 8, 2, 2)

    def forward_intermediates(self, x, *, intermediates_only, output_fmt):
        assert (intermediates_only, output_fmt) == (True, "NCHW")
        first = self.first(x)
        second = self.second(first)
        return [first, second, second.relu()]


def stand_in(monkeypatch: pytest.MonkeyPatch) -> tuple[ThreeStages, dict[str, object]]:
    """Puts it in timm's place: a network, and what timm is asked to create."""
    torch.manual_seed(0)
    made = ThreeStages()
    created: dict[str, object] = {}

    def create_model(architecture, **settings):
        created.update(settings, architecture=architecture)
        if architecture != "three_stages":
            raise RuntimeError(f"Unknown model ({architecture})")
        return ThreeStages()

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    return made, created


def saved(folder: Path, network: nn.Module, *, prefix: str = "", **changes: object) -> Path:
    folder.mkdir()
    config = {"architecture": "three_stages", "num_classes": 5, "pretrained_cfg": PREPARED} | changes
    (folder / "config.json").write_text(json.dumps(config))
    weights = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    save_file(weights | {f"{prefix}head.weight": torch.zeros(5, 8)}, folder / "model.safetensors")
    return folder
