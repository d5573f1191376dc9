"""The models on offer. Loaded once, shared by all visitors, never changed by one."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from daam_core.encoding import Encoding
from daam_core.errors import ConfigError, InputError, ShapeError, shown
from daam_core.explaining_many import explain_each
from daam_core.inputs import MODALITIES, Input, Modality, Text
from daam_core.progress import stoppable
from daam_core.result import Explanation, Scale
from daam_core.trained import TrainedClassifier

from .inputs import Given
from .turns import Alike, Turns

#: Characters of a text whose hidden states take much memory, 9 kB a word: one such is encoded at a time.
LONG_TEXT = 8_000


def _never() -> bool:
    return False


class Offer:
    """Classifiers by name, and the frozen encoders behind them.

    Encodings of built-in examples are kept for everybody: they are the same for everybody and hold
    nothing of anybody. Encodings of a visitor's own input are not kept here.

    Args:
        models: with distinct names.

    Raises:
        ConfigError: no models, or two of one name.
    """

    def __init__(self, models: Sequence[TrainedClassifier]) -> None:
        self.models = {model.name: model for model in models}
        if not models or len(self.models) != len(models):
            raise ConfigError(
                "The app needs at least one model, each with a name of its own; "
                f"got {', '.join(model.name for model in models) or 'none'}."
            )
        self._examples: dict[str, Encoding] = {}
        self._turns, self._long = Turns(), Turns()
        self._alike: Alike[Encoding] = Alike()
        self.stopped = _never  # whether nobody waits any more; see `until`

    def until(self, stopped: Callable[[], bool]) -> "Offer":
        """The same offer, whose encoders neither start nor go on once ``stopped`` says so."""
        bound = copy.copy(self)
        bound.stopped = stopped
        return bound

    def __getitem__(self, name: object) -> TrainedClassifier:
        if isinstance(name, str) and name in self.models:
            return self.models[name]
        raise InputError(f"There is no model {shown(name)} here; choose one of {', '.join(self.models)}.")

    def names(self, modality: Modality) -> list[str]:
        """Names of the models that take this modality, in the order given."""
        return [name for name, model in self.models.items() if model.config.modality == modality]

    @property
    def first(self) -> Modality:
        """What the first model takes."""
        return next(iter(self.models.values())).config.modality

    @property
    def modalities(self) -> list[Modality]:
        """Those with at least one model."""
        return [modality for modality in MODALITIES if self.names(modality)]

    def example(self, key: str) -> Encoding | None:
        """The encoding of a built-in example, if it was made before."""
        return self._examples.get(key)

    def encode(self, model: TrainedClassifier, given: Given, *, key: str) -> Encoding:
        """Run the model's encoder on an input.

        Raises:
            InputError: the input cannot be read or does not fit the model.
            EncoderError: the encoder is missing or another one.
            CancelledError: nobody waits for the answer any more.
        """
        if model.config.modality != given.modality:
            raise InputError(
                f"{model.name} explains {model.config.modality}, but {given.name} is {given.modality}; "
                "choose a model that fits the input."
            )
        read = given.input

        def run() -> Encoding:
            with self._turn(read) as part, stoppable(part):
                return model.backbone.encode(read)

        encoding = self._alike.once(key, run, self.stopped)
        if given.example is not None and given.change is None:
            self._examples[key] = encoding
        return encoding

    def explain_each(
        self, model: TrainedClassifier, given: Sequence[Given], *, target: str | None, scale: Scale
    ) -> list[Explanation | InputError | ShapeError]:
        """Explanations of a few inputs, encoded together; in place of one that cannot be, the error.

        Raises:
            EncoderError: the encoder is missing or another one.
            CancelledError: nobody waits for the answer any more.
        """
        inputs = [one.input for one in given]
        with self._turns.turn(self.stopped) as part, stoppable(part):
            return list(explain_each(model, inputs, target=target, scale=scale))

    @contextmanager
    def _turn(self, given: Input) -> Iterator[Callable[[], bool]]:
        """As :meth:`Turns.turn`; long texts wait for each other first."""
        is_long = isinstance(given, Text) and len(given.content) > LONG_TEXT
        with (
            self._long.turn(self.stopped) if is_long else nullcontext(),
            self._turns.turn(self.stopped) as part,
        ):
            yield part
