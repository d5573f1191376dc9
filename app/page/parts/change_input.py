"""Step 4, second tab: change the input and see what the change does."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from daam_core.inputs.changes import MAX_SNR, MIN_SNR

from ..components import answer_place, script_view


@dataclass(frozen=True)
class ChangeText:
    group: gr.Column
    text: gr.Textbox
    run: gr.Button


@dataclass(frozen=True)
class ChangeSound:
    group: gr.Column
    start: gr.Slider
    end: gr.Slider
    noisy: gr.Checkbox
    snr: gr.Slider
    run: gr.Button


@dataclass(frozen=True)
class ChangePicture:
    """A region that is covered.

    Attributes:
        region: the picture, on which a rectangle is drawn.
        edges: of that rectangle; filled by the script when the button is pressed.
    """

    group: gr.Column
    region: gr.HTML
    edges: gr.Textbox
    fill: gr.Radio
    run: gr.Button


@dataclass(frozen=True)
class ChangeInput:
    """One group of controls a modality; only the current one is shown."""

    text: ChangeText
    sound: ChangeSound
    picture: ChangePicture
    said: gr.HTML

    @property
    def values(self) -> list[Component]:
        """The controls that hold what the visitor sets."""
        return [self.text.text, self.sound.start, self.sound.end, self.picture.region]


def build() -> ChangeInput:
    gr.HTML(
        '<p class="dx-help">The original becomes A, your change B. A large effect shows that the model uses '
        "what you changed; a small one does not prove that it ignores it.</p>"
    )
    return ChangeInput(_text(), _sound(), _picture(), answer_place("said-change"))


def _text() -> ChangeText:
    with gr.Column(visible=False) as group:
        text = gr.Textbox(label="Changed text", lines=5, max_lines=16, elem_id="changed-text")
        run = _run("Explain the changed text", "run-changed-text")
    return ChangeText(group, text, run)


def _sound() -> ChangeSound:
    with gr.Column(visible=False) as group:
        with gr.Row():
            start = gr.Slider(0, 1, 0, step=0.01, label="From, seconds", elem_id="trim-start", min_width=200)
            end = gr.Slider(0, 1, 1, step=0.01, label="To, seconds", elem_id="trim-end", min_width=200)
        noisy = gr.Checkbox(False, label="Add white noise", elem_id="noisy")
        snr = gr.Slider(
            MIN_SNR, MAX_SNR, 10, step=1, label="Signal-to-noise ratio, dB", elem_id="snr", interactive=False
        )
        run = _run("Explain the changed sound", "run-changed-sound")
    return ChangeSound(group, start, end, noisy, snr, run)


def _picture() -> ChangePicture:
    fills = [("Mean colour", "mean"), ("Black", "black"), ("Blur", "blur")]
    with gr.Column(visible=False, elem_id="change-picture") as group:
        region = script_view("region", elem_id="region")
        edges = gr.Textbox(visible=False)
        fill = gr.Radio(fills, value="mean", label="Cover the region with", elem_id="fill")
        run = _run("Explain the masked picture", "run-changed-image")
    return ChangePicture(group, region, edges, fill, run)


def _run(title: str, elem_id: str) -> gr.Button:
    with gr.Row(elem_classes="dx-actions"):
        return gr.Button(title, elem_id=elem_id, variant="primary", size="md")
