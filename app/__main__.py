"""``python -m app``, or ``python -m daam_app`` where it is installed: serve the explorer."""

import argparse
import atexit
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from daam_core.errors import DaamError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 done, 2 wrong arguments or a busy port."""
    options = _parser().parse_args(arguments)
    # Read by Gradio and the hub's client when they are imported, hence before that.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if "GRADIO_TEMP_DIR" not in os.environ:
        os.environ["GRADIO_TEMP_DIR"] = _own_folder()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if problem := _problem(options.host, options.port):
        return _refuse(problem)

    from daam_core.checkpoint import built_in_models
    from daam_core.trained import load_model

    from .main import Serving, build_demo, launch
    from .server import upkeep

    try:
        names = options.model or built_in_models()
        models = [load_model(name) for name in names]
        if not options.model:
            models.sort(key=lambda model: len(model.class_names))  # the simplest is offered first
        demo = build_demo(models)
    except DaamError as error:
        return _refuse(str(error))
    print(f"DAAM explorer: http://{options.host}:{options.port} (Ctrl-C stops it)", flush=True)  # noqa: T201
    serving = Serving(options.host, options.port, options.max_upload_mb, options.root_path)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does, and tidies up
    upkeep.start(models, Path(os.environ["GRADIO_TEMP_DIR"]))
    try:
        launch(demo, serving)
    except OSError:
        return _refuse(f"Port {options.port} is in use; choose another with --port.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description="Serve the DAAM explorer as a web page."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=_port, default=7860, help="port to bind (7860)")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="built-in name, folder or hub id; may be repeated (all built-in models)",
    )
    parser.add_argument(
        "--max-upload-mb", type=_megabytes, default=25, help="largest upload in megabytes (25)"
    )
    parser.add_argument("--root-path", default="", help="path under which a proxy shows the page")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text!r}")
    return int(text)


def _megabytes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(
            f"the limit is a whole number of megabytes from 1 to 10000, got {text!r}"
        )
    return int(text)


def _problem(host: str, port: int) -> str | None:
    """Why this address cannot be bound, or None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return f"There is no address {host!r} on this machine; choose another with --host."
    except OSError as error:
        return f"Cannot serve on {host}, port {port}: {error.strerror or error}; choose another with --port."
    return None


def _own_folder() -> str:
    """A folder for uploads that only this user can read, gone when the server stops."""
    folder = tempfile.mkdtemp(prefix="daam-explorer-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
