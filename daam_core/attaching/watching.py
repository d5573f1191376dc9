"""Density attention inside any torch module: found, watched without changing outputs, explained.

Letters: B batch, H heads, K Gaussians, C classes. An attention's own axis, along which its statistics run,
takes the place of the L layers; all other axes together that of the F features.
"""

import inspect
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import metadata
from types import TracebackType
from typing import Any, get_args

import torch
from torch import Tensor, nn

from daam_core.attaching.readings import Call, Reading, flat, reading_of
from daam_core.configuration import Labels, class_index
from daam_core.encoding import Tokens
from daam_core.errors import ConfigError, InputError, ShapeError
from daam_core.explaining import explanations_of
from daam_core.result import Explanation, Scale
from daam_core.version import __version__

#: The axis along which :class:`Prepared` tokens stand.
TOKEN_AXIS = "token"  # noqa: S105 - no password
#: Modality of an explanation whose input nothing is known about.
TENSOR = "tensor"

Arguments = Tensor | tuple[object, ...] | Mapping[str, object]


@dataclass(frozen=True)
class Prepared:
    """One input as a module takes it, and where in the input its tokens stand.

    Attributes:
        arguments: what the module is called with, as a batch of one: a tensor, a tuple of arguments, or a
            mapping of named ones.
        tokens: what stands at each position of the axis called ``token``, if one is.
        text: the text that the tokens' spans index into.
        facts: plain values about the input, for the record.
    """

    arguments: Arguments
    tokens: Tokens | None = None
    text: str | None = None
    facts: Mapping[str, object] | None = None


#: Makes a module's arguments of whatever a person gives it.
Prepare = Callable[[Any], Prepared | Arguments]
#: Finds the logits in whatever a module answers.
ToLogits = Callable[[Any], Tensor]


@dataclass(frozen=True)
class Watched:
    """An attention that was found.

    Attributes:
        name: of the module, as ``named_modules`` says it; a further call of the same one has a number
            behind it, ``name[1]``.
        kind: name of its class.
        axis_names: of its own axis, and of all others together.
        shape: ``(H, L, F)`` for the example.
    """

    name: str
    kind: str
    axis_names: tuple[str, str]
    shape: tuple[int, int, int]


#: Who explains in this thread, and the calls so far; None where nobody does.
_running: ContextVar["tuple[Attached, list[Call]] | None"] = ContextVar("running", default=None)


def attach(
    module: nn.Module,
    example: object,
    *,
    class_names: Sequence[str] | None = None,
    axes: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    prepare: Prepare | None = None,
    logits: ToLogits | None = None,
    name: str | None = None,
    labels: Labels = "one",
) -> "Attached":
    """Find the density attention inside a module and watch it; its outputs stay the same to the last bit.

    Found are :class:`~daam_core.layers.DensityAttention`,
    :class:`~daam_core.blocks.DensityMultiheadAttention`, and those of the package
    gaussian-adaptive-attention, also inside its ``GaussianBlock``.

    Args:
        module: the model.
        example: an input; the module runs on it once.
        class_names: C names; by default the classes' numbers.
        axes: what the axes after the batch's are called in what an attention is given, such as
            ``("token", "feature")``; for all attentions, or by an attention's name. Tokens stand along the
            one called ``token``.
        prepare: from an input to what the module is called with; by default the input is that.
        logits: from what the module returns to logits ``[1, C]``; by default it is a tensor, has one called
            ``logits``, or is a tuple that begins with it.
        name: of the model; by default its class's.
        labels: ``several`` where the logits are of sigmoids, one for each class, and not of a softmax.

    Raises:
        ConfigError: no density attention was called, or names that do not fit.
        ShapeError: the module does not give logits of one input.

    >>> import torch
    >>> from daam_core.blocks import DensityEncoderLayer
    >>> layers = [DensityEncoderLayer(8, 2, 16), torch.nn.Flatten(), torch.nn.Linear(40, 3)]
    >>> with attach(torch.nn.Sequential(*layers), torch.randn(1, 5, 8)) as attached:
    ...     (explanation,) = attached.explain(torch.randn(1, 5, 8)).values()
    >>> explanation.shape
    (2, 5, 8)
    """
    return Attached(
        module,
        example,
        class_names=class_names,
        axes=axes,
        prepare=prepare,
        logits=logits,
        name=name,
        labels=labels,
    )


class Attached:
    """A module whose density attention is watched; a context manager that leaves it as it was.

    Attributes:
        name: of the model.
        class_names: C names.
        attentions: what was found, in the order in which the module calls it.
        labels: whether it decides for one class or for each of several labels.
    """

    def __init__(
        self,
        module: nn.Module,
        example: object,
        *,
        class_names: Sequence[str] | None,
        axes: Sequence[str] | Mapping[str, Sequence[str]] | None,
        prepare: Prepare | None,
        logits: ToLogits | None,
        name: str | None,
        labels: Labels,
    ) -> None:
        if labels not in get_args(Labels):
            raise ConfigError(f"labels must be one of {', '.join(get_args(Labels))}, got {labels!r}.")
        self.name = name or type(module).__name__
        self.labels: Labels = labels
        self._module, self._prepare, self._logits, self._axes = module, prepare, logits, axes
        found = dict(_attentions(module))
        if not found:
            raise ConfigError(
                f"{self.name} has no density attention inside: none of DensityAttention, "
                "DensityMultiheadAttention, or those of gaussian-adaptive-attention."
            )
        if isinstance(axes, Mapping) and (unknown := sorted(set(axes) - set(found))):
            raise ConfigError(
                f"axes names {', '.join(map(repr, unknown))}; the attentions are "
                f"{', '.join(map(repr, found))}."
            )
        # Of ours the start is known; of others what they were like when they were attached.
        self._readings = found
        self._starts = {name: reading.start() for name, reading in found.items()}
        self._handles = [
            module.get_submodule(name).register_forward_hook(_watch(self, name), with_kwargs=True)
            for name in found
        ]
        try:
            prepared = self._prepared(example)
            calls, given_logits = self._run(prepared)
            self.class_names = self._checked_names(class_names, given_logits)
            if not calls:
                raise ConfigError(
                    f"{self.name} called none of its attentions ({', '.join(found)}) on the example."
                )
            self.attentions = tuple(
                Watched(key, type(call.module).__name__, self._axis_names(call), self._shape(call))
                for key, call in _numbered(calls)
            )
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> "Attached":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Watch no longer: the module is what it was."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def explain(
        self, given: object, *, target: str | int | None = None, scale: Scale = "all_heads"
    ) -> dict[str, Explanation]:
        """Why the module decides as it does on one input, an explanation by each attention's name.

        The module runs in evaluation mode, and is in its own mode afterwards.

        Args:
            given: what ``prepare`` takes; without it, what the module is called with.
            target: class that gradients are about; the predicted one by default.
            scale: what the Importance Factor's minimum and maximum are taken over.

        Raises:
            InputError: there is no such class, tokens that do not fit an axis, or an attention that gave NaN.
            ConfigError: it is attached no longer.
            ShapeError: the module does not give logits ``[1, C]``.
        """
        index = class_index(self.class_names, target)
        prepared = self._prepared(given)
        calls, logits = self._run(prepared)
        for key, call in _numbered(calls):
            self._check_finite(key, call)
        explained = int(logits.argmax()) if index is None else index
        if not logits.requires_grad:
            raise ConfigError(
                f"The logits of {self.name} do not depend on its attention in a way that torch can "
                "differentiate; is it called within torch.no_grad() there, or are they turned into numbers?"
            )
        with torch.enable_grad():  # whatever the caller does
            asked = logits[0, explained]
        outputs = [call.output for call in calls]
        gradients = torch.autograd.grad(asked, outputs, allow_unused=True, materialize_grads=True)
        found = {}
        with torch.no_grad():
            for (name, call), gradient in zip(_numbered(calls), gradients, strict=True):
                found[name] = self._explanation(name, call, gradient, logits, explained, scale, prepared)
        return found

    def title_of(self, attention: str) -> str:
        """What an explanation of one of the attentions calls its model."""
        return f"{self.name}: {attention}" if attention else self.name

    def _prepared(self, given: Any) -> Prepared:
        made = given if self._prepare is None else self._prepare(given)
        return made if isinstance(made, Prepared) else Prepared(made)

    def _run(self, prepared: Prepared) -> tuple[list[Call], Tensor]:
        """Every call of an attention, and logits ``[1, C]``, with gradients."""
        if not self._handles:
            raise ConfigError(f"{self.name} is attached no longer; attach it again.")
        arguments = prepared.arguments
        calls: list[Call] = []
        mark = _running.set((self, calls))
        try:
            with _evaluating(self._module), torch.enable_grad():
                if isinstance(arguments, Mapping):
                    made = self._module(**arguments)
                else:
                    made = self._module(*(arguments if isinstance(arguments, tuple) else (arguments,)))
                logits = _logits_of(made) if self._logits is None else self._logits(made)
        finally:
            _running.reset(mark)
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != 1 or logits.shape[1] < 2:
            got = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ShapeError(
                f"An explanation needs the logits [1, C] of one input, C ≥ 2, but {self.name} gave {got}; "
                "give a batch of one, and logits=…, a function of what the module returns, if that is more."
            )
        return calls, logits

    def _checked_names(self, names: Sequence[str] | None, logits: Tensor) -> tuple[str, ...]:
        count = logits.shape[1]
        given = tuple(map(str, range(count))) if names is None else tuple(names)
        if len(given) != count or len(set(given)) != count:
            raise ConfigError(
                f"{self.name} decides between {count} classes; class_names must be as many distinct names, "
                f"got {len(set(given))}."
            )
        return given

    def _axis_names(self, call: Call) -> tuple[str, str]:
        """What an attention's own axis is called, and all others together."""
        reading = self._readings[call.name]
        x, own = reading.x(call), reading.axis() % reading.x(call).ndim
        after = tuple(f"axis {place}" for place in range(1, x.ndim - 1)) if x.ndim > 3 else ("position",)
        names = self._axes.get(call.name) if isinstance(self._axes, Mapping) else self._axes
        names = (*after[: x.ndim - 2], "feature") if names is None else tuple(names)
        if len(names) != x.ndim - 1:
            raise ConfigError(
                f"The attention {call.name!r} takes {list(x.shape)}: axes must name the {x.ndim - 1} after "
                f"the batch's, got {len(names)} ({', '.join(names)})."
            )
        if len(set(names)) != len(names):
            raise ConfigError(f"The names of axes must differ, got {', '.join(names)}.")
        others = [name for place, name in enumerate(names, start=1) if place != own]
        return ("batch", *names)[own], " and ".join(others) or "value"

    def _shape(self, call: Call) -> tuple[int, int, int]:
        reading = self._readings[call.name]
        rows, columns = flat(reading.x(call), reading.axis()).shape
        return len(reading.parameters()[0]), rows, columns

    def _check_finite(self, name: str, call: Call) -> None:
        """Refuse an attention that made NaN of numbers, where it did: what follows from them says nothing."""
        reading = self._readings[call.name]
        if bool(call.output.isfinite().all()) or not bool(reading.x(call).isfinite().all()):
            return
        heads, positions, _ = self._shape(call)
        if reading.gate_kind == "mixture" and reading.fewest(call) < 2:
            raise InputError(
                f"The attention {name!r} gave NaN: {positions} positions along its axis "
                f"{self._axis_names(call)[0]!r} are divided among {heads} heads, and a head needs at least "
                f"two, since one has no variance; give an input of at least {2 * heads}."
            )
        raise InputError(
            f"The attention {name!r} gave NaN or infinity, though what it was given holds none; look at its "
            "parameters."
        )

    def _explanation(
        self,
        name: str,
        call: Call,
        of_output: Tensor,
        logits: Tensor,
        explained: int,
        scale: Scale,
        prepared: Prepared,
    ) -> Explanation:
        reading = self._readings[call.name]
        read = reading.read(call, of_output)
        density = read.amplitude[..., None] * read.gate
        shares = read.gradient * density * read.values  # [H, L, F]
        axis_names = self._axis_names(call)
        tokens = prepared.tokens if TOKEN_AXIS in axis_names else None
        by_token = shares.sum(2 if axis_names[0] == TOKEN_AXIS else 1)  # [H, T]
        if tokens is None:
            by_token = shares.new_zeros(len(shares), 0)
        elif by_token.shape[1] != len(tokens):
            raise InputError(
                f"The attention {name!r} has {by_token.shape[1]} positions along its axis "
                f"{TOKEN_AXIS!r}, but the input has {len(tokens)} tokens."
            )
        parameters = (*reading.parameters(), *self._starts[call.name])
        offsets, scales, first_offsets, first_scales = (reading.by_cell(one, call) for one in parameters)
        (made,) = explanations_of(
            model=self.title_of(name),
            modality=TENSOR if tokens is None else tokens.modality,
            mode="shared" if bool(read.head_rows.all()) else "layer_groups",
            gate_kind=reading.gate_kind,
            class_names=self.class_names,
            labels=self.labels,
            logits=logits,
            explained=[explained],
            values=read.values[None],
            pooled=read.values[None],
            head_layers=read.head_rows,
            n_levels=reading.n_levels,
            residual_shares=[read.residual_share],
            gate=read.gate[None],
            amplitude=read.amplitude,
            density_attention=density[None],
            scale=scale,
            gradient=read.gradient[None],
            parameters=(offsets, scales, first_offsets, first_scales),
            statistics=(read.mean[None], read.variance[None]),
            tokens=[tokens],
            by_token=[by_token],
            texts=[prepared.text if tokens is not None else None],
            provenance=[
                {
                    "tool": f"daam-explorer {__version__}",
                    "model": self.name,
                    "attention": name,
                    "attention_class": f"{type(call.module).__module__}.{type(call.module).__qualname__}",
                    "axis_lengths": list(reading.x(call).shape),
                    "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
                    "input": dict(prepared.facts or {}),
                }
            ],
            axis_names=axis_names,
        )
        return made


def _attentions(module: nn.Module) -> Iterator[tuple[str, Reading]]:
    """Every density attention by its name; not the heads inside of one."""
    inside: set[nn.Module] = set()
    for name, part in module.named_modules():
        if part not in inside and (reading := reading_of(part)) is not None:
            inside.update(part.modules())
            yield name, reading


def _watch(watcher: Attached, name: str) -> Callable[..., object]:
    """A hook that notes a call while its watcher explains."""

    def hook(module: nn.Module, given: tuple[object, ...], named: dict[str, object], made: Any) -> object:
        running = _running.get()
        if running is None or running[0] is not watcher:
            return None
        output, *rest = made if isinstance(made, tuple) else (made,)
        if not output.requires_grad:  # frozen parameters, numbers of words: a graph begins here
            output.requires_grad_(True)
        bound = inspect.signature(module.forward).bind(*given, **named)
        running[1].append(Call(name, module, bound.arguments, output))
        # A copy goes on, the same to the last bit: the model may change it in place.
        going_on = output.clone()
        return (going_on, *rest) if isinstance(made, tuple) else going_on

    return hook


def _numbered(calls: Sequence[Call]) -> list[tuple[str, Call]]:
    """Calls by their module's name, further ones of the same module with a number."""
    times: dict[str, int] = {}
    named = []
    for call in calls:
        before = times.get(call.name, 0)
        named.append((f"{call.name}[{before}]" if before else call.name, call))
        times[call.name] = before + 1
    return named


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    training = [part for part in module.modules() if part.training]
    if training:
        module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _logits_of(made: object) -> object:
    if isinstance(made, Mapping) and "logits" in made:
        return made["logits"]
    if hasattr(made, "logits"):
        return made.logits
    return made[0] if isinstance(made, tuple) else made
