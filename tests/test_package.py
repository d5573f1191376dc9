"""What ``pip install .`` brings: declared dependencies, and a wheel with everything in its place."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock import normalised
from tests.test_imports import ROOT, requirements, third_parties

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: What is imported only by those who installed the extra.
PARTS = {
    "app": "app",
    "faithfulness": "daam_core/faithfulness",
    "study": "daam_core/study",
    "train": "daam_core/training",
}
FOR_NOTEBOOKS = (
    "daam_core/attaching/showing.py",
    "daam_core/study/notebook.py",
    "daam_core/view/notebook.py",
    "daam_core/figures/plotly_figures.py",
)
FOR_PARQUET = ("daam_core/export/parquet.py",)  # says how to get what it needs
FOR_PROCESSES = ("daam_core/processes.py",)  # likewise
FOR_ONNX = ("daam_core/bench/encoders.py",)
FOR_BROWSER = ("daam_core/bench/browser.py",)
FOR_LORA = ("daam_core/training/adapted_encoder.py",)  # likewise
BROUGHT_BY_TORCH = {"triton"}  # by its builds for CUDA alone


def declared(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {normalised(one.name): one for one in found}


def weights() -> set[str]:
    text = (ROOT / "assets" / "weights.txt").read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+==\S+)", text, re.MULTILINE))


CORE = declared(PROJECT["dependencies"])
EVERYTHING = CORE | {name: one for lines in EXTRAS.values() for name, one in declared(lines).items()}


def test_what_the_code_imports_is_what_the_package_declares():
    with_weights = {Requirement(line).name for line in weights()}
    imported_by_torch = {"onnx", "onnxscript"}  # when it writes an ONNX file
    found = third_parties("daam_core", "app") - BROUGHT_BY_TORCH
    assert found == EVERYTHING.keys() - with_weights - imported_by_torch


@pytest.mark.parametrize("extra", PARTS)
def test_an_extra_brings_what_its_part_imports(extra):
    found = third_parties(PARTS[extra], besides=(*FOR_LORA, *FOR_NOTEBOOKS)) - declared(EXTRAS["umap"]).keys()
    assert found <= CORE.keys() | declared(EXTRAS[extra]).keys()


def test_the_core_needs_no_extra():
    core = third_parties(
        "daam_core",
        besides=(*PARTS.values(), *FOR_NOTEBOOKS, *FOR_PARQUET, *FOR_PROCESSES, *FOR_ONNX, *FOR_BROWSER),
    )
    assert core - BROUGHT_BY_TORCH <= CORE.keys()


def test_the_pinned_versions_are_within_the_declared_bounds():
    pinned = {one.name: one.specifier for group in requirements().values() for one in map(Requirement, group)}
    pins = {normalised(name): next(iter(pin)).version for name, pin in pinned.items()}
    outside = [
        str(one) for name, one in EVERYTHING.items() if name in pins and pins[name] not in one.specifier
    ]
    assert outside == []


def test_the_weights_are_declared_as_they_are_pinned():
    assert weights() <= {str(one) for one in CORE.values()}


def carried() -> list[Path]:
    """The files of the repository that an installation needs, relative to its root."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = map(Path, listed.stdout.splitlines())
    data = ("about", "checkpoints", "faithfulness", "photographs", "studies", "weights.txt")
    return [
        path
        for path in paths
        if path.parts[0] in ("app", "daam_core")
        or (path.parts[0] == "assets" and path.parts[1] in data and path.suffix != ".py")
        or path.match("assets/fonts/*.ttf")
        or path.match("assets/fonts/*.LICENSE.txt")
    ]


def installed_as(path: Path) -> str:
    first = {"app": "daam_app", "assets": "daam_core/assets"}.get(path.parts[0], path.parts[0])
    return "/".join([first, *path.parts[1:]])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    # A copy of what git knows: setuptools writes into the folder it builds from.
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in [*carried(), *map(Path, ("pyproject.toml", "setup.py", "README.md", "LICENSE"))]:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes((ROOT / path).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*pip, "--wheel-dir", str(folder), str(source)], capture_output=True, text=True, timeout=280
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
class TestWheel:
    def test_it_carries_every_file_and_nothing_else(self, wheel):
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert inside == {installed_as(path) for path in carried()}

    def test_no_other_package_is_put_beside_the_two(self, wheel):
        tops = {name.split("/")[0] for name in wheel.namelist()}
        assert {top for top in tops if not top.endswith(".dist-info")} == {"daam_core", "daam_app"}

    def test_types_classifiers_and_web_modules_are_there(self, wheel):
        names = wheel.namelist()
        assert {"daam_core/py.typed", "daam_app/py.typed"} <= set(names)
        assert sum(name.endswith("model.safetensors") for name in names) == 4
        assert any(re.fullmatch(r"daam_core/view/web/.*\.js", name) for name in names)
        assert any(re.fullmatch(r"daam_app/page/static/.*\.css", name) for name in names)

    def test_its_metadata_names_commands_extras_and_licence(self, wheel):
        (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
        metadata = HeaderParser().parsestr(wheel.read(f"{info}/METADATA").decode())
        assert set(metadata.get_all("Provides-Extra")) == set(EXTRAS)
        assert metadata["License-Expression"] == "Apache-2.0"
        commands = wheel.read(f"{info}/entry_points.txt").decode()
        assert "daam = daam_core.cli.main:main" in commands
        assert "app = daam_app.__main__:main" in commands
