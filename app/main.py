"""The page: ``build_demo`` lays it out, ``launch`` serves it with safe defaults."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from daam_core.kernels import cpu
from daam_core.trained import TrainedClassifier

from . import api, studies
from .page import own as own_page
from .page.layout import lay_out
from .page.theme import theme
from .page.wiring import wire
from .server import assets, connections
from .server.arguments import HANDLERS, CheckedBlocks
from .server.bodies import Bodies
from .server.compressing import CompressedPage
from .server.departures import Listeners
from .server.encoders import Encoders
from .server.health import health
from .server.hosts import LOCAL, AllowedHosts
from .server.login import Login
from .server.security import SecurityHeaders
from .server.tools import let_tools_in
from .server.uploads import UploadLimits, Uploads
from .serving import Serving
from .visit import examples
from .visit.offer import Offer
from .visit.own import OwnModel
from .visit.study import Studies

TITLE = "DAAM explorer: why a model decided"
QUEUE_LENGTH = 64  # waiting runs; the next visitor is told to come back
OPEN_SESSIONS = 200  # visitors whose results are kept; the longest idle one goes first
CACHE_CHECK, CACHE_AGE = 3600, 86_400  # seconds: uploads are deleted a day after they came


def build_demo(models: Sequence[TrainedClassifier], shown: Studies | None = None) -> gr.Blocks:
    """The page for these models and studies of data sets, not yet served.

    Raises:
        ConfigError: no models, or two of one name.
    """
    offer, shown = Offer(models), shown or Studies()
    with _blocks(TITLE) as demo:
        page = lay_out(offer, shown)
        api.build(offer)  # before the page's own events, so that its names are not taken
        wire(demo, offer, page, shown)
    built: gr.Blocks = demo
    return built


def build_own(own: OwnModel) -> gr.Blocks:
    """The page for a model of somebody's own, not yet served."""
    with _blocks(f"Why did {own.attached.name} decide that?") as demo:
        own_page.build(demo, own)
    built: gr.Blocks = demo
    return built


def _blocks(title: str) -> gr.Blocks:
    delete = (CACHE_CHECK, CACHE_AGE)
    blocks: gr.Blocks = CheckedBlocks(
        title=title, analytics_enabled=False, delete_cache=delete, fill_width=True
    )
    return blocks


def launch(
    demo: gr.Blocks,
    serving: Serving,
    folder: Path,
    shown: Studies | None = None,
    encoders: Encoders | None = None,
) -> str:
    """Serve the page from threads of its own until ``demo.close()``; the address it answers at.

    Args:
        demo: from :func:`build_demo`.
        serving: where and with what limits.
        folder: where visitors' files are kept.
        shown: the studies that the page was built for.
        encoders: that the page says the states of.

    Raises:
        OSError: the port is busy.
    """
    # Direct calls would skip the queue, so that many at once could take all memory.
    shown = shown or Studies()
    shown.writable = serving.host in LOCAL and not serving.proxies
    demo.queue(max_size=QUEUE_LENGTH, default_concurrency_limit=4, api_open=False)
    listeners = Listeners(lambda: demo._queue)
    demo.launch(
        server_name=serving.host,
        server_port=serving.port,
        root_path=serving.root_path or None,
        max_file_size=serving.max_upload_mb * 2**20,
        allowed_paths=examples.folders(),  # outside the working folder when the environment is elsewhere
        theme=theme(),
        css=assets.style(),
        head=assets.head(),
        app_kwargs={
            "middleware": _guards(serving, folder, listeners),
            "exception_handlers": HANDLERS,
            "routes": [*assets.routes(), *studies.routes(shown), health, (encoders or Encoders(())).route()],
            "lifespan": listeners.lifespan(),
        },
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        state_session_capacity=OPEN_SESSIONS,
        mcp_server=True,
        ssr_mode=False,
        share=False,
        show_error=False,
        inbrowser=False,
        quiet=True,
        prevent_thread_lock=True,
        # Without asking itself for its page, which fails on a server that visitors besiege as it starts.
        _frontend=False,
    )
    connections.bound(demo.server.config)
    let_tools_in(demo)
    cpu.prepare()  # in the background: nothing waits for it
    return str(demo.local_url)


def _guards(serving: Serving, folder: Path, listeners: Listeners) -> list[Middleware]:
    """What a request passes, from the outside in."""
    limits = UploadLimits.of(file_mb=serving.max_upload_mb, folder_mb=serving.max_disk_mb)
    return [
        Middleware(SecurityHeaders),
        Middleware(CompressedPage),
        Middleware(
            AllowedHosts,
            bound=serving.host,
            allowed=serving.allowed_hosts,
            behind_proxy=bool(serving.proxies),
        ),
        *([Middleware(Login, logins=serving.logins)] if serving.logins else []),
        Middleware(Bodies),
        Middleware(Uploads, folder=folder, limits=limits),
        Middleware(listeners.middleware),
    ]
