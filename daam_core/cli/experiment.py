"""From the options of ``train`` and ``compare`` to features, a protocol and a head's configuration."""

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.checkpoint import identity_of
from daam_core.cli import options
from daam_core.errors import DataError
from daam_core.model import ModelConfig
from daam_core.training.accuracy import Split, SplitData
from daam_core.training.data import Dataset, folds, hold_out, hold_out_groups, shared_samples
from daam_core.training.features import extract
from daam_core.training.fitting import TrainingConfig

NONE = np.zeros(0, dtype=np.int64)
NOTHING_TO_MEASURE_ON = "A comparison needs something to measure on: give --test DATA or --folds N."


@dataclass(frozen=True)
class Part:
    """Samples and their pooled features ``[N, L, F]``."""

    dataset: Dataset
    features: Tensor


@dataclass(frozen=True)
class Experiment:
    """What a training or comparison works on.

    Attributes:
        backbone: the frozen encoder.
        train: the data given.
        validation: data that chooses the epoch, if given as a data set of its own.
        test: data that is only measured on, if given.
        config: the head.
        training: how it is trained.
        seeds: S seeds.
        shipped: all of the data, the part that chooses the epoch held out.
        protocol: how accuracy is measured; None where neither test set nor folds are asked for.
    """

    backbone: Backbone
    train: Part
    validation: Part | None
    test: Part | None
    config: ModelConfig
    training: TrainingConfig
    seeds: tuple[int, ...]
    shipped: SplitData
    protocol: SplitData | None

    @property
    def measured_by(self) -> SplitData:
        """The protocol.

        Raises:
            DataError: neither test set nor folds were asked for.
        """
        if self.protocol is None:
            raise DataError(NOTHING_TO_MEASURE_ON)
        return self.protocol

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, encoder, parts, head and training."""
    options.add_data_arguments(parser)
    options.add_encoder_arguments(parser)
    group = parser.add_argument_group("measuring")
    group.add_argument("--test", metavar="DATA", help="data set to measure on, read like DATA")
    group.add_argument(
        "--folds", type=options.whole_number(2), metavar="N", help="cross-validation, by group"
    )
    group.add_argument(
        "--seeds", type=options.whole_number(1), default=1, metavar="N", help="how many seeds (default: 1)"
    )
    group.add_argument(
        "--validation",
        default="0.1",
        metavar="PART",
        help="what chooses the epoch: a share (0.1), a number of samples, a data set, or 0 (default: 0.1)",
    )
    group.add_argument("--validation-groups", metavar="A[,B…]", help="groups that choose the epoch")
    group.add_argument(
        "--no-refit",
        dest="refit",
        action="store_false",
        help="keep the weights trained without the validation part, instead of training again on all",
    )
    options.add_fields(parser, "head", ModelConfig, options.HEAD_OPTIONS)
    options.add_fields(parser, "training", TrainingConfig, options.TRAINING_OPTIONS)


def prepare(arguments: argparse.Namespace) -> Experiment:
    """Read the data, extract features, and lay out the splits.

    Raises:
        DataError: data or options that do not fit each other.
        EncoderError: the encoder cannot be loaded.
    """
    _check_options(arguments)
    training = TrainingConfig(**options.chosen(arguments, options.TRAINING_OPTIONS))
    amount = _amount(arguments.validation)
    dataset = options.read_data(arguments, arguments.data, modality=arguments.modality)
    names = dataset.class_names
    others: dict[str, Dataset] = {}
    for name, source in {"validation": None if amount is not None else arguments.validation,
                         "test": arguments.test}.items():  # fmt: skip
        if source is not None:
            others[name] = options.read_data(
                arguments, source, modality=arguments.modality, class_names=names, groups=False
            )
    backbone = load_backbone(arguments.backbone, revision=arguments.revision, modality=arguments.modality)
    config = ModelConfig(
        modality=arguments.modality,
        encoder=identity_of(backbone),
        n_layers=backbone.n_layers,
        n_features=backbone.n_features,
        class_names=names,
        seed=training.seed,
        **options.chosen(arguments, options.HEAD_OPTIONS),
    )
    train = _extracted(arguments, dataset, backbone)
    parts = {name: _extracted(arguments, other, backbone) for name, other in others.items()}
    return _lay_out(arguments, backbone, train, parts, config, training, amount)


def progress(total: int, text: str) -> "tqdm[None]":
    """A bar on standard error, if that is a terminal."""
    return tqdm(total=total, desc=text, disable=None, leave=False)


def _check_options(arguments: argparse.Namespace) -> None:
    if arguments.test is not None and arguments.folds is not None:
        raise DataError("Accuracy is measured on a test set or by folds: give --test or --folds, not both.")
    if arguments.folds is not None:
        if _amount(arguments.validation) is None:
            raise DataError("With --folds the validation part comes out of each fold: give a share or 0.")
        if arguments.validation_groups is not None:
            raise DataError("With --folds the validation part is drawn: leave out --validation-groups.")


def _amount(text: str) -> float | None:
    """A share or number of samples, or None for a data set's path."""
    try:
        return float(text)
    except ValueError:
        return None


def _extracted(arguments: argparse.Namespace, dataset: Dataset, backbone: Backbone) -> Part:
    found = extract(dataset, backbone, cache_dir=arguments.cache_dir, skip_broken=arguments.skip_broken)
    return Part(found.dataset, found.features)


def _lay_out(
    arguments: argparse.Namespace,
    backbone: Backbone,
    train: Part,
    others: dict[str, Part],
    config: ModelConfig,
    training: TrainingConfig,
    amount: float | None,
) -> Experiment:
    validation, test = others.get("validation"), others.get("test")
    pool = [train, *others.values()]
    features = torch.cat([part.features for part in pool])
    labels = torch.cat([part.dataset.targets for part in pool])
    counts = np.cumsum([len(part.dataset) for part in pool])
    everything = np.arange(counts[0])
    after = {name: np.arange(counts[i], counts[i + 1]) for i, name in enumerate(others)}

    def held_out(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The training and validation part of some of the training samples."""
        if "validation" in after:
            return indices, after["validation"]
        if arguments.validation_groups is not None:
            groups = [group.strip() for group in arguments.validation_groups.split(",")]
            return hold_out_groups(train.dataset, groups)
        if not amount:
            return indices, NONE
        rest, held = hold_out(train.dataset.part(indices), amount, seed=training.seed)
        return indices[rest], indices[held]

    chooses = _chooses(arguments, train.dataset, validation, amount)
    fit, held = held_out(everything)
    shipped = SplitData(chooses, "training", features, labels, (Split(fit, held, NONE),))
    protocol = None
    seeds = tuple(range(training.seed, training.seed + arguments.seeds))
    drawn = f"; {len(seeds)} seeds" if len(seeds) > 1 else ""
    if test is not None:
        again = sum(shared_samples(test.dataset, part.dataset) for part in (train, validation) if part)
        known = f", {again} of them in the training data too" if again else ""
        sentence = f"test set {test.dataset.name} ({len(test.dataset):,} samples{known}); {chooses}{drawn}"
        protocol = SplitData(sentence, "test set", features, labels, (Split(fit, held, after["test"]),))
    elif arguments.folds is not None:
        splits = tuple(
            Split(*held_out(rest), tested) for rest, tested in folds(train.dataset, arguments.folds)
        )
        groups = train.dataset.groups
        by = f" by group ({len(set(groups))} groups)" if groups is not None else ", stratified"
        sentence = f"{arguments.folds} folds{by}; {chooses}{drawn}"
        protocol = SplitData(sentence, "fold", features, labels, splits)
    return Experiment(backbone, train, validation, test, config, training, seeds, shipped, protocol)


def _chooses(
    arguments: argparse.Namespace, dataset: Dataset, validation: Part | None, amount: float | None
) -> str:
    """How the number of epochs is chosen, in words."""
    if arguments.validation_groups is not None:
        what = f"groups {arguments.validation_groups} choose the epoch"
    elif validation is not None:
        what = f"{validation.dataset.name} ({len(validation.dataset):,} samples) chooses the epoch"
    elif not amount:
        return f"{arguments.epochs} epochs, nothing held out"
    else:
        part = f"{amount:.0%}" if amount < 1 else f"{amount:.0f} samples"
        what = f"{part} of the training part choose the epoch"
    return what + (", then trained again on all of it" if arguments.refit else "")
