"""Hashes of requirements.txt: what people wrote stays as it is."""

from types import SimpleNamespace

import pytest

from tests import lock

WRITTEN = '# === Runtime ===\nTiny_Thing==1.0\n\n# a remark\nlate[extra]==2.0; python_version >= "3.13"\n'
ANSWER = 'late[extra]==2.0 ; python_full_version >= "3.13" \\\n    --hash=sha256:cc\n' + (
    "tiny-thing==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
)
LOCKED = (
    "# === Runtime ===\nTiny_Thing==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\n# a remark\n"
    'late[extra]==2.0; python_version >= "3.13" \\\n    --hash=sha256:cc\n'
)


@pytest.fixture
def index(monkeypatch):
    """Answers as uv does, or with another status and words."""

    def answers(status=0, out=ANSWER, err=""):
        done = SimpleNamespace(returncode=status, stdout=out, stderr=err)
        monkeypatch.setattr(lock.subprocess, "run", lambda *_, **__: done)

    return answers


@pytest.mark.parametrize("before", [WRITTEN, LOCKED])
def test_hashes_are_put_under_each_package(index, before):
    index()
    lines = lock.written(before)
    assert lock.locked(lines, lock.hashes(lines)) == LOCKED


def test_an_index_that_does_not_know_a_version_is_said(index):
    index(status=1, err="no version of tiny-thing==9")
    with pytest.raises(SystemExit, match=r"did not answer for every line.*\n.*tiny-thing==9"):
        lock.hashes(["tiny-thing==9"])
