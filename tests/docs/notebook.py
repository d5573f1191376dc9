"""Writes and executes the documentation's notebook: ``python -m tests.docs.notebook``."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent.parent
NOTEBOOK = ROOT / "assets" / "docs" / "notebook.ipynb"

CELLS = (
    "# Why did it say *Business*?\n\nA classifier of news and one sentence: what it decides, which cells of "
    "the encoder its heads let through, and which words that comes from.",
    """
    from daam_core import explain, load_model

    model = load_model("news-topic")
    e = explain(model, "Shares of the football club fell after the final.")
    {name: round(float(p), 3) for name, p in zip(e.class_names, e.probabilities)}
    """,
    "Two topics in one sentence. The Importance Factor has one value for each head, layer and feature:",
    """
    H, L, F = e.importance.shape
    print(f"{H} heads x {L} layers x {F} features")
    print("share of the density attention by layer, in percent:", e.layer_contribution.sum(0).round(1))
    """,
    "Head 0 is open: it lets every cell through, so its Importance Factor is the same all over a layer. "
    "Which cells the decision hangs on stands in the evidence, in logits for the class and against the next:",
    """
    from daam_core.reading.quantities import top_cells

    for head, layer, feature in top_cells(e.evidence, 3).tolist():
        print(f"head {head}, layer {layer}, feature {feature}: {e.evidence[head, layer, feature]:+.3f}")
    """,
    "For print, as PNG, SVG or PDF:",
    """
    from IPython.display import Image

    from daam_core.figures import figure_bytes, importance_figure

    Image(figure_bytes(importance_figure(e), "png", dpi=150))
    """,
    "The words share that evidence among them. Which speak for the class that was predicted, and which for "
    "another:",
    """
    sports = explain(model, e.text, target="Sports")
    for word, here, there in zip(e.token_labels, e.token_attribution, sports.token_attribution):
        print(f"{word:12} {e.predicted_class} {here:+.3f}   Sports {there:+.3f}")
    """,
    "The Importance Factor does not depend on the class; token attribution does:",
    """
    bool((e.importance == sports.importance).all())
    """,
    "`notebook_view(e)` of `daam_core.view.notebook` shows the interactive view here, as in the page.",
)


def written() -> nbformat.NotebookNode:
    """The notebook before it is executed."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    for number, text in enumerate(CELLS):
        code = text.startswith("\n")
        made = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
        source = "\n".join(line.removeprefix("    ") for line in text.strip("\n").rstrip().split("\n"))
        notebook.cells.append(made(source if code else text, id=f"cell-{number}"))
    return notebook


def executed() -> nbformat.NotebookNode:
    """The notebook with its outputs; an error in a cell is an error here."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    client = NotebookClient(
        written(), timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    )
    done = client.execute()
    for cell in done.cells:
        cell.metadata.pop("execution", None)  # times of the day
    return done


if __name__ == "__main__":
    nbformat.write(executed(), NOTEBOOK)
