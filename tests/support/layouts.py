"""Miniatures of published data sets, in the layout in which they are published."""

import numpy as np
import soundfile

TURNS = "ang hap exc sad neu fru xxx".split()


def iemocap(root, *, sessions=5, turns=TURNS):
    """Each session with one improvised dialogue in which both speakers say each turn once."""
    rng = np.random.default_rng(0)
    for session in range(1, sessions + 1):
        dialogue = f"Ses0{session}F_impro01"
        evaluation = root / f"Session{session}" / "dialog" / "EmoEvaluation" / f"{dialogue}.txt"
        sounds = root / f"Session{session}" / "sentences" / "wav" / dialogue
        sounds.mkdir(parents=True)
        evaluation.parent.mkdir(parents=True)
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for number, emotion in enumerate(turns):
            for speaker in "FM":
                name = f"{dialogue}_{speaker}{number:03d}"
                lines += [f"[6.2901 - 8.2357]\t{name}\t{emotion}\t[2.5000, 2.5000, 2.5000]"]
                lines += ["C-E2:\tNeutral;\t()", "A-E3:\tval 3; act 2; dom  2;\t()", ""]
                pitch = 150 + 100 * number
                tone = np.sin(2 * np.pi * pitch * np.arange(1920) / 16_000) + 0.1 * rng.normal(size=1920)
                soundfile.write(sounds / f"{name}.wav", 0.3 * tone, 16_000)
        evaluation.write_text("\n".join(lines), encoding="utf-8")
    return root


FINE, COARSE = ("apple", "bear", "crab"), ("fruit", "animal")


def cifar100(root, *, train=12, test=6):
    """Pictures of one colour each: red apples, green bears, blue crabs. Bears and crabs are animals."""
    root.mkdir(parents=True)
    (root / "fine_label_names.txt").write_text("\n".join(FINE) + "\n")
    (root / "coarse_label_names.txt").write_text("\n".join(COARSE) + "\n")
    for name, count in (("train", train), ("test", test)):
        (root / f"{name}.bin").write_bytes(b"".join(_record(i) for i in range(count)))
    return root


def _record(number):
    fine = number % 3
    planes = np.full((3, 32, 32), 20, np.uint8)
    planes[fine] = 200 + number % 50
    planes[fine, 0, :] = 0  # the first row of pixels is darker
    return bytes([min(fine, 1), fine]) + planes.tobytes()


def ag_news(root, *, train=8, test=4):
    """Four classes by number, a title and a description; quotation marks inside are doubled."""
    root.mkdir(parents=True)
    (root / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    words = ("dog box", "my jug", "quick fox", "lazy zebra")
    for name, count in (("train", train), ("test", test)):
        rows = [
            f'"{i % 4 + 1}","{words[i % 4]} {i}","The ""five"" {words[i % 4]}, then {i}"'
            for i in range(count)
        ]
        (root / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return root
