"""What the page is sent as."""

import gzip

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.server.compressing import CompressedPage

TEXT = "<p>why a model decided</p>" * 200


@pytest.fixture
def client() -> TestClient:
    def page(request):
        return HTMLResponse(TEXT)

    def stream(request):
        return StreamingResponse(iter(["data: 1\n\n"] * 300), media_type="text/event-stream")

    paths = {"/": page, "/under/": page, "/daam/1/page.js": page, "/gradio_api/info": page, "/stream": stream}
    return TestClient(CompressedPage(Starlette(routes=[Route(path, made) for path, made in paths.items()])))


@pytest.mark.parametrize("path", ["/", "/under/"])
def test_the_page_is_compressed_where_the_browser_takes_it(client, path):
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < len(TEXT) / 10
    assert gzip.decompress(raw).decode() == TEXT
    assert client.get(path, headers={"accept-encoding": "identity"}).text == TEXT


@pytest.mark.parametrize("path", ["/daam/1/page.js", "/gradio_api/info", "/stream"])
def test_what_gradio_compresses_and_what_streams_stay_as_they_are(client, path):
    assert "content-encoding" not in client.get(path, headers={"accept-encoding": "gzip"}).headers
