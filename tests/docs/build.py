"""Builds the documentation: ``make docs``. A warning is an error."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def build(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Build into a folder; what was said is in ``stderr``."""
    words = ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    # The theme's advertisement would stand among the warnings.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    target = ROOT / "build" / "site"
    done = build(target)
    sys.stderr.write(done.stderr)
    if done.returncode == 0:
        print(f"Documentation: {target / 'index.html'}")
    sys.exit(done.returncode)
