"""Limits on uploads, each by its value: of a request, of a visitor, of all files, of the disk, of time."""

import errno
import gc
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.server import uploads
from app.server.uploads import UploadLimits, Uploads
from tests.app.server.exchange import application, request
from tests.app.server.running import form

UPLOAD = "/gradio_api/upload"
ROOMY = UploadLimits(request=1_000_000, visitor=10_000_000, folder=100_000_000, free=0)
FULL = (507, "The server has no room for more files now; try again later.")


async def _take(_body):
    pass


def guarded(folder, *, take=_take, limits=ROOMY, **seconds) -> Uploads:
    return Uploads(application(take), folder=folder, limits=limits, **seconds)


def upload(app, size, **options):
    status, said, headers = request(app, UPLOAD, [b"x" * size], **options)
    if status != 200:
        assert headers["connection"] == "close"
    return status, said


def test_a_visitor_has_an_amount_an_hour_and_others_have_theirs(tmp_path, monkeypatch):
    limits = UploadLimits(request=1_000_000, visitor=2_000_000, folder=100_000_000, free=0)
    app = guarded(tmp_path, limits=limits)
    refused = (429, "You have given 2 MB within an hour, which is the most; wait a while.")
    for _ in range(2):
        assert upload(app, 900_000)[0] == 200
    assert upload(app, 900_000) == refused
    assert upload(app, 900_000, headers={"content-length": "900000"}) == refused
    assert upload(app, 900_000, client="10.0.0.2")[0] == 200
    later = uploads.time.monotonic() + uploads.HOUR + 1
    monkeypatch.setattr(uploads.time, "monotonic", lambda: later)
    assert upload(app, 900_000)[0] == 200


def test_a_household_of_ipv6_is_one_visitor(tmp_path):
    limits = UploadLimits(request=1_000_000, visitor=1_000_000, folder=100_000_000, free=0)
    app = guarded(tmp_path, limits=limits)
    assert upload(app, 900_000, client="2001:db8::1")[0] == 200
    assert upload(app, 900_000, client="2001:db8::ffff:2")[0] == 429
    assert upload(app, 900_000, client="2001:db8:0:1::1")[0] == 200


def test_a_request_is_refused_by_what_it_announces_and_by_what_it_brings(tmp_path):
    app = guarded(tmp_path, limits=UploadLimits(2**20 + uploads.FRAMING_BYTES, 10**9, 10**9, 0))
    refused = (413, "A request may bring up to 1 MB of files.")
    assert upload(app, 10, headers={"content-length": "2000000"}) == refused
    assert upload(app, 2_000_000) == refused
    assert upload(app, 2**20)[0] == 200


def test_all_files_together_have_a_limit(tmp_path):
    (tmp_path / "earlier").write_bytes(b"x" * 1_500_000)
    limits = UploadLimits(request=1_000_000, visitor=10**9, folder=2_000_000, free=0)
    app = guarded(tmp_path, limits=limits)
    assert upload(app, 400_000, headers={"content-length": "400000"})[0] == 200
    assert upload(app, 400_000, headers={"content-length": "400000"}) == FULL


def test_a_disk_with_little_room_is_left_alone(tmp_path):
    limits = UploadLimits(request=1_000_000, visitor=10**9, folder=10**9, free=2**62)
    assert upload(guarded(tmp_path, limits=limits), 10) == FULL


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_that_gets_full_is_a_sentence_without_a_path_and_leaves_nothing(tmp_path, caplog, number):
    async def fails(body):
        (tmp_path / "tmp12345678").write_bytes(body)
        raise OSError(number, os.strerror(number), str(tmp_path / "tmp12345678"))

    assert upload(guarded(tmp_path, take=fails), 1000) == FULL
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in caplog.text


def test_files_of_others_are_not_partial_ones(tmp_path):
    kept = [tmp_path / "saved-1", tmp_path / "tmp123", tmp_path / "tmp1234567.wav"]
    for path in kept:
        path.touch()
    assert upload(guarded(tmp_path), 10)[0] == 200
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_pieces_that_come_too_slowly_end_an_upload(tmp_path):
    app = guarded(tmp_path, idle_seconds=0.1)
    status, said, _ = request(app, UPLOAD, [b"x", b"x"], pause=1)
    assert (status, said) == (408, "The file came too slowly.")
    assert request(app, UPLOAD, [b"x", b"x"], pause=0.01)[0] == 200


def test_an_upload_that_never_ends_is_ended(tmp_path):
    app = guarded(tmp_path, idle_seconds=1, upload_seconds=0.3)
    status, said, _ = request(app, UPLOAD, [b"x"] * 100, pause=0.05)
    assert (status, said) == (408, "The file came too slowly.")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # whatever still looks at it


def test_a_really_full_disk(small_disk, monkeypatch, caplog, capfd):
    """Gradio's own route on a disk that is full before the file has come: refused, and empty again."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(small_disk))
    limits = UploadLimits(request=20_000_000, visitor=10**9, folder=10**9, free=0)
    guard = Middleware(Uploads, folder=small_disk, limits=limits)
    with gr.Blocks() as demo:
        gr.File()
    demo.max_file_size = None
    app = gr.routes.App.create_app(demo, app_kwargs={"middleware": [guard]})
    with TestClient(app) as client:
        for name, size in (("large.wav", 8_000_000), ("larger.wav", 12_000_000)):
            body, kind = form([(name, b"x" * size)])
            answer = client.post(UPLOAD, content=body, headers={"content-type": kind})
            assert (answer.status_code, answer.text) == FULL
            assert [path for path in small_disk.rglob("*") if path.is_file()] == []
        body, kind = form([("small.wav", b"x" * 1_000_000)])
        end = time.monotonic() + 10  # a refused file takes its room until the last handle on it is closed
        answer = client.post(UPLOAD, content=body, headers={"content-type": kind})
        while answer.status_code == 507 and time.monotonic() < end:
            gc.collect()
            answer = client.post(UPLOAD, content=body, headers={"content-type": kind})
        assert answer.status_code == 200
        assert Path(answer.json()[0]).read_bytes() == b"x" * 1_000_000
    assert shutil.disk_usage(small_disk).used < 1_100_000
    assert str(small_disk) not in caplog.text
    assert "Traceback" not in capfd.readouterr().err
