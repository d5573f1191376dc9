"""A trained classifier with its encoder, name, card and report: what a person loads and explains with.

Letters: B batch, L layers, F features, R rows (see ``layers``), C classes.
"""

import importlib.util
import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelHubMixin
from torch import Tensor, nn

from daam_core.backbones import load_backbone
from daam_core.backbones.base import ATTRIBUTES, Backbone
from daam_core.backbones.huggingface.hub import LOCAL, locate, weight_files, weights_sha256
from daam_core.backbones.names import may_be_found
from daam_core.backbones.placing import dtype_of
from daam_core.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from daam_core.configuration import EncoderIdentity, ModelConfig
from daam_core.errors import DaamError, EncoderError
from daam_core.locating import check_encoder_folder, find_checkpoint
from daam_core.model import DaamClassifier, Decision
from daam_core.outside import Known
from daam_core.plain import PlainMapping
from daam_core.result import DatasetMean
from daam_core.writing.files import replacing

_PREFIX = "classifier."
#: A folder, folders of which one is the right one, or an encoder itself; None: as the checkpoint says.
WhereEncoder = str | Path | Sequence[str | Path] | Backbone | None


class TrainedClassifier(
    nn.Module,
    ModelHubMixin,
    library_name="daam-explorer",
    tags=["density-adaptive-attention", "explainability"],
    paper_url="https://arxiv.org/abs/2401.11143",
):
    """A trained classifier together with the frozen encoder it was trained on.

    A module like any other: it is called with pooled features, ``.to()`` moves it, and its
    ``state_dict`` holds the tensors of the checkpoint's weights under the names they have there.
    ``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` are huggingface_hub's.

    Attributes:
        classifier: the trained network, in evaluation mode.
        name: built-in name, hub id or folder name.
        dataset: the classifier's averages over a data set, or None.
        known: what its training data look like, or None where that is not known.
        card: text of the model card.
        report: what training and evaluation measured; empty if the checkpoint carries no report.
        sha256: hash of the weights file; empty for one that was not loaded from disk.

    ``encoder`` says where the encoder lies, or is one of your own; ``folder`` where the checkpoint does,
    beside which an encoder's folder is looked for that is no longer in its place; ``device`` is where the
    encoder computes, in the numbers in which it did when the classifier was trained.

    >>> import torch
    >>> model = load_model("news-topic")
    >>> model(torch.zeros(2, model.config.n_layers, model.config.n_features)).logits.shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        classifier: DaamClassifier,
        *,
        name: str = "model",
        dataset: DatasetMean | None = None,
        known: Known | None = None,
        card: str = "",
        report: PlainMapping | None = None,
        sha256: str = "",
        encoder: str | Backbone | None = None,
        folder: Path | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.classifier = classifier.eval().requires_grad_(False)
        self.name, self.dataset, self.known = name, dataset, known
        self.card, self.report, self.sha256 = card, dict(report or {}), sha256
        if isinstance(encoder, Backbone):
            check_encoder(self.config, encoder)
            self.backbone = encoder
            encoder = None
        self._encoder_location, self._folder, self._device = encoder, folder, device
        nn.Module.register_state_dict_post_hook(self, _without_prefix)
        nn.Module.register_load_state_dict_pre_hook(self, _with_prefix)

    def forward(self, pooled: Tensor) -> Decision:
        """Logits ``[B, C]`` and gate ``[B, R, F]`` of pooled features ``[B, L, F]``.

        They are what :func:`~daam_core.encoding.pool` makes of an encoding, stacked.
        """
        decision: Decision = self.classifier(pooled)
        return decision

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
        revision = None if self._encoder_location or identity.revision == LOCAL else identity.revision
        place = self.find_encoder()
        try:
            backbone = load_backbone(
                place,
                revision=revision,
                modality=self.config.modality,
                device=self._device,
                dtype=dtype_of(identity.preprocessing),
            )
        except EncoderError as error:
            if may_be_found(place):
                raise
            raise EncoderError(
                f"{self.name} was trained on {place!r}, an encoder of somebody's own that only their Python "
                "code has: load the classifier there, with load_model(…, encoder=…)."
            ) from error
        check_encoder(self.config, backbone)
        return backbone

    def look_for_encoder(self, folders: Sequence[str]) -> None:
        """Say in which of some folders the encoder lies, before it is loaded, by the hash of its weights.

        Where none of them is it, the encoder stays where it was.

        Raises:
            EncoderError: one is no encoder's folder, or none is the right one and it is not where it was.
        """
        _check_folders(self.config, folders)
        try:
            self._encoder_location, self._folder = _with_its_weights(self.config, folders), None
        except EncoderError as none_of_them:
            try:
                self.find_encoder()
            except EncoderError:
                raise none_of_them from None

    def find_encoder(self) -> str:
        """Name or folder of the encoder, found but not read.

        Raises:
            EncoderError: it is a folder that is neither where it was nor beside the checkpoint.
        """
        location = self._encoder_location or self.config.encoder.name
        local = self.config.encoder.revision == LOCAL
        if local and self._folder is not None and not Path(location).is_dir():
            return self._encoder_beside(self._folder)
        return location

    def _encoder_beside(self, checkpoint: Path) -> str:
        """The encoder's folder where it is not in its place: inside the checkpoint's folder, or next to it.

        Raises:
            EncoderError: it is in neither.
        """
        name, own = self.config.encoder.name, checkpoint.resolve()
        for folder in (own / name, own.parent / name):
            if folder.is_dir() and folder != own:  # a checkpoint may be called as its encoder is
                return str(folder)
        raise EncoderError(
            f"The encoder folder {name!r} that {self.name} was trained on is not where it was, nor beside "
            "the checkpoint; give its place with --encoder DIR (in Python: load_model(…, encoder=DIR))."
        )

    def export_onnx(self, path: str | Path) -> None:
        """Write the classifier, without its encoder, as one ONNX file.

        Its input is ``pooled [B, L, F]`` with any B, its outputs are ``logits [B, C]`` and ``gate
        [B, R, F]``, as of :meth:`forward`. Its metadata hold as JSON ``class_names``, and ``head_of_row`` and
        ``layer_of_row``, which say of each of the R rows what it is the gate of; with several levels the last
        L rows are no head's and have H there, the number of heads. They hold ``labels``, too: probabilities
        are a softmax of the logits where that is ``one``, a sigmoid of each where it is ``several``. Values
        are not checked there as they are here: NaN gives NaN.

        Raises:
            DaamError: the packages onnx and onnxscript are not installed.
        """
        missing = [package for package in ("onnx", "onnxscript") if not importlib.util.find_spec(package)]
        if missing:
            raise DaamError(f"Writing ONNX needs more packages: pip install {' '.join(missing)}.")
        # It says of each operation of torchvision that it does without: none of them is in a classifier.
        logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
        logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # of operations that it leaves as they are
        logging.getLogger("onnxscript").setLevel(logging.ERROR)
        cells = (self.config.n_layers, self.config.n_features)
        program = torch.onnx.export(
            self.classifier,
            (torch.zeros(2, *cells, device=self.classifier.standardisation.mean.device),),
            input_names=["pooled"],
            output_names=["logits", "gate"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            dynamo=True,
            verbose=False,
        )
        assert program is not None  # noqa: S101 - None only with dynamo=False
        program.model.metadata_props["class_names"] = json.dumps(self.class_names)
        program.model.metadata_props["labels"] = self.config.labels
        for name in ("head_of_row", "layer_of_row"):
            of_row = getattr(self.classifier.attention, name)
            program.model.metadata_props[name] = json.dumps(of_row.tolist())
        with replacing(Path(path)) as temporary:
            program.save(temporary, external_data=False)

    def __repr__(self) -> str:
        config, stored = self.config, sum(parameter.numel() for parameter in self.parameters())
        classes = ", ".join(config.class_names[:6]) + (", …" if len(config.class_names) > 6 else "")
        averages = "none" if self.dataset is None else f"over {self.dataset.samples:,} inputs"
        mode = config.mode if config.n_levels == 1 else f"{config.mode}, {config.n_levels} levels"
        return (
            f"TrainedClassifier {self.name!r}: {config.modality}, {len(config.class_names)} classes "
            f"({classes})\n"
            f"  {config.gate_kind} gates, {config.n_heads} heads ({mode}), {config.n_layers} layers × "
            f"{config.n_features} features, {config.decoder} decoder, {stored:,} numbers stored\n"
            f"  encoder {config.encoder.name}, revision {config.encoder.revision}\n"
            f"  data set averages: {averages}"
        )

    def _save_pretrained(self, save_directory: Path) -> None:
        local = self.config.encoder.revision == LOCAL and self._encoder_location
        checkpoint = Checkpoint(
            self.classifier,
            self.dataset,
            self.known,
            self.card,
            self.report,
            encoder_folder=str(Path(self._encoder_location or "").resolve()) if local else "",
        )
        write_checkpoint(Path(save_directory), checkpoint)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """huggingface_hub's, with its options; the path of an encoder's folder here is not uploaded."""
        location, self._encoder_location = self._encoder_location, None
        try:
            return str(super().push_to_hub(repo_id, **options))
        finally:
            self._encoder_location = location

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        encoder: WhereEncoder = None,
        device: str = "cpu",
        **hub_options: object,
    ) -> "TrainedClassifier":
        """Load by built-in name, folder or hub id; see :func:`load_model`."""
        name = str(pretrained_model_name_or_path)
        folder = find_checkpoint(name, revision=revision, **hub_options)
        found = read_checkpoint(folder)
        chosen: str | Backbone | None
        if isinstance(encoder, Backbone):
            chosen = encoder
        else:
            given = [encoder] if isinstance(encoder, str | Path) else [*(encoder or ())]
            chosen = _chosen_encoder(found.classifier.config, [str(place) for place in given])
        return cls(
            found.classifier,
            name=Path(name).resolve().name if Path(name).is_dir() else name,
            dataset=found.dataset,
            known=found.known,
            card=found.card,
            report=found.report,
            sha256=found.sha256,
            encoder=chosen or found.encoder_folder or None,
            folder=None if chosen else folder,
            device=device,
        )


def _without_prefix(
    _module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Mapping[str, object]
) -> None:
    """Name the classifier's tensors as checkpoints do, which know nothing of what is around it."""
    start = prefix + _PREFIX
    for name in [name for name in state if name.startswith(start)]:
        state[prefix + name.removeprefix(start)] = state.pop(name)


def _with_prefix(module: nn.Module, state: dict[str, Tensor], prefix: str, *_of_torch: object) -> None:
    """The inverse, before loading."""
    for name in [name for name in state if name.startswith(prefix)]:
        state[prefix + _PREFIX + name.removeprefix(prefix)] = state.pop(name)


def _chosen_encoder(config: ModelConfig, folders: Sequence[str]) -> str | None:
    """Of the folders given that of the encoder a classifier was trained on; a single one is taken as it is.

    Raises:
        EncoderError: one is no encoder's folder, or of several none is the right one.
    """
    _check_folders(config, folders)
    return _with_its_weights(config, folders) if len(folders) > 1 else next(iter(folders), None)


def _check_folders(config: ModelConfig, folders: Sequence[str]) -> None:
    """Refuse a folder that holds no encoder."""
    for folder in folders:
        check_encoder_folder(config, folder)
        weight_files(locate(folder))


def _with_its_weights(config: ModelConfig, folders: Sequence[str]) -> str:
    """That of the folders whose weights have the hash of the encoder a classifier was trained on.

    Raises:
        EncoderError: none has.
    """
    for folder in folders:
        if weights_sha256(weight_files(locate(folder))) == config.encoder.weights_sha256:
            return folder
    names = ", ".join(Path(folder).resolve().name for folder in folders)
    raise EncoderError(
        f"None of the encoders given ({names}) has the weights of {_describe(config.encoder)}, on which the "
        "classifier was trained; give its folder, too."
    )


def load_model(
    name: str | Path,
    *,
    revision: str | None = None,
    encoder: WhereEncoder = None,
    device: str = "cpu",
) -> TrainedClassifier:
    """Load a trained classifier.

    Args:
        name: a built-in name, a folder, or a Hugging Face hub id (``owner/name``).
        revision: hub revision; hub ids only.
        encoder: where the encoder lies, if it is not where the checkpoint says (a local folder), or several
            folders of which one is it, or an encoder of your own. It must still be the same encoder: its
            hash is compared.
        device: where the encoder computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        CheckpointError: unknown name, or a checkpoint that is incomplete, damaged, truncated,
            foreign or at odds with its configuration.
        EncoderError: an encoder's folder is given and is none, or of several none is the right one.

    >>> load_model("news-topic").class_names
    ('Business', 'Sci/Tech', 'Sports', 'World')
    """
    return TrainedClassifier.from_pretrained(name, revision=revision, encoder=encoder, device=device)


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
    """The encoder's identity as a checkpoint records it.

    Raises:
        EncoderError: an encoder of one's own leaves out an attribute that every encoder has.
    """
    if missing := [name for name in ATTRIBUTES if not hasattr(backbone, name)]:
        raise EncoderError(
            f"The encoder {type(backbone).__name__} lacks {', '.join(missing)}; daam_core.backbones.Backbone "
            "says what they are."
        )
    return EncoderIdentity(backbone.name, backbone.revision, backbone.weights_sha256, backbone.preprocessing)


def _describe(encoder: EncoderIdentity) -> str:
    return (
        f"{encoder.name} (revision {encoder.revision}, weights {encoder.weights_sha256[:12]}, "
        f"preprocessing {encoder.preprocessing})"
    )
