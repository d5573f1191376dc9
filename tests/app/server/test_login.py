"""Names and passwords: the file, its lines, and the limit on wrong ones."""

import base64
import io
import subprocess
import sys

import pytest

from app.__main__ import main
from app.server import login
from app.server.login import Login, Password, read_logins
from daam_core.errors import ConfigError
from tests.app.server.exchange import application, request

PATH = "/config"


async def _at_once(_body):
    pass


@pytest.fixture
def guarded() -> Login:
    return Login(application(_at_once), logins={"ada": Password.of("a long secret")})


def status(app, password, *, name="ada", client="10.0.0.1") -> int:
    given = base64.b64encode(f"{name}:{password}".encode()).decode()
    return request(app, PATH, headers={"authorization": f"Basic {given}"}, method="GET", client=client)[0]


def test_ten_wrong_passwords_close_the_door_to_an_address_for_five_minutes(guarded, monkeypatch):
    for index in range(login.TRIES - 1):
        assert status(guarded, f"wrong {index}") == 401
    assert status(guarded, "the last try") == 429
    answer = request(guarded, PATH, headers={"authorization": "Basic eDp5"}, method="GET")
    assert answer[:2] == (429, "Too many wrong passwords; wait five minutes.")
    assert status(guarded, "a long secret") == 429  # whoever guesses must not learn that it was right
    assert status(guarded, "a long secret", client="10.0.0.2") == 200
    later = login.time.monotonic() + login.TRIES_SECONDS + 1
    monkeypatch.setattr(login.time, "monotonic", lambda: later)
    assert status(guarded, "a long secret") == 200


def test_who_is_in_stays_in_when_others_at_the_address_guess(guarded):
    assert status(guarded, "a long secret") == 200
    for index in range(login.TRIES):
        status(guarded, f"wrong {index}", name="nobody")
    assert status(guarded, "another") == 429
    assert status(guarded, "a long secret") == 200


@pytest.mark.parametrize(
    "given", ["", "Basic", "Basic !", "Bearer a", "Basic YQ==", "basic \xff", "Basic " + "A" * 10_000]
)
def test_what_is_no_login_asks_for_one(guarded, given):
    code, said, headers = request(guarded, PATH, headers={"authorization": given}, method="GET")
    assert (code, said) == (401, "This server asks for a name and a password.")
    assert headers["www-authenticate"] == 'Basic realm="DAAM explorer", charset="UTF-8"'


def test_health_needs_no_login(guarded):
    assert request(guarded, "/healthz", method="GET")[0] == 200


def new_login(name: str, password: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app", "--new-login", name]
    return subprocess.run(command, input=password, capture_output=True, text=True, check=False)


def test_new_login_prints_a_line_that_lets_in(tmp_path):
    made = new_login("ada", "a long secret\n")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("ada:scrypt:16384:8:1:")
    assert "secret" not in made.stdout
    file = tmp_path / "logins"
    file.write_text("# who may come in\n\n" + made.stdout)
    found = read_logins(file)
    assert list(found) == ["ada"]
    assert found["ada"].is_right("a long secret")
    assert not found["ada"].is_right("a long secret\n")


@pytest.mark.parametrize(
    ("name", "password", "sentence"),
    [
        ("ada", "short", "A password has 8 characters or more."),
        ("ada", "", "A password has 8 characters or more."),
        ("a:b", "a long secret", "A name for the login has no colon and no blank ends, got 'a:b'."),
        (" ada", "a long secret", "A name for the login has no colon and no blank ends, got ' ada'."),
        ("#ada", "a long secret", "A name for the login has no colon and no blank ends, got '#ada'."),
    ],
)
def test_new_login_refuses_in_one_line(name, password, sentence, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    assert main(["--new-login", name]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{sentence}\n")


LINE = Password.of("a long secret").line("ada")


NO_LOGINS = {
    "no parts": "ada",
    "two parts": "ada:secret",
    "another method": LINE.replace("scrypt", "md5"),
    "no base64": LINE[:-8] + "!",
    "a negative block": LINE.replace(":8:", ":-8:"),
    "a huge block": LINE.replace(":8:", f":{10**30}:"),
    "a cost of 3": LINE.replace("16384", "3"),
    "a cost of 1": LINE.replace("16384", "1"),
    "a huge cost": LINE.replace("16384", "1048576"),
    "a cost of x": LINE.replace("16384", "x"),
}


# Named, since the salt in them differs from process to process.
@pytest.mark.parametrize("line", NO_LOGINS.values(), ids=NO_LOGINS)
def test_a_line_that_is_no_login_is_named_and_not_quoted(tmp_path, line):
    file = tmp_path / "logins"
    file.write_text(f"{LINE}\n{line}\n")
    with pytest.raises(
        ConfigError, match=r"^Line 2 of logins is no login; python -m app --new-login NAME makes one\.$"
    ):
        read_logins(file)


def test_a_file_without_logins_is_refused(tmp_path):
    file = tmp_path / "logins"
    file.write_text("# nobody\n")
    with pytest.raises(ConfigError, match="logins holds no login"):
        read_logins(file)
    with pytest.raises(ConfigError, match="There is no file absent with logins"):
        read_logins(tmp_path / "absent")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_logins(file)
