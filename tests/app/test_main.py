"""The page as it is built."""

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
    encoder = [event for event in demo.fns.values() if event.concurrency_id == "encoder"]
    assert len(encoder) >= 12 + 3 + 4
    assert all(event.concurrency_limit == 1 for event in encoder)
