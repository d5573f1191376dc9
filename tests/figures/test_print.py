"""Every printed figure: readable at each width, the same whoever draws it, without a display."""

import subprocess
import sys
import threading
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from daam_core.errors import ConfigError, ShapeError
from daam_core.figures.gaussians import gaussian_figure
from daam_core.figures.layers import layer_contribution_figure
from daam_core.figures.maps import importance_figure
from daam_core.figures.parameters import parameters_figure
from daam_core.figures.report import report_figure
from daam_core.figures.style import figure_bytes, print_style
from daam_core.figures.tokens import token_figure
from daam_core.reading.outside import warning
from daam_core.reading.quantities import CAUTION, caution
from daam_core.result import Outside
from tests.figures.examples import AUDIO, GROUPS, IMAGE, LONG, MIXTURE, PICTURE, SOUND, TEXT
from tests.support.builders import make_explanation

FIGURES = {
    "maps": lambda width: importance_figure(TEXT, width=width),
    "maps-class": lambda width: importance_figure(GROUPS, quantity="class_importance", width=width),
    "maps-per-head": lambda width: importance_figure(GROUPS, scale="per_head", width=width),
    "map": lambda width: importance_figure(TEXT, heads=1, width=width),
    "layers": lambda width: layer_contribution_figure(IMAGE, width=width),
    "parameters": lambda width: parameters_figure(TEXT, width=width),
    "mixture": lambda width: parameters_figure(MIXTURE, width=width),
    "gaussian": lambda width: gaussian_figure(IMAGE, 3, 5, width=width),
    "average": lambda width: gaussian_figure(IMAGE, 3, 5, dataset=True, width=width),
    "words": lambda width: token_figure(TEXT, width=width),
    "long-words": lambda width: token_figure(LONG, width=width),
    "seconds": lambda width: token_figure(AUDIO, shown=SOUND, width=width),
    "regions": lambda width: token_figure(IMAGE, shown=PICTURE, width=width),
    "report-text": lambda width: report_figure(LONG, width=width),
    "report-image": lambda width: report_figure(IMAGE, shown=PICTURE, width=width),
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


A4_MM = 297 - 2 * 20  # its height between margins


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize(
    ("modality", "heads", "layers", "shown"),
    [("audio", 8, 4, SOUND), ("image", 4, 16, PICTURE), ("text", 8, 24, None)],
)
def test_a_report_fits_on_a_page(width, modality, heads, layers, shown):
    e = make_explanation(modality, heads=heads, layers=layers, features=200)
    assert report_figure(e, shown=shown, width=width).get_figheight() * 25.4 <= A4_MM


def test_a_report_names_the_input_and_says_probabilities_as_the_page_does(monkeypatch):
    probabilities = np.array([0.9993, 0.0006, 0.0001], dtype=np.float32)
    probabilities = np.concatenate([probabilities, np.zeros(len(AUDIO.class_names) - 3, np.float32)])
    e = replace(AUDIO, probabilities=probabilities, prediction=0)
    written = " ".join(_written(report_figure(e, shown=SOUND), monkeypatch).split())
    assert SOUND.title in written
    for text in ("99.93 %", "0.06 %", "0.01 %"):
        assert text in written
    assert "0.000" not in written
    assert CAUTION in written
    assert "trained on" not in written
    far = replace(e, outside=Outside(3.0, 1.5, 99.54, 400))
    warned = " ".join(_written(report_figure(far, shown=SOUND), monkeypatch).split())
    assert warning(far) in warned
    assert "farther from the training data than 99.5 % of the known inputs" in warned
    # The footer is about the map that is drawn: no word of the Importance Factor under another one.
    drawn = replace(e, evidence=e.class_importance)
    for quantity, begins in (("evidence", "Evidence says"), ("class_importance", "Class importance says")):
        footer = " ".join(_written(report_figure(drawn, quantity=quantity), monkeypatch).split())
        assert caution(quantity).startswith(begins)
        assert caution(quantity) in footer
        assert "same for every class" not in footer
        assert "Importance Factor" not in footer


def _written(figure: Figure, monkeypatch) -> str:
    shown: list[str] = []
    monkeypatch.setattr(Text, "draw", lambda self, renderer: shown.append(self.get_text()))
    with print_style():
        FigureCanvasAgg(figure).draw()
    return " ".join(shown)


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
    assert layer_contribution_figure(AUDIO, width=120).get_figwidth() * 25.4 == pytest.approx(120)
    with pytest.raises(ConfigError, match="Unknown width 'wide'; choose single, double, or a number"):
        importance_figure(AUDIO, width="wide")
    with pytest.raises(ConfigError, match="60 to 500 mm wide, got 7"):
        report_figure(AUDIO, width=7)


def test_options_and_heads_that_do_not_exist_are_refused():
    with pytest.raises(ShapeError, match="no head 4; this model has heads 0 to 3"):
        importance_figure(AUDIO, heads=4)
    with pytest.raises(ConfigError, match="Unknown quantity"):
        report_figure(AUDIO, quantity="loudness")
    with pytest.raises(ConfigError, match="Unknown palette"):
        importance_figure(AUDIO, palette="jet")
    with pytest.raises(ShapeError, match="no cell at layer 0, feature 32"):
        gaussian_figure(AUDIO, 0, 32)
    with pytest.raises(ConfigError, match="png, svg, pdf, not 'bmp'"):
        figure_bytes(layer_contribution_figure(AUDIO), "bmp")


@pytest.fixture(scope="module")
def equal_reports() -> list[Figure]:
    return [report_figure(make_explanation("image")) for _ in range(2)]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_explanations_give_equal_files_without_a_date(suffix, equal_reports):
    one, other = (figure_bytes(report, suffix, dpi=60) for report in equal_reports)
    assert one == other
    assert b"CreationDate" not in one
    assert b"<dc:date>" not in one


def test_figures_do_not_depend_on_the_callers_settings_and_leave_them_alone():
    before = figure_bytes(token_figure(TEXT), "svg")
    with mpl.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": False}
    ):
        mine = dict(mpl.rcParams)
        assert figure_bytes(token_figure(TEXT), "svg") == before
        assert dict(mpl.rcParams) == mine


def test_several_threads_draw_the_same_as_one():
    alone = figure_bytes(layer_contribution_figure(AUDIO), "svg")
    found: list[bytes] = []

    def work() -> None:
        for _ in range(3):
            found.append(figure_bytes(layer_contribution_figure(AUDIO), "svg"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 12


def test_no_display_and_no_pyplot_is_needed():
    program = (
        "import sys; from daam_core.figures import report; "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'tkinter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
