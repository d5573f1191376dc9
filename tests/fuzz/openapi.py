"""The server's own description of its endpoints (OpenAPI), tried by schemathesis."""

import re
import subprocess
import sys
from dataclasses import dataclass

from tests.app.server.running import Running

#: What schemathesis holds every answer against. The rest of its checks asks of a description things that
#: Gradio's does not say, such as which statuses and types an address may answer with.
CHECKS = "not_a_server_error"


@dataclass(frozen=True)
class TriedCalls:
    """What came of it: schemathesis' own words, and how many calls it made."""

    right: bool
    calls: int
    said: str


def try_openapi(
    server: Running, *, seconds: float, examples: int | None = None, first_seed: int = 0
) -> TriedCalls:
    """Calls of every documented address with right and wrong values."""
    place = f"http://127.0.0.1:{server.port}"
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{place}/gradio_api/openapi.json",
        "--url",
        place,
        "--checks",
        CHECKS,
        "--max-time",
        str(max(1, round(seconds))),
        "--seed",
        str(first_seed),
        "--request-timeout",
        "120",
        "--phases",
        "examples,coverage,fuzzing",
        "--suppress-health-check",
        "all",
        "--warnings",
        "off",
        "--continue-on-failure",
        "--no-color",
    ]
    if examples is not None:
        command += ["--max-examples", str(examples)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 300, check=False)
    calls = re.search(r"Test cases:\n\s+([\d,]+)", done.stdout)
    log = server.log.read_text(errors="replace")
    said = f"OpenAPI: {done.stdout[-1500:]}{done.stderr[-500:]}"
    if "Traceback" in log:
        said += f"\nA defect in the log: {log[log.index('Traceback') :][:2000]}"
    count = int(calls[1].replace(",", "")) if calls else 0
    return TriedCalls(done.returncode == 0 and "Traceback" not in log, count, said)
