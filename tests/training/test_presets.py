"""Presets of a training: what is given holds, the rest follows the preset."""

import pytest

from daam_core.errors import ConfigError
from daam_core.training.presets import preset
from daam_core.training.settings import TrainingConfig


def test_the_paper_s_recipe_has_a_focal_loss_for_speech_and_one_learning_rate():
    speech = TrainingConfig(**preset("paper", "audio", {"learning_rate": 1e-4}))
    assert (speech.epochs, speech.focal_gamma, speech.initialisation) == (35, 2.5, "xavier")
    assert speech.gate_learning_rate == speech.learning_rate == 1e-4
    pictures = preset("paper", "image", {})
    assert pictures["gate_learning_rate"] == pictures["learning_rate"] == 1e-5
    assert preset("paper", "image", {"epochs": 3})["epochs"] == 3
    assert "focal_gamma" not in preset("paper", "text", {})
    assert preset("ours", "audio", {"epochs": 3}) == {"epochs": 3}


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ConfigError, match="no recipe 'mine'; there are ours, paper"):
        preset("mine", "text", {})
