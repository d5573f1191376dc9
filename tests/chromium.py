"""Finds Chromium for the browser tests and, where that is possible unasked, installs it.

``python -m tests.chromium`` prepares a machine: it installs Debian's package when apt-get is there and
may be used, and otherwise says in one sentence how to get a browser; the browser tests then skip.
"""

import os
import shutil
import subprocess
import sys
import time

from daam_core.bench.chromium import HOW_TO_GET_IT as ADVICE
from daam_core.bench.chromium import SHELL, find_chromium

HOW_TO_GET_IT = f"No Chromium found, so the browser tests are skipped: {ADVICE}"
APT_TRIES = 3


def _apt_get() -> list[str] | None:
    """apt-get as it may be run here without a password, or None."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    return None


def install_chromium() -> bool:
    """Installs Debian's package; the list of packages is fetched first. False if it did not work."""
    apt_get = _apt_get()
    if apt_get is None:
        return False
    options = ["-q", "-y", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"]

    def apt(*words: str) -> bool:
        return subprocess.run([*apt_get, *options, *words], stdin=subprocess.DEVNULL).returncode == 0

    for attempt in range(APT_TRIES):
        time.sleep(10 * attempt)
        # Not every distribution has the shell as a package of its own.
        if apt("update") and any(
            apt("install", "--no-install-recommends", name, "fonts-dejavu-core")
            for name in (SHELL, "chromium")
        ):
            find_chromium.cache_clear()
            return True
    return False


if __name__ == "__main__":
    if find_chromium() is None or (os.environ.get("CI") and shutil.which(SHELL) is None):
        print("== Installing Chromium for the browser tests", flush=True)
        install_chromium()
    print(f"== Browser tests use {find_chromium()}" if find_chromium() else HOW_TO_GET_IT, file=sys.stderr)
