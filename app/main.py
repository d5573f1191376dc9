"""The page: ``build_demo`` lays it out, ``launch`` serves it with safe defaults."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr
from starlette.middleware import Middleware

from daam_core.trained import TrainedClassifier

from . import api
from .page import html, wiring
from .page.page import Page
from .page.parts import change_input, change_model, check, compare, give, save, tour, why
from .page.theme import theme
from .server import assets
from .server.security import SecurityHeaders
from .visit import examples
from .visit.offer import Offer
from .visit.session import SESSION_SECONDS, Session

TITLE = "DAAM explorer: why a model decided"
QUEUE_LENGTH = 64  # waiting runs; the next visitor is told to come back
OPEN_SESSIONS = 200  # visitors whose results are kept; the longest idle one goes first
CACHE_CHECK, CACHE_AGE = 3600, 86_400  # seconds: uploads are deleted a day after they came
PORTS = range(1, 65_536)

log = logging.getLogger(__name__)


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
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(CACHE_CHECK, CACHE_AGE), fill_width=True
    ) as demo:
        session = gr.State(Session(), time_to_live=SESSION_SECONDS)
        gr.HTML(html.HEADER, elem_id="top", apply_default_css=False)
        tour.build()
        with gr.Row(elem_id="ask", elem_classes="dx-columns"):
            with gr.Column(scale=6, min_width=320, elem_id="step-input", elem_classes="dx-card"):
                gr.HTML(html.heading(1, "Input"), apply_default_css=False)
                given = give.build(offer)
            with gr.Column(scale=5, min_width=320, elem_id="step-prediction", elem_classes="dx-card"):
                gr.HTML(html.heading(2, "Prediction"), apply_default_css=False)
                status = gr.HTML(html.READY, elem_id="status", apply_default_css=False)
                prediction = why.build_prediction()
        with gr.Column(elem_id="step-why", elem_classes="dx-card"):
            gr.HTML(html.heading(3, "Why"), apply_default_css=False)
            gr.HTML(html.LIMITS, apply_default_css=False)
            reasons = why.build()
        with gr.Column(elem_id="step-compare", elem_classes="dx-card dx-after", visible=False) as after:
            gr.HTML(html.heading(4, "Compare and change"), apply_default_css=False)
            with gr.Tabs(elem_id="change-tabs"):
                with gr.Tab("A and B", id="compare", elem_id="tab-compare"):
                    compared = compare.build()
                with gr.Tab("Edit input", id="input", elem_id="tab-change-input"):
                    changed = change_input.build()
                with gr.Tab("Mute parts", id="model", elem_id="tab-change-model"):
                    muted = change_model.build()
                with gr.Tab("Is it true?", id="check", elem_id="tab-check"):
                    checked = check.build()
            comparison = compare.build_result()
        with gr.Column(elem_id="step-save", elem_classes="dx-card dx-after", visible=False) as last:
            gr.HTML(html.heading(5, "Save and share"), apply_default_css=False)
            saved = save.build()
        gr.HTML(html.FOOTER, elem_id="foot", apply_default_css=False)
        page = Page(
            session=session, status=status, prediction=prediction, reasons=reasons, given=given,
            compared=compared, comparison=comparison, changed=changed, muted=muted, checked=checked,
            saved=saved, sections=(after, last),
        )  # fmt: skip
        api.build(offer)  # first, so that its names are not taken
        wiring.wire(offer, page)
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
