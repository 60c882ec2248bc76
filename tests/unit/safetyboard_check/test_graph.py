# SPDX-License-Identifier: Apache-2.0
"""A causal graph may claim no more than its tests show, and a recommendation no more than a remedy that held."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from safetyboard_check.faults import Rejected
from safetyboard_check.graph import check_graphs, check_recommendations

RECORDS: dict[str, dict[str, Any]] = {
    "sha256:a": {"kind": "ablation", "outcome": "for", "role": "necessity"},
    "sha256:b": {"kind": "observation"},
    "sha256:c": {"kind": "remedy", "held": True, "claim": "sha256:k"},
    "sha256:f": {"kind": "finding", "claims": ["sha256:k"]},
    "sha256:g": {
        "kind": "graph",
        "title": "t",
        "top": "passed",
        "factors": [
            {"name": "writable", "surface": "authority", "statement": "s", "evidence": ["sha256:b"]},
            {"name": "changed", "surface": "objective", "statement": "s", "evidence": ["sha256:b"]},
            {"name": "passed", "surface": "oversight", "statement": "s", "evidence": ["sha256:b"]},
        ],
        "links": [
            {"cause": "writable", "effect": "changed", "test": "replay", "result": "necessary", "reason": "r",
             "evidence": ["sha256:a"]},
            {"cause": "changed", "effect": "passed", "test": "none", "result": "undetermined", "reason": "r"},
        ],
    },
    "sha256:r": {
        "kind": "recommendation", "findings": ["sha256:f"], "control": "mount", "remedies": ["sha256:c"],
    },
}  # fmt: skip


def changed(change: Callable[[dict[str, dict[str, Any]]], Any]) -> dict[str, dict[str, Any]]:
    records = copy.deepcopy(RECORDS)
    change(records)
    return records


def test_a_graph_whose_links_were_tested_is_accepted() -> None:
    check_graphs(RECORDS)
    check_recommendations(RECORDS)


def _link(records: dict[str, dict[str, Any]], number: int) -> dict[str, Any]:
    link: dict[str, Any] = records["sha256:g"]["links"][number]
    return link


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: _link(r, 0).update(evidence=[]), "nothing was tried"),
        (lambda r: _link(r, 0).update(evidence=["sha256:b"]), "without an experiment"),
        (lambda r: r["sha256:a"].update(outcome="against"), "not every experiment speaks for it"),
        (lambda r: r["sha256:a"].update(role="rival"), "not every experiment speaks for it"),
        (lambda r: _link(r, 0).update(result="refuted"), "an experiment speaks for it"),
        (lambda r: r["sha256:g"]["links"].append(dict(_link(r, 1))), "stands twice"),
        (lambda r: _link(r, 1).update(result="necessary"), "nothing was tried"),
        (lambda r: _link(r, 1).update(effect="nowhere"), "names no factor"),
        (lambda r: _link(r, 1).update(result="certain"), "unknown test or result"),
        (lambda r: _link(r, 1).update(effect="writable"), "circle"),
        (lambda r: r["sha256:g"]["links"].pop(), "leads nowhere"),
        (lambda r: r["sha256:g"]["factors"][0].pop("evidence"), "nothing shows"),
        (lambda r: r["sha256:g"]["factors"][0].update(surface="weather"), "surface"),
        (lambda r: r["sha256:g"]["factors"][0].update(name="changed"), "stands twice"),
        (lambda r: r["sha256:g"].update(top="other"), "its top does not"),
    ],
)
def test_a_graph_that_claims_more_is_rejected(change: Callable[..., Any], match: str) -> None:
    with pytest.raises(Rejected, match=match):
        check_graphs(changed(change))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: r["sha256:c"].update(held=False), "did not hold"),
        (lambda r: r["sha256:r"].update(remedies=[]), "nothing shows to hold"),
        (lambda r: r["sha256:r"].update(findings=[]), "no finding"),
        (lambda r: r["sha256:f"].update(claims=["sha256:other"]), "none of its findings is about"),
    ],
)
def test_a_recommendation_that_nothing_carries_is_rejected(change: Callable[..., Any], match: str) -> None:
    with pytest.raises(Rejected, match=match):
        check_recommendations(changed(change))
