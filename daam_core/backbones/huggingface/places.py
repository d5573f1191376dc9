"""Whether a picture encoder's tokens stand where it says: a change planted there must show there most."""

import numpy as np
import torch
from PIL import Image

from daam_core.backbones.base import Backbone
from daam_core.inputs import read_picture

_SIDE = 240  # pixels of the picture
_PLANT = 24  # pixels of the square planted in it
_PLACES = ((0.4, 0.3), (0.6, 0.7))  # middles, as shares of width and height


def misplaced(backbone: Backbone) -> str | None:
    """What does not stand where it should in the first layer; None if everything does."""
    before = backbone.encode(read_picture(_picture(None)))
    boxes = before.tokens.spans
    placed = ~np.isnan(boxes).any(axis=1)
    for place in _PLACES:
        after = backbone.encode(read_picture(_picture(place)))
        if after.hidden.shape != before.hidden.shape:
            return "the number of its tokens depends on what is in the picture"
        change = torch.linalg.vector_norm(after.hidden[0] - before.hidden[0], dim=-1).numpy()
        token = int(np.argmax(np.where(placed, change, -1.0)))
        first, last = boxes[token, :2], boxes[token, 2:]
        # What a token sees may reach into its neighbours: one token's width more is allowed.
        slack = _PLANT / _SIDE / 2 + (last - first)
        if ((place < first - slack) | (place > last + slack)).any():
            column, row = place
            label = before.tokens.labels[token]
            return f"a change {column:.0%} from the left and {row:.0%} from the top shows at {label}"
    return None


def _picture(place: tuple[float, float] | None) -> Image.Image:
    """A grey picture with soft noise, and a bright square in it."""
    grain = np.random.default_rng(0).integers(120, 136, (_SIDE, _SIDE, 3), dtype=np.uint8)
    if place is not None:
        column, row = (round(share * _SIDE) - _PLANT // 2 for share in place)
        grain[row : row + _PLANT, column : column + _PLANT] = (255, 40, 0)
    return Image.fromarray(grain)
