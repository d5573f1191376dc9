"""Makes the built-in classifiers and all that comes with them: make_classifiers.py DATA [NAME …].

DATA is a folder with the data sets that the commands below name. Of each classifier are made, in steps: the
weights with their card (train), the file that tells inputs outside of what it knows (outside), a study's
overview (study), the faithfulness report (faithfulness), and a comparison with rivals trained by the same
command (compare). What build/classifiers holds is not made again, so a run that was stopped goes on with the
step it was in; remove a folder there to make it anew. What is finished goes into assets; the comparisons
stay in build/classifiers. On two cores all of it takes hours.

Unlike texts of news-topic (three languages, poems and songs) come with no data set: where they do not lie in
DATA, the figures that an earlier classifier has of them are kept, which holds while the training data are the
same.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
ROOT, ABOUT = ASSETS.parent, ASSETS / "about"
MADE = ROOT / "build" / "classifiers"
PICTURES = "--modality image --backbone efficientnet-lite0"
#: Compared with: the classifier itself, and what people would use on the same features.
COMPARED = "daam,linear,last_layer,weighted_sum,mha"


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

    def missing(self, data: Path) -> list[str]:
        """Data sets that it cannot be made without and that do not lie in a folder."""
        needed = [*self.train.split(), *filter(None, (self.test, self.validation))]
        return [name for name in needed if not (data / name).exists()]


CLASSIFIERS = {
    "speech-emotion": Classifier(
        train="speech-emodb speech-ravdess",
        encoder="--modality audio --backbone whisper-tiny-en",
        reading="--group-pattern ^(..)",
        settings="--folds 5 --seeds 3 --validation 0.2 --whole-groups --decoder density --offset-spread 3 "
        "--epochs 50 --patience 10 --batch-size 32 --gate-penalty 0.2",
    ),
    "news-topic": Classifier(
        train="text-agnews/train.csv",
        encoder="--modality text --backbone minilm-l6",
        reading="--input-column title,description --label-column label",
        test="text-agnews/test.csv",
        settings="--validation 500 --seeds 3 --decoder density --offset-spread 3 --epochs 25 --patience 4 "
        "--weight-decay 3 --gate-penalty 0.3",
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
        settings="--validation 303 --seeds 3 --decoder density --amplitude-start 3 --epochs 30 --patience 5 "
        "--weight-decay 3 --gate-penalty 0.3",
        unlike={"groceries": "image-grocery/test", "CIFAR-10": "image-cifar10/test"},
    ),
    "image-grocery": Classifier(
        train="image-grocery/train.csv",
        encoder=PICTURES,
        reading="--input-column path --label-column coarse_label",
        test="image-grocery/test.csv",
        validation="image-grocery/val.csv",
        settings="--seeds 3 --decoder density --amplitude-start 3 --epochs 30 --patience 5 --weight-decay 3 "
        "--gate-penalty 0.3",
        unlike={"Caltech-101": "image-caltech101/test", "CIFAR-10": "image-cifar10/test"},
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of the data sets")
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"of {', '.join(CLASSIFIERS)} (default: all)"
    )
    parser.add_argument(
        "--step", action="append", choices=STEPS, help="only this one, and what it needs; may be repeated"
    )
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(CLASSIFIERS)):
        parser.error(f"there is no classifier {unknown[0]!r}; there are {', '.join(CLASSIFIERS)}")
    names, data = arguments.names or list(CLASSIFIERS), arguments.data.resolve()
    for name in names:  # before hours of work
        if missing := CLASSIFIERS[name].missing(data):
            parser.error(f"{name} needs {missing[0]!r}, which does not lie in {arguments.data}")
    for name in names:
        try:
            Making(name, CLASSIFIERS[name], data).make(arguments.step or STEPS)
        except subprocess.CalledProcessError as stopped:
            # What was wrong the command has said itself.
            sys.exit(f"{name}: stopped in {stopped.cmd[3]!r}; the steps before it are kept in {MADE}")


#: In this order; all but the last need those before "study".
STEPS = ("train", "outside", "study", "faithfulness", "compare")


@dataclass(frozen=True)
class Making:
    """Making one classifier from the data sets in a folder.

    Attributes:
        name: its name.
        how: it is made.
        data: the folder.
    """

    name: str
    how: Classifier
    data: Path

    def make(self, steps: Sequence[str] = STEPS) -> None:
        """Whatever is not there yet, and what is finished into assets."""
        if set(steps) - {"compare"}:
            self.train()
        if set(steps) - {"compare", "train"}:
            self.outside()
        for step in ("study", "faithfulness", "compare"):
            if step in steps:
                getattr(self, step)()

    def train(self) -> None:
        trained = self._place("trained")
        if not trained.is_dir():
            half = self._half()
            words = [*self.how.measuring(), "--about", ABOUT / f"{self.name}.json", "--out", half]
            self._daam("train", self.how.train, *words, "--overwrite")
            _finished(half, trained)

    def outside(self) -> None:
        checkpoint, shipped = self._place("checkpoints"), ROOT / "assets" / "checkpoints" / self.name
        if not checkpoint.is_dir():
            half = self._half()
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(self._place("trained"), half)
            words = ["--held-out", self.how.validation] if self.how.validation else []
            words += ["--test", self.how.test] if self.how.test else []
            missing = [name for name, place in self.how.unlike.items() if not (self.data / place).exists()]
            for name in missing:
                print(f"{self.name}: no {self.how.unlike[name]} in {self.data.name}: figures of {name} stay.")
            for name, place in self.how.unlike.items():
                words += [] if name in missing else ["--unlike", f"{name}={place}"]
            words += ["--earlier", str(shipped)] if missing and shipped.is_dir() else []
            reading = self.how.reading.split()
            self._daam("outside", self.how.train, *reading, "--model", half, *words, "--overwrite")
            _finished(half, checkpoint)
        shutil.copytree(checkpoint, shipped, dirs_exist_ok=True)

    def study(self) -> None:
        study = self._place("studies")
        if not (overview := study / "overview.npz").is_file():
            self._daam("study", self._measured, *self._model, "--out", study)  # goes on where it was
        shutil.copyfile(overview, ROOT / "assets" / "studies" / f"{self.name}.npz")

    def faithfulness(self) -> None:
        report = self._place("faithfulness")
        summary = report.with_suffix(".json")
        if not summary.is_file():
            words = ["--train", self.how.train] if self.how.test else ["--trained-on-data"]
            words += ["--out", report, "--overwrite", "--json"]
            report.parent.mkdir(parents=True, exist_ok=True)
            summary.write_bytes(self._daam("faithfulness", self._measured, *self._model, *words))
        shutil.copyfile(summary, ROOT / "assets" / "faithfulness" / summary.name)

    def compare(self) -> None:
        compared = self._place("comparisons")
        if not compared.is_dir():
            words = [*self.how.measuring(), "--methods", COMPARED, "--out", compared]
            compared.parent.mkdir(parents=True, exist_ok=True)
            self._daam("compare", self.how.train, *words)

    @property
    def _measured(self) -> str:
        return self.how.test or self.how.train

    @property
    def _model(self) -> list[str | Path]:
        return [*self.how.reading.split(), "--model", self._place("checkpoints")]

    def _place(self, kind: str) -> Path:
        return MADE / kind / self.name

    def _half(self) -> Path:
        """Where a step works: what lies there was not finished."""
        return self._place("half")

    def _daam(self, command: str, on: str, *words: str | Path) -> bytes:
        given = [command, *on.split(), *map(str, words)]
        print("daam", *given, flush=True)
        # From DATA, so that cards and reports name data sets by their place in it.
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        call = [sys.executable, "-m", "daam_core", *given]
        environment = os.environ | {"PYTHONPATH": paths}
        printed = subprocess.run(
            call, cwd=self.data, env=environment, check=True, stdout=subprocess.PIPE
        ).stdout
        if "--json" not in given:
            print(printed.decode(), flush=True)
        return printed


def _finished(half: Path, whole: Path) -> None:
    whole.parent.mkdir(parents=True, exist_ok=True)
    half.rename(whole)


if __name__ == "__main__":
    main()
