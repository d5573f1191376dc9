"""What kinds of input there are, under the names of the public surface."""

from typing import Literal

Modality = Literal["audio", "text", "image"]
MODALITIES: tuple[Modality, ...] = ("audio", "text", "image")
