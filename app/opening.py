"""Serve the page from Python: on classifiers, or on a model of one's own that is attached."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from daam_core.attaching import Attached
from daam_core.errors import ConfigError
from daam_core.inputs import Modality
from daam_core.trained import TrainedClassifier

from .serving import Serving, prepare


@dataclass(frozen=True)
class Served:
    """A page that answers.

    Attributes:
        url: where.
        close: ends it.
    """

    url: str
    close: Callable[[], None]


def serve(
    *models: TrainedClassifier | Attached,
    modality: Modality = "text",
    serving: Serving | None = None,
    wait: bool = True,
) -> Served:
    """Open the page on classifiers, whatever their encoder, or on one attached model.

    Args:
        models: classifiers with distinct names; or what :func:`daam_core.attach` returned, whose ``prepare``
            takes what a visitor gives: a text as ``str``, a picture as a Pillow image, a sound as
            ``(samples, rate)``.
        modality: what an attached model takes; ``text``, ``image`` or ``audio``.
        serving: address, port and limits; this machine only by default.
        wait: serve until Ctrl-C; else return at once, and the page answers until it is closed.

    Raises:
        ConfigError: no model, two of one name, or more than one that is attached.
        OSError: the port is busy.
    """
    serving = serving or Serving()
    folder = prepare(serving.proxies).path

    from .main import build_demo, build_own, launch
    from .server import upkeep
    from .server.encoders import Encoders
    from .server.uploads import MB
    from .visit.own import OwnModel

    classifiers = [model for model in models if isinstance(model, TrainedClassifier)]
    attached = [model for model in models if isinstance(model, Attached)]
    if attached and len(models) > 1:
        raise ConfigError("An attached model has a page of its own: serve it alone.")
    demo = build_own(OwnModel(attached[0], modality)) if attached else build_demo(classifiers)
    encoders = Encoders(classifiers)
    url = launch(demo, serving, folder, encoders=encoders)
    upkeep.start(encoders, folder, room=serving.max_disk_mb * MB)
    served = Served(url, lambda: demo.close(verbose=False))
    if wait:
        print(f"DAAM explorer: {url} (Ctrl-C stops it)", flush=True)  # noqa: T201
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            served.close()
    return served
