"""One list of colours for everything that draws."""

import re

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


def test_an_unknown_palette_lists_the_known_ones():
    with pytest.raises(ConfigError, match="Unknown palette 'jet'; choose one of: cividis, viridis, grey"):
        colours.sequential("jet")
