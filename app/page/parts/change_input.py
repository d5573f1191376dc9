"""Step 4, second tab: change the input and see what the change does."""

from dataclasses import dataclass

import gradio as gr

from daam_core.inputs.changes import MAX_SNR, MIN_SNR

from ..components import script_view


@dataclass(frozen=True)
class ChangeInput:
    """One group of controls a modality; only the current one is shown."""

    text_group: gr.Column
    text: gr.Textbox
    run_text: gr.Button
    sound_group: gr.Column
    start: gr.Slider
    end: gr.Slider
    noisy: gr.Checkbox
    snr: gr.Slider
    run_sound: gr.Button
    image_group: gr.Column
    region: gr.HTML
    edges: gr.Textbox
    fill: gr.Radio
    run_image: gr.Button


def build() -> ChangeInput:
    gr.HTML(
        '<p class="dx-help">The encoder runs on the changed input; the original becomes A. A large effect '
        "shows that the model uses what you changed, a small one does not prove that it ignores it.</p>"
    )
    with gr.Column(visible=False) as text_group:
        text = gr.Textbox(label="Changed text", lines=5, max_lines=16, elem_id="changed-text")
        with gr.Row(elem_classes="dx-actions"):
            run_text = gr.Button(
                "Explain the changed text", elem_id="run-changed-text", variant="primary", size="md"
            )
    with gr.Column(visible=False) as sound_group:
        with gr.Row():
            start = gr.Slider(0, 1, 0, step=0.01, label="From, seconds", elem_id="trim-start", min_width=200)
            end = gr.Slider(0, 1, 1, step=0.01, label="To, seconds", elem_id="trim-end", min_width=200)
        noisy = gr.Checkbox(False, label="Add white noise", elem_id="noisy")
        snr = gr.Slider(MIN_SNR, MAX_SNR, 10, step=1, label="Signal-to-noise ratio, dB", elem_id="snr")
        with gr.Row(elem_classes="dx-actions"):
            run_sound = gr.Button(
                "Explain the changed sound", elem_id="run-changed-sound", variant="primary", size="md"
            )
    with gr.Column(visible=False) as image_group:
        region = script_view("region", elem_id="region")
        edges = gr.Textbox(visible=False)  # filled by the script when the button is pressed
        fill = gr.Radio(
            [("Mean colour", "mean"), ("Black", "black"), ("Blur", "blur")],
            value="mean",
            label="Cover the region with",
            elem_id="fill",
        )
        with gr.Row(elem_classes="dx-actions"):
            run_image = gr.Button(
                "Explain the masked picture", elem_id="run-changed-image", variant="primary", size="md"
            )
    return ChangeInput(
        text_group,
        text,
        run_text,
        sound_group,
        start,
        end,
        noisy,
        snr,
        run_sound,
        image_group,
        region,
        edges,
        fill,
        run_image,
    )
