"""How the page is served: every setting with its default, which the command line takes from here."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
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


def own_folder() -> Path:
    """A folder for uploads that only this user can read, gone when the server stops."""
    folder = Path(tempfile.mkdtemp(prefix="daam-explorer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
