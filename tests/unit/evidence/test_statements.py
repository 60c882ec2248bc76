# SPDX-License-Identifier: Apache-2.0
"""A statement is a record, signed as DSSE says, that comes back with every field it had."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.evidence.statements import PAYLOAD_TYPE, opened_line, pre_authentication, signed_line, statement_of
from safetyboard.terms.canonical import canonical_json, content_id
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import from_plain, record_id, to_plain
from safetyboard.terms.errors import UntrustedEvidence
from unit.evidence.specimens import KEY, OTHER_KEY, SMALL

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.builds(
    lambda kind, fields: {**fields, "kind": kind},
    st.sampled_from(["claim", "case", 'quo"ted', "κλήρος"]),
    st.dictionaries(st.text(max_size=6), PLAIN, max_size=5),
)


def signed_again(line: bytes, change: Any, key: Any = KEY) -> bytes:
    """The same envelope with its statement changed, and rightly signed."""
    envelope = json.loads(line)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload = canonical_json(statement)
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(key.sign(pre_authentication(payload))).decode()
    return canonical_json(envelope)


def test_what_is_signed_is_the_example_of_the_dsse_protocol() -> None:
    # secure-systems-lab/dsse, protocol.md, "Test Vectors": PAE of the type and payload given there.
    encoded = pre_authentication(b"hello world", "http://example.com/HelloWorld")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@pytest.mark.parametrize(
    ("payload", "kind", "encoded"),
    [
        (b"", "", b"DSSEv1 0  0 "),
        (b"\n\0", "\u00e9", b"DSSEv1 2 \xc3\xa9 2 \n\0"),
        (b"1 2", "a 1", b"DSSEv1 3 a 1 3 1 2"),
    ],
)
def test_lengths_are_counted_in_bytes(payload: bytes, kind: str, encoded: bytes) -> None:
    assert pre_authentication(payload, kind) == encoded


PAYLOADS = st.tuples(st.binary(max_size=6), st.text("a 1", max_size=4))


@given(first=PAYLOADS, second=PAYLOADS)
def test_no_two_payloads_share_what_is_signed(first: tuple[bytes, str], second: tuple[bytes, str]) -> None:
    assert (pre_authentication(*first) == pre_authentication(*second)) == (first == second)


@given(record=RECORDS)
def test_a_line_is_the_canonical_envelope_of_the_canonical_statement(record: dict[str, Any]) -> None:
    line = signed_line(record, KEY)
    envelope = json.loads(line)
    payload = base64.b64decode(envelope["payload"])
    assert line == canonical_json(envelope)
    assert b"\n" not in line
    assert payload == canonical_json(statement_of(record))
    assert envelope["payloadType"] == PAYLOAD_TYPE == "application/vnd.in-toto+json"
    assert envelope["signatures"][0]["keyid"] == KEY.fingerprint
    assert opened_line(line, KEY.public) == record


def test_a_statement_names_its_record_as_in_toto_says() -> None:
    record = to_plain(SMALL.claim)
    assert statement_of(record) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "claim", "digest": {"sha256": content_id(record).removeprefix("sha256:")}}],
        "predicateType": "urn:safetyboard:claim:1",
        "predicate": record,
    }


def test_fields_of_a_newer_writer_survive_the_round_trip_and_the_digest_does_not_change() -> None:
    newer = {**to_plain(SMALL.claim), "from_the_future": {"depth": [1, "2", None]}, "empty": []}
    back = opened_line(signed_line(newer, KEY), KEY.public)
    claim = from_plain(Claim, back)
    assert claim.extra == {"from_the_future": {"depth": [1, "2", None]}, "empty": []}
    assert to_plain(claim) == newer
    assert record_id(claim) == content_id(newer) != record_id(SMALL.claim)


def test_another_key_s_statement_is_refused() -> None:
    line = signed_line(to_plain(SMALL.claim), OTHER_KEY)
    with pytest.raises(UntrustedEvidence, match="not signed by the docket's key"):
        opened_line(line, KEY.public)
    posing = json.loads(line)
    posing["signatures"][0]["keyid"] = KEY.fingerprint
    with pytest.raises(UntrustedEvidence, match="not signed by the docket's key"):
        opened_line(canonical_json(posing), KEY.public)
    assert opened_line(line, OTHER_KEY.public) == to_plain(SMALL.claim)


def test_a_good_signature_under_another_key_s_name_is_refused() -> None:
    envelope = json.loads(signed_line(to_plain(SMALL.claim), KEY))
    envelope["signatures"][0]["keyid"] = OTHER_KEY.fingerprint
    with pytest.raises(UntrustedEvidence, match="not signed by the docket's key"):
        opened_line(canonical_json(envelope), KEY.public)


def test_a_changed_record_under_an_old_signature_is_refused() -> None:
    envelope = json.loads(signed_line(to_plain(SMALL.claim), KEY))
    payload = base64.b64decode(envelope["payload"]).replace(b"stays below 1/4", b"stays below 1/5")
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(UntrustedEvidence, match="not signed"):
        opened_line(canonical_json(envelope), KEY.public)


def rename(statement: dict[str, Any]) -> None:
    statement["subject"][0]["name"] = "verdict"


def swap(statement: dict[str, Any]) -> None:
    statement["predicate"]["statement"] = "anything"


def retype(statement: dict[str, Any]) -> None:
    statement["predicateType"] = "urn:safetyboard:claim:2"


def add(statement: dict[str, Any]) -> None:
    statement["subject"].append(statement["subject"][0])


@pytest.mark.parametrize("change", [rename, swap, retype, add])
def test_a_rightly_signed_statement_that_is_not_about_its_record_is_refused(change: Any) -> None:
    line = signed_line(to_plain(SMALL.claim), KEY)
    assert opened_line(signed_again(line, lambda statement: None), KEY.public) == to_plain(SMALL.claim)
    with pytest.raises(UntrustedEvidence, match="does not match the record"):
        opened_line(signed_again(line, change), KEY.public)


def test_the_payload_type_is_part_of_what_is_signed() -> None:
    envelope = json.loads(signed_line(to_plain(SMALL.claim), KEY))
    envelope["payloadType"] = "text/plain"
    with pytest.raises(UntrustedEvidence, match="not signed"):
        opened_line(canonical_json(envelope), KEY.public)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"payload": 1}',
        b"[" * 100_000,
        b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"*","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":""}]}',
    ],
)
def test_a_line_that_is_no_statement_is_one_sentence(line: bytes) -> None:
    with pytest.raises(UntrustedEvidence):
        opened_line(line, KEY.public)


@pytest.mark.parametrize("predicate", [None, 3, "claim", [], {}, {"kind": 5}, {"kind": "claim", "real": 0.5}])
def test_a_signed_statement_without_a_proper_record_is_refused(predicate: Any) -> None:
    payload = json.dumps({"predicate": predicate}).encode()
    signature = base64.b64encode(KEY.sign(pre_authentication(payload))).decode()
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": KEY.fingerprint, "sig": signature}],
    }
    with pytest.raises(UntrustedEvidence):
        opened_line(json.dumps(envelope).encode(), KEY.public)


@given(place=st.integers(0), bit=st.integers(0, 7))
def test_one_changed_bit_of_a_line_never_yields_another_record(place: int, bit: int) -> None:
    line = bytearray(signed_line(to_plain(SMALL.claim), KEY))
    line[place % len(line)] ^= 1 << bit
    try:
        record = opened_line(bytes(line), KEY.public)
    except UntrustedEvidence:
        return
    # Spare bits of base64 may change without changing what is said; the tree hash covers the line itself.
    assert record == to_plain(SMALL.claim)
