"""Trained heads on disk: a folder of ``config.json``, ``model.safetensors``, ``README.md`` and
``report.json``. Loading checks everything it reads and never unpickles.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelHubMixin, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.errors import CheckpointError, ConfigError, EncoderError, first_line
from daam_core.importance import importance_factor
from daam_core.model import DaamClassifier, EncoderIdentity, ModelConfig
from daam_core.result import DatasetMean
from daam_core.writing.files import replacing, write_text

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
REPORT_FILE = "report.json"
BUILT_IN_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
MAX_JSON_BYTES = 16_000_000


def built_in_models() -> list[str]:
    """Names of the heads that come with the project."""
    return sorted(folder.parent.name for folder in BUILT_IN_FOLDER.glob(f"*/{CONFIG_FILE}"))


class Model(
    ModelHubMixin,
    library_name="daam-explorer",
    tags=["density-adaptive-attention", "explainability"],
    paper_url="https://arxiv.org/abs/2401.11143",
):
    """A trained head together with the frozen encoder it was trained on.

    ``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` are huggingface_hub's.

    Attributes:
        classifier: the trained head, in evaluation mode.
        name: built-in name, hub id or folder name.
        card: text of the model card.
        report: what training and evaluation measured; empty if the checkpoint carries no report.
        sha256: hash of the weights file, empty for a model that was not loaded from disk.
    """

    def __init__(
        self,
        classifier: DaamClassifier,
        *,
        name: str = "model",
        card: str = "",
        report: Mapping[str, Any] | None = None,
        sha256: str = "",
        encoder: str | None = None,
    ) -> None:
        self.classifier = classifier.eval().requires_grad_(False)
        self.name, self.card, self.report, self.sha256 = name, card, dict(report or {}), sha256
        self._encoder_location = encoder

    @property
    def config(self) -> ModelConfig:
        return self.classifier.config

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.config.class_names

    @cached_property
    def backbone(self) -> Backbone:
        """The encoder this head was trained on, loaded when first needed.

        Raises:
            EncoderError: it cannot be found, or it is another one.
        """
        identity = self.config.encoder
        location = self._encoder_location or identity.name
        revision = None if self._encoder_location or identity.revision == "local" else identity.revision
        backbone = load_backbone(location, revision=revision, modality=self.config.modality)
        check_encoder(self.config, backbone)
        return backbone

    @cached_property
    def dataset(self) -> DatasetMean | None:
        """The data set's averages stored with the checkpoint, or None."""
        head = self.classifier
        samples = int(head.dataset_samples)
        if samples == 0:
            return None
        attention = head.attention
        gate = attention.by_head(head.dataset_gate)
        density_attention = attention.by_head(attention.attend(head.dataset_gate))
        importance = importance_factor(density_attention, head_layers=attention.head_layers).importance
        return DatasetMean(
            gate=gate.numpy(),
            density_attention=density_attention.numpy(),
            importance=importance.numpy(),
            values=head.dataset_values.numpy(),
            statistic_mean=head.dataset_statistic_mean.numpy(),
            statistic_variance=head.dataset_statistic_variance.numpy(),
            samples=samples,
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        folder = Path(save_directory)
        tensors = {name: tensor.contiguous() for name, tensor in self.classifier.state_dict().items()}
        with replacing(folder / WEIGHTS_FILE) as temporary:
            save_file(tensors, temporary, metadata={"format": "pt"})
        write_text(folder / CONFIG_FILE, json.dumps(asdict(self.config), indent=2) + "\n")
        if self.card:
            write_text(folder / CARD_FILE, self.card)
        if self.report:
            write_text(folder / REPORT_FILE, json.dumps(self.report, indent=2, allow_nan=False) + "\n")

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        encoder: str | None = None,
        **hub_options: Any,
    ) -> "Model":
        """Load by built-in name, folder or hub id; see :func:`load_model`."""
        name = str(pretrained_model_name_or_path)
        folder = _locate(name, revision=revision, **hub_options)
        config = _read_config(folder / CONFIG_FILE)
        classifier = _read_classifier(folder / WEIGHTS_FILE, config)
        is_folder = Path(name).is_dir()
        return cls(
            classifier,
            name=Path(name).resolve().name if is_folder else name,
            card=_read_optional(folder / CARD_FILE, lambda text: text) or "",
            report=_read_optional(folder / REPORT_FILE, json.loads),
            sha256=_sha256(folder / WEIGHTS_FILE),
            encoder=encoder,
        )


def load_model(name: str | Path, *, revision: str | None = None, encoder: str | None = None) -> Model:
    """Load a trained head.

    Args:
        name: a built-in name, a folder, or a Hugging Face hub id (``owner/name``).
        revision: hub revision; hub ids only.
        encoder: where the encoder lies, if it is not where the checkpoint says (a local folder).
            It must still be the same encoder: its hash is compared.

    Raises:
        CheckpointError: unknown name, or a checkpoint that is incomplete, damaged, truncated,
            foreign or at odds with its configuration.
    """
    return Model.from_pretrained(name, revision=revision, encoder=encoder)


def check_encoder(config: ModelConfig, backbone: Backbone) -> None:
    """Refuse an encoder other than the one the head was trained on.

    Raises:
        EncoderError: naming both.
    """
    expected, found = config.encoder, identity_of(backbone)
    same = (expected.weights_sha256, expected.preprocessing) == (found.weights_sha256, found.preprocessing)
    sizes = (config.n_layers, config.n_features), (backbone.n_layers, backbone.n_features)
    if not same or sizes[0] != sizes[1] or config.modality != backbone.modality:
        raise EncoderError(
            f"This head was trained on {_describe(expected)}, {sizes[0][0]} × {sizes[0][1]}, "
            f"but the encoder here is {_describe(found)}, {sizes[1][0]} × {sizes[1][1]}. "
            "Use the encoder it was trained on, or train a new head."
        )


def identity_of(backbone: Backbone) -> EncoderIdentity:
    """The encoder's identity as a checkpoint records it."""
    return EncoderIdentity(backbone.name, backbone.revision, backbone.weights_sha256, backbone.preprocessing)


def _describe(encoder: EncoderIdentity) -> str:
    return (
        f"{encoder.name} (revision {encoder.revision}, weights {encoder.weights_sha256[:12]}, "
        f"preprocessing {encoder.preprocessing})"
    )


def _locate(name: str, *, revision: str | None, **hub_options: Any) -> Path:
    if (BUILT_IN_FOLDER / name / CONFIG_FILE).is_file() and re.fullmatch(r"[\w-]+", name):
        return BUILT_IN_FOLDER / name
    if Path(name).is_dir():
        return Path(name)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        known = ", ".join(built_in_models()) or "none in this installation"
        raise CheckpointError(
            f"There is no model {name!r}: give a built-in name ({known}), a folder that holds "
            f"{CONFIG_FILE} and {WEIGHTS_FILE}, or a hub id such as owner/name."
        )
    try:
        files = [CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, REPORT_FILE]
        return Path(snapshot_download(name, revision=revision, allow_patterns=files, **hub_options))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise CheckpointError(
            f"There is no folder {name!r} here, and it cannot be had from the hub: {first_line(error)}"
        ) from error


def _read_config(path: Path) -> ModelConfig:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(
                f"{path.name} is larger than {MAX_JSON_BYTES // 1_000_000} MB: not a checkpoint."
            )
        return ModelConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.parent.name} is not a checkpoint: it has no {CONFIG_FILE}.") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise CheckpointError(f"{path.parent.name}/{CONFIG_FILE}: {error}") from error
        raise CheckpointError(
            f"{path.parent.name}/{CONFIG_FILE} is damaged or no JSON: {first_line(error)}"
        ) from error


def _read_classifier(path: Path, config: ModelConfig) -> DaamClassifier:
    where = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise CheckpointError(
            f"{path.parent.name} has no {WEIGHTS_FILE}; this package reads safetensors only."
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{where} is damaged, truncated or no safetensors file: {first_line(error)}"
        ) from error
    # Compared before the classifier is built, so that absurd sizes in a configuration cost nothing.
    cells = [config.n_layers, config.n_features]
    width = config.n_features if config.gate == "density" else config.n_gaussians
    _check_shape(where, tensors, "standardisation.mean", cells)
    _check_shape(where, tensors, "attention.mean_offset", [config.n_heads, width])
    try:
        classifier = DaamClassifier(config)
    except ConfigError as error:
        raise CheckpointError(f"{path.parent.name}/{CONFIG_FILE}: {error}") from error
    expected = classifier.state_dict()
    if "dataset_statistic_mean" not in tensors and "dataset_samples" in tensors:
        # Saved before the data set's statistics were kept: a whole average or none.
        tensors |= {name: tensor for name, tensor in expected.items() if name.startswith("dataset_")}
    if foreign := sorted(set(tensors) - set(expected)):
        raise CheckpointError(f"{where} holds tensors that no such head has: {', '.join(foreign[:5])}.")
    for name, tensor in expected.items():
        _check_shape(where, tensors, name, list(tensor.shape))
        found = tensors[name]
        if found.dtype != tensor.dtype:
            raise CheckpointError(f"{where}: {name} must be {tensor.dtype}, got {found.dtype}.")
        if not bool(torch.isfinite(found).all()):
            raise CheckpointError(f"{where}: {name} holds values that are not finite.")
    if not bool((tensors["standardisation.deviation"] > 0).all()):
        raise CheckpointError(f"{where}: standardisation.deviation must be positive.")
    classifier.load_state_dict(tensors)
    return classifier


def _check_shape(where: str, tensors: Mapping[str, Tensor], name: str, shape: list[int]) -> None:
    if name not in tensors:
        raise CheckpointError(f"{where} lacks {name}: not a head of this kind.")
    if list(tensors[name].shape) != shape:
        raise CheckpointError(
            f"{where}: {name} is {list(tensors[name].shape)}, but {CONFIG_FILE} asks for {shape}."
        )


def _read_optional(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path.parent.name}/{path.name} is damaged: {first_line(error)}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
