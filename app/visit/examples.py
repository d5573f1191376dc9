"""Inputs that everybody may use: Gradio's own sounds and pictures, and texts written for this page."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from daam_core.inputs import Modality
from daam_core.inputs.files import sha256_of
from daam_core.inputs.text import text_sha256

from ..server.files import example_picture, example_sound
from .inputs import Given, given_file, given_text


@dataclass(frozen=True)
class Example:
    """One built-in input.

    Attributes:
        id: stands in links, so it stays what it is.
        modality: ``audio``, ``text`` or ``image``.
        title: on its button.
        content: a text, or the name of a file that Gradio brings along.
    """

    id: str
    modality: Modality
    title: str
    content: str

    def given(self) -> Given:
        """The example, read from its file."""
        if self.modality == "text":
            return given_text(self.content, example=self.id, name=self.title)
        return given_file(self.modality, self.path, example=self.id, name=self.title)

    @cached_property
    def sha256(self) -> str:
        """Of its text's or file's bytes."""
        if self.modality == "text":
            return text_sha256(self.content)
        with Path(self.path).open("rb") as file:
            return sha256_of(file)

    @property
    def path(self) -> str:
        """Where the file of a sound or picture lies."""
        return (example_sound if self.modality == "audio" else example_picture)(self.content)


EXAMPLES: dict[str, Example] = {
    example.id: example
    for example in (
        Example("speech-interview", "audio", "Interview, 4 s", "cate_blanch_2.mp3"),
        Example("speech-monologue", "audio", "Film line, 3 s", "heath_ledger.mp3"),
        Example("speech-note", "audio", "Voice note, 3 s", "recording1.wav"),
        Example("music-sax", "audio", "Saxophone, no speech", "sax.wav"),
        Example(
            "news-rates",
            "text",
            "Central bank",
            "The central bank left its key interest rate unchanged on Thursday, but signalled that it "
            "could cut borrowing costs before the summer if inflation and wages continue to ease. Bank "
            "shares fell.",
        ),
        Example(
            "news-final",
            "text",
            "Cup final",
            "A header four minutes from time settled the cup final after the goalkeeper had saved two "
            "penalties, and the visiting fans stayed in the stadium long after the players had gone.",
        ),
        Example(
            "news-telescope",
            "text",
            "Telescope",
            "Engineers have switched on a radio telescope whose software searches the sky for faint pulses "
            "a thousand times a second; its first data set is open to every laboratory.",
        ),
        Example(
            "news-mixed",
            "text",
            "Between two topics",
            "After peace talks broke down, the government asked software companies to protect the stock "
            "exchange and the Olympic stadium against attacks on their computers.",
        ),
        Example("photo-lion", "image", "Lion", "lion.jpg"),
        Example("photo-cheetah", "image", "Cheetah", "cheetah1.jpg"),
        Example("photo-bus", "image", "Bus", "bus.png"),
        Example("photo-tower", "image", "Tower", "tower.jpg"),
    )
}


def recognised(given: Given) -> Given:
    """A built-in text or file given through the ordinary way is still that example, so links name it."""
    for example in examples_of(given.modality):
        if example.sha256 == given.sha256:
            return replace(given, name=example.title, example=example.id)
    return given


def examples_of(modality: Modality) -> list[Example]:
    return [example for example in EXAMPLES.values() if example.modality == modality]


def folders() -> list[str]:
    """Folders of the examples' files, which the page may serve: they belong to Gradio, not to a visitor."""
    return sorted({str(Path(e.path).parent) for e in EXAMPLES.values() if e.modality != "text"})
