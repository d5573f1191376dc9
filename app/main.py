"""The page: ``build_demo`` lays it out, ``launch`` serves it with safe defaults."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
from starlette.middleware import Middleware

from daam_core.trained import TrainedClassifier

from . import api
from .page.layout import lay_out
from .page.theme import theme
from .page.wiring import wire
from .server import assets
from .server.security import SecurityHeaders
from .visit import examples
from .visit.offer import Offer

TITLE = "DAAM explorer: why a model decided"
QUEUE_LENGTH = 64  # waiting runs; the next visitor is told to come back
OPEN_SESSIONS = 200  # visitors whose results are kept; the longest idle one goes first
CACHE_CHECK, CACHE_AGE = 3600, 86_400  # seconds: uploads are deleted a day after they came


@dataclass(frozen=True)
class Serving:
    """How the page is served.

    Attributes:
        host: address to bind; ``127.0.0.1`` is this machine only.
        port: to bind; a busy one is an error.
        max_upload_mb: largest file accepted, in megabytes.
        root_path: path under which a proxy shows the page, empty for none.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    max_upload_mb: int = 25
    root_path: str = ""


def build_demo(models: Sequence[TrainedClassifier]) -> gr.Blocks:
    """The page for these models, not yet served.

    Raises:
        ConfigError: no models, or two of one name.
    """
    offer = Offer(models)
    delete = (CACHE_CHECK, CACHE_AGE)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=delete, fill_width=True) as demo:
        page = lay_out(offer)
        api.build(offer)  # before the page's own events, so that its names are not taken
        wire(demo, offer, page)
    return demo


def launch(demo: gr.Blocks, serving: Serving, *, block: bool = True) -> str:
    """Serve the page; the address it answers at.

    Args:
        demo: from :func:`build_demo`.
        serving: where and with what limits.
        block: wait until the server is stopped.

    Raises:
        OSError: the port is busy.
    """
    demo.queue(max_size=QUEUE_LENGTH, default_concurrency_limit=4)
    _, address, _ = demo.launch(
        server_name=serving.host,
        server_port=serving.port,
        root_path=serving.root_path or None,
        max_file_size=serving.max_upload_mb * 2**20,
        allowed_paths=examples.folders(),  # outside the working folder when the environment is elsewhere
        theme=theme(),
        css=assets.style(),
        head='<meta name="description" content="Shows why a model decided.">',
        app_kwargs={"middleware": [Middleware(SecurityHeaders)], "routes": assets.routes()},
        enable_monitoring=False,
        run_history=False,
        footer_links=["api"],
        state_session_capacity=OPEN_SESSIONS,
        mcp_server=True,
        ssr_mode=False,
        share=False,
        show_error=False,
        inbrowser=False,
        quiet=True,
        prevent_thread_lock=not block,
    )
    return str(address)
