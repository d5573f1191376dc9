"""Settings of a training that go together, by one word: ours, and those of the paper."""

from daam_core.errors import ConfigError
from daam_core.inputs import Modality
from daam_core.plain import PlainMapping
from daam_core.training.fitting import TrainingConfig

_PAPER: PlainMapping = {"epochs": 35, "patience": 35, "initialisation": "xavier"}
_SPEECH: PlainMapping = {"focal_gamma": 2.5}
#: What each preset is.
PRESETS = {
    "ours": "our defaults, as each option says",
    "paper": "AdamW, 35 epochs, Xavier's initialisation, for speech a focal loss with gamma 2.5, one "
    "learning rate for gate and decoder (arXiv 2401.11143v4)",
}


def preset(name: str, modality: Modality, given: PlainMapping) -> PlainMapping:
    """Settings of :class:`~daam_core.training.fitting.TrainingConfig` by a preset, below those given.

    Raises:
        ConfigError: there is no such preset.

    >>> preset("paper", "audio", {"learning_rate": 1e-4})["gate_learning_rate"]
    0.0001
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no recipe {name!r}; there are {', '.join(PRESETS)}.")
    if name == "ours":
        return given
    rate = given.get("learning_rate", TrainingConfig.learning_rate)
    of_speech = _SPEECH if modality == "audio" else {}
    return {**_PAPER, **of_speech, "gate_learning_rate": rate, **given}
