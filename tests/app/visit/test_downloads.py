"""Results as files."""

import json

from app.visit import actions, downloads
from app.visit.examples import EXAMPLES
from daam_core.inputs import SoundChange
from daam_core.view.media import media_of


def test_a_saved_comparison_says_what_is_muted(offer, session):
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    b = muted.current
    path = downloads.write(b.explanation, b.given, format_="html", width="double", pair=muted.pair)
    labels = json.loads(path.read_text("utf-8").split('id="payload">')[1].split("</script>")[0])["labels"]
    assert labels == {"a": f"A: {session.current.title}", "b": f"B: {b.title}"}
    assert "without head 0" in labels["b"]


def test_a_saved_trim_keeps_its_place_in_the_clip():
    media = media_of(EXAMPLES["speech-note"].given().changed(SoundChange(0.5, 1.5)).input)
    assert media["audio"]["start"] == 0.5
    assert media["audio"]["url"].startswith("data:audio/wav")
