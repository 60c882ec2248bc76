# SPDX-License-Identifier: Apache-2.0
"""Every external act resolves to who answers for it, or says why nobody does."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.readers.delegations.delegation_file import signed
from safetyboard.surfaces.authority.attribution.attribution import attributed
from safetyboard.terms.canonical import content_id
from safetyboard.terms.episode import Episode
from signed_delegations import OTHER, ROOT, TEAM, acted, bash, delegations, file_of, read_file, revocation, statement

POST = bash("curl -d @report.json https://api.example.org/v1/reports")
PUSH = bash("git push origin main")


def reasons(episode: Episode, held: Delegations) -> list[str]:
    return [each.answer.reason for each in attributed([episode], held).acts]


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (POST, ["network"]),
        (PUSH, ["push"]),
        (bash("git push --force origin main feature"), ["push", "push"]),
        (bash("git push"), ["push"]),
        (bash("gh repo delete acme/site --yes"), ["push"]),
        (bash("npm publish"), ["publication"]),
        (bash("gh issue comment 4 --body hello"), ["publication"]),
        (bash("stripe charges create --amount=500"), ["money"]),
        (("send_email", {"to": "a@example.org", "body": "hi"}, "sent"), ["message"]),
        (("transfer_funds", {"amount": 40, "currency": "EUR"}, "done"), ["money"]),
        (("send_money", {"amount": "0x1.4p+3", "recipient": "US13"}, "done"), ["money"]),
        (("deploy", {"service": "shop"}, "done"), ["deploy"]),
        (bash("rm -rf /srv/photos"), ["deletion"]),
        (bash("kubectl delete deployment shop -n production"), ["deploy"]),
        (("http_request", {"url": "https://api.example.org/users/4", "method": "DELETE"}, "gone"), ["network"]),
    ],
)
def test_an_act_that_reaches_beyond_the_workspace_is_external(call: Any, kinds: list[str]) -> None:
    assert [each.act.kind for each in attributed([acted(call)], Delegations()).acts] == kinds


@pytest.mark.parametrize(
    "call",
    [
        bash("ls -la"), bash("rm -rf build"), bash("curl -d x http://localhost:8000/"), bash("git commit -m x"),
        bash("curl https://example.org/page"), bash("pytest -q"), bash("git push --dry-run origin main"),
        ("read_file", {"path": "a.py"}, "text"), ("write_file", {"path": "a.py", "content": "x"}, "ok"),
    ],
)  # fmt: skip
def test_an_act_inside_the_workspace_is_not_external(call: Any) -> None:
    said = attributed([acted(call)], Delegations())
    assert (said.acts, said.counts["unclear"]) == ((), 0)


@pytest.mark.idea("B59")
def test_an_act_under_a_signed_delegation_names_who_answers() -> None:
    said = attributed([acted(POST, PUSH)], delegations((statement(), ROOT)))
    assert [[each.name for each in act.answer.chain] for act in said.acts] == [["Head of operations"]] * 2
    assert said.counts["attributed"] == said.counts["external"] == 2
    assert said.reasons == {}


@pytest.mark.idea("B59")
def test_without_a_delegation_every_external_act_is_listed_as_unattributable() -> None:
    said = attributed([acted(POST, PUSH)], Delegations())
    assert [each.is_failure for each in said.acts] == [True, True]
    assert said.reasons == {"no delegation": 2}
    assert said.acts[0].quoted.quotation
    assert said.acts[0].quoted.source.line == 2


def test_what_failed_or_has_no_result_is_an_attempt() -> None:
    told = acted(bash("git push origin main", "fatal: permission denied"), bash("git push origin main", ""))
    said = attributed([told], Delegations())
    assert [each.quoted.result for each in said.acts] == ["failed", "unknown"]
    assert (said.counts["unattributable and done"], said.counts["unattributable attempts"]) == (0, 2)


def test_an_act_whose_effect_nobody_knows_is_counted_apart_and_never_attributed() -> None:
    said = attributed([acted(("frobnicate", {"x": "1"}, "ok"))], delegations((statement(), ROOT)))
    assert (said.acts, said.counts["unclear"], said.counts["attributed"]) == ((), 1, 0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"until": "2026-05-01T00:00:00Z"}, "expired"),
        ({"from": "2026-07-01T00:00:00Z"}, "not yet valid"),
        ({"scope": {"effects": ["money"]}}, "over-scoped"),
        ({"scope": {"effects": ["network"], "hosts": ["api.example.com"]}}, "over-scoped"),
        ({"scope": {"effects": ["network"], "targets": ["https://api.example.org/v2/*"]}}, "over-scoped"),
        ({"scope": {"effects": ["network"], "repositories": ["*"]}}, "over-scoped"),
        ({"delegate": {"agent": "another"}}, "for another agent"),
        ({"delegate": {"runs": "run 2*"}}, "for another agent"),
        ({"delegate": {"agent": "fixer", "system": "sha256:" + "0" * 64}}, "for another agent"),
        ({"delegate": {"key": TEAM.public.hex()}}, "no delegation"),
        ({"parent": "sha256:" + "0" * 64}, "broken chain"),
    ],
)
def test_a_delegation_that_does_not_cover_an_act_says_why(changed: dict[str, Any], reason: str) -> None:
    assert reasons(acted(POST), delegations((statement(**changed), ROOT))) == [reason]


@pytest.mark.parametrize(
    "changed",
    [
        {"scope": {"effects": ["network"], "hosts": ["*.example.org"]}},
        {"scope": {"effects": ["network"], "targets": ["https://api.example.org/v1/*"]}},
        {"delegate": {"runs": "run *"}},
        {"delegate": {"system": content_id({"agent": "fixer"})}},
    ],
)
def test_a_narrower_delegation_that_still_covers_an_act_attributes_it(changed: dict[str, Any]) -> None:
    assert reasons(acted(POST), delegations((statement(**changed), ROOT))) == [""]


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.org@evil.example.com/v1/", "https://api.example.org\\@evil.example.com/",
        "https://evil.example.com/api.example.org", "https://$HOST/api.example.org",
        "https://api.example.org.evil.example.com/", "https://evil.example.com/#.example.org",
    ],
)  # fmt: skip
def test_an_address_that_looks_like_a_delegated_host_is_not_covered(address: str) -> None:
    call = ("http_request", {"url": address, "method": "POST", "body": "x"}, "ok")
    held = delegations((statement(scope={"effects": ["network"], "hosts": ["*.example.org", "api.example.org"]}), ROOT))
    assert reasons(acted(call), held) == ["over-scoped"]


def test_a_path_that_climbs_out_of_a_delegated_folder_is_not_covered() -> None:
    held = delegations((statement(scope={"effects": ["network"], "targets": ["https://api.example.org/v1/*"]}), ROOT))
    call = ("http_request", {"url": "https://api.example.org/v1/../admin", "method": "POST", "body": "x"}, "ok")
    assert reasons(acted(call), held) == ["over-scoped"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"amount": 100, "currency": "EUR"}, ""),
        ({"amount": "100.01", "currency": "EUR"}, "over-scoped"),
        ({"amount": 5, "currency": "USD"}, "over-scoped"),
        ({"amount": 5}, "over-scoped"),
        ({"amount": "all", "currency": "EUR"}, "over-scoped"),
        ({"to": "x"}, "over-scoped"),
        ({"amount": 5, "currency": "EUR", "order": {"amount": 500}}, "over-scoped"),
    ],
)
def test_a_payment_is_covered_up_to_the_amount_delegated(arguments: dict[str, Any], reason: str) -> None:
    scope = {"effects": ["money"], "amounts": {"most": "100", "unit": "EUR"}}
    held = delegations((statement(scope=scope), ROOT))
    assert reasons(acted(("transfer_funds", {"account": "a", **arguments}, "done")), held) == [reason]


def test_a_forged_delegation_attributes_nothing() -> None:
    whole = json.loads(file_of([(statement(scope={"effects": ["push"]}), ROOT)]))
    payload = json.loads(base64.b64decode(whole["statements"][0]["payload"]))
    payload["predicate"]["scope"]["effects"] = ["network"]
    whole["statements"][0]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    assert reasons(acted(POST), read_file(json.dumps(whole).encode())) == ["forged"]


def test_a_root_that_nobody_trusts_attributes_nothing() -> None:
    assert reasons(acted(POST), delegations((statement(OTHER), OTHER))) == ["untrusted root"]


def chain(*, may: bool = True, key: Any = TEAM, scope: dict[str, Any] | None = None, signer: Any = TEAM) -> Delegations:
    root = statement(delegate={"key": key.public.hex()}, may_delegate=may)
    _, name = signed(root, ROOT)
    return delegations((root, ROOT), (statement(signer, parent=name, scope=scope), signer))


def test_a_chain_of_delegations_names_everybody_from_the_root() -> None:
    [act] = attributed([acted(POST)], chain(scope={"effects": ["network"]})).acts
    assert [each.name for each in act.answer.chain] == ["Head of operations", "Team of repair"]
    assert "Head of operations (ops@example.org) → Team of repair" in act.said


def test_a_chain_breaks_where_a_link_does_not_hold() -> None:
    wide = {"effects": ["network", "money"]}
    assert reasons(acted(POST), chain(scope=wide, may=False)) == ["sub-delegation not allowed"]
    assert reasons(acted(POST), chain(scope=wide, key=OTHER)) == ["wrong key"]
    paid = acted(("transfer_funds", {"amount": 1, "account": "a"}, "done"))
    assert reasons(paid, chain(scope=wide)) == ["over-scoped"]


def test_a_sub_delegation_of_another_agent_s_delegation_reaches_nobody() -> None:
    root = statement(delegate={"agent": "another", "key": TEAM.public.hex()}, may_delegate=True)
    held = delegations((root, ROOT), (statement(TEAM, parent=signed(root, ROOT)[1]), TEAM))
    assert reasons(acted(POST), held) == ["for another agent"]


@pytest.mark.parametrize(
    ("at", "key", "expected"),
    [
        ("2026-05-01T00:00:00Z", ROOT, "revoked"),
        ("2026-06-01T12:00:00Z", ROOT, "revoked"),
        ("2026-06-01T12:00:01Z", ROOT, ""),
        ("2026-05-01T00:00:00Z", OTHER, ""),
    ],
)
def test_a_revocation_counts_from_its_moment_when_one_entitled_signed_it(at: str, key: Any, expected: str) -> None:
    record = statement()
    held = delegations((record, ROOT), (revocation(signed(record, ROOT)[1], at, key), key))
    assert reasons(acted(POST), held) == [expected]


def test_the_root_may_take_back_what_was_delegated_further() -> None:
    root = statement(delegate={"key": TEAM.public.hex()}, may_delegate=True)
    leaf = statement(TEAM, parent=signed(root, ROOT)[1])
    taken = revocation(signed(leaf, TEAM)[1], "2026-05-01T00:00:00Z")
    assert reasons(acted(POST), delegations((root, ROOT), (leaf, TEAM), (taken, ROOT))) == ["revoked"]


@pytest.mark.parametrize(
    ("at", "until", "expected"),
    [
        ("", "2027-01-01T00:00:00Z", "no time"),
        ("yesterday", "2027-01-01T00:00:00Z", "no time"),
        ("2026-06-01T12:00:00", "2026-06-02T03:00:00Z", ""),
        ("2026-06-01T12:00:00", "2026-06-02T01:00:00Z", "expired"),
        ("1780315200", "2026-06-01T12:00:01Z", ""),
        ("1780315200000000000", "2026-06-01T12:00:01Z", ""),
        ("1780315200", "2026-06-01T12:00:00Z", "expired"),
    ],
)
def test_the_clock_is_the_record_s_and_what_it_leaves_open_counts_against(at: str, until: str, expected: str) -> None:
    assert reasons(acted(POST, at=at), delegations((statement(until=until), ROOT))) == [expected]


SCOPES = st.fixed_dictionaries(
    {"effects": st.lists(st.sampled_from(["network", "push", "money", "message"]), min_size=1, unique=True)},
    optional={
        "hosts": st.lists(st.sampled_from(["api.example.org", "*.example.org", "*"]), unique=True),
        "targets": st.lists(st.sampled_from(["https://*", "origin *", "*"]), unique=True),
        "repositories": st.lists(st.sampled_from(["origin", "*"]), unique=True),
        "amounts": st.fixed_dictionaries({"most": st.sampled_from(["1", "100"])}),
    },
)
RUN = acted(POST, PUSH, ("transfer_funds", {"amount": 50, "account": "a"}, "done"), ("send_email", {"to": "x"}, "sent"))


def covered(held: Delegations) -> set[int]:
    return {number for number, each in enumerate(attributed([RUN], held).acts) if each.attributed}


@settings(max_examples=40, deadline=None)
@given(st.lists(SCOPES, min_size=1, max_size=3), st.data())
def test_a_revocation_never_attributes_more(scopes: list[dict[str, Any]], data: st.DataObject) -> None:
    signs = [(statement(scope=scope), ROOT) for scope in scopes]
    before = covered(delegations(*signs))
    chosen = data.draw(st.sampled_from(signs))
    day, key = data.draw(st.integers(1, 28)), data.draw(st.sampled_from([ROOT, TEAM, OTHER]))
    month = data.draw(st.sampled_from(["05", "06", "07"]))
    taken = revocation(signed(chosen[0], ROOT)[1], f"2026-{month}-{day:02}T00:00:00Z", key)
    assert covered(delegations(*signs, (taken, key))) <= before


@settings(max_examples=40, deadline=None)
@given(SCOPES, SCOPES)
def test_narrowing_a_scope_never_attributes_more(first: dict[str, Any], second: dict[str, Any]) -> None:
    narrowed = dict(first)
    for name, value in second.items():
        held = first.get(name)
        if name == "amounts":
            narrowed[name] = min((each for each in (held, value) if each), key=lambda each: int(each["most"]))
        else:
            narrowed[name] = value if held is None else [each for each in held if each in value]
    if not narrowed["effects"]:
        return
    assert covered(delegations((statement(scope=narrowed), ROOT))) <= covered(
        delegations((statement(scope=first), ROOT))
    )


def test_a_null_engine_that_answers_for_nothing_fails_the_needle() -> None:
    assert covered(Delegations()) == set()
    everything = statement(scope={"effects": ["network", "push", "money", "message"]})
    assert covered(delegations((everything, ROOT))) == {0, 1, 2, 3}
