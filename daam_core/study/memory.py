"""How much memory a study takes while it is made, and whether that grows with the data set."""

import ctypes
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Growth:
    """Of the memory that a study took beyond what was there before.

    Attributes:
        most: MiB, at the ends of parts.
        per_thousand: MiB by which it grew with each 1,000 inputs, fitted over all parts but the first.
    """

    most: float
    per_thousand: float

    def __str__(self) -> str:
        return (
            f"{self.most:,.0f} MiB beyond the model and the list of inputs, {self.per_thousand:+.1f} MiB per "
            "1,000 inputs"
        )


def held_mib() -> float | None:
    """Memory that this process holds, mapped files left out; None where the system does not say (only
    Linux does)."""
    try:
        found = re.search(r"^RssAnon:\s*(\d+) kB", _STATUS.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


def give_back() -> None:
    """Hand freed memory back to the system, where its C library keeps it: glibc's does, in pieces, and
    inputs of ever other lengths leave ever more of them."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


def growth(before: float, after: Sequence[tuple[int, float]]) -> Growth | None:
    """From what was held before, and (inputs done, MiB held) at each part's end; None for fewer than
    three parts, which say nothing of growth.

    >>> growth(100.0, [(256, 180.0), (512, 181.0), (768, 181.0), (1024, 181.0)])
    Growth(most=81.0, per_thousand=0.0)
    """
    if len(after) < 3:
        return None
    done, held = np.array(after[1:], dtype=np.float64).T  # the first part fills buffers that stay
    slope = float(np.polyfit(done - done.mean(), held, 1)[0])
    return Growth(max(mib for _, mib in after) - before, round(1000 * slope, 2) + 0.0)
