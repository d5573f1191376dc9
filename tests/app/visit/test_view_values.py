"""What the interactive view is given."""

import json

import numpy as np
import pytest

from app.visit import view_values
from app.visit.session import Session
from daam_core.errors import InputError


def test_the_payload_is_json_and_its_mark_changes(session):
    one, other = view_values.view_value(session), view_values.view_value(session)
    assert json.loads(json.dumps(one))["payload"]["a"]["model"] == "topics"
    assert one["revision"] != other["revision"]
    assert "Your input is not in it" in str(one["restores"])
    assert view_values.view_value(Session()) is None


def test_exact_arrays_are_the_explanations(session):
    import base64

    answer = view_values.exact_value(session, {"id": 4, "side": "a", "name": "gate", "head": 2})
    data = np.frombuffer(base64.b64decode(answer["array"]["data"]), "<f4")
    np.testing.assert_array_equal(data, session.current.explanation.gate[2].ravel())
    assert answer["id"] == 4


GATE = {"side": "a", "name": "gate", "head": 0}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"side": "a"},
        *(GATE | {"head": head} for head in (99, "0", True)),
        *(GATE | {"name": name} for name in ("__class__", ["gate"])),
        GATE | {"side": "c"},
    ],
)
def test_arrays_that_do_not_exist_are_refused(session, asked):
    with pytest.raises(InputError):
        view_values.exact_value(session, asked)
