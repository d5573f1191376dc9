"""Where a Chromium is on this machine; tests ask it before all is installed."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

#: Chromium without a window of its own: the same engine, and it takes a quarter less time.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
HOW_TO_GET_IT = (
    "install it (Debian: apt install chromium; elsewhere: Chromium or Google Chrome), or name one with the "
    "environment variable CHROMIUM=/path/to/it."
)


@cache
def find_chromium() -> str | None:
    """Path of a Chromium that starts, or None. ``$CHROMIUM`` comes first."""
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in NAMES)
    candidates = [named] if named else [*found, *map(str, MAC_APPLICATIONS)]
    return next((path for path in candidates if path and _starts(path)), None)


def _starts(path: str) -> bool:
    # Ubuntu's /usr/bin/chromium-browser may be a stub that only asks for a snap.
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
