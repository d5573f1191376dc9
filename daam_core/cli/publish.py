"""Hand a trained classifier on: as an ONNX file, as the folder of a Space, as a model on the hub.

An ONNX file holds the classifier without its encoder. A Space's folder holds the classifier, its encoder
where that is a folder, and the few lines that serve the page. To the hub goes the checkpoint with its card.
"""

import argparse
import json
import shlex
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.errors import DaamError, first_line
from daam_core.version import __version__

if TYPE_CHECKING:
    from daam_core.trained import TrainedClassifier

CHECKPOINT = "classifier"
_FILES = frozenset({"README.md", "app.py", "requirements.txt", CHECKPOINT})
#: What a Space runs; it is reached by a name that its host gives it.
_APP = '''"""Serves the classifier beside this file."""

import os
import sys

from daam_app.__main__ import main

host = os.environ.get("SPACE_HOST")
names = ["--allowed-host", host] if host else []
sys.exit(main(["--host", "0.0.0.0", "--port", "7860", "--model", "classifier", *names]))
'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder, or hub id")
    add_encoder_arguments(parser)
    parser.add_argument("--onnx", metavar="FILE", help="write the classifier as ONNX")
    parser.add_argument("--space", metavar="DIR", help="write the folder of a Hugging Face Space")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier Space in DIR")
    parser.add_argument("--push", metavar="OWNER/NAME", help="upload the checkpoint and its card to the hub")
    parser.add_argument("--private", action="store_true", help="a new repository on the hub is private")


def run(arguments: argparse.Namespace) -> Output:
    if not (arguments.onnx or arguments.space or arguments.push):
        raise DaamError("Say what is wanted: --onnx FILE, --space DIR, --push OWNER/NAME, or several.")
    for option, given, needs in (
        ("--private", arguments.private and not arguments.push, "--push OWNER/NAME"),
        ("--overwrite", arguments.overwrite and not arguments.space, "--space DIR"),
    ):
        if given:
            raise DaamError(f"{option} goes with {needs}, which is not asked for; add that, or leave it out.")
    if arguments.onnx and Path(arguments.onnx).suffix.lower() != ".onnx":
        raise DaamError(
            f"An ONNX file's name ends in .onnx, got {Path(arguments.onnx).name!r}; other files of a "
            "classifier are in its folder."
        )
    if arguments.space:
        check_folder(arguments.space, overwrite=arguments.overwrite, known=_FILES)
    config_of(arguments.model, arguments)  # refused before torch is waited for
    model = model_of(arguments.model, arguments)
    done: dict[str, object] = {"name": model.name}
    lines = []
    if arguments.onnx:
        model.export_onnx(arguments.onnx)
        done["onnx"] = Path(arguments.onnx).name
        lines.append(
            f"Written: {done['onnx']}, from pooled features [B, L, F] to logits [B, C] and gate [B, R, F]"
        )
    if arguments.space:
        with new_folder(arguments.space) as folder:
            write_space(model, folder)
        done["space"] = Path(arguments.space).name
        where = shlex.quote(arguments.space)
        lines.append(
            f"Written: {done['space']}; upload it with: hf upload OWNER/NAME {where} --repo-type space"
        )
    if arguments.push:
        done["pushed"] = push(model, arguments.push, private=arguments.private)
        lines.append(f"On the hub: {done['pushed']}")
        from daam_core.backbones.huggingface.hub import LOCAL

        if model.config.encoder.revision == LOCAL:
            lines.append(
                f"Its encoder {model.config.encoder.name!r} is a folder on this computer and was not "
                "uploaded: who loads the classifier gives it with --encoder DIR. A Space holds both."
            )
    return Output(done, "\n".join(lines))


def write_space(model: "TrainedClassifier", folder: Path) -> None:
    """Write what a Space needs into an empty folder."""
    from daam_core.backbones.huggingface.hub import LOCAL

    checkpoint = folder / CHECKPOINT
    if model.config.encoder.revision == LOCAL:
        encoder = checkpoint / model.config.encoder.name
        shutil.copytree(model.find_encoder(), encoder)
        model.look_for_encoder([str(encoder)])  # the Space names its own copy, no place on this computer
    model.save_pretrained(checkpoint)
    (folder / "README.md").write_text(_front_matter(model), encoding="utf-8")
    (folder / "app.py").write_text(_APP, encoding="utf-8")
    (folder / "requirements.txt").write_text(f"daam-explorer[app]=={__version__}\n", encoding="utf-8")


def _front_matter(model: "TrainedClassifier") -> str:
    page = page_version()
    settings = {
        "title": model.name,
        "colorFrom": "blue",
        "colorTo": "gray",
        "sdk": "gradio",
        **({"sdk_version": page} if page else {}),
        "app_file": "app.py",
        "pinned": False,
        "tags": ["density-adaptive-attention", "explainability"],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()]
    several = model.config.labels == "several"
    classes = ", ".join(model.class_names[:10]) + (", …" if len(model.class_names) > 10 else "")
    return "\n".join(
        [
            "---",
            *lines,
            "---",
            "",
            f"# {model.name}",
            "",
            f"Tells {len(model.class_names)} {'labels' if several else 'classes'} ({classes}) and shows why: "
            "density adaptive attention.",
            f"The classifier's card is in [{CHECKPOINT}/README.md]({CHECKPOINT}/README.md).",
            "",
            f"It needs the package daam-explorer {__version__}. Where your index does not have it, put its",
            "wheel beside this file and name it in requirements.txt.",
            "",
        ]
    )


def page_version() -> str:
    """The version of gradio that is installed here; "" where there is none: a Space then takes the newest."""
    try:
        return version("gradio")
    except PackageNotFoundError:
        return ""


def push(model: "TrainedClassifier", repository: str, *, private: bool) -> str:
    """Upload the checkpoint and its card; the commit's address.

    Raises:
        DaamError: the hub cannot be reached or refuses.
    """
    from huggingface_hub import errors

    try:
        return model.push_to_hub(repository, private=private or None)
    except (
        errors.HfHubHTTPError,
        errors.HTTPError,  # type: ignore[attr-defined] # imported there, under no other name elsewhere
        OSError,
        ValueError,
    ) as error:
        raise DaamError(
            f"The hub did not take {repository!r}: {first_line(error)}. Log in with 'hf auth login', and "
            "give OWNER/NAME of a repository that is yours."
        ) from error
