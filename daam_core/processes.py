"""Several processes of one command, as ``torchrun`` or ``accelerate launch`` starts them."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from daam_core.errors import DaamError

if TYPE_CHECKING:
    from accelerate import PartialState

Value = TypeVar("Value")


def count() -> int:
    """How many processes a launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that prints and writes."""
    return count() == 1 or os.environ.get("RANK", "0") == "0"


def among_processes() -> tuple[tuple[int, int], AbstractContextManager[object]]:
    """Which of how many processes this is, as a launcher of several says, and the first one's turn."""
    if count() == 1:
        return (0, 1), nullcontext()
    state = _state()
    return (state.process_index, state.num_processes), state.main_process_first()


def gathered(value: Value) -> list[Value]:
    """The values of all processes in their order; waits for all of them."""
    if count() == 1:
        return [value]
    _state()  # says how to get the package where it is missing
    from accelerate.utils import gather_object

    found: list[Value] = gather_object([value])
    return found


def own_device(device: str) -> str:
    """A graphics card of its own for each process on a machine, where one is asked for by its kind alone."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" and count() > 1 else device


def _state() -> "PartialState":
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise DaamError("Several processes need the package accelerate: pip install accelerate.") from error
    return PartialState(cpu=True)
