"""A trained classifier with its encoder, name, card and report: what a person loads and explains with."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from huggingface_hub import ModelHubMixin

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.checkpoint import Checkpoint, find_checkpoint, read_checkpoint, write_checkpoint
from daam_core.errors import EncoderError
from daam_core.importance import importance_factor
from daam_core.model import DaamClassifier, EncoderIdentity, ModelConfig
from daam_core.result import DatasetMean


class TrainedClassifier(
    ModelHubMixin,
    library_name="daam-explorer",
    tags=["density-adaptive-attention", "explainability"],
    paper_url="https://arxiv.org/abs/2401.11143",
):
    """A trained classifier together with the frozen encoder it was trained on.

    ``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` are huggingface_hub's.

    Attributes:
        classifier: the trained network, in evaluation mode.
        name: built-in name, hub id or folder name.
        card: text of the model card.
        report: what training and evaluation measured; empty if the checkpoint carries no report.
        sha256: hash of the weights file; empty for one that was not loaded from disk.
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
        """The encoder this classifier was trained on, loaded when first needed.

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
        checkpoint = Checkpoint(self.classifier, self.card, self.report)
        write_checkpoint(Path(save_directory), checkpoint)

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        encoder: str | None = None,
        **hub_options: Any,
    ) -> "TrainedClassifier":
        """Load by built-in name, folder or hub id; see :func:`load_model`."""
        name = str(pretrained_model_name_or_path)
        found = read_checkpoint(find_checkpoint(name, revision=revision, **hub_options))
        return cls(
            found.classifier,
            name=Path(name).resolve().name if Path(name).is_dir() else name,
            card=found.card,
            report=found.report,
            sha256=found.sha256,
            encoder=encoder,
        )


def load_model(
    name: str | Path, *, revision: str | None = None, encoder: str | None = None
) -> TrainedClassifier:
    """Load a trained classifier.

    Args:
        name: a built-in name, a folder, or a Hugging Face hub id (``owner/name``).
        revision: hub revision; hub ids only.
        encoder: where the encoder lies, if it is not where the checkpoint says (a local folder).
            It must still be the same encoder: its hash is compared.

    Raises:
        CheckpointError: unknown name, or a checkpoint that is incomplete, damaged, truncated,
            foreign or at odds with its configuration.
    """
    return TrainedClassifier.from_pretrained(name, revision=revision, encoder=encoder)


def check_encoder(config: ModelConfig, backbone: Backbone) -> None:
    """Refuse an encoder other than the one a classifier was trained on.

    Raises:
        EncoderError: naming both.
    """
    expected, found = config.encoder, identity_of(backbone)
    same = (expected.weights_sha256, expected.preprocessing) == (found.weights_sha256, found.preprocessing)
    sizes = (config.n_layers, config.n_features), (backbone.n_layers, backbone.n_features)
    if not same or sizes[0] != sizes[1] or config.modality != backbone.modality:
        raise EncoderError(
            f"This classifier was trained on {_describe(expected)}, {sizes[0][0]} × {sizes[0][1]}, "
            f"but the encoder here is {_describe(found)}, {sizes[1][0]} × {sizes[1][1]}. "
            "Use the encoder it was trained on, or train a new classifier."
        )


def identity_of(backbone: Backbone) -> EncoderIdentity:
    """The encoder's identity as a checkpoint records it."""
    return EncoderIdentity(backbone.name, backbone.revision, backbone.weights_sha256, backbone.preprocessing)


def _describe(encoder: EncoderIdentity) -> str:
    return (
        f"{encoder.name} (revision {encoder.revision}, weights {encoder.weights_sha256[:12]}, "
        f"preprocessing {encoder.preprocessing})"
    )
