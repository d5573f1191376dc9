"""Where the server reaches into Gradio: an update that moves one of these names fails here, and says so."""

import inspect

import gradio as gr
import pytest
from gradio import queueing, routes
from gradio.block_function import BlockFunction
from gradio.context import LocalContext
from gradio.mcp import GradioMCPServer
from gradio.route_utils import FnIndexInferError
from gradio_client import Client

from app.main import build_demo, launch
from app.server import arguments
from app.serving import Serving
from tests.app.server.running import free_port

MOVED = "Gradio {version} has no {name} any more, which {user} needs: look where it went."


def present(holder: object, name: str, user: str) -> object:
    assert hasattr(holder, name), MOVED.format(version=gr.__version__, name=name, user=user)
    return getattr(holder, name)


def assigned(kind: type, name: str, user: str) -> None:
    """An attribute that only instances have: it is set where they are made or started."""
    source = inspect.getsource(kind)
    assert f"self.{name}" in source, MOVED.format(version=gr.__version__, name=name, user=user)


def test_the_queue_is_where_departures_looks_for_it():
    user = "app.server.departures"
    for name in (
        "event_queue_per_concurrency_id",
        "active_jobs",
        "pending_messages_per_session",
        "pending_event_ids_session",
        "event_ids_to_events",
    ):
        assigned(queueing.Queue, name, user)
    for name in ("_id", "session_hash", "alive"):
        assigned(queueing.Event, name, user)
    clean = inspect.signature(present(queueing.Queue, "clean_events", user)).parameters
    assert "event_id" in clean, MOVED.format(
        version=gr.__version__, name="clean_events(event_id=)", user=user
    )
    present(LocalContext, "event_id", user)
    present(LocalContext, "blocks", user)


def test_what_is_sent_is_checked_where_gradio_checks_it():
    user = "app.server.arguments"
    for name in ("validate_inputs", "preprocess_data"):
        ours = list(inspect.signature(getattr(arguments.CheckedBlocks, name)).parameters)
        theirs = list(inspect.signature(present(gr.Blocks, name, user)).parameters)
        assert ours == theirs, f"Gradio {gr.__version__} calls {name} with other arguments than {user} takes."
    assert "_frontend" in inspect.signature(gr.Blocks.launch).parameters, MOVED.format(
        version=gr.__version__, name="launch(_frontend=)", user="app.main"
    )
    for name in ("inputs", "api_name", "api_visibility"):
        assigned(BlockFunction, name, user)
    assert issubclass(FnIndexInferError, Exception)
    for kind in arguments.FILES:
        assert "path" in kind.model_fields


def test_tools_call_this_server_with_clients_that_may_be_replaced():
    assigned(GradioMCPServer, "_client_instance", "app.server.tools")
    assigned(Client, "stream_open", "app.server.tools")


@pytest.fixture(scope="module")
def launched(models, tmp_path_factory):
    demo = build_demo(models[:1])
    folder = tmp_path_factory.mktemp("uploads")
    launch(demo, Serving(port=free_port()), folder)
    yield demo
    demo.close(verbose=False)


def test_a_served_page_has_its_queue_its_tools_and_its_server_where_they_are_looked_for(launched):
    queue = present(launched, "_queue", "app.server.departures")
    assert isinstance(queue, queueing.Queue)
    tools = present(launched, "mcp_server_obj", "app.server.tools")
    present(tools, "_client_instance", "app.server.tools")
    config = present(
        present(launched, "server", "app.server.connections"), "config", "app.server.connections"
    )
    for name in ("http_protocol_class", "limit_concurrency", "timeout_graceful_shutdown"):
        present(config, name, "app.server.connections")
    assert isinstance(launched.app, routes.App)
