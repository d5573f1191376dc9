"""Nothing that decoders write reaches standard output or error; what Python writes does."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import read_picture, read_sound
from daam_core.inputs.quiet import silenced
from tests.support.media import encoded, picture_file, sound_file, tone


def damaged(content: bytes, seed: int) -> bytes:
    draw = np.random.default_rng(seed)
    spoilt = bytearray(content)
    for place in draw.integers(0, len(spoilt), 6):
        spoilt[place] = draw.integers(0, 256)
    return bytes(spoilt)


GRAIN = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8))
LOUD = {
    "libtiff": (read_picture, picture_file(GRAIN, "TIFF", compression="tiff_deflate")),
    "libtiff's LZW": (read_picture, picture_file(GRAIN, "TIFF", compression="tiff_lzw")),
    "libsndfile's callbacks": (read_sound, sound_file(tone(0.2), kind="AIFF")),
    "mpg123": (read_sound, sound_file(tone(0.5), kind="MP3")),
    "FFmpeg": (read_sound, encoded("ipod", "aac", seconds=0.2)),
    "HEIC": (read_picture, picture_file(GRAIN, "HEIF")),
}


@pytest.mark.parametrize("decoder", LOUD)
def test_damaged_files_are_decoded_in_silence(decoder, capfd):
    read, content = LOUD[decoder]
    for seed in range(20):
        try:
            read(damaged(content, seed))
        except InputError:
            continue
    assert capfd.readouterr() == ("", "")


def test_the_decoder_that_prints_to_standard_output_is_not_used():
    """Of SDS, in libsndfile."""
    code = (
        "import sys; from daam_core.inputs import read_sound\n"
        "try: read_sound(sys.stdin.buffer.read())\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print('{}')"
    )
    content = b"\xf0\x7e\x00\x01\x00\x00" + bytes(200)
    run = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, timeout=200)
    assert (run.stdout, run.stderr) == (b"InputError\n{}\n", b"")


CHATTER = """
import logging, sys, threading, time
from daam_core.inputs.quiet import silenced
logging.basicConfig(format="%(message)s")
done = threading.Event()
def decode():
    while not done.is_set():
        with silenced():
            time.sleep(0.01)
threads = [threading.Thread(target=decode) for _ in range(3)]
for thread in threads: thread.start()
for line in range(300):
    print(line, flush=line % 7 == 0)
    logging.warning("%d", line)
    time.sleep(0.001)
done.set()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize("options", [[], ["-u"]])
def test_what_python_writes_meanwhile_arrives(options):
    run = subprocess.run(
        [sys.executable, *options, "-c", CHATTER], capture_output=True, text=True, timeout=200
    )
    expected = [str(line) for line in range(300)]
    assert run.stdout.split() == expected
    assert run.stderr.split() == expected


def test_silence_ends_with_the_last_of_several(capfd):
    inside, go = threading.Event(), threading.Event()

    def decode() -> None:
        with silenced():
            inside.set()
            go.wait(10)
            os.write(2, b"lost")

    thread = threading.Thread(target=decode)
    thread.start()
    inside.wait(10)
    os.write(1, b"heard")
    with silenced():
        os.write(2, b"lost")
    os.write(2, b"lost")
    go.set()
    thread.join()
    os.write(2, b"heard")
    assert capfd.readouterr() == ("heard", "heard")


def test_no_descriptor_is_kept():
    read_sound(sound_file(tone()))
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(50):
        with pytest.raises(InputError):
            read_sound(io.BytesIO(b"nonsense " * 20))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_process_without_standard_streams_decodes():
    code = (
        "import os; from daam_core.inputs import read_sound\n"
        "import sys; content = sys.stdin.buffer.read(); os.close(1); os.close(2)\n"
        "assert read_sound(content).seconds == 0.5; os._exit(7)"
    )
    run = subprocess.run([sys.executable, "-c", code], input=sound_file(tone(0.5)), timeout=200)
    assert run.returncode == 7
