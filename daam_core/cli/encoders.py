"""Options of every command that says where a model's encoder lies and where it computes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.backbones import BUILT_IN
from daam_core.backbones.names import check_device, check_named
from daam_core.configuration import ModelConfig
from daam_core.locating import CONFIG_FILE, check_encoder_folder, find_checkpoint, read_config
from daam_core.processes import own_device

if TYPE_CHECKING:
    from daam_core.trained import TrainedClassifier


def add_encoder_arguments(parser: argparse.ArgumentParser) -> None:
    """``--encoder``, ``--device``."""
    parser.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of the model's encoder, if not in its place; may be repeated: the right one is taken",
    )
    add_device_argument(parser)


def add_device_argument(parser: argparse._ActionsContainer) -> None:
    """``--device``."""
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="where the encoder computes: cpu, cuda, mps"
    )


def config_of(name: str | Path, arguments: argparse.Namespace) -> ModelConfig:
    """What the model of that name says of itself, before torch is there: wrong options are refused first.

    Raises:
        DaamError: there is no such model, encoder's folder or device.
    """
    config, _ = read_config(find_checkpoint(str(name)) / CONFIG_FILE)
    for folder in arguments.encoder:
        check_encoder_folder(config, folder)
    if not arguments.encoder and config.encoder.name in BUILT_IN:
        check_named(config.encoder.name, device=own_device(arguments.device))
    check_device(own_device(arguments.device))
    return config


def model_of(name: str | Path, arguments: argparse.Namespace) -> "TrainedClassifier":
    """The model of that name on the encoder that the options give.

    Raises:
        DaamError: there is none, or an encoder's folder is none.
    """
    from daam_core.trained import load_model

    return load_model(name, encoder=arguments.encoder, device=own_device(arguments.device))
