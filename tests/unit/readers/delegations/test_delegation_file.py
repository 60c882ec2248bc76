# SPDX-License-Identifier: Apache-2.0
"""A statement is believed when its signature holds; what fails is named and gives nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from safetyboard.evidence.statements import signed_line
from safetyboard.readers.delegations.delegation_file import sniff
from safetyboard.terms.errors import SafetyboardError, UnreadableInput
from signed_delegations import OTHER, ROOT, TEAM, delegations, file_of, read_file, revocation, statement


def test_a_signed_delegation_is_read_whole() -> None:
    scope = {"effects": ["money"], "hosts": ["*.example.org"], "amounts": {"most": "100.50", "unit": "EUR"}}
    read = delegations((statement(scope=scope, may_delegate=True, note="for repairs"), ROOT))
    [made] = read.statements
    assert (made.principal.name, made.delegate.agent, made.may_delegate, made.fault) == (
        "Head of operations", "fixer", True, "",
    )  # fmt: skip
    assert made.principal.key == ROOT.public.hex()
    assert (str(made.scope.most), made.scope.unit, made.scope.hosts) == ("100.50", "EUR", ("*.example.org",))
    assert made.scope.repositories is None
    assert read.faults == {}


def test_a_changed_statement_is_forged_and_kept_with_that() -> None:
    whole = json.loads(file_of([(statement(), ROOT)]))
    payload = json.loads(base64.b64decode(whole["statements"][0]["payload"]))
    payload["predicate"]["scope"]["effects"] = ["money"]
    whole["statements"][0]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    read = read_file(json.dumps(whole).encode())
    assert [each.fault for each in read.statements] == ["forged"]
    assert list(read.faults.values()) == ["forged"]


def test_a_statement_signed_with_another_key_than_it_names_is_named() -> None:
    record = statement()
    record["principal"]["key"] = ROOT.public.hex()
    envelope = json.loads(signed_line(record, OTHER))
    content = json.dumps({"schema": "safetyboard.delegations/1", "statements": [envelope]}).encode()
    assert [each.fault for each in read_file(content).statements] == ["wrong key"]


def test_a_revocation_whose_signature_does_not_hold_takes_nothing_back() -> None:
    record = revocation("sha256:00", "2026-02-01T00:00:00Z")
    record["principal"]["key"] = ROOT.public.hex()
    content = json.dumps(
        {"schema": "safetyboard.delegations/1", "statements": [json.loads(signed_line(record, OTHER))]}
    ).encode()
    read = read_file(content)
    assert read.revocations == ()
    assert "does not hold" in next(iter(read.faults.values()))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda record: record.pop("until"), "until"),
        (lambda record: record.update(until="2026-06-01T00:00:00"), "zone"),
        (lambda record: record.update(until="2025-06-01T00:00:00Z"), "ends before"),
        (lambda record: record["scope"].update(effects=["everything"]), "effects must be among"),
        (lambda record: record["scope"].update(host=["a"]), "unknown field host"),
        (lambda record: record["scope"].update(hosts="a"), "hosts must be a list"),
        (lambda record: record["scope"].update(amounts={"most": "much"}), "decimal"),
        (lambda record: record.update(delegate={}), "delegate is not told"),
        (lambda record: record.update(kind="order"), "neither a delegation"),
        (lambda record: record["principal"].update(nature="a machine"), "natural person"),
        (lambda record: record["principal"].pop("contact"), "contact"),
        (lambda record: record["principal"].update(key=TEAM.public.hex()), "another principal's key"),
    ],
)
def test_a_statement_of_another_form_is_refused_before_it_is_signed(
    spoil: Callable[[dict[str, Any]], Any], says: str
) -> None:
    record = statement()
    spoil(record)
    with pytest.raises(UnreadableInput, match=says):
        file_of([(record, ROOT)])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"schema": "x", "statements": []}', b"\xff" * 9, b"[" * 9999])
def test_what_is_no_file_of_delegations_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(SafetyboardError, match=r"delegations\.json"):
        read_file(content)


def test_damaged_envelopes_are_named_and_the_others_are_read() -> None:
    whole = json.loads(file_of([(statement(), ROOT)]))
    whole["statements"] += [1, {}, {"payload": "!"}, {"payload": "e30=", "signatures": []}]
    read = read_file(json.dumps(whole).encode())
    assert len(read.statements) == 1
    assert len(read.faults) == 4


def test_a_file_of_delegations_is_known_by_its_schema() -> None:
    assert sniff("d.json", file_of([(statement(), ROOT)]))
    assert not sniff("d.json", b'{"schema": "other"}')
