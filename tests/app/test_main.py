"""The page as it is built."""

from collections import Counter

from app.main import build_demo


def test_the_page_is_built_without_a_request_and_without_telemetry(models):
    demo = build_demo(models)
    assert demo.analytics_enabled is False
    assert demo.delete_cache is not None
    public = {
        event.api_name for event in demo.fns.values() if event.api_visibility == "public" and event.api_name
    }
    kinds = ("text", "sound", "image")
    several = {"explain_texts", "explain_sounds", "explain_images"}
    assert public == {"list_models"} | several | {
        f"{action}_{kind}" for action in ("explain", "change", "compare", "save", "check") for kind in kinds
    }
    waiting = Counter((event.concurrency_id, event.concurrency_limit) for event in demo.fns.values())
    assert waiting["texts", 24] >= 3 + 2
    assert waiting["files", 4] >= 6 + 6  # a file may be large: few are held at a time
    assert (waiting["check", 1], waiting["export", 2], waiting["several", 1]) == (3 + 1, 3 + 1, 3)
