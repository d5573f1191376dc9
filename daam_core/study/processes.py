"""Several processes of one study, as ``torchrun`` or ``accelerate launch`` starts them."""

import os
from contextlib import AbstractContextManager, nullcontext

from daam_core.errors import DaamError


def among_processes() -> tuple[tuple[int, int], AbstractContextManager[object]]:
    """Which of how many processes this is, as a launcher of several says, and the first one's turn."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return (0, 1), nullcontext()
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise DaamError("Several processes need the package accelerate: pip install accelerate.") from error
    state = PartialState(cpu=True)
    return (state.process_index, state.num_processes), state.main_process_first()
