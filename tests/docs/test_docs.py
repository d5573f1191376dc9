"""The documentation says what is so: its code runs, what it names exists, and it builds without a warning."""

import re
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from gradio_client import Client, handle_file

from app import Serving, serve
from daam_core.cli.main import main
from daam_core.errors import EncoderError
from daam_core.explaining import explain
from daam_core.trained import load_model
from tests.browser.conftest import free_port
from tests.docs import made
from tests.docs.build import build
from tests.docs.notebook import NOTEBOOK, executed, written
from tests.test_imports import ROOT, TABLE

DOCS = ROOT / "assets" / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.slow
def test_it_builds_without_a_warning_and_asks_no_other_host(tmp_path):
    done = build(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    loaded = r'<(?:script|img|link)[^>]+(?:src|href)="(https?://[^"]+)"'
    pages = [page.read_text("utf-8") for page in tmp_path.rglob("*.html")]
    assert [found for page in pages for found in re.findall(loaded, page)] == []


@pytest.mark.slow
def test_the_code_about_ones_own_data_encoder_and_model_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```", (DOCS / "own.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    names: dict[str, object] = {"__name__": "own"}
    for block in blocks:
        exec(compile(block, "own.md", "exec"), names)
    assert len(blocks) >= 4
    assert (tmp_path / "my-classifier" / "model.safetensors").is_file()
    # A network, an encoder and a model of one's own do what the page says of them.
    assert names["outcome"].measured.accuracy > 0.9
    assert names["e"].predicted_class == "weather"
    assert names["e"].axis_names == ("token", "feature")
    assert "attention.html" in {path.name for path in tmp_path.iterdir()}
    with pytest.raises(EncoderError, match="trained on shapes-network"):
        load_model("my-shapes", encoder=names["ShapesEncoder"](names["Network"]()))
    _is_served(names, tmp_path)


def _is_served(names: dict[str, Any], folder: Path) -> None:
    """The page on the encoder of one's own gives the same answer as Python does."""
    picture = folder / "shapes" / "circle" / "0.png"
    served = serve(names["shapes"], serving=Serving(port=free_port()), wait=False)
    try:
        client = Client(served.url, verbose=False)
        found = client.predict(image=handle_file(picture), model="my-shapes", api_name="/explain_image")
    finally:
        served.close()
    expected = explain(names["shapes"], picture)
    assert found["prediction"] == expected.predicted_class
    assert found["probability"] == pytest.approx(float(expected.probabilities.max()), rel=1e-5)


class TestNotebook:
    def test_it_is_the_one_that_the_script_writes(self):
        committed = nbformat.read(NOTEBOOK, as_version=4)
        nbformat.validate(committed)
        assert [cell.source for cell in committed.cells] == [cell.source for cell in written().cells]
        assert all(cell.outputs for cell in committed.cells if cell.cell_type == "code")

    @pytest.mark.slow
    def test_it_runs_and_prints_what_it_printed(self):
        def texts(notebook):
            outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
            return [output.get("text", output.get("data", {}).get("text/plain", "")) for output in outputs]

        # To two decimals: another machine adds in another order.
        def rounded(text):
            return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.1f}", text)

        committed = texts(nbformat.read(NOTEBOOK, as_version=4))
        assert [rounded(text) for text in texts(executed())] == [rounded(text) for text in committed]


def test_the_architecture_page_lists_every_room():
    shown = made.rooms()
    for room in TABLE:
        name = room if room.split(".")[0] == "app" else f"daam_core.{room}".rstrip(".")
        assert re.search(rf"^\| `{re.escape(name)}` \| \S", shown, re.MULTILINE), name


@pytest.mark.parametrize("name", made.PAGES)
def test_a_page_holds_what_is_made_of_the_code(name):
    page = (DOCS / name).read_text("utf-8")
    again = "write it anew: python -m tests.docs.made"
    assert page == made.filled(page, made.PAGES[name]()), again
    if name == "notebook.md":
        assert (DOCS / made.PICTURE).read_bytes() == made.picture(), again


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_page_waits_to_be_filled(page: Path):
    assert "{{" not in page.read_text("utf-8")


def test_every_test_named_in_the_equations_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "equations.md").read_text("utf-8"))
    assert len(named) >= 10
    missing = [test for path, test in named if f"def {test}(" not in (ROOT / path).read_text("utf-8")]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_names_exists(page: Path):
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    named = re.findall(r"`((?:daam_core|app|tests|assets)/[\w./-]+)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def test_the_pictures_are_small():
    assert sum(path.stat().st_size for path in DOCS.rglob("*.png")) < 1_500_000


def test_the_benchmarks_table_is_made_of_its_stored_cells_by_the_command_above_it(tmp_path, monkeypatch):
    page = (DOCS / "benchmark.md").read_text("utf-8")
    shown = page.split("<!-- made -->")[1].split("<!-- end -->")[0].strip()
    (command,) = re.findall(r"^python -m daam_core (benchmark .*)$", shown, re.MULTILINE)
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(DOCS / "benchmark-cells.zip") as cells:
        cells.extractall(tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--table"]) == 0
    made = (tmp_path / "out" / "benchmark.md").read_text("utf-8").split("\n", 2)[2].strip()
    assert re.sub("^## ", "### ", made, flags=re.MULTILINE).replace(" --table\n", "\n") == shown
    kept = {"benchmark": "benchmark", "few": "benchmark-few", "harder": "benchmark-harder"}
    for name, page_name in kept.items():
        table = (tmp_path / "out" / f"{name}.csv").read_bytes()
        assert table == (DOCS / f"{page_name}.csv").read_bytes()
