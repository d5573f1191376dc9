"""Runs the view's modules without a browser, in the node that Playwright brings."""

import json
import subprocess
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

ROOT = Path(__file__).parent.parent.parent
WEB = ROOT / "daam_core" / "view" / "web"
NODE = compute_driver_executable()[0]


def run(*arguments: str, given: str = "") -> str:
    """What node prints; it is a failure where node says so."""
    ended = subprocess.run(
        [NODE, *arguments], cwd=ROOT, input=given, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def evaluate(imports: str, expression: str, data: Any) -> Any:
    """A JavaScript expression over ``data`` with some of the view's modules.

    Args:
        imports: such as ``{ Result } from result.js; * as format from format.js``.
        expression: its value is returned, through JSON.
        data: what the expression calls ``data``.
    """
    lines = []
    for line in imports.split(";"):
        names, _, path = line.strip().rpartition(" from ")
        lines.append(f"import {names} from {json.dumps((WEB / path).as_uri())};")
    lines += [
        "import { readFileSync } from 'node:fs';",
        "const data = JSON.parse(readFileSync(0, 'utf8'));",
        f"console.log(JSON.stringify({expression}));",
    ]
    return json.loads(run("--input-type=module", "-e", "\n".join(lines), given=json.dumps(data)))
