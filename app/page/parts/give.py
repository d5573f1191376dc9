"""Step 1: give a sound, a text or a picture, or pick an example."""

from dataclasses import dataclass
from html import escape

import gradio as gr

from daam_core.inputs import SUFFIXES, Modality

from ...visit.examples import NOTES, Example, examples_of, offered
from ...visit.offer import Offer
from ..components import picture, with_page
from ..html.about_model import about_model_html

TITLES: dict[Modality, str] = {"audio": "Sound", "text": "Text", "image": "Picture"}
HINTS: dict[Modality, str] = {
    "audio": "WAV, FLAC, MP3, OGG, M4A, AAC, WebM or MP4, 0.1 s to 10 min. "
    "It stays on this server and is deleted within a day.",
    "text": "Up to 50,000 characters. English works best.",
    "image": "JPEG, PNG, HEIC, AVIF, WebP, GIF, BMP or TIFF, up to 30 million pixels. "
    "Paste and camera work too. A model answers with one of its own classes, whatever it is shown.",
}


@dataclass(frozen=True)
class Way:
    """One modality's way in.

    Attributes:
        modality: which.
        value: the component that holds the visitor's input.
        model: choice of model.
        run: explains ``value``.
        about: what the chosen model is.
        examples: built-in inputs and their buttons; those that go with the chosen model are in sight.
        note: what has to be known of them.
    """

    modality: Modality
    value: gr.components.Component
    model: gr.Dropdown
    run: gr.Button
    about: gr.HTML
    examples: tuple[tuple[Example, gr.Button], ...]
    note: gr.HTML


def note_html(model: str) -> str:
    """What has to be known of a model's examples; empty where nothing has."""
    said = NOTES.get(model, "")
    return f'<p class="dx-hint">{escape(said)}</p>' if said else ""


@dataclass(frozen=True)
class Give:
    """The tabs and the three ways in."""

    tabs: gr.Tabs
    ways: tuple[Way, ...]


def build(offer: Offer) -> Give:
    with gr.Tabs(elem_id="give-tabs", selected=offer.first) as tabs:
        ways = tuple(_way(offer, modality) for modality in offer.modalities)
    return Give(tabs, ways)


def _way(offer: Offer, modality: Modality) -> Way:
    names = offer.names(modality)
    with gr.Tab(TITLES[modality], id=modality, elem_id=f"tab-{modality}"):
        buttons = []
        with gr.Row(elem_classes="dx-examples", elem_id=f"examples-{modality}"):
            gr.HTML('<span class="dx-label">Examples</span>', elem_classes="dx-inline")
            for example in examples_of(modality):
                button = gr.Button(
                    example.label(names[0]),
                    visible=example in offered(modality, names[0]),
                    size="sm",
                    min_width=0,
                    elem_id=f"example-{example.id}",
                    elem_classes="dx-chip",
                    icon=example.path if modality == "image" else None,
                )
                buttons.append((example, button))
        note = gr.HTML(note_html(names[0]), elem_id=f"note-{modality}", apply_default_css=False)
        value = value_of(modality)
        with gr.Row(elem_classes="dx-run"):
            model = gr.Dropdown(
                names,
                value=names[0],
                label="Model",
                elem_id=f"model-{modality}",
                scale=3,
                min_width=160,
                filterable=False,
            )
            run = gr.Button("Explain", variant="primary", elem_id=f"run-{modality}", scale=1, min_width=120)
        about = gr.HTML(
            about_model_html(offer[names[0]]),
            elem_id=f"about-{modality}",
            js_on_load=with_page("encoders(watch)"),
        )
        endings = " ".join(SUFFIXES[modality])  # what the page's script lets the control take
        gr.HTML(
            f'<p class="dx-hint" data-endings-of="input-{modality}" data-endings="{endings}">'
            f"{HINTS[modality]}</p>"
        )
    return Way(modality, value, model, run, about, tuple(buttons), note)


def value_of(modality: Modality) -> gr.components.Component:
    """What holds a visitor's input."""
    if modality == "audio":
        return gr.Audio(
            sources=["upload", "microphone"],
            type="filepath",
            label="Sound",
            show_label=False,
            elem_id="input-audio",
            editable=False,
            buttons=[],
            waveform_options=gr.WaveformOptions(show_recording_waveform=False),
        )
    if modality == "text":
        return gr.Textbox(
            label="Text",
            placeholder="Type or paste a text, in English",
            lines=6,
            max_lines=16,
            elem_id="input-text",
        )
    return picture(
        sources=["upload", "clipboard", "webcam"],
        label="Picture",
        show_label=False,
        height=200,
        elem_id="input-image",
        buttons=[],
    )
