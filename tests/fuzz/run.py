"""Mutated files, arguments and checkpoints for as long as you like: ``make fuzz``.

    python -m tests.fuzz.run --minutes 10 --out build/fuzz.json

Each target has the same time. What is found is made small by hypothesis and printed with what reproduces it.
The endpoints' description (OpenAPI) is tried by schemathesis on a running server, in a share of the time.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.app.server.running import start, stop
from tests.fuzz.openapi import try_openapi
from tests.fuzz.targets import TARGETS, DefectError, Target, Tried

EXAMPLES = 200  # of one seed; a defect ends a seed, and the next begins
MOST_DEFECTS = 20


def fuzz(
    target: Target, *, seconds: float | None = None, examples: int | None = None, first_seed: int = 0
) -> Tried:
    """Try one target for some seconds, or some examples."""
    tried = Tried(Counter(), Counter(), [])
    number, until = first_seed, time.monotonic() + (seconds or 0)
    while True:
        _one_seed(target, tried, number, examples or EXAMPLES)
        number += 1
        if seconds is None or time.monotonic() > until or len(tried.defects) >= MOST_DEFECTS:
            return tried


def _one_seed(target: Target, tried: Tried, number: int, examples: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        name, taken = target.one(data)
        (tried.taken if taken else tried.refused)[name] += 1

    try:
        attempt()
    except DefectError as error:
        tried.defects.append(f"seed {number}: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz.json"))
    options = parser.parse_args()
    share = options.minutes * 60 / (len(TARGETS) + 1)
    found, defects = {}, 0
    for target in TARGETS:
        tried = fuzz(target, seconds=share, first_seed=options.seed)
        taken, refused = tried.taken.total(), tried.refused.total()
        kinds = len(tried.taken | tried.refused)
        counts = f"{taken + refused:,} tried, of {kinds} kinds; {taken:,} taken, {refused:,} refused"
        print(f"{target.name}: {counts}; {len(tried.defects)} defects", flush=True)
        for defect in tried.defects:
            print(f"  DEFECT {defect[:1500]}", flush=True)
        found[target.name] = {"taken": tried.taken, "refused": tried.refused, "defects": tried.defects}
        defects += len(tried.defects)
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder), "--model", "speech-emotion", "--model", "image-object")
        try:
            tried_calls = try_openapi(server, seconds=share, first_seed=options.seed)
        finally:
            stop(server)
    print(tried_calls.said, flush=True)
    found["OpenAPI"] = vars(tried_calls)
    defects += not tried_calls.right
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"most memory that this process held: {memory:,.0f} MB")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"minutes": options.minutes, "memory_mb": memory, **found}))
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
