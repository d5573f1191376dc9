"""Makes the built-in classifiers and all that comes with them: make_classifiers.py DATA [NAME …].

DATA is a folder with the data sets that the commands below name. Of each classifier are made, one after
another: the checkpoint with its card and the file that tells inputs outside of what it knows, a study's
overview, the faithfulness report, and the comparison with rivals that assets/docs/results.md quotes. What
build/classifiers holds is not made again, so a run that was stopped goes on; remove a folder there to make it
anew. What is finished goes into assets; the comparisons stay in build/classifiers.
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
ROOT, ABOUT = ASSETS.parent, ASSETS / "about"
MADE = ROOT / "build" / "classifiers"
PICTURES = "--modality image --backbone efficientnet-lite0"


@dataclass(frozen=True)
class Classifier:
    """How one is made; commands as words, data sets below DATA.

    Attributes:
        train: data sets to train on.
        encoder: what the inputs are, and the encoder.
        settings: of training and measuring.
        reading: how the data are read, the same for every command.
        test: data that are only measured on; without them accuracy is by folds, and study and
            faithfulness are on the training data.
        validation: data of its own that chooses the epoch.
        unlike: data sets that should be told as unlike, by the card's name for them.
    """

    train: str
    encoder: str
    settings: str
    reading: str = ""
    test: str = ""
    validation: str = ""
    unlike: dict[str, str] = field(default_factory=dict)

    def measuring(self) -> list[str]:
        """Words that follow the data where it is trained and measured."""
        words = f"{self.reading} {self.encoder} {self.settings}".split()
        words += ["--validation", self.validation] if self.validation else []
        return words + (["--test", self.test] if self.test else [])


CLASSIFIERS = {
    "speech-emotion": Classifier(
        train="speech-emodb speech-ravdess",
        encoder="--modality audio --backbone whisper-tiny-en",
        reading="--group-pattern ^(..)",
        settings="--folds 5 --seeds 3 --validation 0 --epochs 50 --batch-size 32 --heads 8 --decoder linear "
        "--offset-spread 3 --gate-penalty 0.2",
    ),
    "news-topic": Classifier(
        train="text-agnews/train.csv",
        encoder="--modality text --backbone minilm-l6",
        reading="--input-column title,description --label-column label",
        test="text-agnews/test.csv",
        settings="--validation 500 --seeds 3 --epochs 40 --patience 5 --decoder linear --offset-spread 3 "
        "--weight-decay 3 --learning-rate 3e-4 --gate-learning-rate 0.01 --gate-penalty 0.3",
        unlike={
            "German texts": "text-german.csv",
            "Spanish texts": "text-spanish.csv",
            "Russian texts": "text-russian.csv",
            "English poems and songs": "text-poems.csv",
        },
    ),
    "image-object": Classifier(
        train="image-caltech101/train",
        encoder=PICTURES,
        test="image-caltech101/test",
        settings="--validation 303 --seeds 3 --epochs 60 --patience 6 --amplitude-start 3 --weight-decay 3 "
        "--gate-penalty 0.3",
        unlike={"groceries": "image-grocery/test", "CIFAR-10": "image-cifar10/test"},
    ),
    "image-grocery": Classifier(
        train="image-grocery/train.csv",
        encoder=PICTURES,
        reading="--input-column path --label-column coarse_label",
        test="image-grocery/test.csv",
        validation="image-grocery/val.csv",
        settings="--seeds 3 --epochs 60 --amplitude-start 3 --weight-decay 3 --gate-penalty 0.1",
        unlike={"Caltech-101": "image-caltech101/test", "CIFAR-10": "image-cifar10/test"},
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of the data sets")
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"of {', '.join(CLASSIFIERS)} (default: all)"
    )
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(CLASSIFIERS)):
        parser.error(f"there is no classifier {unknown[0]!r}; there are {', '.join(CLASSIFIERS)}")
    for name in arguments.names or CLASSIFIERS:
        make(name, CLASSIFIERS[name], arguments.data.resolve())


def make(name: str, made: Classifier, data: Path) -> None:
    """Whatever of one classifier is not there yet."""
    checkpoint, study, report, compared = (
        MADE / kind / name for kind in ("checkpoints", "studies", "faithfulness", "comparisons")
    )
    measured = made.test or made.train
    reading = made.reading.split()

    def daam(command: str, on: str, *words: str | Path) -> bytes:
        given = [command, *on.split(), *map(str, words)]
        print("daam", *given, flush=True)
        # From DATA, so that cards and reports name data sets by their place in it.
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": paths}
        call = [sys.executable, "-m", "daam_core", *given]
        printed = subprocess.run(call, cwd=data, env=environment, check=True, stdout=subprocess.PIPE).stdout
        if "--json" not in given:
            print(printed.decode(), flush=True)
        return printed

    if not checkpoint.is_dir():
        about = ["--about", ABOUT / f"{name}.json"]
        half = MADE / "half" / name
        daam("train", made.train, *made.measuring(), *about, "--out", half, "--overwrite")
        outside = ["--held-out", made.validation] if made.validation else []
        outside += ["--test", made.test] if made.test else []
        for unlike, place in made.unlike.items():
            if (data / place).exists():
                outside += ["--unlike", f"{unlike}={place}"]
            else:
                print(f"{name} is not measured on {unlike}: there is no {place} in {data.name}.")
        daam("outside", made.train, *reading, "--model", half, *outside, "--overwrite")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half.rename(checkpoint)
    shutil.copytree(checkpoint, ROOT / "assets" / "checkpoints" / name, dirs_exist_ok=True)
    if not (study / "overview.npz").is_file():
        daam("study", measured, *reading, "--model", checkpoint, "--out", study)
    shutil.copyfile(study / "overview.npz", ROOT / "assets" / "studies" / f"{name}.npz")
    if not (summary := report.with_suffix(".json")).is_file():
        words = ["--train", made.train] if made.test else ["--trained-on-data"]
        words += ["--out", report, "--overwrite", "--json"]
        summary.parent.mkdir(parents=True, exist_ok=True)
        summary.write_bytes(daam("faithfulness", measured, *reading, "--model", checkpoint, *words))
    shutil.copyfile(summary, ROOT / "assets" / "faithfulness" / summary.name)
    if not compared.is_dir():
        daam("compare", made.train, *made.measuring(), "--out", compared)


if __name__ == "__main__":
    main()
