"""Figures for print and notebooks: what they show equals the arrays, everything readable and in place."""

import io
import json
import re
import subprocess
import sys
import threading
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from daam_core.errors import ConfigError, ShapeError
from daam_core.figures import maps, plotly_figures
from daam_core.figures.style import figure_bytes, legible_on, print_style, text_width, wrapped
from daam_core.figures.tokens import token_view
from daam_core.inputs import read_picture, read_sound
from daam_core.reading.colours import head_colour
from daam_core.reading.quantities import bin_columns, cell_gaussians, join_words, quantity_map, scale_limits
from tests.support.builders import make_explanation

TEXT = make_explanation("text", tokens=40, features=384)
AUDIO = make_explanation("audio", tokens=60, layers=4)
IMAGE = make_explanation("image", tokens=49, heads=8, layers=16, features=80)
GROUPS = make_explanation("text", heads=4, layers=12, mode="layer_groups")
MIXTURE = make_explanation("text", gate_kind="mixture")
CONSTANT = make_explanation("text", constant=True)
LONG = replace(
    make_explanation(
        "text", class_names=tuple(f"a class with a name too long to print {i}" for i in range(43))
    ),
    text="https://example.org/" + "a" * 300 + "\nsecond $1 {line} \\alpha <b>",
    token_spans=np.array([[i * 20, i * 20 + 20] for i in range(16)], dtype=float),
)
SOUND = read_sound((np.sin(np.arange(16_000) / 20) * np.linspace(0, 1, 16_000), 16_000))
PICTURE = Image.fromarray(np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8))


def images(figure: Figure) -> list:
    return [axes.images[0] for axes in figure.axes if axes.images]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def drawn(figure: Figure) -> str:
    return "\n".join(texts(figure))


# ---- Maps for print ----------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["importance", "density_attention", "gate", "class_importance"])
@pytest.mark.parametrize("scale", ["all_heads", "per_head"])
@pytest.mark.parametrize("e", [AUDIO, GROUPS], ids=["shared", "layer_groups"])
def test_maps_hold_each_heads_own_layers_and_the_limits_that_are_printed(e, quantity, scale):
    figure = maps.importance_figure(e, quantity=quantity, scale=scale)
    signed = quantity == "class_importance"
    limits = scale_limits(quantity_map(e, quantity), scale=scale, signed=signed)
    found = images(figure)
    assert len(found) == e.shape[0]
    for head, image in enumerate(found):
        np.testing.assert_array_equal(image.get_array(), getattr(e, quantity)[head, e.head_layers[head]])
        assert image.get_clim() == tuple(limits[head])
        labels = [label.get_text() for label in image.axes.get_yticklabels()]
        assert set(labels) <= {str(layer) for layer in np.flatnonzero(e.head_layers[head])}
    if scale == "per_head":
        for head in range(e.shape[0]):
            assert f"head {head}, {maps.number(limits[head, 0])} to {maps.number(limits[head, 1])}" in drawn(
                figure
            )
    else:
        printed = drawn(figure).replace("\n", " ")
        assert f"{maps.number(limits[0, 0])} to {maps.number(limits[0, 1])}" in printed


def test_a_signed_map_has_its_middle_colour_at_zero():
    (image, *_) = images(maps.importance_figure(AUDIO, quantity="class_importance"))
    assert to_hex(image.cmap(image.norm(0.0))) in ("#f7f7f7", "#f6f7f7", "#f7f6f6", "#f5f7f8", "#f8f5f3")


def test_the_legend_says_what_a_score_means():
    assert "0 = weakest, 1 = strongest density attention" in drawn(maps.importance_figure(AUDIO)).replace(
        "\n", " "
    )
    signed = drawn(maps.importance_figure(AUDIO, quantity="class_importance")).replace("\n", " ")
    assert f"for “{AUDIO.explained_class}”" in signed


def test_one_head_or_some_in_the_order_given():
    assert texts(maps.importance_figure(AUDIO, heads=2)).count(f"head 2 ({_share(AUDIO, 2):.0f} %)") == 1
    some = images(maps.importance_figure(AUDIO, heads=[3, 0]))
    np.testing.assert_array_equal(some[0].get_array(), AUDIO.importance[3])
    np.testing.assert_array_equal(some[1].get_array(), AUDIO.importance[0])


def _share(e, head):
    return e.layer_contribution[head].sum()


def test_a_single_hot_cell_of_many_columns_is_visible_and_the_binning_is_stated():
    e = make_explanation(heads=1, layers=40, features=5120, tokens=4, planted=(0, 11, 1234), dataset=False)
    figure = maps.importance_figure(e)
    (image,) = images(figure)
    columns = image.get_array().shape[1]
    assert columns < 5120
    np.testing.assert_array_equal(image.get_array(), bin_columns(e.importance[0], columns).values)
    statement = bin_columns(e.importance[0], columns).statement
    assert f"With 5,120 features, {statement}." in drawn(figure).replace("\n", " ")
    pixels = np.asarray(Image.open(io.BytesIO(figure_bytes(figure, "png"))).convert("RGB")).astype(int)
    hottest = np.array(image.cmap(1.0)[:3]) * 255
    box = image.axes.bbox  # in dots, from the lower left
    x = box.x0 + box.width * (1234.5 / 5120)
    y = len(pixels) - (box.y0 + box.height * (11.5 / 40))
    around = pixels[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
    assert (np.abs(around - hottest).max(axis=2) < 12).any(), "no pixel near the cell has the highest colour"


def test_a_constant_map_says_so_instead_of_dividing_by_zero():
    printed = drawn(maps.importance_figure(CONSTANT)).replace("\n", " ")
    assert "head 0, constant: 0" in printed
    assert "The density attention is constant, so the Importance Factor is 0 by definition." in printed
    assert "head 0, constant: 1" in drawn(maps.importance_figure(CONSTANT, quantity="gate"))
    for figure in (maps.report_figure(CONSTANT), maps.token_figure(CONSTANT)):
        figure_bytes(figure, "png", dpi=40)


def test_an_importance_scaled_head_by_head_warns_against_comparing():
    e = make_explanation(scale="per_head")
    assert "heads cannot be compared" in drawn(maps.importance_figure(e)).replace("\n", " ")


# ---- Layers, parameters, cells -----------------------------------------------------------------------


def test_layer_bars_are_the_contributions_stacked():
    figure = maps.layer_contribution_figure(AUDIO)
    heights = np.array([[bar.get_height() for bar in bars] for bars in figure.axes[0].containers])
    np.testing.assert_allclose(heights, AUDIO.layer_contribution, rtol=1e-6)
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[0].containers[-1]]
    np.testing.assert_allclose(tops, AUDIO.layer_contribution.sum(0), rtol=1e-6)
    colours = [to_hex(bars[0].get_facecolor()) for bars in figure.axes[0].containers]
    assert colours == [head_colour(head) for head in range(4)]


def test_parameter_maps_and_ranges_are_the_learned_ones():
    figure = maps.parameters_figure(AUDIO)
    offset, variance = images(figure)
    np.testing.assert_array_equal(offset.get_array(), AUDIO.mean_offset.astype(np.float64))
    np.testing.assert_array_equal(variance.get_array(), AUDIO.scaled_variance.astype(np.float64))
    low, high = offset.get_clim()
    assert low == -high
    for values in (AUDIO.mean_offset, AUDIO.scaled_variance):
        assert f"{maps.number(values.min())} to {maps.number(values.max())}" in drawn(figure)


def test_a_wide_range_of_variances_is_drawn_on_a_logarithm():
    e = replace(AUDIO, scaled_variance=np.geomspace(0.01, 100, AUDIO.scaled_variance.size).reshape(4, -1))
    figure = maps.parameters_figure(e)
    axes = figure.axes[2]
    assert axes.get_xscale() == "log"
    assert "(log)" in drawn(figure)
    assert {"0.1", "1", "10"} <= {label.get_text() for label in axes.get_xticklabels()}
    assert "$" not in drawn(figure), "powers must not show as markup"
    counted = [trace for trace in plotly_figures.parameters(e).data if trace.type == "scatter"]
    assert [sum(trace.y) for trace in counted] == [e.shape[2]] * 8
    assert plotly_figures.parameters(e).layout.xaxis3.type == "log"


def test_mixture_parameters_show_each_gaussian_and_their_product():
    left, right = maps.parameters_figure(MIXTURE).axes
    points = [np.sort(line.get_xdata()) for line in left.lines]
    for head in range(4):
        np.testing.assert_allclose(points[2 * head], np.sort(MIXTURE.mean_offset[head]))
    np.testing.assert_allclose(right.lines[0].get_xdata(), MIXTURE.scaled_variance[0])


def test_curves_go_through_the_gates_of_the_cell():
    e = AUDIO
    cell = cell_gaussians(e, 2, 7)
    axes = maps.gaussian_figure(e, 2, 7).axes[0]
    labelled = {line.get_label(): line for line in axes.lines}
    for head in range(4):
        label = f"head {head}: gate {maps.number(cell.gate[head])}, λ {maps.number(e.amplitude[head, 2])}"
        x, y = labelled[label].get_data()
        assert np.interp(cell.value, x, y) == pytest.approx(e.gate[head, 2, 7], abs=2e-3)
    markers = [line for line in axes.lines if line.get_marker() == "o"]
    filled = [line.get_ydata()[0] for line in markers if line.get_markerfacecolor() != "white"]
    hollow = [line.get_ydata()[0] for line in markers if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(filled, e.gate[:, 2, 7])
    np.testing.assert_allclose(hollow, e.dataset.gate[:, 2, 7])


def test_the_data_sets_curves_are_those_of_its_average():
    cell = cell_gaussians(AUDIO, 2, 7, dataset=True)
    axes = maps.gaussian_figure(AUDIO, 2, 7, dataset=True).axes[0]
    curves = [line for line in axes.lines if str(line.get_label()).startswith("head")]
    rings = [line for line in axes.lines if line.get_marker() == "o"]
    figure = plotly_figures.gaussian(AUDIO, 2, 7, dataset=True)
    drawn = [trace for trace in figure.data if trace.mode == "lines"]
    for head in range(4):
        for x, y in (curves[head].get_data(), (np.array(drawn[head].x), np.array(drawn[head].y))):
            wanted = cell.peak[head] * np.exp(-((x - cell.centre[head]) ** 2) / (2 * cell.spread[head] ** 2))
            np.testing.assert_allclose(y, wanted, rtol=1e-6)
    np.testing.assert_allclose([ring.get_ydata()[0] for ring in rings], AUDIO.dataset.gate[:, 2, 7])
    assert [trace.y[0] for trace in figure.data if trace.mode == "markers"] == pytest.approx(
        list(AUDIO.dataset.gate[:, 2, 7])
    )
    assert "mean gate" in curves[0].get_label()


def test_only_heads_that_see_the_layer_have_a_curve():
    labels = [line.get_label() for line in maps.gaussian_figure(GROUPS, 4, 0).axes[0].lines]
    assert [label for label in labels if label.startswith("head")] == [
        label for label in labels if label.startswith("head 1:")
    ]


# ---- Back to the input, for print --------------------------------------------------------------------


def test_seconds_carry_each_tokens_value():
    curve = maps.token_figure(AUDIO, shown=SOUND).axes[1]
    positive, negative = (patch.get_data() for patch in curve.patches)
    np.testing.assert_allclose(positive.values + negative.values, AUDIO.token_attribution, rtol=1e-6)
    np.testing.assert_allclose(positive.edges[:-1], AUDIO.token_spans[:, 0])


def test_the_waveform_keeps_its_peaks():
    envelope = maps.token_figure(AUDIO, shown=SOUND).axes[0].patches[0].get_data()
    assert envelope.values.max() == pytest.approx(SOUND.samples.max())
    assert np.min(envelope.baseline) == pytest.approx(SOUND.samples.min())
    assert envelope.edges[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("head", [None, 3])
@pytest.mark.parametrize("absolute", [False, True])
def test_regions_lie_where_the_tokens_are_with_their_values(head, absolute):
    figure = maps.token_figure(IMAGE, shown=read_picture(PICTURE), head=head, absolute=absolute)
    over = next(axes for axes in figure.axes if len(axes.collections) == 1 and len(axes.images) == 1)
    (patches,) = over.collections
    values = IMAGE.token_attribution if head is None else IMAGE.head_token_attribution[head]
    np.testing.assert_allclose(patches.get_array(), np.abs(values) if absolute else values)
    boxes = np.array([path.get_extents().extents for path in patches.get_paths()])
    ratio = 60 / 80
    np.testing.assert_allclose(boxes, IMAGE.token_spans * [1, ratio, 1, ratio], atol=1e-12)
    assert over.get_ylim() == (ratio, 0)


def test_words_are_coloured_by_the_sum_of_their_pieces():
    figure = maps.token_figure(TEXT)
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
        from daam_core.figures.style import diverging_map

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
    assert "The last 100 words are not shown." in drawn(maps.token_figure(e))


def test_an_input_of_another_modality_or_an_unknown_head_is_refused():
    with pytest.raises(ShapeError, match="sound is audio, but image was explained"):
        maps.token_figure(IMAGE, shown=SOUND)
    with pytest.raises(ShapeError, match="no head 9; this model has heads 0 to 3"):
        maps.token_figure(AUDIO, head=9)


def test_a_large_picture_is_scaled_down_and_left_as_it_was():
    large = Image.new("RGB", (6000, 3000))
    read = read_picture(large)
    assert max(token_view(IMAGE, shown=read).picture.shape) <= 2000
    assert read.rgb.size == large.size == (6000, 3000)
    assert max(token_view(IMAGE, shown=read_picture(np.zeros((9000, 10)))).picture.shape) <= 2000


# ---- Readable at every width -------------------------------------------------------------------------

FIGURES = {
    "maps": lambda width: maps.importance_figure(TEXT, width=width),
    "maps-class": lambda width: maps.importance_figure(GROUPS, quantity="class_importance", width=width),
    "maps-per-head": lambda width: maps.importance_figure(GROUPS, scale="per_head", width=width),
    "map": lambda width: maps.importance_figure(TEXT, heads=1, width=width),
    "layers": lambda width: maps.layer_contribution_figure(IMAGE, width=width),
    "parameters": lambda width: maps.parameters_figure(TEXT, width=width),
    "mixture": lambda width: maps.parameters_figure(MIXTURE, width=width),
    "gaussian": lambda width: maps.gaussian_figure(IMAGE, 3, 5, width=width),
    "average": lambda width: maps.gaussian_figure(IMAGE, 3, 5, dataset=True, width=width),
    "words": lambda width: maps.token_figure(TEXT, width=width),
    "long-words": lambda width: maps.token_figure(LONG, width=width),
    "seconds": lambda width: maps.token_figure(AUDIO, shown=SOUND, width=width),
    "regions": lambda width: maps.token_figure(IMAGE, shown=read_picture(PICTURE), width=width),
    "report-text": lambda width: maps.report_figure(LONG, width=width),
    "report-image": lambda width: maps.report_figure(IMAGE, shown=read_picture(PICTURE), width=width),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize(("width", "millimetres"), [("single", 89), ("double", 183)])
def test_every_text_is_large_enough_and_inside_the_figure(draw, width, millimetres, monkeypatch):
    shown: list[Text] = []
    original = Text.draw

    def record(self, renderer):
        shown.append(self)
        original(self, renderer)

    monkeypatch.setattr(Text, "draw", record)  # tick labels outside an axis are never drawn
    figure = draw(width)
    assert figure.get_figwidth() * 25.4 == pytest.approx(millimetres)
    with print_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        slack = 0.01 * figure.bbox.width
        written = [text for text in shown if text.get_visible() and text.get_text().strip()]
        assert len(written) > 5
        for text in written:
            assert 5 <= text.get_fontsize() <= 9, text.get_text()
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= -slack, text.get_text()
            assert box.x1 <= figure.bbox.width + slack, text.get_text()
            assert box.y0 >= -slack, text.get_text()
            assert box.y1 <= figure.bbox.height + slack, text.get_text()


@pytest.mark.parametrize("draw", [FIGURES["maps"], FIGURES["report-image"]], ids=["maps", "report"])
def test_panels_do_not_overlap(draw):
    figure = draw("double")
    with print_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [axes.get_tightbbox(canvas.get_renderer()) for axes in figure.axes if axes.get_visible()]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width < 4 or height < 4, "panels overlap by more than four dots"


def test_widths_are_single_double_or_millimetres():
    assert maps.layer_contribution_figure(AUDIO, width=120).get_figwidth() * 25.4 == pytest.approx(120)
    with pytest.raises(ConfigError, match="Unknown width 'wide'; choose single, double, or a number"):
        maps.importance_figure(AUDIO, width="wide")
    with pytest.raises(ConfigError, match="60 to 500 mm wide, got 7"):
        maps.report_figure(AUDIO, width=7)


def test_options_and_heads_that_do_not_exist_are_refused():
    with pytest.raises(ShapeError, match="no head 4; this model has heads 0 to 3"):
        maps.importance_figure(AUDIO, heads=4)
    with pytest.raises(ConfigError, match="Unknown quantity"):
        maps.report_figure(AUDIO, quantity="loudness")
    with pytest.raises(ConfigError, match="Unknown palette"):
        maps.importance_figure(AUDIO, palette="jet")
    with pytest.raises(ShapeError, match="no cell at layer 0, feature 32"):
        maps.gaussian_figure(AUDIO, 0, 32)
    with pytest.raises(ConfigError, match="png, svg, pdf, not 'bmp'"):
        figure_bytes(maps.layer_contribution_figure(AUDIO), "bmp")


# ---- Files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def equal_reports() -> list[Figure]:
    return [maps.report_figure(make_explanation("image")) for _ in range(2)]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_explanations_give_equal_files_without_a_date(suffix, equal_reports):
    one, other = (figure_bytes(report, suffix, dpi=60) for report in equal_reports)
    assert one == other
    assert b"CreationDate" not in one
    assert b"<dc:date>" not in one


def test_text_in_svg_is_text_and_dollars_are_dollars():
    svg = figure_bytes(maps.token_figure(LONG), "svg").decode()
    written = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"second", "$", "{", "line", "alpha"} <= set(written)
    assert "&lt;" in svg
    assert "<b>" not in svg


def test_pdf_carries_its_fonts_as_truetype():
    pdf = figure_bytes(maps.layer_contribution_figure(AUDIO), "pdf")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", pdf)
    assert float(box[1]) == pytest.approx(89 / 25.4 * 72, abs=0.1)


def test_png_has_the_width_at_300_dots_an_inch():
    picture = Image.open(io.BytesIO(figure_bytes(maps.layer_contribution_figure(AUDIO), "png")))
    assert picture.width == pytest.approx(89 / 25.4 * 300, abs=1)
    assert picture.info["dpi"][0] == pytest.approx(300, abs=1)


def test_figures_do_not_depend_on_the_callers_settings_and_leave_them_alone():
    before = figure_bytes(maps.token_figure(TEXT), "svg")
    with mpl.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": False}
    ):
        mine = dict(mpl.rcParams)
        assert figure_bytes(maps.token_figure(TEXT), "svg") == before
        assert dict(mpl.rcParams) == mine


def test_several_threads_draw_the_same_as_one():
    alone = figure_bytes(maps.layer_contribution_figure(AUDIO), "svg")
    found: list[bytes] = []

    def work() -> None:
        for _ in range(3):
            found.append(figure_bytes(maps.layer_contribution_figure(AUDIO), "svg"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 12


def test_no_display_and_no_pyplot_is_needed():
    program = (
        "import sys; from daam_core.figures import maps; "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'tkinter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_wrapped_text_fits_and_loses_no_word():
    sentence = "Colours from each map's own lowest to its own highest value, given above it."
    lines = wrapped(sentence, 40).split("\n")
    assert " ".join(lines) == sentence
    assert len(lines) > 1
    assert all(text_width(line) <= 40 for line in lines)


# ---- Notebooks: plotly -------------------------------------------------------------------------------

PLOTS = {
    "heatmap": lambda: plotly_figures.heatmap(AUDIO),
    "heatmap-signed": lambda: plotly_figures.heatmap(
        AUDIO, quantity="class_importance", head=2, scale="per_head"
    ),
    "small-multiples": lambda: plotly_figures.head_small_multiples(IMAGE),
    "small-multiples-per-head": lambda: plotly_figures.head_small_multiples(GROUPS, scale="per_head"),
    "layers": lambda: plotly_figures.layer_contribution(AUDIO),
    "parameters": lambda: plotly_figures.parameters(AUDIO),
    "mixture": lambda: plotly_figures.parameters(MIXTURE),
    "gaussian": lambda: plotly_figures.gaussian(AUDIO, 1, 2),
    "words": lambda: plotly_figures.tokens(TEXT),
    "seconds": lambda: plotly_figures.tokens(AUDIO),
    "regions": lambda: plotly_figures.tokens(IMAGE, picture=PICTURE),
    "constant": lambda: plotly_figures.heatmap(CONSTANT),
}


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_plots_use_traces_that_every_plotly_has(draw):
    figure = draw()
    assert {trace.type for trace in figure.data} <= {"heatmap", "bar", "scatter", "histogram"}
    json.loads(figure.to_json(), parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("quantity", ["importance", "density_attention", "gate", "class_importance"])
def test_plotted_maps_are_the_arrays(quantity):
    figure = plotly_figures.heatmap(AUDIO, head=1, quantity=quantity)
    (trace,) = figure.data
    np.testing.assert_array_equal(trace.z, getattr(AUDIO, quantity)[1])
    np.testing.assert_array_equal(trace.customdata[..., 0], AUDIO.values)
    np.testing.assert_array_equal(trace.customdata[..., 3], AUDIO.importance[1])
    limits = scale_limits(quantity_map(AUDIO, quantity), signed=quantity == "class_importance")[1]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == tuple(limits)


def test_small_multiples_hold_each_heads_own_layers():
    figure = plotly_figures.head_small_multiples(GROUPS, heads=[2, 0])
    for trace, head in zip(figure.data, (2, 0), strict=True):
        np.testing.assert_array_equal(trace.z, GROUPS.importance[head, GROUPS.head_layers[head]])
        np.testing.assert_array_equal(trace.y, np.flatnonzero(GROUPS.head_layers[head]))
        assert trace.coloraxis == "coloraxis"
    per_head = plotly_figures.head_small_multiples(GROUPS, scale="per_head")
    limits = scale_limits(quantity_map(GROUPS, "importance"), scale="per_head")
    assert [(trace.zmin, trace.zmax) for trace in per_head.data] == [tuple(pair) for pair in limits.tolist()]


def test_plotted_bars_curves_and_regions_are_the_arrays():
    for head, trace in enumerate(plotly_figures.layer_contribution(AUDIO).data):
        np.testing.assert_array_equal(trace.y, AUDIO.layer_contribution[head])
        assert trace.marker.color == head_colour(head)
    np.testing.assert_array_equal(plotly_figures.tokens(AUDIO).data[0].y, AUDIO.token_attribution)
    np.testing.assert_array_equal(
        plotly_figures.tokens(AUDIO, head=2).data[0].y, AUDIO.head_token_attribution[2]
    )
    np.testing.assert_allclose(plotly_figures.tokens(AUDIO).data[0].width, 0.02)
    np.testing.assert_array_equal(
        plotly_figures.tokens(IMAGE, absolute=True).data[0].z.ravel(), np.abs(IMAGE.token_attribution)
    )
    words = join_words(TEXT.text, TEXT.token_labels, TEXT.token_spans, TEXT.token_attribution)
    np.testing.assert_array_equal(plotly_figures.tokens(TEXT).data[0].y, [word.value for word in words])


def test_plotted_parameters_are_the_learned_ones():
    figure = plotly_figures.parameters(AUDIO)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    np.testing.assert_array_equal(maps[0].z, AUDIO.mean_offset)
    np.testing.assert_array_equal(maps[1].z, AUDIO.scaled_variance)
    assert maps[0].zmin == -maps[0].zmax
    counts = [sum(trace.y) for trace in figure.data if trace.type == "scatter"]
    assert counts == [AUDIO.shape[2]] * 8, "every feature is in one bar of each distribution"


def test_plotted_curves_go_through_the_gates():
    figure = plotly_figures.gaussian(AUDIO, 1, 2)
    markers = [trace for trace in figure.data if trace.mode == "markers"]
    values = [(trace.x[0], trace.y[0]) for trace in markers if trace.marker.symbol == "circle"]
    np.testing.assert_allclose(values, [(AUDIO.values[1, 2], gate) for gate in AUDIO.gate[:, 1, 2]])
    averages = [trace.y[0] for trace in markers if trace.marker.symbol == "circle-open"]
    np.testing.assert_allclose(averages, AUDIO.dataset.gate[:, 1, 2])


def test_what_a_person_wrote_is_no_markup():
    e = replace(
        LONG,
        class_names=("<b>bold</b>", *LONG.class_names[1:]),
        explained=0,
    )
    written = (
        plotly_figures.tokens(e).to_json() + plotly_figures.heatmap(e, quantity="class_importance").to_json()
    )
    assert "<b>" not in written.encode().decode("unicode_escape")
    assert "&lt;b&gt;bold" in written.encode().decode("unicode_escape")


def test_plots_refuse_heads_and_options_that_do_not_exist():
    with pytest.raises(ShapeError, match=r"no head \[4\]; this model has heads 0 to 3"):
        plotly_figures.heatmap(AUDIO, head=4)
    with pytest.raises(ShapeError, match="no head"):
        plotly_figures.head_small_multiples(AUDIO, heads=[])
    with pytest.raises(ConfigError, match="Unknown quantity"):
        plotly_figures.heatmap(AUDIO, quantity="loudness")
    with pytest.raises(ConfigError, match="Unknown scale"):
        plotly_figures.head_small_multiples(AUDIO, scale="log")
