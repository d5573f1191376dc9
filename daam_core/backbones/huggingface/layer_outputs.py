"""Hidden states taken out of a model one by one, while it runs, so that no two need be held at once."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Reduce = Callable[[Tensor], Tensor]


class LayerOutputs:
    """Where in a transformers model its hidden states come from.

    Found out on one input: each state that the model returns is looked for among the outputs of its
    modules. A module that is run several times, as ALBERT's layer is, is told apart by the count. Where a
    state comes from no module, all of them are taken from what the model returns, and held for that time.
    """

    def __init__(self, model: nn.Module, inputs: Mapping[str, Tensor]) -> None:
        self._model = model
        self._running = threading.local()
        with torch.no_grad():
            states: list[Tensor] = list(model(**inputs, output_hidden_states=True).hidden_states[1:])
            self._places = _found(model, inputs, states)
        self._count = len(states)
        if self._streams:
            modules = dict(model.named_modules())
            for name in {name for name, _ in self._places}:
                modules[name].register_forward_hook(self._hook(name))

    @property
    def _streams(self) -> bool:
        return len(self._places) == self._count

    def reduced(self, reduce: Reduce, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """What ``reduce`` makes of each layer's state, in their order; layers are not kept."""
        if not self._streams:
            output = self._model(**inputs, output_hidden_states=True)
            return [reduce(state) for state in output.hidden_states[1:]]
        self._running.job = _Job(reduce, Counter(), {})
        try:
            self._model(**inputs)
            found: dict[int, Tensor] = self._running.job.found
        finally:
            self._running.job = None
        return [found[number] for number in range(self._count)]

    def _hook(self, name: str) -> Callable[..., None]:
        def take(_module: nn.Module, _inputs: object, output: object) -> None:
            job: _Job | None = getattr(self._running, "job", None)
            if job is None:  # another use of the model
                return
            call = job.calls[name]
            job.calls[name] += 1
            number = self._places.get((name, call))
            state = _tensor(output)
            if number is not None and state is not None:
                job.found[number] = job.reduce(state)

        return take


class _Job:
    """One run of the model in one thread."""

    def __init__(self, reduce: Reduce, calls: Counter[str], found: dict[int, Tensor]) -> None:
        self.reduce, self.calls, self.found = reduce, calls, found


def _found(
    model: nn.Module, inputs: Mapping[str, Tensor], states: list[Tensor]
) -> dict[tuple[str, int], int]:
    """The number of the state that a module's n-th output is, by the module's name and n."""
    places: dict[tuple[str, int], int] = {}
    calls: Counter[str] = Counter()

    def look(name: str) -> Callable[..., None]:
        def compare(_module: nn.Module, _inputs: object, output: object) -> None:
            call = calls[name]
            calls[name] += 1
            state = _tensor(output)
            missing = set(range(len(states))) - set(places.values())
            for number in sorted(missing):
                same = state is not None and state.shape == states[number].shape
                if same and torch.equal(state, states[number]):  # type: ignore[arg-type]
                    places[name, call] = number
                    return

        return compare

    hooks = [module.register_forward_hook(look(name)) for name, module in model.named_modules() if name]
    try:
        model(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return places


def _tensor(output: object) -> Tensor | None:
    first = output[0] if isinstance(output, tuple) and output else output
    return first if isinstance(first, Tensor) else None
