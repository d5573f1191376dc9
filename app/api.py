"""The app's actions for programs: stable endpoints for gradio_client and HTTP, and tools for MCP.

Endpoints keep nothing: each call gives its input and gets its answer, with the same numbers as
``daam_core.explain``. Names and parameters here are a promise; the page's own events are private.
There is an endpoint for every action of :data:`ACTIONS` on every kind of :data:`KINDS`, such as
``explain_text``, ``change_sound`` or ``save_image``, or on several inputs at once, ``explain_texts``; and
``list_models``.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, get_args

import gradio as gr
from gradio.components import Component

from daam_core.export import summary
from daam_core.inputs import Change, Edit, Modality
from daam_core.inputs.limits import MAX_UPLOAD_MB
from daam_core.inputs.picture import Fill
from daam_core.reading.differences import map_correlation
from daam_core.result import Explanation, Scale

from .page.components import picture
from .page.outcomes import sentence_of
from .page.wiring import CHECK, EXPORT, waiting
from .server.arguments import path_of, paths_of
from .server.departures import asker_has_left
from .visit import downloads
from .visit.actions import encode_once, explain_once
from .visit.faithfulness import check_values
from .visit.inputs import Given, given_file, given_text
from .visit.offer import Offer
from .visit.several import MOST_CHARACTERS, MOST_INPUTS, explain_several, several_of
from .visit.untrusted import choice_of, mutes_of, name_of, region_of, share_of, sound_change_of, text_of

Values = Mapping[str, Any]  # an endpoint's arguments by name; each is checked where it is used


@dataclass(frozen=True)
class Parameter:
    """One argument of an endpoint.

    Attributes:
        name: as programs give it.
        about: its line in the endpoint's description; ``{noun}`` and ``{example}`` are the kind's.
        build: makes the component that reads it, from the names of the kind's models.
        type: its type in the endpoint's signature.
        default: where it may be left out.
        check: what it may be, from its value and name; where it is None, whoever uses it checks.
    """

    name: str
    about: str
    build: Callable[[list[str]], Component]
    check: Callable[[object, str], object] | None = None
    type: object = str
    default: object = inspect.Parameter.empty


@dataclass(frozen=True)
class Kind:
    """What endpoints are told of one modality.

    Attributes:
        modality: as the models have it.
        name: of the first parameter, and the end of each endpoint's name.
        noun: what it is called in sentences.
        part: what attributions are about.
        example: a built-in model.
        value: the parameter that takes the input.
        values: the parameter that takes several.
        changes: parameters of a change.
        about_change: what a change does, as the first words of a sentence.
        change: from the parameters' values.
    """

    modality: Modality
    name: str
    noun: str
    part: str
    example: str
    value: Parameter
    values: Parameter
    changes: tuple[Parameter, ...]
    about_change: str
    change: Callable[[Values], Change]

    def read(self, value: object) -> Given:
        return given_text(value) if self.modality == "text" else given_file(self.modality, value)


@dataclass(frozen=True)
class Action:
    """What endpoints do with an input.

    Attributes:
        name: the beginning of each endpoint's name.
        about: its description; ``{noun}``, ``{part}`` and ``{about_change}`` are the kind's.
        parameters: after the input and the parameters of a change.
        answer: from the models on offer, the kind, the input and the values.
        output: label of the answer.
        changes: whether it takes the parameters of a change.
    """

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    answer: Callable[[Offer, Kind, Given, Values], object]
    output: str
    changes: bool = False


@dataclass(frozen=True)
class SeveralAction:
    """What endpoints do with several inputs.

    Attributes:
        name: the beginning of each endpoint's name.
        about: its description; ``{noun}``, ``{part}`` and ``{most}`` are filled in.
        parameters: after the inputs.
        answer: from the models on offer, the kind and the values.
        output: label of the answer.
    """

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    answer: Callable[[Offer, Kind, Values], object]
    output: str


# Parameters that several actions have


def _model(name: str, label: str, about: str) -> Parameter:
    def build(models: list[str]) -> Component:
        return gr.Dropdown(models, value=models[0], label=label, info="Name of a model on offer")

    return Parameter(name, about, build)


def _choice(
    component: Callable[..., Component], choices: list[str], **options: Any
) -> Callable[..., Component]:
    return lambda models: component(choices, **options)


def _text(value: str | None = None, **options: Any) -> Callable[[list[str]], Component]:
    return lambda models: gr.Textbox(value, **options)


def _number(value: float | None = None, **options: Any) -> Callable[[list[str]], Component]:
    return lambda models: gr.Number(value, **options)


def _one_of(choices: Sequence[str]) -> Callable[[object, str], object]:
    return partial(choice_of, choices=choices)


MODEL = _model("model", "Model", "Name of a {noun} model, such as {example}; see list_models.")
FIRST_MODEL = _model("model", "First model", "Name of the first {noun} model.")
SECOND_MODEL = _model("other_model", "Second model", "Name of the second {noun} model.")
CLASS = Parameter(
    "explained_class",
    "Class that attributions are about; empty for the predicted class.",
    _text("", label="Class", info="Of the attributions; empty: the predicted one"),
    name_of,
    default="",
)
SCALE = Parameter(
    "scale",
    '"all_heads" scales the Importance Factor over all heads, "per_head" each by itself.',
    _choice(gr.Radio, ["all_heads", "per_head"], value="all_heads", label="Scale of the Importance Factor"),
    _one_of(get_args(Scale)),
    default="all_heads",
)
MUTE = Parameter(
    "mute",
    'Parts to switch off, as JSON: {"heads": [0], "layers": [], "features": [], "cells": []}.',
    _text("", label="Muted heads, layers, features and cells, JSON"),
    default="",
)
FORMAT = Parameter(
    "file_format",
    "png, svg, pdf, html, json, npz, csv, ipynb, or zip for all of them in one file.",
    _choice(gr.Dropdown, list(downloads.FORMATS), value="json", label="Format"),
    _one_of(list(downloads.FORMATS)),
)
WIDTH = Parameter(
    "width",
    '"single" (89 mm) or "double" (183 mm) column, for figures.',
    _choice(gr.Radio, list(downloads.WIDTHS), value="double", label="Width of figures"),
    _one_of(downloads.WIDTHS),
)

# Kinds of input


def _edge(name: str, about: str) -> Parameter:
    build = _number(label=f"{name.capitalize()}, share of the picture")
    return Parameter(name, about, build, share_of, float)


def _files(name: str, about: str) -> Parameter:
    def build(models: list[str]) -> Component:
        return gr.File(file_count="multiple", label=name.capitalize())

    def check(values: object, name: str) -> list[str]:
        return several_of(paths_of(values, name), name, texts=False)

    return Parameter(name, about, build, check, list[str])


KINDS = (
    Kind(
        modality="audio",
        name="sound",
        noun="sound",
        part="moment of the sound",
        example="speech-emotion",
        value=Parameter(
            "sound",
            "A WAV, FLAC, MP3, OGG, M4A, AAC, WebM or MP4 file of 0.1 s to 10 min.",
            lambda models: gr.Audio(type="filepath", label="Sound"),
            path_of,
        ),
        values=_files("sounds", "Sound files, up to {most} and {size} MB all together; see explain_sound."),
        changes=(
            Parameter(
                "start",
                "First second that is kept.",
                _number(0.0, label="Start, seconds"),
                type=float,
                default=0.0,
            ),
            Parameter(
                "end",
                "Last second that is kept; empty for the end of the sound.",
                _number(label="End, seconds"),
                type=float | None,
                default=None,
            ),
            Parameter(
                "noise",
                "Signal-to-noise ratio of added white noise, -10 to 40 dB; empty adds none.",
                _number(label="Signal-to-noise ratio of added noise, dB"),
                type=float | None,
                default=None,
            ),
            Parameter(
                "seed",
                "Seed of the noise.",
                _number(0, label="Seed of the noise", precision=0),
                type=int,
                default=0,
            ),
        ),
        about_change="trimming a sound or adding noise",
        change=lambda values: sound_change_of(
            values["start"], values["end"], values["noise"], values["seed"]
        ),
    ),
    Kind(
        modality="text",
        name="text",
        noun="text",
        part="word",
        example="news-topic",
        value=Parameter("text", "The text, in English, up to 50,000 characters.", _text(label="Text")),
        values=Parameter(
            "texts",
            "A JSON list of texts, up to {most} and {characters} characters all together.",
            lambda models: gr.JSON(label="Texts"),
            partial(several_of, texts=True),
            list[str],
        ),
        changes=(
            Parameter("changed_text", "The text after the change.", _text(label="Changed text"), text_of),
        ),
        about_change="a change of a text",
        change=lambda values: Edit(values["changed_text"]),
    ),
    Kind(
        modality="image",
        name="image",
        noun="picture",
        part="region of the picture",
        example="image-object",
        value=Parameter(
            "image",
            "A JPEG, PNG, WebP, GIF, BMP or TIFF file.",
            lambda models: picture(label="Image"),
            path_of,
        ),
        values=_files("images", "Picture files, up to {most} and {size} MB all together; see explain_image."),
        changes=(
            _edge("left", "Left edge of the region, as a share of the picture's width, 0 to 1."),
            _edge("top", "Upper edge, as a share of its height."),
            _edge("right", "Right edge."),
            _edge("bottom", "Lower edge."),
            Parameter(
                "fill",
                'What covers the region: "mean" (the picture\'s mean colour), "black" or "blur".',
                _choice(gr.Radio, list(get_args(Fill)), value="mean", label="Filling"),
                _one_of(get_args(Fill)),
            ),
        ),
        about_change="covering a region of a picture",
        change=lambda values: region_of(dict(values), values["fill"]),
    ),
)

# Actions


def _explain(offer: Offer, kind: Kind, given: Given, values: Values) -> dict[str, object]:
    target, mutes = values["explained_class"] or None, mutes_of(values["mute"])
    scale = values["scale"]
    return summary(explain_once(offer, values["model"], given, target=target, scale=scale, mutes=mutes))


def _change(offer: Offer, kind: Kind, given: Given, values: Values) -> dict[str, object]:
    changed = given.changed(kind.change(values))  # refused before the encoder runs
    before = explain_once(offer, values["model"], given)
    return _compared(before, explain_once(offer, values["model"], changed, target=before.explained))


def _compare(offer: Offer, kind: Kind, given: Given, values: Values) -> dict[str, object]:
    return _compared(*(explain_once(offer, values[name], given) for name in ("model", "other_model")))


def _compared(a: Explanation, b: Explanation) -> dict[str, object]:
    """Both summaries; the change of each class's probability where the classes are the same."""
    changes = (b.probabilities - a.probabilities).tolist() if a.class_names == b.class_names else None
    return {
        "before": summary(a),
        "after": summary(b),
        "probability_change": None if changes is None else dict(zip(a.class_names, changes, strict=True)),
        "importance_correlation": map_correlation(a, b),
    }


def _check(offer: Offer, kind: Kind, given: Given, values: Values) -> dict[str, object]:
    encoding = encode_once(offer, values["model"], given)
    return check_values(offer[values["model"]], encoding, stopped=offer.stopped)


def _save(offer: Offer, kind: Kind, given: Given, values: Values) -> str:
    target = values["explained_class"] or None
    explanation = explain_once(offer, values["model"], given, target=target, scale=values["scale"])
    path = downloads.write(explanation, given, format_=values["file_format"], width=values["width"])
    return str(path)


ACTIONS = (
    Action(
        "explain",
        """Explain why a model assigns a class to a {noun}.

Returns the prediction with all probabilities, the share of each layer and head in the density
attention, the cells (head, layer, feature) with the highest Importance Factor, and how much every
{part} speaks for or against the class, in logits.""",
        (MODEL, CLASS, SCALE, MUTE),
        _explain,
        "Summary",
    ),
    Action(
        "change",
        "What {about_change} does to the prediction and the Importance Factor.",
        (MODEL,),
        _change,
        "Before, after and change",
        changes=True,
    ),
    Action(
        "compare",
        'Explain one {noun} with two models; "before" is the first model\'s answer, "after" the second\'s.',
        (FIRST_MODEL, SECOND_MODEL),
        _compare,
        "Both summaries",
    ),
    Action(
        "check",
        """Check whether the explanation of a {noun} is true, by removing cells in its order.

Returns the area under the curve of the predicted class's probability for several maps (low is
good), the same at random with a p-value, how much each map changes when the gate's parameters are
randomised, and what was measured of the model over a data set.""",
        (MODEL,),
        _check,
        "Check",
    ),
    Action(
        "save",
        "The explanation of a {noun} as a file.",
        (MODEL, FORMAT, WIDTH, SCALE, CLASS),
        _save,
        "File",
    ),
)


def _explain_several(offer: Offer, kind: Kind, values: Values) -> dict[str, object]:
    target, scale = values["explained_class"] or None, values["scale"]
    given = values[kind.values.name]
    return explain_several(offer, values["model"], given, kind.read, target=target, scale=scale)


SEVERAL = (
    SeveralAction(
        "explain",
        """Explain several {noun}s at once: a row each, in the same order.

A row has the prediction with all probabilities, the layers with the most density attention, and what
of the {noun} speaks most for or against the class, in logits. Of a {noun} that cannot be explained the row
has the reason, and its other values are missing.""",
        (MODEL, CLASS, SCALE),
        _explain_several,
        "Rows",
    ),
)

#: Actions that are more than a run of the encoder or two, and how they wait.
LONG_ACTIONS: dict[object, dict[str, Any]] = {
    _check: CHECK,
    _save: EXPORT,
    _explain_several: {"concurrency_id": "several", "concurrency_limit": 1},
}


def list_models(offer: Offer) -> list[dict[str, object]]:
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


# From the table to endpoints


def build(offer: Offer) -> None:
    """Add the endpoints to the page that is being built; nothing of them is seen on it."""

    def listed() -> list[dict[str, object]]:
        return list_models(offer)

    listed.__name__, listed.__doc__ = "list_models", list_models.__doc__
    with gr.Column(visible=False):
        _add(listed, [], gr.JSON(label="Models"), "list_models", concurrency_limit=4)
        for kind in KINDS:
            if names := offer.names(kind.modality):
                for action in (*ACTIONS, *SEVERAL):
                    _add_endpoint(offer, kind, action, names)


def _add_endpoint(offer: Offer, kind: Kind, action: Action | SeveralAction, models: list[str]) -> None:
    output = (gr.File if action.answer is _save else gr.JSON)(label=action.output)
    components = [parameter.build(models) for parameter in _parameters(kind, action)]
    options = LONG_ACTIONS.get(action.answer) or waiting(kind.modality)
    _add(_function(offer, kind, action), components, output, _name(kind, action), **options)


def _parameters(kind: Kind, action: Action | SeveralAction) -> tuple[Parameter, ...]:
    if isinstance(action, SeveralAction):
        return (kind.values, *action.parameters)
    return (kind.value, *(kind.changes if action.changes else ()), *action.parameters)


def _name(kind: Kind, action: Action | SeveralAction) -> str:
    taken = kind.values if isinstance(action, SeveralAction) else kind.value
    return f"{action.name}_{taken.name}"


def _function(offer: Offer, kind: Kind, action: Action | SeveralAction) -> Callable[..., object]:
    """The endpoint as a function whose name, signature and description say what it takes and does."""
    parameters = _parameters(kind, action)

    def answer(*arguments: object) -> object:
        values = {
            p.name: value if p.check is None else p.check(value, p.name)
            for p, value in zip(parameters, arguments, strict=True)
        }
        waited_for = offer.until(asker_has_left())
        if isinstance(action, SeveralAction):
            return action.answer(waited_for, kind, values)
        return action.answer(waited_for, kind, kind.read(values[kind.name]), values)

    words = {"{noun}": kind.noun, "{part}": kind.part, "{about_change}": kind.about_change}
    words |= {"{example}": kind.example, "{most}": str(MOST_INPUTS), "{size}": str(MAX_UPLOAD_MB)}
    words["{characters}"] = f"{MOST_CHARACTERS:,}"

    def filled(text: str) -> str:
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    arguments = "".join(f"\n    {parameter.name}: {filled(parameter.about)}" for parameter in parameters)
    signature: list[inspect.Parameter] = []
    for p in parameters:
        default = p.default
        if default is inspect.Parameter.empty and signature and signature[-1].default is not default:
            default = offer.names(kind.modality)[0]  # a model, after what may be left out
        place = inspect.Parameter.POSITIONAL_OR_KEYWORD
        signature.append(inspect.Parameter(p.name, place, default=default, annotation=p.type))
    answer.__name__ = _name(kind, action)
    answer.__doc__ = f"{filled(action.about)}\n\nArgs:{arguments}"
    answer.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    return answer


def _add(
    function: Callable[..., object], inputs: list[Component], output: Component, name: str, **options: Any
) -> None:
    """One endpoint: wrong input becomes an error with its one sentence; a defect says no more than that."""

    @wraps(function)
    def answer(*arguments: object) -> object:
        try:
            return function(*arguments)
        except Exception as error:
            raise gr.Error(sentence_of(error), print_exception=False) from error

    button = gr.Button(name)
    # Values come as they were sent: components would turn some into others, and fail on some.
    button.click(answer, inputs, output, api_name=name, show_progress="hidden", preprocess=False, **options)
