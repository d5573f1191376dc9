"""Weights from wheels: found, checked, converted once, and every way in which that goes wrong."""

import hashlib
import os
import re
import struct
import subprocess
import sys
import textwrap
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from daam_core.backbones import audio, text, vision
from daam_core.backbones.weights import (
    CACHE_VARIABLE,
    WheelFile,
    cache_folder,
    converted,
    locate,
    read_ctranslate2,
    read_torch,
)
from daam_core.errors import EncoderError

WHEEL_FILES = [text.WEIGHTS, text.CONFIG, text.TOKENIZER, audio.WEIGHTS, vision.WEIGHTS]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel installed in a folder of its own, with one small file."""
    site = tmp_path / "site"
    (site / "tiny_weights").mkdir(parents=True)
    (site / "tiny_weights-1.0.dist-info").mkdir()
    (site / "tiny_weights-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
    )
    path = site / "tiny_weights" / "numbers.bin"
    path.write_bytes(np.arange(1000, dtype="<f4").tobytes())
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WheelFile("tiny-weights", "1.0", "tiny_weights/numbers.bin", digest)


def convert(path: Path) -> dict[str, torch.Tensor]:
    numbers = torch.from_numpy(np.fromfile(path, "<f4"))
    return {
        "rows": numbers.reshape(10, 100),
        "transposed": numbers.reshape(10, 100).T,
        "scalar": torch.tensor(3),
    }


def cached_file() -> Path:
    (path,) = cache_folder().glob("[!.]*.safetensors")
    return path


class TestLocate:
    @pytest.mark.parametrize("file", WHEEL_FILES, ids=lambda file: file.path)
    def test_the_pinned_wheels_are_installed_and_right(self, file):
        assert locate(file).is_file()
        assert distribution(file.package).version == file.version

    def test_every_wheel_is_pinned_by_hash(self):
        listed = (ROOT / "assets" / "weights.txt").read_text(encoding="utf-8")
        requirements = re.findall(r"^(\S+==\S+) \\\n +--hash=sha256:[0-9a-f]{64}$", listed, re.MULTILINE)
        assert sorted(requirements) == sorted({file.revision for file in WHEEL_FILES})

    def test_a_missing_wheel_names_the_command(self):
        file = WheelFile("no-such-weights", "2.0", "a.bin", "0" * 64)
        with pytest.raises(EncoderError, match=r"no-such-weights==2\.0 are not installed") as caught:
            locate(file)
        assert file.install in str(caught.value)

    def test_another_file_is_refused_before_it_is_read(self, wheel):
        path = locate(wheel)
        path.write_bytes(path.read_bytes() + b"\0")
        calls = []
        with pytest.raises(
            EncoderError, match=rf"numbers\.bin of tiny-weights has SHA-256 \w+, expected {wheel.sha256}"
        ):
            converted(wheel, lambda path: calls.append(path) or convert(path))
        assert not calls
        path.unlink()
        with pytest.raises(EncoderError, match=r"numbers\.bin of tiny-weights cannot be read"):
            converted(wheel, convert)


class TestConverted:
    def test_converts_once_and_returns_the_same_bits(self, wheel):
        calls = []
        first, second = (converted(wheel, lambda path: calls.append(path) or convert(path)) for _ in range(2))
        assert len(calls) == 1
        expected = convert(locate(wheel))
        for tensors in (first, second, load_file(cached_file())):
            assert tensors.keys() == expected.keys()
            for name, tensor in expected.items():
                assert torch.equal(tensors[name], tensor)
                assert tensors[name].dtype == tensor.dtype
                assert tensors[name].is_contiguous()

    def test_version_and_hash_are_part_of_the_name(self, wheel):
        converted(wheel, convert, version=1)
        other = converted(wheel, lambda path: {"rows": torch.ones(1)}, version=2)
        assert other["rows"].tolist() == [1.0]
        assert len(list(cache_folder().glob("*.safetensors"))) == 2

    @pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign", "text", "unsigned"])
    def test_a_damaged_cache_is_converted_again(self, wheel, damage):
        expected = converted(wheel, convert)
        path = cached_file()
        content = bytearray(path.read_bytes())
        if damage == "cut":
            path.write_bytes(content[:-8])
        elif damage == "flip":
            content[-5] ^= 1  # a valid file with one other number
            path.write_bytes(content)
            assert not torch.equal(load_file(path)["transposed"], expected["transposed"]) or not torch.equal(
                load_file(path)["rows"], expected["rows"]
            )
        elif damage == "empty":
            path.write_bytes(b"")
        elif damage == "foreign":
            save_file({"rows": torch.zeros(10, 100)}, path, metadata={"content_sha256": "0" * 64})
        elif damage == "text":
            path.write_text("not safetensors")
        else:
            save_file({name: tensor.clone() for name, tensor in expected.items()}, path)
        again = converted(wheel, convert)
        assert all(torch.equal(again[name], expected[name]) for name in expected)
        assert load_file(cached_file()).keys() == expected.keys()

    def test_an_interrupted_conversion_leaves_nothing_behind(self, wheel):
        folder = cache_folder()
        folder.mkdir()
        converted(wheel, convert)
        abandoned = folder / f".{cached_file().stem}-half.safetensors"
        abandoned.write_bytes(b"half")
        cached_file().unlink()
        converted(wheel, convert)
        assert not abandoned.exists()

        cached_file().unlink()

        def interrupted(path: Path) -> dict[str, torch.Tensor]:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            converted(wheel, interrupted)
        assert not list(folder.glob("*.safetensors"))  # nor any hidden one
        assert converted(wheel, convert).keys() == {"rows", "transposed", "scalar"}

    def test_a_folder_that_cannot_be_written(self, wheel, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
        with pytest.raises(
            EncoderError, match=rf"cannot be stored in .*: Not a directory; set {CACHE_VARIABLE} to"
        ):
            converted(wheel, convert)

    def test_a_full_disk(self, wheel):
        """The limit on a file's size fails writes halfway, as a full disk does."""
        code = """
            import resource, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
            converted(WheelFile(*{fields!r}), convert)
        """
        done = run(code, fields=(wheel.package, wheel.version, wheel.path, wheel.sha256))
        assert done.returncode == 1
        assert "EncoderError: The converted weights of tiny-weights cannot be stored in" in done.stderr
        assert "File too large" in done.stderr
        assert [path.suffix for path in cache_folder().iterdir()] in ([], [".lock"])
        assert converted(wheel, convert)["rows"].shape == (10, 100)

    @pytest.mark.slow
    def test_processes_at_once_convert_one_time(self, wheel, tmp_path):
        log = tmp_path / "log"
        code = """
            import time
            def slow(path):
                with Path({log!r}).open("a") as stream:
                    stream.write("converted\\n")
                time.sleep(0.5)
                return convert(path)
            print(converted(WheelFile(*{fields!r}), slow)["rows"].sum().item())
        """
        fields = (wheel.package, wheel.version, wheel.path, wheel.sha256)
        processes = [start(code, fields=fields, log=str(log)) for _ in range(3)]
        outputs = [process.communicate(timeout=120) for process in processes]
        assert [out.strip() for out, _ in outputs] == ["499500.0"] * 3, outputs
        assert log.read_text() == "converted\n"

    def test_a_killed_conversion_does_not_block_the_next(self, wheel, tmp_path):
        started = tmp_path / "started"
        code = """
            import time
            def endless(path):
                Path({started!r}).touch()
                time.sleep(600)
            converted(WheelFile(*{fields!r}), endless)
        """
        fields = (wheel.package, wheel.version, wheel.path, wheel.sha256)
        process = start(code, fields=fields, started=str(started))
        try:
            for _ in range(600):
                if started.exists():
                    break
                assert process.poll() is None, process.communicate()
                wait_briefly()
            assert started.exists()
        finally:
            process.kill()
            process.communicate()
        assert converted(wheel, convert)["scalar"] == 3

    def test_default_folder_is_the_users_cache(self, monkeypatch):
        monkeypatch.delenv(CACHE_VARIABLE, raising=False)
        assert cache_folder().name == "daam-explorer"
        assert cache_folder().is_absolute()


def wait_briefly() -> None:
    import time

    time.sleep(0.1)


#: What the programs below begin with; importing this module would load every encoder's libraries.
PREAMBLE = """
from pathlib import Path
import torch
from daam_core.backbones.weights import WheelFile, converted
def convert(path):
    return {"rows": torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.float32)}
"""


def start(code: str, **values) -> "subprocess.Popen[str]":
    source = PREAMBLE + textwrap.dedent(code).format(**values)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", source],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(code: str, **values) -> "subprocess.CompletedProcess[str]":
    process = start(code, **values)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


# Formats


def ctranslate2_file(variables: dict[str, np.ndarray], *, version: int = 6) -> bytes:
    """Written as CTranslate2's converter documents it."""
    kinds = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}

    def string(value: str) -> bytes:
        return struct.pack("<H", len(value.encode()) + 1) + value.encode() + b"\0"

    parts = [struct.pack("<I", version), string("WhisperSpec"), struct.pack("<II", 3, len(variables))]
    for name, value in variables.items():
        parts += [string(name), struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)]
        parts += [struct.pack("<BI", kinds[value.dtype.name], value.nbytes), value.tobytes()]
    return b"".join([*parts, struct.pack("<I", 1), string("decoder/alias"), string("decoder/weight")])


class TestCTranslate2:
    def test_every_type_and_shape(self, tmp_path):
        random = np.random.default_rng(0)
        variables = {
            f"encoder/{kind}/{shape}": (100 * random.normal(size=shape)).astype(kind)
            for kind in ("float32", "int8", "int16", "int32", "float16")
            for shape in ((), (3,), (2, 3), (2, 1, 4))
        }
        path = tmp_path / "model.bin"
        path.write_bytes(ctranslate2_file(variables | {"decoder/weight": np.ones(5, np.float32)}))
        found = read_ctranslate2(path, prefix="encoder/")
        assert found.keys() == {name.removeprefix("encoder/") for name in variables}
        for name, value in variables.items():
            read = found[name.removeprefix("encoder/")]
            assert (read.dtype, read.shape) == (value.dtype, value.shape)
            np.testing.assert_array_equal(read, value)
        assert "decoder/weight" in read_ctranslate2(path)

    def test_agrees_with_ctranslate2s_own_writer(self, tmp_path):
        from ctranslate2.specs import common_spec, model_spec

        class Spec(model_spec.ModelSpec):
            name = "TestSpec"

            def __init__(self):
                super().__init__()
                self.linear = common_spec.LinearSpec()

        spec = Spec()
        random = np.random.default_rng(0)
        spec.linear.weight = random.normal(size=(4, 3)).astype(np.float16)
        spec.linear.bias = random.normal(size=4).astype(np.float32)
        spec.validate()
        spec.save(str(tmp_path))
        found = read_ctranslate2(tmp_path / "model.bin")
        np.testing.assert_array_equal(found["linear/weight"], spec.linear.weight.numpy())
        np.testing.assert_array_equal(found["linear/bias"], spec.linear.bias.numpy())

    def test_another_version_is_named(self, tmp_path):
        path = tmp_path / "model.bin"
        path.write_bytes(ctranslate2_file({}, version=5))
        with pytest.raises(EncoderError, match=r"model\.bin has CTranslate2's binary version 5, expected 6"):
            read_ctranslate2(path)

    @given(st.data())
    def test_cut_or_changed_files_are_refused_or_read(self, tmp_path_factory, data):
        path = tmp_path_factory.getbasetemp() / "fuzzed.bin"
        content = bytearray(
            ctranslate2_file({"a/weight": np.ones((2, 3), np.float16), "a/bias": np.ones(3, np.int8)})
        )
        if data.draw(st.booleans()):
            del content[data.draw(st.integers(0, len(content) - 38)) :]  # before the aliases
            path.write_bytes(content)
            with pytest.raises(EncoderError, match=r"damaged: it is not a complete CTranslate2 model"):
                read_ctranslate2(path)
        else:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
            path.write_bytes(content)
            try:
                read_ctranslate2(path)
            except EncoderError as error:
                assert "fuzzed.bin" in str(error)  # noqa: PT017


def test_the_torch_reader_runs_no_code(tmp_path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "trap.pth"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(pickle.UnpicklingError):
        read_torch(path)
    assert not (tmp_path / "sprung").exists()
