"""Inputs that everybody may use: Gradio's own sounds and pictures, photographs with a free licence, and texts
and drawings made for this page. With a built-in model go some that it knows, with the right answer, and one
that is outside of what it knows and says so; of speech with a known emotion nothing free is at hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from daam_core.inputs import Modality
from daam_core.inputs.files import sha256_of
from daam_core.inputs.text import text_sha256
from daam_core.shipped import shipped

from ..server.files import example_picture, example_sound
from .inputs import Given, given_file, given_text

PICTURES = shipped("photographs")  # where they are from stands beside them
SPEECH, NEWS, OBJECT, GROCERY = "speech-emotion", "news-topic", "image-object", "image-grocery"


@dataclass(frozen=True)
class Example:
    """One built-in input.

    Attributes:
        id: stands in links, so it stays what it is.
        modality: ``audio``, ``text`` or ``image``.
        title: on its button.
        content: a text, or the name of a file, in :data:`PICTURES` or one that Gradio brings along.
        models: names of built-in models that it is offered with.
        outside: those of them that do not know what it is.
        general: whether it is offered with models that no example is for.
    """

    id: str
    modality: Modality
    title: str
    content: str
    models: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    general: bool = True

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
        own = PICTURES / self.content
        if own.is_file():
            return str(own)
        return (example_sound if self.modality == "audio" else example_picture)(self.content)

    def label(self, model: str) -> str:
        """Its title, and whether it is outside of what a model knows."""
        return f"{self.title} (outside)" if model in self.outside else self.title


EXAMPLES: dict[str, Example] = {
    example.id: example
    for example in (
        # Nobody has said which emotion these are of, and none is of the kind that the model learned from.
        *(
            Example(id_, "audio", title, file, (SPEECH,), (SPEECH,))
            for id_, title, file in (
                ("speech-interview", "English interview, 4 s", "cate_blanch_2.mp3"),
                ("speech-monologue", "English film line, 3 s", "heath_ledger.mp3"),
                ("speech-note", "Voice note, 3 s", "recording1.wav"),
                ("music-sax", "Saxophone, no speech", "sax.wav"),
            )
        ),
        Example(
            "news-rates",
            "text",
            "Central bank",
            "The central bank left its key interest rate unchanged on Thursday, but signalled that it "
            "could cut borrowing costs before the summer if inflation and wages continue to ease. Bank "
            "shares fell.",
            (NEWS,),
        ),
        Example(
            "news-final",
            "text",
            "Cup final",
            "A header four minutes from time settled the cup final after the goalkeeper had saved two "
            "penalties, and the visiting fans stayed in the stadium long after the players had gone.",
            (NEWS,),
        ),
        Example(
            "news-telescope",
            "text",
            "Telescope",
            "Engineers have switched on a radio telescope whose software searches the sky for faint pulses "
            "a thousand times a second; its first data set is open to every laboratory.",
            (NEWS,),
        ),
        Example(
            "news-mixed",
            "text",
            "Between two topics",
            "After peace talks broke down, the government asked software companies to protect the stock "
            "exchange and the Olympic stadium against attacks on their computers.",
            (NEWS,),
        ),
        Example(
            "news-german",
            "text",
            "German",
            "Die Zentralbank hat ihren Leitzins am Donnerstag unverändert gelassen. Die Aktien der Banken "
            "fielen daraufhin, während der Euro gegenüber dem Dollar zulegte.",
            (NEWS,),
            (NEWS,),
            general=False,
        ),
        *(
            Example(id_, "image", title, file, (OBJECT,), general=False)
            for id_, title, file in (
                ("photo-coffee", "Cup of coffee", "coffee.jpg"),
                ("photo-astronaut", "Face of an astronaut", "astronaut.jpg"),
                ("drawn-stop-sign", "Stop sign, drawn", "stop-sign.png"),
                ("drawn-yin-yang", "Yin and yang, drawn", "yin-yang.png"),
            )
        ),
        # It has wild cats only.
        Example("photo-cat", "image", "Cat", "cat.jpg", (OBJECT,), (OBJECT,), general=False),
        *(
            Example(f"photo-{name.lower()}", "image", name, f"{name.lower()}.jpg", (GROCERY,), general=False)
            for name in ("Tomato", "Pineapple", "Milk", "Avocado")
        ),
        Example("photo-lion", "image", "Lion", "lion.jpg"),
        Example("photo-cheetah", "image", "Cheetah", "cheetah1.jpg"),
        Example("photo-bus", "image", "Bus", "bus.png"),
        Example("photo-tower", "image", "Tower", "tower.jpg", (GROCERY,), (GROCERY,)),
    )
}


#: What has to be known of a model's examples before one of them is pressed.
NOTES: Mapping[str, str] = {
    SPEECH: "No recording of a known emotion with a free licence was found, so none of these has a right "
    "answer. The model learned from acted sentences, and says of each that it is unlike those.",
    NEWS: "“Between two topics” has no right answer: it shows how words pull the decision either way.",
}


def recognised(given: Given) -> Given:
    """A built-in text or file given through the ordinary way is still that example, so links name it."""
    for example in examples_of(given.modality):
        if example.sha256 == given.sha256:
            return replace(given, name=example.title, example=example.id)
    return given


def examples_of(modality: Modality) -> list[Example]:
    return [example for example in EXAMPLES.values() if example.modality == modality]


def offered(modality: Modality, model: str) -> list[Example]:
    """Those that go with a model: its own if there are such, else the general ones."""
    found = examples_of(modality)
    own = [example for example in found if model in example.models]
    return own or [example for example in found if example.general]


def knows_one(model: str) -> bool:
    """Whether an example is there that is not outside of what the model knows."""
    return any(model in example.models and model not in example.outside for example in EXAMPLES.values())


def folders() -> list[str]:
    """Folders of the examples' files, which the page may serve: no file in them is a visitor's."""
    return sorted({str(Path(e.path).parent) for e in EXAMPLES.values() if e.modality != "text"})
