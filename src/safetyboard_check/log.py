# SPDX-License-Identifier: Apache-2.0
"""Check the log: Merkle root, signed checkpoint, and every signed statement."""

import base64
import hashlib
from typing import Any

from safetyboard_check.canonical import decode, digest, encode
from safetyboard_check.ed25519 import Verifier
from safetyboard_check.faults import Rejected, need
from safetyboard_check.records import FIELDS, check_fields

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def short(name: str) -> str:
    """Name a record in messages."""
    return name.removeprefix("sha256:")[:12]


def root_of(lines: list[bytes]) -> bytes:
    """Hash the lines to a root (RFC 6962 section 2.1), level by level."""
    if not lines:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\0" + line).digest() for line in lines]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def _base64(text: Any, place: str) -> bytes:
    """Read base64 in its one spelling."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (AttributeError, ValueError) as error:
        raise Rejected(f"{place}: not base64") from error
    need(base64.b64encode(content).decode() == text, f"{place}: base64 is not canonical")
    return content


def checkpoint(content: bytes, verifier: Verifier, place: str) -> tuple[int, bytes]:
    """Verify a signed checkpoint; returns size and root."""
    origin = "safetyboard/" + hashlib.sha256(verifier.public).hexdigest()[:16]
    try:
        text = content.decode("utf-8")
        body, signed = text.split("\n\n")
        name, size, root = body.split("\n")
        dash, signer, signature = signed.removesuffix("\n").split(" ")
    except ValueError as error:
        raise Rejected(f"{place}: not a signed checkpoint of three lines and one signature") from error
    need(signed.endswith("\n") and dash == "\u2014", f"{place}: the signature line is damaged")
    need(name == signer == origin, f"{place}: the checkpoint of {name[:60]!r}; this log is {origin!r}")
    raw = _base64(signature, place)
    key_hash = hashlib.sha256(origin.encode() + b"\n\1" + verifier.public).digest()[:4]
    need(raw[:4] == key_hash, f"{place}: key hash {raw[:4].hex()}, expected {key_hash.hex()}")
    need(verifier.good((body + "\n").encode(), raw[4:]), f"{place}: the signature is wrong")
    need(size.isascii() and size.isdecimal() and len(size) < 16 and str(int(size)) == size, f"{place}: its tree size")
    return int(size), _base64(root, place)


def statement(line: bytes, verifier: Verifier, signer: str, number: int) -> tuple[str, dict[str, Any]]:
    """Verify one line; returns the id and the record."""
    place = f"log/statements.jsonl line {number}"
    envelope = decode(line, place)
    good = isinstance(envelope, dict) and set(envelope) == {"payload", "payloadType", "signatures"}
    need(good and envelope["payloadType"] == PAYLOAD_TYPE, f"{place}: not a DSSE envelope")
    signatures = envelope["signatures"]
    one = isinstance(signatures, list) and len(signatures) == 1 and isinstance(signatures[0], dict)
    need(one and set(signatures[0]) == {"keyid", "sig"}, f"{place}: there must be one signature of keyid and sig")
    need(signatures[0]["keyid"] == signer, f"{place}: keyid {str(signatures[0]['keyid'])[:80]}, expected {signer}")
    payload = _base64(envelope["payload"], f"{place}: payload")
    signature = _base64(signatures[0]["sig"], f"{place}: sig")
    kind = PAYLOAD_TYPE.encode()
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    need(verifier.good(encoded, signature), f"{place}: the signature is wrong")
    return _record(decode(payload, place), place)


def _record(body: Any, place: str) -> tuple[str, dict[str, Any]]:
    need(isinstance(body, dict) and isinstance(body.get("predicate"), dict), f"{place}: no record")
    record = body["predicate"]
    name = digest(encode(record))
    kind = record.get("kind")
    need(isinstance(kind, str) and kind in FIELDS, f"{place}: unknown kind {str(kind)[:40]!r}")
    expected = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": kind, "digest": {"sha256": name.removeprefix("sha256:")}}],
        "predicateType": f"urn:safetyboard:{kind}:1",
        "predicate": record,
    }
    need(body == expected, f"{place}: the statement does not match its record {short(name)}")
    check_fields(record, f"{kind} {short(name)}")
    return name, record
