"""Settings of a training that go together, by one word: ours, and those of the paper."""

from collections.abc import Mapping

from daam_core.errors import ConfigError
from daam_core.inputs import Modality
from daam_core.plain import PlainMapping

_PAPER: PlainMapping = {"epochs": 35, "patience": 35, "initialisation": "xavier"}
#: Batch sizes and learning rates from the paper's published code, the focal loss from its text.
_OF_MODALITY: Mapping[Modality, PlainMapping] = {
    "audio": {"batch_size": 8, "learning_rate": 1e-4, "focal_gamma": 2.5},
    "text": {"batch_size": 32, "learning_rate": 5e-5},
    "image": {"batch_size": 32, "learning_rate": 1e-5},
}
#: What each preset is.
PRESETS = {
    "ours": "our defaults, as each option says",
    "paper": "AdamW, 35 epochs, Xavier's initialisation, for speech a focal loss with gamma 2.5, one small "
    "learning rate for gate and decoder (arXiv 2401.11143v4 and its code)",
}


def preset(name: str, modality: Modality, given: PlainMapping) -> PlainMapping:
    """Settings of :class:`~daam_core.training.settings.TrainingConfig` by a preset, below those given.

    Raises:
        ConfigError: there is no such preset.

    >>> preset("paper", "audio", {"learning_rate": 1e-4})["gate_learning_rate"]
    0.0001
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no recipe {name!r}; there are {', '.join(PRESETS)}.")
    if name == "ours":
        return given
    found = {**_PAPER, **_OF_MODALITY[modality], **given}
    return {"gate_learning_rate": found["learning_rate"], **found}
