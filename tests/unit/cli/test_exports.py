# SPDX-License-Identifier: Apache-2.0
"""Files for CI systems hold every claim once, with hostile names made harmless."""

import json
from xml.etree import ElementTree

from safetyboard.cli.exports import junit_xml, sarif_json
from safetyboard.cli.summary import summary
from safetyboard.investigation.outcome import Outcome

HOSTILE = "<net \"&' ]]>.onnx"
WORDS = ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN")


def outcome(**more: object) -> Outcome:
    claims = tuple(
        {
            "id": f"sha256:{word}", "subject": HOSTILE, "property": "p.vnnlib", "name": "", "verdict": word,
            "statement": f"<b>{word}</b> & more", "obstruction": "a \"quoted\" reason", "seconds": 0.5,
            "cells": {"refuted": 0, "proved": 0, "open": 1, "excluded": 0},
        }
        for word in WORDS
    )  # fmt: skip
    return Outcome(case="c", docket=None, result_digest=None, words=WORDS, claims=claims, **more)  # type: ignore[arg-type]


def test_junit_counts_add_up_and_names_survive() -> None:
    suite = ElementTree.fromstring(junit_xml(outcome()))
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 6, "failures": 1, "errors": 2, "skipped": 1}
    assert {case.attrib["classname"] for case in suite} == {HOSTILE}
    (failure,) = suite.findall("testcase/failure")
    assert failure.text == "<b>REFUTED</b> & more"


def test_sarif_lists_what_is_not_settled_under_known_rules() -> None:
    (run,) = json.loads(sarif_json(outcome()))["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["REFUTED", "SUPPORTED", "UNKNOWN", "NOT_RUN"]
    assert {result["ruleId"] for result in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len({result["partialFingerprints"]["claim/v1"] for result in run["results"]}) == 4


def test_the_summary_says_what_went_wrong_first() -> None:
    assert summary(outcome(unsound=("two engines disagree",))).startswith("UNSOUND")
    assert "--resume" in summary(outcome(interrupted=True))
    assert "Stopped by the limit in seconds." in summary(outcome(stopped_by_time=True))
    assert not any(word in summary(outcome()) for word in ("UNSOUND", "--resume", "Stopped"))
