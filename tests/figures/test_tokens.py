"""Back to the input, for print."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from daam_core.errors import ShapeError
from daam_core.figures.style import diverging_map, legible_on, print_style
from daam_core.figures.tokens import token_figure, token_view
from daam_core.inputs import read_picture
from daam_core.reading.words import join_words
from tests.figures.examples import AUDIO, IMAGE, PICTURE, SOUND, TEXT, drawn
from tests.support.builders import make_explanation


def test_seconds_carry_each_tokens_value():
    curve = token_figure(AUDIO, shown=SOUND).axes[1]
    positive, negative = (patch.get_data() for patch in curve.patches)
    np.testing.assert_allclose(positive.values + negative.values, AUDIO.token_attribution, rtol=1e-6)
    np.testing.assert_allclose(positive.edges[:-1], AUDIO.token_spans[:, 0])


def test_the_waveform_keeps_its_peaks():
    envelope = token_figure(AUDIO, shown=SOUND).axes[0].patches[0].get_data()
    assert envelope.values.max() == pytest.approx(SOUND.samples.max())
    assert np.min(envelope.baseline) == pytest.approx(SOUND.samples.min())
    assert envelope.edges[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("head", [None, 3])
@pytest.mark.parametrize("absolute", [False, True])
def test_regions_lie_where_the_tokens_are_with_their_values(head, absolute):
    figure = token_figure(IMAGE, shown=PICTURE, head=head, absolute=absolute)
    over = next(axes for axes in figure.axes if len(axes.collections) == 1 and len(axes.images) == 1)
    (patches,) = over.collections
    values = IMAGE.token_attribution if head is None else IMAGE.head_token_attribution[head]
    np.testing.assert_allclose(patches.get_array(), np.abs(values) if absolute else values)
    boxes = np.array([path.get_extents().extents for path in patches.get_paths()])
    ratio = 60 / 80
    np.testing.assert_allclose(boxes, IMAGE.token_spans * [1, ratio, 1, ratio], atol=1e-12)
    assert over.get_ylim() == (ratio, 0)


def test_words_are_coloured_by_the_sum_of_their_pieces():
    figure = token_figure(TEXT)
    axes = next(axes for axes in figure.axes if axes.texts)
    words = [
        w
        for w in join_words(TEXT.text, TEXT.token_labels, TEXT.token_spans, TEXT.token_attribution)
        if w.start is not None
    ]
    assert [text.get_text() for text in axes.texts] == [word.text for word in words]
    view = token_view(TEXT)
    largest = max(abs(word.value) for word in words)
    with print_style():
        colours = [diverging_map()((word.value / largest + 1) / 2) for word in words]
    np.testing.assert_allclose([patch.get_facecolor() for patch in axes.patches], colours, atol=0.02)
    for text, patch in zip(axes.texts, axes.patches, strict=True):
        assert text.get_color() == legible_on(patch.get_facecolor())
    special = sum(view.values[[0, -1]])
    assert special + sum(word.value for word in words) == pytest.approx(
        TEXT.token_attribution.sum(), rel=1e-4
    )
    assert "Special tokens, not part of the text: [CLS]" in drawn(figure).replace("\n", " ")


def test_words_too_many_to_print_are_counted():
    text = " ".join(["word"] * 700)
    spans = np.array([[5 * i, 5 * i + 4] for i in range(700)], dtype=float)
    e = replace(
        make_explanation(tokens=700),
        text=text,
        token_spans=spans,
        token_labels=("word",) * 700,
    )
    assert "The last 100 words are not shown." in drawn(token_figure(e))


def test_an_input_of_another_modality_or_an_unknown_head_is_refused():
    with pytest.raises(ShapeError, match="sound is audio, but image was explained"):
        token_figure(IMAGE, shown=SOUND)
    with pytest.raises(ShapeError, match="no head 9; this model has heads 0 to 3"):
        token_figure(AUDIO, head=9)


def test_a_large_picture_is_scaled_down_and_left_as_it_was():
    large = Image.new("RGB", (6000, 3000))
    read = read_picture(large)
    assert max(token_view(IMAGE, shown=read).picture.shape) <= 2000
    assert read.rgb.size == large.size == (6000, 3000)
    assert max(token_view(IMAGE, shown=read_picture(np.zeros((9000, 50)))).picture.shape) <= 2000
