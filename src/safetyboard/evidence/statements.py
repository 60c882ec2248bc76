# SPDX-License-Identifier: Apache-2.0
"""Signed statements: a record inside an in-toto Statement inside a DSSE envelope, one line of the log."""

import base64
import hashlib
import json
from typing import Any

from safetyboard.evidence.keys import SigningKey, fingerprint_of, verifies
from safetyboard.terms.canonical import Plain, canonical_json
from safetyboard.terms.errors import SafetyboardError, UntrustedEvidence

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


def pre_authentication(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Encode what is signed.

    Source:  secure-systems-lab/dsse, protocol.md v1, PAE.
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_of(record: dict[str, Plain]) -> dict[str, Plain]:
    """Wrap a record in the in-toto Statement that names it by its digest."""
    kind = str(record["kind"])
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": kind, "digest": {"sha256": hashlib.sha256(canonical_json(record)).hexdigest()}}],
        "predicateType": f"urn:safetyboard:{kind}:1",
        "predicate": record,
    }


def signed_line(record: dict[str, Plain], key: SigningKey) -> bytes:
    """Write one record as a signed line, without its newline.

    The canonical JSON of statement and envelope is put together around that of the record, so that a large record is
    made canonical once and not three times; a test compares it with the long way.
    """
    body = canonical_json(record)
    kind = canonical_json(record["kind"])
    payload = b'{"_type":"%s","predicate":%s,"predicateType":%s,"subject":[{"digest":{"sha256":"%s"},"name":%s}]}' % (
        STATEMENT_TYPE.encode("ascii"),
        body,
        canonical_json(f"urn:safetyboard:{record['kind']}:1"),
        hashlib.sha256(body).hexdigest().encode("ascii"),
        kind,
    )
    return b'{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}' % (
        base64.b64encode(payload),
        PAYLOAD_TYPE.encode("ascii"),
        key.fingerprint.encode("ascii"),
        base64.b64encode(key.sign(pre_authentication(payload))),
    )


def opened_line(line: bytes, public: bytes) -> dict[str, Any]:
    """Verify one line and return its record.

    Raises:  UntrustedEvidence: not signed by this key, or not a statement about the record it carries.
    """
    try:
        envelope = json.loads(line)
        payload = base64.b64decode(envelope["payload"], validate=True)
        (signature,) = envelope["signatures"]
        good = (
            envelope["payloadType"] == PAYLOAD_TYPE
            and signature["keyid"] == fingerprint_of(public)
            and verifies(public, pre_authentication(payload), base64.b64decode(signature["sig"], validate=True))
        )
        if not good:
            raise UntrustedEvidence("A statement is not signed by the docket's key.")
        statement = json.loads(payload)
        record = dict(statement["predicate"])
        if statement != statement_of(record):
            raise UntrustedEvidence("A statement does not match the record it carries.")
        return record
    except UntrustedEvidence:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, SafetyboardError) as error:
        raise UntrustedEvidence("A line of the log is not a signed statement.") from error
