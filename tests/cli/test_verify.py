import json
import subprocess
import sys
from pathlib import Path

import pytest

from daam_core.cli.main import main
from daam_core.explain import explain
from daam_core.export import save
from daam_core.trained import load_model

TEXT = "The bank raised its interest rate on Monday."


@pytest.fixture(scope="module", params=["json", "npz"])
def exported(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / f"explanation.{request.param}"
    save(explain(load_model("news-topic"), TEXT, target="World", scale="per_head"), path)
    return path


def test_the_same_input_gives_the_same_explanation(exported, capsys):
    assert main(["verify", str(exported), TEXT, "--tolerance", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["largest_difference"]) == (True, 0)


def test_another_input_is_said_in_one_line(exported, capsys):
    assert main(["verify", str(exported), TEXT + " Again."]) == 2
    assert capsys.readouterr().err.startswith("daam: Not the same: ")


def test_a_changed_number_is_found(exported, capsys, tmp_path):
    if exported.suffix != ".json":
        pytest.skip("numbers of an archive are changed as those of a text are")
    content = json.loads(exported.read_text())
    content["logits"][0] += 0.01
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content))
    assert main(["verify", str(changed), TEXT]) == 2
    assert "logits" in capsys.readouterr().err


def test_another_model_is_refused(exported, capsys):
    assert main(["verify", str(exported), TEXT, "--model", "no-such-model"]) == 2
    assert "There is no model" in capsys.readouterr().err


def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "daam_core", "models"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "daam: The output cannot be written: there is no space left; free some and run it again."
    ]
