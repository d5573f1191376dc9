"""``python -m app``, or ``python -m daam_app`` where it is installed: serve the explorer."""

import argparse
import getpass
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from daam_core.errors import DaamError

from .serving import Serving, prepare

SHORTEST_PASSWORD = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 done, 2 wrong arguments or a busy port."""
    options = _parser().parse_args(arguments)
    if options.new_login:
        return _new_login(options.new_login)
    uploads = prepare(options.proxy)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if problem := _problem(options.host, options.port):
        return _refuse(problem)

    from daam_core.backbones.huggingface.hub import LOCAL
    from daam_core.locating import built_in_models
    from daam_core.trained import load_model

    from .main import build_demo, launch
    from .server import upkeep
    from .server.encoders import Encoders
    from .server.login import read_logins
    from .server.stopping import Stop
    from .server.uploads import MB
    from .visit.examples import knows_one
    from .visit.study import open_studies

    try:
        logins = read_logins(options.auth_file) if options.auth_file else {}
        names = options.model or built_in_models()
        models = [load_model(name) for name in names]
        for model in models:
            if options.encoder and model.config.encoder.revision == LOCAL:
                model.look_for_encoder(options.encoder)
            model.find_encoder()  # better said now than to the first visitor
        if not options.model:
            # First those with an example that they know, of these the simplest.
            models.sort(key=lambda model: (not knows_one(model.name), len(model.class_names)))
        shown = open_studies(options.study, models)
        demo = build_demo(models, shown)
    except DaamError as error:
        return _refuse(str(error))
    stop = Stop(uploads.path if uploads.own else None)
    serving = Serving(
        host=options.host,
        port=options.port,
        max_upload_mb=options.max_upload_mb,
        max_disk_mb=options.max_disk_mb,
        root_path=options.root_path,
        allowed_hosts=tuple(options.allowed_host),
        proxies=tuple(options.proxy),
        logins=logins,
    )
    print(f"DAAM explorer: http://{options.host}:{options.port} (Ctrl-C stops it)", flush=True)  # noqa: T201
    encoders = Encoders(models)
    upkeep.start(encoders, uploads.path, room=options.max_disk_mb * MB)
    try:
        launch(demo, serving, uploads.path, shown, encoders)
    except OSError:
        return _refuse(f"Port {options.port} is in use; choose another with --port.")
    stop.wait(lambda: demo.close(verbose=False))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description="Serve the DAAM explorer as a web page."
    )
    usual = Serving()
    parser.add_argument(
        "--host", default=usual.host, help=f"address to bind ({usual.host}: this machine only)"
    )
    parser.add_argument("--port", type=_port, default=usual.port, help=f"port to bind ({usual.port})")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="built-in name, folder or hub id; may be repeated (all built-in models)",
    )
    parser.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="DIR",
        help="folder of an encoder that a model was trained on and that is not in its place; may be repeated",
    )
    parser.add_argument(
        "--study",
        action="append",
        nargs="?",
        default=[],
        type=Path,
        metavar="DIR",
        help="a data set's study to show, as daam study makes it; may be repeated; without DIR, that of the "
        "photographs that come along",
    )
    parser.add_argument(
        "--max-upload-mb",
        type=_megabytes,
        default=usual.max_upload_mb,
        help=f"largest upload in megabytes ({usual.max_upload_mb})",
    )
    parser.add_argument(
        "--max-disk-mb",
        type=_megabytes,
        default=usual.max_disk_mb,
        help=f"all visitors' files together, in megabytes ({usual.max_disk_mb})",
    )
    parser.add_argument("--root-path", default="", help="path under which a proxy shows the page")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name by which the page is reached, without a port; may be repeated",
    )
    parser.add_argument(
        "--proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address of a proxy whose X-Forwarded headers are believed (none); may be repeated",
    )
    parser.add_argument(
        "--auth-file", type=Path, metavar="FILE", help="ask for one of the names and passwords in this file"
    )
    parser.add_argument(
        "--new-login",
        metavar="NAME",
        help="read a password and print a line for the file of --auth-file; serves nothing",
    )
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


def _new_login(name: str) -> int:
    """Print a line for the file of logins; the password comes from the terminal or standard input."""
    from .server.login import Password

    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        return _refuse(f"A password has {SHORTEST_PASSWORD} characters or more.")
    try:
        print(Password.of(password).line(name))  # noqa: T201
    except DaamError as error:
        return _refuse(str(error))
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
