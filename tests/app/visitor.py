"""What tests of the app share: two texts, an encoder that counts, an edited input."""

from app.visit.inputs import Given
from app.visit.session import Session
from daam_core.inputs import Edit

TEXT = "The goalkeeper saved a penalty in the last minute."
OTHER = "The bank raised its interest rate on Thursday."


class Counting:
    """A model's encoder that counts its runs."""

    def __init__(self, backbone):
        self._backbone = backbone
        self.runs = 0

    def encode(self, sample):
        self.runs += 1
        return self._backbone.encode(sample)

    def __getattr__(self, name):
        return getattr(self._backbone, name)


def edited(session: Session, text: str) -> Given:
    """The original of a session with another text in its place."""
    return session.original.given.changed(Edit(text))
