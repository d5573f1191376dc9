"""Reading and encoding in one step."""

from daam_core.backbones.base import Backbone
from daam_core.encoding import Encoding
from daam_core.inputs import read_input


def encode(backbone: Backbone, given: object) -> Encoding:
    """What an encoder makes of a text, a path, an array or an input, as ``explain`` reads it."""
    return backbone.encode(read_input(given, backbone.modality, rate=backbone.sample_rate))
