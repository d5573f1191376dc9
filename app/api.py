"""The app's actions for programs: stable endpoints for gradio_client and HTTP, and tools for MCP.

Endpoints keep nothing: each call gives its input and gets its answer, with the same numbers as
``daam_core.explain``. Names and parameters here are a promise; the page's own events are private.

=====================  ==========================================================================
``list_models``        what is on offer
``explain_text``       prediction and reasons for a text; ``explain_sound``, ``explain_image`` likewise
``change_text``        what a changed text does; ``change_sound`` and ``change_image`` likewise
``compare_text``       two models on one text; ``compare_sound`` and ``compare_image`` likewise
``check_text``         whether the explanation is true; ``check_sound`` and ``check_image`` likewise
``save_text``          the explanation as a file; ``save_sound`` and ``save_image`` likewise
=====================  ==========================================================================
"""

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from daam_core.errors import DaamError, InputError
from daam_core.export import summary
from daam_core.inputs import Edit, Modality, SoundChange
from daam_core.result import Explanation

from .page.checks import check_values
from .page.components import picture
from .page.wiring import DEFECT, ENCODER, parse_region
from .visit import downloads
from .visit.actions import encode_once, explain_once, map_correlation
from .visit.inputs import Given, given_file, given_text
from .visit.mutes import Mutes
from .visit.offer import Offer

KINDS: dict[Modality, str] = {"audio": "sound", "text": "text", "image": "image"}

log = logging.getLogger(__name__)


def build(offer: Offer) -> None:
    """Add the endpoints to the page that is being built; nothing of them is seen on it."""
    with gr.Column(visible=False):
        _endpoint(list_models(offer), [], gr.JSON(label="Models"), "list_models", encoder=False)
        for modality in offer.modalities:
            _build_modality(offer, modality)


def list_models(offer: Offer) -> Callable[[], list[dict[str, Any]]]:
    def list_models() -> list[dict[str, Any]]:
        """The models on offer: name, modality, classes, encoder, and the size of their maps."""
        return [
            {
                "name": model.name,
                "modality": model.config.modality,
                "classes": list(model.class_names),
                "heads": model.config.n_heads,
                "layers": model.config.n_layers,
                "features": model.config.n_features,
                "encoder": model.config.encoder.name,
            }
            for model in offer.models.values()
        ]

    return list_models


def _build_modality(offer: Offer, modality: Modality) -> None:
    kind = KINDS[modality]
    names = offer.names(modality)

    def model(label: str = "Model") -> gr.Dropdown:
        return gr.Dropdown(names, value=names[0], label=label, info="Name of a model on offer")

    def value() -> gr.components.Component:
        if modality == "text":
            return gr.Textbox(label="Text")
        return gr.Audio(type="filepath", label="Sound") if modality == "audio" else picture(label="Image")

    def explained() -> gr.Textbox:
        return gr.Textbox("", label="Class", info="Of the attributions; empty: the predicted one")

    def scale() -> gr.Radio:
        return gr.Radio(["all_heads", "per_head"], value="all_heads", label="Scale of the Importance Factor")

    answer = gr.JSON(label="Summary")
    _endpoint(
        EXPLAIN[modality](offer),
        [
            value(),
            model(),
            explained(),
            scale(),
            gr.Textbox("", label="Muted heads, layers, features and cells, JSON"),
        ],
        answer,
        f"explain_{kind}",
    )
    _endpoint(
        COMPARE[modality](offer),
        [value(), model("First model"), model("Second model")],
        gr.JSON(label="Both summaries"),
        f"compare_{kind}",
    )
    _endpoint(CHECK[modality](offer), [value(), model()], gr.JSON(label="Check"), f"check_{kind}")
    formats = gr.Dropdown(list(downloads.FORMATS), value="json", label="Format")
    widths = gr.Radio(list(downloads.WIDTHS), value="double", label="Width of figures")
    _endpoint(
        SAVE[modality](offer),
        [value(), model(), formats, widths, scale(), explained()],
        gr.File(label="File"),
        f"save_{kind}",
    )
    changes: dict[Modality, Callable[[], list[gr.components.Component]]] = {
        "text": lambda: [gr.Textbox(label="Changed text")],
        "audio": lambda: [
            gr.Number(0.0, label="Start, seconds"),
            gr.Number(None, label="End, seconds"),
            gr.Number(None, label="Signal-to-noise ratio of added noise, dB"),
            gr.Number(0, label="Seed of the noise", precision=0),
        ],
        "image": lambda: [
            *(
                gr.Number(label=f"{edge}, share of the picture")
                for edge in ("Left", "Top", "Right", "Bottom")
            ),
            gr.Radio(["mean", "black", "blur"], value="mean", label="Filling"),
        ],
    }
    _endpoint(
        CHANGE[modality](offer),
        [value(), *changes[modality](), model()],
        gr.JSON(label="Before, after and change"),
        f"change_{kind}",
    )


def _endpoint(
    function: Callable[..., Any],
    inputs: list[Any],
    output: gr.components.Component,
    name: str,
    *,
    encoder: bool = True,
) -> None:
    gr.Button(name).click(
        _answering(function),
        inputs,
        output,
        api_name=name,
        concurrency_id=ENCODER if encoder else None,
        concurrency_limit=1 if encoder else 4,
        show_progress="hidden",
    )


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrong input becomes an error with its one sentence; a defect is logged and says no more than that."""

    @wraps(function)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except DaamError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:
            log.exception("An endpoint failed")
            raise gr.Error(DEFECT, print_exception=False) from error

    return answer


# What the endpoints do, and how their parameters are called


def _explain(offer: Offer, model: str, given: Given, target: str, scale: str, mute: Any) -> dict[str, Any]:
    return summary(explain_once(offer, model, given, target=target or None, scale=scale, mutes=_mutes(mute)))


def _mutes(raw: Any) -> Mutes:
    """Muted parts from JSON text: the lists ``heads``, ``layers``, ``features`` and ``cells``."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw) if raw.strip() else None
        except (ValueError, RecursionError):
            raw = "no JSON"
    if not raw:
        return Mutes()
    names = ("heads", "layers", "features")
    if not isinstance(raw, dict) or set(raw) - {*names, "cells"}:
        raise InputError("What is muted is a JSON object with the lists heads, layers, features and cells.")
    try:
        parts = {name: frozenset(_whole(index) for index in raw.get(name, ())) for name in names}
        cells = frozenset(
            (_whole(head), _whole(layer), _whole(feature)) for head, layer, feature in raw.get("cells", ())
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            "Muted heads, layers and features are lists of whole numbers, cells are lists of three."
        ) from error
    return Mutes(cells=cells, **parts)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError("not a whole number")
    return int(value)


def _explain_text(offer: Offer) -> Callable[..., Any]:
    def explain_text(
        text: str, model: str, explained_class: str = "", scale: str = "all_heads", mute: str = ""
    ) -> dict[str, Any]:
        """Explain why a model assigns a class to a text.

        Returns the prediction with all probabilities, the share of each layer and head in the density
        attention, the cells (head, layer, feature) with the highest Importance Factor, and how much every
        word speaks for or against the class, in logits.

        Args:
            text: The text to explain, in English, up to 50,000 characters.
            model: Name of a text model, such as news-topic; see list_models.
            explained_class: Class that word attributions are about; empty for the predicted class.
            scale: "all_heads" scales the Importance Factor over all heads, "per_head" each by itself.
            mute: Parts to switch off, as JSON: {"heads": [0], "layers": [], "features": [], "cells": []}.
        """
        return _explain(offer, model, given_text(text), explained_class, scale, mute)

    return explain_text


def _explain_sound(offer: Offer) -> Callable[..., Any]:
    def explain_sound(
        sound: str, model: str, explained_class: str = "", scale: str = "all_heads", mute: str = ""
    ) -> dict[str, Any]:
        """Explain why a model assigns a class to a sound.

        Returns the prediction with all probabilities, the share of each layer and head in the density
        attention, the cells (head, layer, feature) with the highest Importance Factor, and how much every
        moment of the sound speaks for or against the class, in logits.

        Args:
            sound: A WAV, FLAC, OGG or MP3 file of 0.1 s to 10 min.
            model: Name of a sound model, such as speech-emotion; see list_models.
            explained_class: Class that attributions are about; empty for the predicted class.
            scale: "all_heads" scales the Importance Factor over all heads, "per_head" each by itself.
            mute: Parts to switch off, as JSON: {"heads": [0], "layers": [], "features": [], "cells": []}.
        """
        return _explain(offer, model, given_file("audio", sound), explained_class, scale, mute)

    return explain_sound


def _explain_image(offer: Offer) -> Callable[..., Any]:
    def explain_image(
        image: str, model: str, explained_class: str = "", scale: str = "all_heads", mute: str = ""
    ) -> dict[str, Any]:
        """Explain why a model assigns a class to a picture.

        Returns the prediction with all probabilities, the share of each layer and head in the density
        attention, the cells (head, layer, feature) with the highest Importance Factor, and how much every
        region of the picture speaks for or against the class, in logits.

        Args:
            image: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
            model: Name of an image model, such as image-object; see list_models.
            explained_class: Class that attributions are about; empty for the predicted class.
            scale: "all_heads" scales the Importance Factor over all heads, "per_head" each by itself.
            mute: Parts to switch off, as JSON: {"heads": [0], "layers": [], "features": [], "cells": []}.
        """
        return _explain(offer, model, given_file("image", image), explained_class, scale, mute)

    return explain_image


def _compared(a: Explanation, b: Explanation) -> dict[str, Any]:
    """Both summaries; the change of each class's probability where the classes are the same."""
    same = a.class_names == b.class_names
    change = (
        {
            name: float(q - p)
            for name, p, q in zip(a.class_names, a.probabilities, b.probabilities, strict=True)
        }
        if same
        else None
    )
    return {
        "before": summary(a),
        "after": summary(b),
        "probability_change": change,
        "importance_correlation": map_correlation(a, b),
    }


def _compare(offer: Offer, given: Given, model: str, other: str) -> dict[str, Any]:
    return _compared(explain_once(offer, model, given), explain_once(offer, other, given))


def _change(offer: Offer, before: Given, after: Given, model: str) -> dict[str, Any]:
    first = explain_once(offer, model, before)
    return _compared(first, explain_once(offer, model, after, target=first.explained))


def _compare_text(offer: Offer) -> Callable[..., Any]:
    def compare_text(text: str, model: str, other_model: str) -> dict[str, Any]:
        """Explain one text with two models; "before" is the first model's answer, "after" the second's.

        Args:
            text: The text to explain.
            model: Name of the first text model.
            other_model: Name of the second text model.
        """
        return _compare(offer, given_text(text), model, other_model)

    return compare_text


def _compare_sound(offer: Offer) -> Callable[..., Any]:
    def compare_sound(sound: str, model: str, other_model: str) -> dict[str, Any]:
        """Explain one sound with two models; "before" is the first model's answer, "after" the second's.

        Args:
            sound: A WAV, FLAC, OGG or MP3 file.
            model: Name of the first sound model.
            other_model: Name of the second sound model.
        """
        return _compare(offer, given_file("audio", sound), model, other_model)

    return compare_sound


def _compare_image(offer: Offer) -> Callable[..., Any]:
    def compare_image(image: str, model: str, other_model: str) -> dict[str, Any]:
        """Explain one picture with two models; "before" is the first model's answer, "after" the second's.

        Args:
            image: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
            model: Name of the first image model.
            other_model: Name of the second image model.
        """
        return _compare(offer, given_file("image", image), model, other_model)

    return compare_image


def _change_text(offer: Offer) -> Callable[..., Any]:
    def change_text(text: str, changed_text: str, model: str) -> dict[str, Any]:
        """What a change of a text does to the prediction and the Importance Factor.

        Args:
            text: The original text.
            changed_text: The text after the change.
            model: Name of a text model.
        """
        given = given_text(text)
        return _change(offer, given, given.changed(Edit(changed_text)), model)

    return change_text


def _change_sound(offer: Offer) -> Callable[..., Any]:
    def change_sound(
        sound: str, start: float, end: float | None, noise: float | None, seed: int, model: str
    ) -> dict[str, Any]:
        """What trimming a sound or adding noise does to the prediction and the Importance Factor.

        Args:
            sound: A WAV, FLAC, OGG or MP3 file.
            start: First second that is kept.
            end: Last second that is kept; empty for the end of the sound.
            noise: Signal-to-noise ratio of added white noise, -10 to 40 dB; empty adds none.
            seed: Seed of the noise.
            model: Name of a sound model.
        """
        given = given_file("audio", sound)
        change = SoundChange(float(start or 0), end, noise, int(seed or 0))
        return _change(offer, given, given.changed(change), model)

    return change_sound


def _change_image(offer: Offer) -> Callable[..., Any]:
    def change_image(
        image: str, left: float, top: float, right: float, bottom: float, fill: str, model: str
    ) -> dict[str, Any]:
        """What covering a region of a picture does to the prediction and the Importance Factor.

        Args:
            image: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
            left: Left edge of the region, as a share of the picture's width, 0 to 1.
            top: Upper edge, as a share of its height.
            right: Right edge.
            bottom: Lower edge.
            fill: What covers the region: "mean" (the picture's mean colour), "black" or "blur".
            model: Name of an image model.
        """
        edges = {"left": left, "top": top, "right": right, "bottom": bottom}
        given = given_file("image", image)
        region = parse_region(edges, fill)
        return _change(offer, given, given.changed(region), model)

    return change_image


def _check(offer: Offer, model: str, given: Given) -> dict[str, Any]:
    return check_values(offer[model], encode_once(offer, model, given))


def _check_text(offer: Offer) -> Callable[..., Any]:
    def check_text(text: str, model: str) -> dict[str, Any]:
        """Check whether the explanation of a text is true, by removing cells in its order.

        Returns the area under the curve of the predicted class's probability for several maps (low is
        good), the same at random with a p-value, how much each map changes when the gate's parameters are
        randomised, and what was measured of the model over a data set.

        Args:
            text: The text, in English, up to 50,000 characters.
            model: Name of a text model, such as news-topic; see list_models.
        """
        return _check(offer, model, given_text(text))

    return check_text


def _check_sound(offer: Offer) -> Callable[..., Any]:
    def check_sound(sound: str, model: str) -> dict[str, Any]:
        """Check whether the explanation of a sound is true, by removing cells in its order.

        Returns the area under the curve of the predicted class's probability for several maps (low is
        good), the same at random with a p-value, how much each map changes when the gate's parameters are
        randomised, and what was measured of the model over a data set.

        Args:
            sound: A WAV, FLAC, OGG or MP3 file of 0.1 s to 10 min.
            model: Name of a sound model, such as speech-emotion; see list_models.
        """
        return _check(offer, model, given_file("audio", sound))

    return check_sound


def _check_image(offer: Offer) -> Callable[..., Any]:
    def check_image(image: str, model: str) -> dict[str, Any]:
        """Check whether the explanation of a picture is true, by removing cells in its order.

        Returns the area under the curve of the predicted class's probability for several maps (low is
        good), the same at random with a p-value, how much each map changes when the gate's parameters are
        randomised, and what was measured of the model over a data set.

        Args:
            image: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
            model: Name of an image model, such as image-object; see list_models.
        """
        return _check(offer, model, given_file("image", image))

    return check_image


def _save(offer: Offer, given: Given, model: str, format_: str, width: str, scale: str, target: str) -> str:
    explanation = explain_once(offer, model, given, target=target or None, scale=scale)
    return str(downloads.write(explanation, given, format_=format_, width=width))


def _save_text(offer: Offer) -> Callable[..., Any]:
    def save_text(
        text: str, model: str, file_format: str, width: str, scale: str, explained_class: str = ""
    ) -> str:
        """The explanation of a text as a file.

        Args:
            text: The text to explain.
            model: Name of a text model.
            file_format: png, svg, pdf, html, json, npz, csv or ipynb.
            width: "single" (89 mm) or "double" (183 mm) column, for figures.
            scale: "all_heads" or "per_head" scale of the Importance Factor.
            explained_class: Class that attributions are about; empty for the predicted class.
        """
        return _save(offer, given_text(text), model, file_format, width, scale, explained_class)

    return save_text


def _save_sound(offer: Offer) -> Callable[..., Any]:
    def save_sound(
        sound: str, model: str, file_format: str, width: str, scale: str, explained_class: str = ""
    ) -> str:
        """The explanation of a sound as a file.

        Args:
            sound: A WAV, FLAC, OGG or MP3 file.
            model: Name of a sound model.
            file_format: png, svg, pdf, html, json, npz, csv or ipynb.
            width: "single" (89 mm) or "double" (183 mm) column, for figures.
            scale: "all_heads" or "per_head" scale of the Importance Factor.
            explained_class: Class that attributions are about; empty for the predicted class.
        """
        return _save(offer, given_file("audio", sound), model, file_format, width, scale, explained_class)

    return save_sound


def _save_image(offer: Offer) -> Callable[..., Any]:
    def save_image(
        image: str, model: str, file_format: str, width: str, scale: str, explained_class: str = ""
    ) -> str:
        """The explanation of a picture as a file.

        Args:
            image: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
            model: Name of an image model.
            file_format: png, svg, pdf, html, json, npz, csv or ipynb.
            width: "single" (89 mm) or "double" (183 mm) column, for figures.
            scale: "all_heads" or "per_head" scale of the Importance Factor.
            explained_class: Class that attributions are about; empty for the predicted class.
        """
        return _save(offer, given_file("image", image), model, file_format, width, scale, explained_class)

    return save_image


Endpoints = dict[Modality, Callable[[Offer], Callable[..., Any]]]
EXPLAIN: Endpoints = {"audio": _explain_sound, "text": _explain_text, "image": _explain_image}
CHECK: Endpoints = {"audio": _check_sound, "text": _check_text, "image": _check_image}
COMPARE: Endpoints = {"audio": _compare_sound, "text": _compare_text, "image": _compare_image}
CHANGE: Endpoints = {"audio": _change_sound, "text": _change_text, "image": _change_image}
SAVE: Endpoints = {"audio": _save_sound, "text": _save_text, "image": _save_image}
