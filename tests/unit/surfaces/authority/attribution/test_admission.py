# SPDX-License-Identifier: Apache-2.0
"""A grant of high autonomy is refused while nobody answers for it, and admitted when somebody does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.surfaces.authority.attribution.admission import refusals
from safetyboard.terms.episode import Source
from safetyboard.terms.grant import Enforcement, Grant, Rule, ToolGrant
from signed_delegations import OTHER, ROOT, delegations, revocation, signed, statement

AT = datetime(2026, 6, 1, tzinfo=UTC)
PLACE = Source(file="sha256:00", pointer="/permissions/allow/0")
ALL = {"effects": ["network", "deletion", "message", "money"]}


def grant(*rules: Rule, tools: tuple[ToolGrant, ...] = (), walls: tuple[Enforcement, ...] = ()) -> Grant:
    return Grant(
        name="settings.json", source="sha256:11", format="claude-code", subject="fixer",
        rules=rules, tools=tools, enforcement=walls,
    )  # fmt: skip


SHELL = grant(Rule(effect="allow", tool="Bash", pattern="", place=PLACE))
READER = grant(Rule(effect="allow", tool="Bash", pattern="git status", place=PLACE))


@pytest.mark.idea("M16")
def test_a_grant_of_high_autonomy_without_anybody_who_answers_is_refused() -> None:
    found = refusals(SHELL, Delegations(), AT)
    assert {each.kind for each in found} == {"network", "deletion"}
    assert all(each.autonomy.level >= 3 and each.place == "/permissions/allow/0" for each in found)


@pytest.mark.idea("M16")
def test_the_same_grant_is_admitted_when_a_principal_answers_for_it() -> None:
    assert refusals(SHELL, delegations((statement(scope=ALL), ROOT)), AT) == ()
    by_file = statement(scope=ALL, delegate={"system": "sha256:11"})
    assert refusals(SHELL, delegations((by_file, ROOT)), AT) == ()


def test_a_grant_of_low_autonomy_needs_nobody() -> None:
    assert refusals(READER, Delegations(), AT) == ()
    assert refusals(grant(), Delegations(), AT) == ()


@pytest.mark.parametrize(
    ("record", "key", "says"),
    [
        (statement(scope={"effects": ["network"]}), ROOT, "deletion is not delegated"),
        (statement(OTHER, scope=ALL), OTHER, "untrusted root"),
        (statement(scope=ALL, until="2026-05-01T00:00:00Z"), ROOT, "expired"),
        (statement(scope=ALL, delegate={"agent": "another"}), ROOT, "no delegation names this agent"),
        (statement(scope=ALL, delegate={"agent": "fixer", "runs": "run *"}), ROOT, "no delegation names this agent"),
    ],
)
def test_a_delegation_that_does_not_hold_admits_nothing(record: dict[str, Any], key: Any, says: str) -> None:
    found = refusals(SHELL, delegations((record, key)), AT)
    assert found
    assert any(says in each.reason for each in found)


def test_a_revoked_principal_admits_nothing_any_more() -> None:
    record = statement(scope=ALL)
    taken = revocation(signed(record, ROOT)[1], "2026-05-01T00:00:00Z")
    assert {each.reason.split(":")[0] for each in refusals(SHELL, delegations((record, ROOT), (taken, ROOT)), AT)} == {
        "revoked"
    }


def test_tools_that_pay_and_speak_are_each_answered_for() -> None:
    tools = tuple(ToolGrant(name=name, place=PLACE) for name in ("send_email", "transfer_funds", "pay_invoice"))
    found = refusals(grant(tools=tools), delegations((statement(scope={"effects": ["message"]}), ROOT)), AT)
    assert {each.kind for each in found} == {"money", "network"}
