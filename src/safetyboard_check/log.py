# SPDX-License-Identifier: Apache-2.0
"""Check the log: Merkle root, signed checkpoint, and every signed statement."""

import base64
import hashlib
from typing import Any

from safetyboard_check.canonical import decode, digest, encode
from safetyboard_check.ed25519 import verify
from safetyboard_check.faults import Rejected, need

PAYLOAD_TYPE = "application/vnd.in-toto+json"
KINDS = [
    "case",
    "custody",
    "subject",
    "domain",
    "claim",
    "witness",
    "certificate",
    "bound",
    "ablation",
    "observation",
    "attestation",
    "null",
    "verdict",
    "finding",
    "remedy",
    "lesson",
]


def root_of(lines: list[bytes]) -> bytes:
    """Hash the tree over lines (RFC 6962 section 2.1), level by level."""
    if not lines:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\0" + line).digest() for line in lines]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def checkpoint(content: bytes, public: bytes, place: str) -> tuple[int, bytes]:
    """Verify a signed checkpoint; returns size and root."""
    origin = "safetyboard/" + hashlib.sha256(public).hexdigest()[:16]
    try:
        text = content.decode("utf-8")
        body, gap, signed = text.partition("\n\n")
        name, size, root = body.split("\n")
        dash, signer, signature = signed.removesuffix("\n").split(" ")
        raw = base64.b64decode(signature, validate=True)
        need(gap and dash == "\u2014" and name == signer == origin, f"{place}: another log's checkpoint")
        need(raw[:4] == hashlib.sha256(origin.encode() + b"\n\1" + public).digest()[:4], f"{place}: wrong key hash")
        need(verify(public, (body + "\n").encode(), raw[4:]), f"{place}: the signature is wrong")
        need(str(int(size)) == size and base64.b64encode(raw).decode() == signature, f"{place}: not canonical")
        decoded = base64.b64decode(root, validate=True)
        need(base64.b64encode(decoded).decode() == root and signed.endswith("\n"), f"{place}: not canonical")
        return int(size), decoded
    except ValueError as error:
        raise Rejected(f"{place}: damaged ({error})") from error


def statement(line: bytes, public: bytes, number: int) -> tuple[str, dict[str, Any]]:
    """Verify one line; returns the id and the record."""
    place = f"log/statements.jsonl line {number}"
    envelope = decode(line, place)
    try:
        payload = base64.b64decode(envelope["payload"], validate=True)
        (signed,) = envelope["signatures"]
        signature = base64.b64decode(signed["sig"], validate=True)
        need(set(envelope) == {"payload", "payloadType", "signatures"}, f"{place}: fields of the envelope")
        need(set(signed) == {"keyid", "sig"} and signed["keyid"] == digest(public), f"{place}: signed by another key")
        need(envelope["payloadType"] == PAYLOAD_TYPE, f"{place}: payload type")
        need(base64.b64encode(payload).decode() == envelope["payload"], f"{place}: base64 is not canonical")
        need(base64.b64encode(signature).decode() == signed["sig"], f"{place}: base64 is not canonical")
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected(f"{place}: not a DSSE envelope ({error})") from error
    kind = PAYLOAD_TYPE.encode()
    need(
        verify(public, b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload), signature),
        f"{place}: the signature is wrong",
    )
    return _record(decode(payload, place), place)


def _record(body: Any, place: str) -> tuple[str, dict[str, Any]]:
    need(isinstance(body, dict) and isinstance(body.get("predicate"), dict), f"{place}: no record")
    record = body["predicate"]
    name = digest(encode(record))
    kind = record.get("kind")
    need(kind in KINDS, f"{place}: unknown kind {kind!r}")
    expected = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": kind, "digest": {"sha256": name.removeprefix("sha256:")}}],
        "predicateType": f"urn:safetyboard:{kind}:1",
        "predicate": record,
    }
    need(body == expected, f"{place}: the statement does not match its record")
    return name, record
