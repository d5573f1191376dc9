"""Encoders loaded ahead of the first visitor, and an address that says which are ready."""

import logging
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from daam_core.errors import DaamError
from daam_core.trained import TrainedClassifier

ADDRESS = "/encoders"

log = logging.getLogger(__name__)


class Encoders:
    """Of some models; the page asks for their states until none is loading."""

    def __init__(self, models: Sequence[TrainedClassifier]) -> None:
        self.models = list(models)
        self._failed: set[str] = set()

    def load(self) -> None:
        """Load each model's encoder, so that the first visitor does not wait for it."""
        for model in self.models:
            try:
                backbone = model.backbone
            except DaamError as error:
                # The visitor who needs it gets the same sentence.
                self._failed.add(model.name)
                log.warning("The encoder of %s cannot be loaded: %s", model.name, error)
            else:
                log.info("Encoder of %s: %s", model.name, backbone.name)

    def states(self) -> dict[str, str]:
        """Of each model by name: ``ready``, perhaps by a visitor's run, ``loading`` or ``missing``."""
        return {model.name: self._state(model) for model in self.models}

    def _state(self, model: TrainedClassifier) -> str:
        if "backbone" in vars(model):  # where a cached property keeps what it made
            return "ready"
        return "missing" if model.name in self._failed else "loading"

    def route(self) -> Route:
        async def answer(_request: Request) -> Response:
            return JSONResponse(self.states(), headers={"Cache-Control": "no-store"})

        return Route(ADDRESS, answer, methods=["GET"])
