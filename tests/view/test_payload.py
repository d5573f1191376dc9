"""Payloads of the interactive view, its page, and the sound and picture inside it."""

import base64
import html
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.audio_utils import mel_filter_bank, spectrogram

from daam_core.errors import InputError
from daam_core.result import Explanation
from daam_core.view.media import (
    MAX_MEL_FRAMES,
    MEL_BANDS,
    mel_filters,
    mel_power,
    picture_media,
    sound_media,
)
from daam_core.view.payload import (
    LIMIT_PER_HEAD,
    notebook_view,
    view_array,
    view_html,
    view_payload,
    view_script,
    view_style,
)
from tests.support.builders import make_explanation

MAPS = ("gate", "values", "class_importance")


def decode(spec: dict[str, Any]) -> np.ndarray:
    """What the script makes of an encoded array; its own code is tested in the browser."""
    raw = base64.b64decode(spec["data"])
    if spec["dtype"] == "float32":
        return np.frombuffer(raw, "<f4").reshape(spec["shape"])
    levels = np.frombuffer(raw, np.uint8).reshape(len(spec["ranges"]), -1)
    low, high = np.array(spec["ranges"]).T[..., None]
    return (low + levels / 255 * (high - low)).reshape(spec["shape"])


def encoded_length(payload: dict[str, Any]) -> int:
    return sum(len(spec.get("data", "")) for spec in payload["a"]["arrays"].values())


def exact_product(explanation: Explanation) -> Explanation:
    """The same explanation computed in float32 throughout, as the model does."""
    gate = explanation.gate.astype(np.float32)
    return replace(
        explanation, gate=gate, density_attention=explanation.amplitude.astype(np.float32)[..., None] * gate
    )


# ---- payload --------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["audio", "text", "image"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_a_small_payload_holds_every_number_exactly(modality: str, mode: str) -> None:
    e = make_explanation(modality, mode=mode, heads=2)
    raw = json.loads(json.dumps(view_payload(e), allow_nan=False))["a"]
    for name in (*MAPS, "mean_offset", "scaled_variance", "statistic_mean", "statistic_variance"):
        assert np.array_equal(decode(raw["arrays"][name]), getattr(e, name)), name
    for name in ("amplitude", "importance_range", "layer_contribution", "probabilities", "logits"):
        assert np.array_equal(np.array(raw[name], np.float32), getattr(e, name)), name
    spans = decode(raw["arrays"]["token_spans"])
    assert np.allclose(spans, e.token_spans, equal_nan=True, rtol=1e-6)
    assert raw["class_names"] == list(e.class_names)
    assert np.array_equal(raw["head_layers"], e.head_layers)
    assert e.dataset is not None
    assert raw["dataset"]["samples"] == e.dataset.samples
    for ranges, source in ((raw["ranges"], e), (raw["dataset"]["ranges"], e.dataset)):
        for name, pairs in ranges.items():
            array = getattr(source, name)
            assert pairs == [
                [part[seen].min(), part[seen].max()] for part, seen in zip(array, e.head_layers, strict=True)
            ]
    assert np.array_equal(decode(raw["arrays"]["dataset_gate"]), e.dataset.gate)


def test_density_attention_travels_only_where_it_cannot_be_computed() -> None:
    e = exact_product(make_explanation(dataset=False))
    assert "density_attention" not in view_payload(e)["a"]["arrays"]
    muted = e.density_attention.copy()
    muted[0, 1, 2] = 0.0
    arrays = view_payload(replace(e, density_attention=muted))["a"]["arrays"]
    assert np.array_equal(decode(arrays["density_attention"]), muted)


def test_without_compare_or_dataset_there_is_none() -> None:
    payload = view_payload(make_explanation(dataset=False))
    assert payload["b"] is None
    assert payload["a"]["dataset"] is None
    assert not any(name.startswith("dataset") for name in payload["a"]["arrays"])


def test_numbers_that_json_lacks_become_null() -> None:
    e = make_explanation()
    logits = e.logits.copy()
    logits[:2] = np.nan, np.inf
    raw = json.loads(json.dumps(view_payload(replace(e, logits=logits)), allow_nan=False))["a"]
    assert raw["logits"][:2] == [None, None]
    assert raw["logits"][2] == pytest.approx(float(e.logits[2]))


@settings(max_examples=40)
@given(
    heads=st.integers(1, 3),
    layers=st.integers(3, 5),
    features=st.integers(1, 40),
    limit=st.integers(0, 6000),
    planted=st.booleans(),
)
def test_no_payload_exceeds_its_limit_and_what_it_rounds_stays_close(
    heads: int, layers: int, features: int, limit: int, planted: bool
) -> None:
    e = make_explanation(
        heads=heads,
        layers=layers,
        features=features,
        tokens=3,
        planted=(heads - 1, layers - 1, features - 1) if planted else None,
    )
    payload = view_payload(e, limit=limit)
    assert encoded_length(payload) <= limit * heads
    for name, spec in payload["a"]["arrays"].items():
        exact = decode(view_array(e, name))
        assert spec["shape"] == list(exact.shape)
        if spec.get("lazy"):
            continue
        found = decode(spec)
        if spec["dtype"] == "float32":
            assert np.array_equal(found, exact, equal_nan=True)
            continue
        parts = exact if exact.ndim == 3 else exact[None]
        width = (parts.max((1, 2)) - parts.min((1, 2)))[:, None, None]
        assert (np.abs(found.reshape(parts.shape) - parts) <= width / 510 * (1 + 1e-5) + 1e-12).all()
        # The strongest cell is the one that is looked for: it stays exact.
        assert np.array_equal(found.reshape(parts.shape).max((1, 2)).astype(np.float32), parts.max((1, 2)))


def test_large_maps_stay_below_the_limit_and_the_map_shown_first_is_there() -> None:
    e = make_explanation(heads=2, layers=40, features=5120, tokens=4, dataset=False, planted=(1, 17, 3333))
    payload = view_payload(e)
    assert len(json.dumps(payload)) / 2 < LIMIT_PER_HEAD * 1.01  # with the few plain values
    assert encoded_length(payload) / 2 <= LIMIT_PER_HEAD
    arrays = payload["a"]["arrays"]
    density = decode(arrays["density_attention"])
    assert density.argmax() == np.ravel_multi_index((1, 17, 3333), density.shape)
    assert np.float32(density[1, 17, 3333]) == e.density_attention[1, 17, 3333]
    assert arrays["mean_offset"]["dtype"] == "float32"


def test_the_usual_large_encoder_travels_exactly() -> None:
    e = exact_product(make_explanation(heads=4, layers=24, features=1024, tokens=4))
    assert e.dataset is not None
    gate = e.dataset.gate
    e = replace(e, dataset=replace(e.dataset, density_attention=e.amplitude[..., None] * gate))
    payload = view_payload(e)
    assert {spec.get("dtype") for spec in payload["a"]["arrays"].values()} == {"float32"}


# ---- arrays asked for ----------------------------------------------------------------------------


def test_an_array_asked_for_is_exact() -> None:
    e = make_explanation(heads=3)
    assert np.array_equal(decode(view_array(e, "gate", head=2)), e.gate[2])
    assert np.array_equal(decode(view_array(e, "values")), e.values)
    assert np.array_equal(decode(view_array(e, "mean_offset")), e.mean_offset)


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("provenance", None, "There is no array 'provenance' in this view; it has token_spans, "),
        ("__class__", None, "There is no array '__class__'"),
        ("gate", 3, "Array 'gate' has no head 3; heads go from 0 to 2"),
        ("gate", -1, "Array 'gate' has no head -1"),
        ("gate", True, "Array 'gate' has no head True"),
        ("values", 0, "only class_importance, dataset_density_attention, dataset_gate, "),
    ],
)
def test_an_array_that_does_not_exist_is_refused(name: str, head: int | None, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        view_array(make_explanation(heads=3), name, head=head)


# ---- words ---------------------------------------------------------------------------------------


def test_words_and_gaps_make_up_the_text_and_hold_every_token_once() -> None:
    e = make_explanation("text", tokens=23)
    words = view_payload(e)["a"]["words"]
    assert "".join(text for text, _ in words["pieces"]) == e.text
    used = [index for _, index in words["pieces"] if index >= 0]
    assert len(set(used)) == len(used)
    tokens = [token for word in words["list"] for token in word["tokens"]]
    assert sorted(tokens) == list(range(len(e.token_labels)))
    assert [word["text"] for word in words["list"] if word["special"]] == ["[CLS]", "[SEP]"]
    joined = next(word for word in words["list"] if word["text"] == "announcement")
    assert [e.token_labels[t] for t in joined["tokens"]] == ["annou", "##nceme", "##nt"]


def test_other_modalities_have_no_words() -> None:
    assert view_payload(make_explanation("audio"))["a"]["words"] is None


# ---- page ----------------------------------------------------------------------------------------

EVIL = '</script><script>alert(1)</script><!-- <img src=x onerror="alert(2)"> \u2028 ]]>'


class Scripts(HTMLParser):
    """Collects script elements and the addresses that a page would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag == "script":
            self._inside = dict(attrs).get("id") or f"script {len(self.scripts)}"
            self.scripts[self._inside] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.scripts[self._inside] += data


def parsed(page: str) -> Scripts:
    found = Scripts()
    found.feed(page)
    return found


def test_no_text_can_leave_its_place_in_the_page() -> None:
    e = make_explanation("text")
    e = replace(
        e,
        model=EVIL,
        text=EVIL,
        token_labels=tuple(EVIL for _ in e.token_labels),
        token_spans=np.full_like(e.token_spans, np.nan),
        class_names=(EVIL, *e.class_names[1:]),
        provenance={EVIL: EVIL},
    )
    page = view_html(e, labels=(EVIL, "B"), state={"tab": EVIL})
    found = parsed(page)
    assert found.tags.count("script") == 4
    assert "img" not in found.tags
    payload = json.loads(found.scripts["payload"])
    assert payload["a"]["text"] == EVIL
    assert payload["a"]["class_names"][0] == EVIL
    assert payload["labels"]["a"] == EVIL
    assert json.loads(found.scripts["state"]) == {"tab": EVIL}


def test_the_page_needs_nothing_else() -> None:
    page = view_html(make_explanation("image"))
    found = parsed(page)
    assert found.addresses == []
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", view_style())
    for way_out in ("fetch(", "XMLHttpRequest", "import(", "innerHTML", "insertAdjacentHTML", "eval("):
        assert way_out not in view_script()
    addresses = set(re.findall(r"https?://[^\s'\"]+", view_script() + view_style()))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_page_holds_everything_exactly_whatever_its_size() -> None:
    e = make_explanation(heads=1, layers=12, features=6000, tokens=3, dataset=False)
    raw = json.loads(parsed(view_html(e)).scripts["payload"])["a"]
    assert np.array_equal(decode(raw["arrays"]["gate"]), e.gate)


def test_title_and_provenance_stand_in_the_page() -> None:
    e = make_explanation()
    assert f"Why “{e.predicted_class}”? An explanation of test-head" in view_html(e)
    page = view_html(e, title="Mine & yours")
    assert "<title>Mine &amp; yours</title>" in page
    assert '"model": "test-head"' in html.unescape(page)


def test_a_notebook_cell_shows_the_same_page_in_a_frame_of_its_own() -> None:
    e = make_explanation()
    cell = notebook_view(e, height=640, state={"tab": "layers"})
    written = cell._repr_html_()
    match = re.fullmatch(r'<iframe title="[^"]+" sandbox="allow-scripts" srcdoc="([^"]*)" style="([^"]*)">'
                         r"</iframe>", written)  # fmt: skip
    assert match is not None
    assert html.unescape(match[1]) == view_html(e, state={"tab": "layers"})
    assert "height:640px" in match[2]


# ---- colours -------------------------------------------------------------------------------------


def test_script_and_print_use_the_same_colours() -> None:
    script = view_script()
    tables = dict(re.findall(r"(cividis|viridis):\s*((?:'[0-9a-f]+'[ +\n]*)+)", script))
    for name, written in tables.items():
        found = "".join(re.findall(r"'([0-9a-f]+)'", written))
        wanted = "".join(mpl.colors.to_hex(mpl.colormaps[name](i))[1:] for i in range(256))
        assert found == wanted, name
    assert set(tables) == {"cividis", "viridis"}


# ---- sound ---------------------------------------------------------------------------------------


def tone(hertz: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate", "size"), [(16_000, 512), (8_000, 256), (44_100, 2048)])
def test_mel_filters_are_the_usual_ones(rate: int, size: int) -> None:
    top = min(8000, rate / 2)
    ours = mel_filters(rate=rate, fft_size=size, bands=MEL_BANDS, top_hz=top)
    theirs = mel_filter_bank(size // 2 + 1, MEL_BANDS, 0.0, top, rate, norm=None, mel_scale="htk")
    assert np.allclose(ours, theirs.T, atol=1e-6)


def test_the_mel_spectrogram_is_the_usual_one() -> None:
    sound = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    ours, top = mel_power(sound, 16_000)
    padded = np.concatenate([np.zeros(128), sound, np.zeros(1024)])
    theirs = spectrogram(
        padded, np.hanning(513)[:-1], 512, 256, power=2.0, center=False,
        mel_filters=mel_filter_bank(257, MEL_BANDS, 0.0, 8000.0, 16_000, norm=None, mel_scale="htk"),
    )  # fmt: skip
    assert top == 8000
    assert ours.shape == (MEL_BANDS, 63)
    assert np.allclose(ours, theirs[:, :63], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0])
def test_a_tone_lies_in_its_band(hertz: float) -> None:
    power, _ = mel_power(tone(hertz, 1.0), 16_000)
    edges = mel_filters(rate=16_000, fft_size=16_000, bands=MEL_BANDS, top_hz=8000)[
        power.mean(1).argmax()
    ].nonzero()[0]  # one hertz a column
    assert edges[0] <= hertz <= edges[-1]


def test_a_long_sound_takes_bounded_room_and_keeps_its_shape() -> None:
    quiet, loud = tone(440, 120.0) * 0.01, tone(440, 120.0)
    audio = sound_media(np.concatenate([quiet, loud, quiet]), 16_000)["audio"]
    assert audio["duration"] == 360.0
    assert "url" not in audio
    assert audio["mel"]["frames"] <= MAX_MEL_FRAMES
    shade = np.frombuffer(base64.b64decode(audio["mel"]["data"]), np.uint8).reshape(MEL_BANDS, -1)
    third = shade.shape[1] // 3
    loudest = shade.max(0).astype(int)
    assert loudest[third + 2 : 2 * third - 2].min() > loudest[: third - 2].max() + 100
    envelope = np.frombuffer(base64.b64decode(audio["envelope"]["data"]), np.int8).reshape(-1, 2)
    assert len(envelope) == audio["envelope"]["count"] <= 30_000
    assert envelope.max() == 127
    assert abs(int(envelope[:100].min())) <= 2


def test_a_short_sound_can_be_played_as_it_was() -> None:
    sound = tone(440, 0.5, 8_000)
    audio = sound_media(sound, 8_000)["audio"]
    raw = base64.b64decode(audio["url"].removeprefix("data:audio/wav;base64,"))
    played, rate = soundfile.read(io.BytesIO(raw), dtype="float32")
    assert rate == 8_000
    assert np.allclose(played, sound, atol=2 / 32767)
    assert sound_media(sound, 8_000, url="/file/a.wav")["audio"]["url"] == "/file/a.wav"
    assert "url" not in sound_media(sound, 8_000, embed=False)["audio"]


def test_silence_and_a_single_sample_are_fine() -> None:
    audio = sound_media(np.zeros(1600, np.float32), 16_000)["audio"]
    assert not any(base64.b64decode(audio["mel"]["data"]))
    assert audio["envelope"]["peak"] == 0
    assert sound_media(np.array([0.5], np.float32), 16_000)["audio"]["envelope"]["count"] == 1


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((2, 100), np.float32), 16_000),
        (np.zeros(0, np.float32), 16_000),
        (np.array([np.nan], np.float32), 16_000),
        (np.zeros(10, np.float32), 0),
    ],
)
def test_a_sound_that_cannot_be_shown_is_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(InputError, match="needs mono samples"):
        sound_media(samples, rate)


# ---- picture -------------------------------------------------------------------------------------


def test_a_picture_is_scaled_down_and_keeps_its_shape() -> None:
    wide = Image.new("RGBA", (2000, 500), (200, 30, 30, 255))
    image = picture_media(wide)["image"]
    assert (image["width"], image["height"]) == (2000, 500)
    with Image.open(
        io.BytesIO(base64.b64decode(image["url"].removeprefix("data:image/jpeg;base64,")))
    ) as shown:
        assert shown.size == (768, 192)
        pixel = np.asarray(shown.convert("RGB"))[100, 300]
    assert pixel[0] > 180
    assert pixel[1] < 60


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_an_array_is_a_picture(shape: tuple[int, ...]) -> None:
    image = picture_media(np.full(shape, 128, np.uint8))["image"]
    assert (image["width"], image["height"]) == (30, 20)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4)), "got float64 of shape \\[4, 4\\]"),
        (np.zeros((0, 4), np.uint8), "of shape \\[0, 4\\]"),
        ("cat.jpg", "got str"),
    ],
)
def test_what_is_no_picture_is_refused(picture: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        picture_media(picture)
