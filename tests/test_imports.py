"""Which module may import which, and that importing costs little and does nothing.

The table is the architecture. A new module needs a line in it; so does a new dependency.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock import PINNED, normalised, written

ROOT = Path(__file__).parent.parent
PACKAGES = ("daam_core", "app")


@dataclass(frozen=True)
class Allowed:
    """What a module may import besides the standard library, ``errors`` and its own package."""

    ours: frozenset[str] = frozenset()
    theirs: frozenset[str] = field(default=frozenset())


def allow(ours: str = "", theirs: str = "") -> Allowed:
    return Allowed(frozenset(ours.split()), frozenset(theirs.split()))


# Rooms and modules, from the ground up: none imports what stands below it. Names are relative to
# daam_core, those of the page begin with `app`.
TABLE = {
    "errors": allow(),
    "plain": allow(),
    "version": allow(),
    "shipped": allow(),
    "progress": allow(),
    "processes": allow("", "accelerate"),
    "writing": allow("", "jinja2"),
    "result": allow("", "numpy"),
    "floors": allow(),
    "gating": allow("floors", "torch"),
    "importance": allow("gating", "torch"),
    "grouped_query": allow("", "torch"),
    "inputs": allow("", "PIL av librosa numpy pillow_heif soundfile soxr"),
    "configuration": allow("inputs", "numpy"),
    "locating": allow("shipped configuration", "huggingface_hub"),
    "encoding": allow("inputs", "numpy torch"),
    "kernels": allow("floors gating", "llvmlite numba numpy torch triton"),
    "layers": allow("gating configuration kernels", "torch"),
    "levels": allow("gating configuration layers", "torch"),
    "blocks": allow("gating configuration layers", "torch"),
    "density_decoder": allow("gating", "torch"),
    "model": allow("importance grouped_query configuration layers levels density_decoder", "torch"),
    "dataset_mean": allow("result importance model", "torch"),
    "backbones": allow(
        "progress writing inputs encoding",
        "PIL filelock huggingface_hub lazy_loader numpy platformdirs safetensors timm "
        "tokenizers torch transformers",
    ),
    "reading": allow("result floors", "numpy"),
    "figures": allow("shipped result inputs reading", "matplotlib numpy plotly"),
    "view": allow("version result inputs reading", "PIL anywidget librosa numpy soundfile traitlets"),
    "export": allow("writing result inputs reading figures view", "numpy pyarrow"),
    "outside": allow("result", "numpy"),
    "checkpoint": allow(
        "writing result configuration locating model dataset_mean outside", "safetensors torch"
    ),
    "trained": allow(
        "writing result configuration locating model backbones outside checkpoint", "huggingface_hub torch"
    ),
    "explaining": allow(
        "version result importance inputs configuration encoding layers model outside trained", "numpy torch"
    ),
    "published": allow("layers levels", "torch"),
    "attaching": allow(
        "version result gating configuration encoding layers blocks view explaining published",
        "anywidget torch",
    ),
    "explaining_many": allow("result inputs configuration encoding trained explaining"),
    "training": allow(
        "version processes writing result gating importance grouped_query inputs "
        "configuration encoding layers density_decoder model dataset_mean backbones "
        "reading figures outside trained explaining",
        "PIL huggingface_hub numpy peft pyarrow safetensors sklearn torch tqdm",
    ),
    "faithfulness": allow(
        "shipped progress writing result gating inputs configuration encoding layers "
        "density_decoder model backbones reading trained explaining training",
        "captum matplotlib numpy quantus scipy skimage torch",
    ),
    "study": allow(
        "version shipped writing result inputs backbones reading view trained explaining_many training",
        "anywidget filelock numpy pandas pyarrow sklearn torch traitlets umap",
    ),
    "bench": allow(
        "progress result inputs configuration locating encoding kernels layers model dataset_mean "
        "backbones view trained explaining explaining_many training study",
        "PIL numpy onnxruntime playwright torch",
    ),
    "benchmark": allow(
        "version progress writing inputs configuration encoding backbones reading figures trained training "
        "faithfulness",
        "PIL matplotlib numpy safetensors scipy torch",
    ),
    "cli": allow(
        "version progress processes writing result inputs configuration locating "
        "backbones reading figures export outside checkpoint trained explaining "
        "explaining_many training faithfulness study bench benchmark",
        "huggingface_hub numpy tqdm",
    ),
    "__main__": allow("cli"),
    "": allow(
        "version result importance configuration locating model trained explaining attaching explaining_many",
        "lazy_loader",
    ),
    "app.server": allow("view trained", "fastapi gradio gradio_client httpx starlette uvicorn"),
    "app.visit": allow(
        "shipped progress result inputs configuration encoding reading figures view "
        "export trained explaining attaching explaining_many faithfulness study "
        "app.server",
        "numpy plotly",
    ),
    "app.page": allow("result inputs reading view trained faithfulness app.server app.visit", "gradio numpy"),
    "app.api": allow("result inputs reading export app.server app.visit app.page", "gradio"),
    "app.serving": allow("inputs app.server"),
    "app.studies": allow("app.visit app.page", "starlette"),
    "app.main": allow(
        "kernels trained app.server app.visit app.page app.api app.serving app.studies", "gradio starlette"
    ),
    "app.opening": allow("inputs trained attaching app.server app.visit app.serving app.main"),
    "app": allow("app.serving app.opening", "lazy_loader"),
    "app.__main__": allow("locating backbones trained app.server app.visit app.serving app.main"),
}
HEAVY = set("gradio transformers librosa numba plotly matplotlib sklearn pandas captum quantus".split())


def modules() -> list[str]:
    """Dotted names of every module that exists, such as ``daam_core.backbones.text``."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [_dotted(path.relative_to(ROOT)) for path in paths]


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _source(module: str) -> tuple[str, bool]:
    """Its text, with that of the stub from which a package imports lazily, and whether it is a package."""
    path = ROOT.joinpath(*module.split("."))
    package = path.is_dir()
    files = sorted(path.glob("__init__.py*")) if package else [path.with_suffix(".py")]
    return "\n".join(file.read_text("utf-8") for file in files), package


def imported(source: str, module: str, *, package: bool) -> Iterator[str]:
    """Every module that a source text imports, at any depth, by any of Python's ways."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            anchor = parts[: len(parts) - node.level + package] if node.level else []
            base = ".".join([*anchor, *filter(None, [node.module])])
            # `from daam_core import cli` imports a module, `from daam_core.cli import main` a name.
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            target = node.args[0]
            if name in ("import_module", "__import__") and isinstance(target, ast.Constant):
                yield str(target.value)


def unit(module: str) -> str | None:
    """The table's name for one of our modules, its room; None where the table has none."""
    top, *rest = module.split(".")
    room = ".".join(["app", *rest[:1]]) if top == "app" else "".join(rest[:1])
    return room if room in TABLE or room == "app" else None


def _exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _module_of(name: str) -> str:
    """The module that an imported name of ours is in, or is."""
    while "." in name and not _exists(name) and unit(name) is None:
        name = name.rpartition(".")[0]
    return name


def needs(source: str, module: str, *, package: bool = False) -> Iterator[tuple[str, str]]:
    """What a module needs permission for: (``ours`` or ``theirs``, the room or package)."""
    own = unit(module)
    for name in imported(source, module, package=package):
        top = name.split(".")[0]
        if top not in PACKAGES:
            if top not in sys.stdlib_module_names:
                yield "theirs", top
            continue
        target = _module_of(name)
        other = unit(target)
        # A module without a line of its own counts as itself, so it is never let through.
        if other not in (own, "errors", "plain", "app"):
            yield "ours", target if other is None else other


def violations(source: str, module: str, *, package: bool = False) -> list[str]:
    """One sentence for each import that the table does not allow."""
    own = unit(module)
    if own is None:
        return [f"{module} is new: give it a line in the table of tests/test_imports.py."]
    allowed = TABLE.get(own, allow())
    return [
        f"{module} imports {name}; allowed: {sorted(getattr(allowed, kind))}."
        for kind, name in needs(source, module, package=package)
        if name not in getattr(allowed, kind)
    ]


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_the_table_allows(module):
    source, package = _source(module)
    assert violations(source, module, package=package) == []


def test_the_table_holds_exactly_what_is_used():
    used: dict[str, set[tuple[str, str]]] = {}
    for module in modules():
        source, package = _source(module)
        used.setdefault(str(unit(module)), set()).update(needs(source, module, package=package))
    unused = {
        f"{room} → {name}"
        for room, allowed in TABLE.items()
        for kind in ("ours", "theirs")
        for name in getattr(allowed, kind)
        if (kind, name) not in used.get(room, set())
    }
    assert unused == set()


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("daam_core.gating", "import numpy", "daam_core.gating imports numpy"),
        ("daam_core.gating", "def f():\n    from daam_core.layers import x", "imports layers"),
        ("daam_core.result", "if TYPE_CHECKING:\n    import torch", "imports torch"),
        ("daam_core.result", "from . import model", "imports model"),
        ("daam_core.figures.maps", "from ..explaining import explain", "imports explaining"),
        ("daam_core.figures.maps", "import gradio.blocks", "imports gradio"),
        ("daam_core.explaining", "importlib.import_module('gradio')", "imports gradio"),
        ("daam_core.explaining", "from app import main", "imports app.main"),
        ("daam_core.explaining", "import daam_core.cli", "imports cli"),
        ("app.visit.actions", "from daam_core.training.fitting import fit", "imports training"),
        ("app.visit.actions", "from app.page import html", "imports app.page"),
        ("app.server.upkeep", "from daam_core import model", "imports model"),
        ("daam_core.novelty", "", "daam_core.novelty is new"),
    ],
)
def test_a_forbidden_import_is_found(module, source, said):
    (sentence,) = violations(source, module)
    assert said in sentence


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "daam_core.gating",
            "import math\nimport torch.nn.functional\nfrom daam_core.errors import ShapeError",
        ),
        ("daam_core.backbones.text", "from .base import Backbone\nfrom ..encoding import Encoding"),
        ("daam_core.figures.maps", "from daam_core.reading.quantities import top_cells"),
        (
            "app.main",
            "import gradio as gr\nfrom app.page import wiring\nfrom daam_core.trained import load_model",
        ),
    ],
)
def test_an_allowed_import_is_let_through(module, source):
    assert violations(source, module) == []


def test_the_table_stands_from_the_ground_up():
    order = list(TABLE)
    upwards = [
        f"{room} → {other}"
        for room, allowed in TABLE.items()
        for other in allowed.ours
        if order.index(other) >= order.index(room)
    ]
    assert upwards == []


def requirements() -> dict[str, list[str]]:
    """Lines of requirements.txt by heading: ``Runtime``, ``Tests and checks``, and what each brought in."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in written((ROOT / "requirements.txt").read_text("utf-8")):
        if line.startswith("# === "):
            heading = line.split("===")[1].strip()
        elif line.startswith("# --- "):
            heading += ", brought in"
        elif line and not line.startswith("#"):
            found.setdefault(heading, []).append(line)
    apart = (ROOT / "assets" / "torch.txt").read_text("utf-8").splitlines()
    found["Runtime"] += [line for line in apart if not line.startswith("#")]
    return found


def _names(lines: list[str]) -> set[str]:
    return {normalised(re.split(r"[\[=]", line)[0]) for line in lines}


def third_parties(*folders: str, besides: tuple[str, ...] = ()) -> set[str]:
    """Normalised names of the packages that the code under some folders imports, besides some of it."""
    found: set[str] = set()
    left_out = [ROOT / name for name in besides]
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        if any(path.is_relative_to(other) for other in left_out):
            continue
        names = imported(path.read_text("utf-8"), _dotted(path.relative_to(ROOT)), package=False)
        found |= {name.split(".")[0] for name in names}
    owners = packages_distributions()
    return {normalised(owners[name][0]) for name in found - set(sys.stdlib_module_names) if name in owners}


def test_every_requirement_is_one_exact_version():
    lines = [line for group in requirements().values() for line in group]
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    assert len(_names(lines)) == len(lines)


def test_every_requirement_has_its_hashes():
    text = (ROOT / "requirements.txt").read_text("utf-8")
    bare = re.findall(r"^([A-Za-z0-9][^\\\n]*)$", text, re.MULTILINE)
    assert bare == [], "packages without hashes: run `make lock` (python -m tests.lock)"


def test_what_a_requirement_needs_is_a_requirement_too():
    """Each is installed with --no-deps, so whatever it asks for on this machine has a line of its own."""
    replaced = {"opencv-python"}  # the headless module stands in for it
    listed = [Requirement(line) for group in requirements().values() for line in group]
    versions = {normalised(one.name): next(iter(one.specifier)).version for one in listed}
    missing = []
    for one in listed:
        if one.marker is not None and not one.marker.evaluate():
            continue
        for text in requires(one.name) or []:
            asked = Requirement(text)
            wanted = asked.marker is None or any(
                asked.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)
            )
            name = normalised(asked.name)
            if (
                wanted
                and name not in replaced
                and versions.get(name) not in (asked.specifier if name in versions else ())
            ):
                missing.append(f"{one.name} asks for {asked}, pinned: {versions.get(name)}")
    assert missing == []


def test_what_the_code_imports_is_what_the_requirements_name():
    groups = requirements()
    only_for_quantus = {"opencv-python-headless"}
    brought_by_torch = {"triton"}  # by its builds for CUDA alone
    with_a_browser = {"playwright"}  # among what the tests need: `daam bench view`, if there is a Chromium
    found = third_parties(*PACKAGES) - brought_by_torch - with_a_browser
    assert found == _names(groups["Runtime"]) - only_for_quantus
    everything = _names([line for group in groups.values() for line in group])
    assert third_parties("tests") - {"daam-explorer"} <= everything


def _python(code: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


LIGHT = ("daam_core", "daam_core.backbones", "daam_core.figures", "daam_core.export", "daam_core.cli")


def test_importing_the_library_is_light():
    code = f"import sys, {', '.join(LIGHT)}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    assert sorted(HEAVY & set(_python(code).split())) == []


def test_help_does_not_wait_for_torch():
    code = (
        "from daam_core.cli.main import main; main(['--help']); print('torch' in __import__('sys').modules)"
    )
    assert _python(code).splitlines()[-1] == "False"


TRAIN = "train d --modality text --backbone minilm-l6 --out new"
COMPARE = "compare d --modality text --backbone minilm-l6"
#: Wrong commands, and a part of what each is told.
WRONG = {
    "explode": "there is no command",
    "models --wrong": "unrecognized",
    "models nowhere": "holds no checkpoints",
    "explain --wrong": "required",
    "explain x.wav": "required",
    "explain x --model nowhere": "There is no model 'nowhere'",
    "explain x.wav --model speech-emotion": "There is no sound file called x.wav",
    "explain x.wav --model news-topic": "the input is audio",
    "explain text --model news-topic --target Weather": "There is no class 'Weather'",
    "explain text --model news-topic --out text.docx": "text.docx",
    "explain text --model news-topic --device moon": "There is no device 'moon'",
    "explain d --model news-topic --out rows.csv": "holds no file that can be read as text",
    "verify": "required",
    "verify nothing.json text": "nothing.json",
    "publish": "required",
    "publish --model nowhere --onnx a.onnx": "There is no model 'nowhere'",
    "bench disk": "invalid choice",
    "bench explain --model nowhere": "There is no model 'nowhere'",
    f"{TRAIN} --epochs 0": "epochs must be at least 1",
    f"{TRAIN} --heads 0": "n_heads must be a positive whole number",
    f"{TRAIN} --ridge -1": "ridge must be a number above 0",
    f"{TRAIN} --method magic": "There is no method 'magic'",
    f"{TRAIN} --decoder density --mode layer_groups": "sees all layers",
    f"{TRAIN} --test a --folds 3": "give --test or --folds, not both",
    f"{TRAIN} --backbone nowhere": "There is no encoder 'nowhere'",
    f"{TRAIN} --device cuda": "computes on the CPU",
    f"{TRAIN} --about nothing.json": "nothing.json cannot be read",
    f"{TRAIN} --out file": "file is a file",
    TRAIN: "d",
    TRAIN.replace("train d", "train nowhere.csv"): "nowhere.csv",
    COMPARE: "give --test DATA or --folds N",
    f"{COMPARE} --folds 3 --methods magic": "There is no method 'magic'",
    f"{COMPARE} --folds 3": "d",
    "evaluate d --model nowhere": "There is no model 'nowhere'",
    "evaluate d --model news-topic": "d",
    "evaluate nowhere.csv --model news-topic --encoder away": "There is no encoder folder 'away'",
    "faithfulness d --model news-topic --out new --epochs 0": "epochs must be at least 1",
    "faithfulness nowhere.csv --model news-topic --out new": "nowhere.csv",
    "study nowhere.csv --model news-topic --out new": "nowhere.csv",
    "study d --model news-topic --out new --batch-size 0": "whole number",
    "study d --model news-topic --out file": "not an empty folder",
    "outside d --model news-topic": "give --overwrite",
    "outside nowhere.csv --model news-topic --overwrite": "nowhere.csv",
    "benchmark nowhere --out new": "There is no folder 'nowhere'",
    "benchmark d --out new --methods magic": "There is no method 'magic'",
    "benchmark d --out new --data magic": "magic",
}


def test_wrong_arguments_do_not_wait_for_torch(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "file").touch()
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import contextlib, io, json\n"
        "from daam_core.cli.main import COMMANDS, main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    assert not any(main([name, '--help']) for name in COMMANDS)\n"
        "told = {}\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stderr(said): status = main(line.split())\n"
        "    told[line] = status, said.getvalue(), 'torch' in sys.modules\n"
        "print(json.dumps(told))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, json.dumps([*WRONG])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [(line, told) for line, told in found.items() if told[::2] != [2, False]] == []
    assert [(line, told[1]) for line, told in found.items() if WRONG[line] not in told[1]] == []


IMPORT_EACH = """
import importlib, random, sys
import torch, gradio, transformers  # what third parties do on import is not ours to judge

asked = []
watched = ("socket.bind", "socket.connect")
sys.addaudithook(lambda event, _: asked.append(event) if event in watched else None)

def settings():
    seeds = random.getstate(), torch.initial_seed(), torch.random.get_rng_state().tolist()
    return *seeds, torch.get_num_threads(), torch.is_grad_enabled()

before = settings()
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert settings() == before, f"importing {name} changed a seed or a setting of torch"
    assert not asked, f"importing {name} used the network: {asked}"
"""


@pytest.mark.slow
def test_reading_classifiers_does_not_wait_for_the_compiler_of_torch():
    code = (
        "import sys\nfrom daam_core import built_in_models, load_model\n"
        "for name in built_in_models(): load_model(name)\nprint('torch._dynamo' in sys.modules)"
    )
    assert _python(code).strip() == "False"


def test_importing_everything_has_no_effect():
    names = [name for name in modules() if not name.endswith("__main__")]
    assert _python(IMPORT_EACH, *names) == ""
