"""One list of colours for everything that draws."""

import re

import numpy as np
import pytest

from daam_core.errors import ConfigError
from daam_core.reading import colours


def test_a_ninth_head_begins_again():
    assert [colours.head_colour(head) for head in (0, 3, 8)] == [
        colours.HEAD_COLOURS[0],
        colours.HEAD_COLOURS[3],
        colours.HEAD_COLOURS[0],
    ]


def test_colours_are_written_the_same_way_and_differ():
    listed = (*colours.HEAD_COLOURS, *colours.DIVERGING)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in listed)
    assert len(set(listed)) == len(listed)


def test_what_is_called_blue_and_orange_is_so_on_a_dark_page_too():
    """Blue has least red and orange least blue, by far; what is larger is brighter there, darker on white."""
    red, green, blue = np.array(
        [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours.DIVERGING_DARK], float
    ).T
    ends = np.arange(9) != 4
    assert ((np.maximum(red, blue) - np.minimum(red, blue))[ends] > 60).all()
    assert (blue[:4] > red[:4]).all()
    assert (red[5:] > green[5:]).all()
    assert (green[5:] > blue[5:]).all()
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (np.diff(light[:5]) < 0).all()
    assert (np.diff(light[4:]) > 0).all()


def test_an_unknown_palette_lists_the_known_ones():
    with pytest.raises(ConfigError, match="Unknown palette 'jet'; choose one of: cividis, viridis, grey"):
        colours.sequential("jet")
