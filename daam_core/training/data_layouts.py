"""Data sets in the layout in which they are published: IEMOCAP, CIFAR-10 and CIFAR-100.

They are recognised by their own files, so a folder as it was unpacked is all that must be given.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.training.data_cifar import cifar_kind, cifar_labels
from daam_core.training.data_rows import ClassChoice, DataRow, Rows, Skipped, TableColumns, listed
from daam_core.training.data_stored import StoredInput

# IEMOCAP

_SESSION = re.compile(r"Session\d+")
#: A line of EmoEvaluation: times, utterance, what most raters heard, and three scales.
_TURN = re.compile(r"\[[\d. -]+\]\s+(Ses\d+([FM])_(\w+)_[FM]\w+)\s+(\w+)\s+\[")
#: IEMOCAP's short names.
EMOTIONS = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "excitement",
    "sad": "sadness",
    "neu": "neutral",
    "fru": "frustration",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
    "xxx": "undecided",
}
#: What papers measure on, excitement counted as happiness.
FOUR = ("anger", "happiness", "neutral", "sadness")


def is_iemocap(folder: Path) -> bool:
    """Whether a folder holds IEMOCAP's sessions with their evaluations."""
    return any(True for _ in folder.glob("Session*/dialog/EmoEvaluation"))


def refuse_beside_iemocap(folder: Path) -> None:
    """Refuse one of IEMOCAP's sessions and the folder that IEMOCAP lies in: their folders are no classes.

    Raises:
        DataError: it is one of these; the message names IEMOCAP's own folder.
    """
    whole = folder.resolve()
    if (folder / "dialog" / "EmoEvaluation").is_dir():
        raise DataError(
            f"{whole.name} is one session of IEMOCAP, which is read as a whole; give the folder above it, "
            f"{whole.parent.name}."
        )
    for entry in sorted(folder.iterdir()):
        if (entry / "Session1" / "dialog" / "EmoEvaluation").is_dir():  # no search: classes may be many
            raise DataError(
                f"{whole.name} is the folder that IEMOCAP lies in; give {whole.name}/{entry.name}."
            )


def read_iemocap(
    folder: Path,
    modality: Modality,
    classes: ClassChoice,
    found: Rows,
    *,
    labelled: bool = True,
    known: Sequence[str] = (),
) -> None:
    """Add IEMOCAP's utterances; its sessions are the groups.

    By default the four emotions of :data:`FOUR`, with excitement counted as happiness; other classes, or
    excitement as one, where they are asked for.

    Args:
        folder: that holds the sessions.
        modality: what the inputs are to be.
        classes: which ones are asked for.
        found: what the utterances are added to.
        labelled: whether the labels decide what is read; otherwise every utterance is.
        known: classes of a model, taken where none are asked for; excitement is a class of its own if it is
            one of these.

    Raises:
        DataError: another modality than sound, or evaluations or sounds are missing.
    """
    if modality != "audio":
        raise DataError(f"{folder.name} is IEMOCAP, which holds sounds here; give --modality audio.")
    merged = "excitement" not in (*classes.names, *known)
    everything = not labelled or classes.everything or (classes.names and classes.renamed)
    of_model = known if {*known} & {*EMOTIONS.values()} else ()
    wanted = () if everything else classes.names or of_model or FOUR
    left_out: Counter[str] = Counter()
    sessions = sorted(entry for entry in folder.iterdir() if _SESSION.fullmatch(entry.name))
    for session in sessions:
        evaluations = sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt"))
        if not evaluations:
            raise DataError(f"{folder.name}/{session.name} has no dialog/EmoEvaluation/Ses….txt.")
        for evaluation in evaluations:
            for match in _TURN.finditer(evaluation.read_text(encoding="utf-8", errors="replace")):
                utterance, _, _, short = match.groups()
                label = EMOTIONS.get(short, short)
                if merged and label == "excitement":
                    label = "happiness"
                if wanted and label not in wanted:
                    left_out[label] += 1
                    found.skipped.append(Skipped(utterance, f"the class {label} was not asked for"))
                    continue
                _add_utterance(folder, session.name, utterance, label, found)
    found.not_read |= {*left_out}
    said = ["excitement counts as happiness"] if merged else []
    if left_out:
        said += [f"{sum(left_out.values()):,} utterances of {listed(sorted(left_out))} are left out"]
    if labelled:
        said += ["--classes names others, all: every one"]
    found.notes.append(f"{folder.name} was read as IEMOCAP{': ' if said else ''}{'; '.join(said)}.")


def _add_utterance(folder: Path, session: str, utterance: str, label: str, found: Rows) -> None:
    dialogue = utterance.rpartition("_")[0]
    place = f"{session}/sentences/wav/{dialogue}/{utterance}.wav"

    def sound() -> Path:
        path = folder / place
        if not path.is_file():
            raise DataError(f"{folder.name} lacks the sound {place} that its evaluation names.")
        return path

    if (path := found.usable(sound, place)) is not None:
        speaker = f"{dialogue[:5]}{utterance.rpartition('_')[2][0]}"  # who speaks: Ses01 and F or M
        kind = "improvised" if "impro" in dialogue else "scripted"
        columns = {"session": session, "speaker": speaker, "kind": kind, "dialogue": dialogue}
        found.rows.append(DataRow(path, (label,), place, session, columns))


# CIFAR


def read_cifar(file: Path, modality: Modality, columns: TableColumns, found: Rows) -> None:
    """Add the pictures of one of CIFAR's binary files; they are taken out of it when they are opened.

    The column ``coarse`` holds CIFAR-100's twenty superclasses, ``fine`` (the default) the classes.

    Raises:
        DataError: another modality than pictures, a column that is not there, or a damaged file.
    """
    if modality != "image":
        raise DataError(f"{file.name} holds CIFAR's pictures; give --modality image.")
    chosen, known = columns.label or "fine", cifar_kind(file).labels
    if columns.inputs or columns.group or chosen not in known:
        raise DataError(f"{file.name} has the columns of labels {listed([*known])} and no others.")
    for number, said in enumerate(cifar_labels(file)):
        others = {column: name for column, name in said.items() if column != chosen}
        place = f"{file.name} row {number + 1}"
        found.rows.append(DataRow(StoredInput(file, "picture", number), (said[chosen],), place, None, others))
