"""Decoding in a process of its own: the same results, limits that hold, and life after a crash."""

import os
import signal
import struct
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import read_picture, read_sound
from daam_core.inputs.apart import Apart
from tests.support.media import encoded, picture_file, sound_file, tone

PEAK_MB = 400  # of a process that decodes, whatever it is given


@pytest.fixture(scope="module")
def apart() -> Apart:
    return Apart(processes=1)


def process_of(apart: Apart) -> int:
    """Its one process, which must be idle."""
    process = apart._idle.get_nowait()
    apart._idle.put(process)
    return process._process.pid


def peak_mb(apart: Apart) -> float:
    status = Path(f"/proc/{process_of(apart)}/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0]) / 1e6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", sound_file(tone())),
        ("b.m4a", encoded("ipod", "aac")),
        ("c.wav", sound_file(tone())[:-1]),
        ("d.png", picture_file(Image.linear_gradient("L").convert("RGBA"))),
        ("é.heic", picture_file(Image.linear_gradient("L").convert("RGB"), "HEIF")),
        ("f.jpg", picture_file(Image.linear_gradient("L"), "JPEG")[:-2]),
    ],
)
def test_it_reads_what_is_read_here(apart, name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    sound = name[2:] in ("wav", "m4a")
    here = (read_sound if sound else read_picture)(tmp_path / name)
    there = apart.read(tmp_path / name, "audio" if sound else "image")
    assert there == here
    assert there.facts == here.facts
    if sound:
        np.testing.assert_array_equal(there.samples, here.samples)
        assert not there.samples.flags.writeable
    else:
        assert there.rgb.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(there.rgb), np.asarray(here.rgb))


def test_another_rate(apart, tmp_path):
    (tmp_path / "a.wav").write_bytes(sound_file(tone()))
    assert len(apart.read(tmp_path / "a.wav", "audio", rate=8000).samples) == 8000


def test_refusals_are_the_same_sentences(apart, tmp_path):
    for name, content in (("empty.wav", b""), ("page.wav", b"<html>"), ("tiny.wav", sound_file(tone(0.01)))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as here:
            read_sound(tmp_path / name)
        with pytest.raises(InputError) as there:
            apart.read(tmp_path / name, "audio")
        assert str(there.value) == str(here.value)
    with pytest.raises(InputError, match=r"There is no picture file called gone\.png"):
        apart.read(tmp_path / "gone.png", "image")


def test_one_process_serves_one_after_another_and_is_replaced_when_it_died(apart, tmp_path):
    (tmp_path / "a.wav").write_bytes(sound_file(tone()))
    apart.read(tmp_path / "a.wav", "audio")
    first = process_of(apart)
    apart.read(tmp_path / "a.wav", "audio")
    assert process_of(apart) == first
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert apart.read(tmp_path / "a.wav", "audio").seconds == 1.0
    assert process_of(apart) != first


def test_a_decoder_that_breaks_down_gives_a_sentence_and_the_next_file_is_read(tmp_path):
    apart = Apart(processes=1, seconds=20)
    (tmp_path / "a.wav").write_bytes(sound_file(tone()))
    apart.read(tmp_path / "a.wav", "audio")
    os.kill(process_of(apart), signal.SIGSTOP)  # as good as busy: what is asked stays unanswered
    waiting = process_of(apart)
    threading.Timer(0.5, os.kill, (waiting, signal.SIGSEGV)).start()
    threading.Timer(0.6, os.kill, (waiting, signal.SIGCONT)).start()
    with pytest.raises(
        InputError, match=r"^a\.wav cannot be decoded: the decoder broke down over it; save it"
    ):
        apart.read(tmp_path / "a.wav", "audio")
    assert apart.read(tmp_path / "a.wav", "audio").seconds == 1.0


def test_a_decoder_that_takes_too_long_is_ended(tmp_path):
    apart = Apart(processes=1, seconds=1)
    (tmp_path / "a.wav").write_bytes(sound_file(tone()))
    while True:
        try:  # a busy machine may need longer than that to start it
            apart.read(tmp_path / "a.wav", "audio")
            break
        except InputError:
            continue
    stopped = process_of(apart)
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(InputError, match=r"^a\.wav takes longer than 1 s to decode; save it anew"):
        apart.read(tmp_path / "a.wav", "audio")
    assert not Path(f"/proc/{stopped}").exists()


def test_a_file_that_needs_more_memory_than_allowed_is_refused(tmp_path):
    apart = Apart(processes=1, memory_mb=40)
    (tmp_path / "a.png").write_bytes(picture_file(Image.new("RGB", (5000, 5000))))
    (tmp_path / "b.png").write_bytes(picture_file(Image.new("RGB", (50, 50))))
    with pytest.raises(
        InputError, match=r"^a\.png needs more than 40 MB to be decoded; give a smaller one\.$"
    ):
        apart.read(tmp_path / "a.png", "image")
    assert apart.read(tmp_path / "b.png", "image").width == 50


def png_of_size(width: int, height: int) -> bytes:
    """A whole PNG of that size, black, however large it is."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer, rows = zlib.compressobj(9), bytes((width + 7) // 8 + 1)
    packed = b"".join(packer.compress(rows) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def thirty_million(mode: str, kind: str, **options: object) -> bytes:
    return picture_file(Image.radial_gradient("L").resize((6000, 5000)).convert(mode), kind, **options)


LARGE = {
    "10⁸ × 1": lambda: png_of_size(100_000_000, 1),
    "1 × 10⁶": lambda: png_of_size(1, 1_000_000),
    "10,000 × 10,000": lambda: png_of_size(10_000, 10_000),
    "transparent PNG": lambda: thirty_million("RGBA", "PNG", compress_level=1),
    "floats": lambda: thirty_million("F", "TIFF"),
    "CMYK": lambda: thirty_million("CMYK", "TIFF"),
    "progressive JPEG": lambda: thirty_million("RGB", "JPEG", progressive=True, subsampling=0),
    "JPEG of 108 million": lambda: picture_file(Image.new("RGB", (12_000, 9_000), (9, 9, 9)), "JPEG"),
    "HEIC": lambda: picture_file(Image.new("RGB", (6000, 5000)), "HEIF", quality=10),
    "WebP": lambda: picture_file(Image.new("RGB", (5000, 4000)), "WEBP", method=0),
    "ten minutes": lambda: sound_file(np.zeros((48_000 * 599, 2), np.int8).astype(np.int16), 48_000),
}
REFUSED = ("10⁸ × 1", "1 × 10⁶", "10,000 × 10,000")


@pytest.mark.slow
@pytest.mark.parametrize("large", LARGE)
def test_no_file_takes_more_memory_than_that(large, tmp_path):
    apart = Apart(processes=1)
    path = tmp_path / "large"
    path.write_bytes(LARGE[large]())
    started = time.monotonic()
    if large in REFUSED:
        with pytest.raises(InputError, match=r"^large is [\d,]+×[\d,]+ pixels; "):
            apart.read(path, "image")
    else:
        read = apart.read(path, "audio" if large == "ten minutes" else "image")
        assert read.nbytes > 30_000_000
    assert peak_mb(apart) < PEAK_MB
    assert time.monotonic() - started < 30
