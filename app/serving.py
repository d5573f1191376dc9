"""How the page is served: every setting with its default, which the command line takes from here."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.inputs.limits import MAX_UPLOAD_MB

if TYPE_CHECKING:
    from .server.login import Password


@dataclass(frozen=True)
class Serving:
    """How the page is served.

    Attributes:
        host: address to bind; ``127.0.0.1`` is this machine only.
        port: to bind; a busy one is an error.
        max_upload_mb: largest file accepted, in megabytes.
        max_disk_mb: of all files of visitors together.
        root_path: path under which a proxy shows the page, empty for none.
        allowed_hosts: further names that the page is reached by.
        proxies: addresses whose word on where a request came from is believed.
        logins: who may come in; everybody if empty.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    max_upload_mb: int = MAX_UPLOAD_MB
    max_disk_mb: int = 2000
    root_path: str = ""
    allowed_hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    logins: Mapping[str, "Password"] = field(default_factory=dict)


@dataclass(frozen=True)
class UploadFolder:
    """Where visitors' files are kept.

    Attributes:
        path: that only this user can read.
        own: it was made for this server, and goes with it.
    """

    path: Path
    own: bool


def prepare(proxies: Sequence[str] = ()) -> UploadFolder:
    """Say to Gradio, the web server and the hub's client what they read when they are imported, hence before.

    Args:
        proxies: as in :class:`Serving`.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(proxies)
    own = "GRADIO_TEMP_DIR" not in os.environ
    if own:
        os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="daam-explorer-")
        atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)
    return UploadFolder(Path(os.environ["GRADIO_TEMP_DIR"]), own)
