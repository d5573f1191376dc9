"""What is said of encoders while they are loaded, and after."""

from types import SimpleNamespace

from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.server.encoders import ADDRESS, Encoders
from daam_core.errors import EncoderError


class Model:
    """Stands for a classifier, which keeps its encoder once it was asked for."""

    def __init__(self, name, error=None):
        self.name, self._error = name, error

    def __getattr__(self, name):
        if name != "backbone":
            raise AttributeError(name)
        if self._error:
            raise self._error
        self.backbone = SimpleNamespace(name="of letters")
        return self.backbone


def test_an_encoder_is_loading_then_ready_or_missing():
    encoders = Encoders([Model("first"), Model("second"), Model("broken", EncoderError("No weights."))])
    client = TestClient(Starlette(routes=[encoders.route()]))
    assert client.get(ADDRESS).json() == dict.fromkeys(("first", "second", "broken"), "loading")
    encoders.models[0].backbone  # noqa: B018 (a visitor was quicker)
    assert client.get(ADDRESS).json()["first"] == "ready"
    encoders.load()
    answer = client.get(ADDRESS)
    assert answer.json() == {"first": "ready", "second": "ready", "broken": "missing"}
    assert answer.headers["cache-control"] == "no-store"
