# SPDX-License-Identifier: Apache-2.0
"""Signed statements: a record inside an in-toto Statement inside a DSSE envelope, one line of the log."""

import base64
import hashlib
import json
from typing import Any

from safetyboard.evidence.keys import SigningKey, fingerprint_of, verifies
from safetyboard.terms.canonical import Plain, canonical_json
from safetyboard.terms.errors import UntrustedEvidence

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


def pre_authentication(payload: bytes) -> bytes:
    """Encode what is signed (DSSE v1, PAE)."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def signed_line(record: dict[str, Plain], key: SigningKey) -> bytes:
    """Write one record as a signed line, without its newline."""
    kind = str(record["kind"])
    digest = hashlib.sha256(canonical_json(record)).hexdigest()
    payload = canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": kind, "digest": {"sha256": digest}}],
            "predicateType": f"urn:safetyboard:{kind}:1",
            "predicate": record,
        }
    )
    return canonical_json(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {
                    "keyid": key.fingerprint,
                    "sig": base64.b64encode(key.sign(pre_authentication(payload))).decode("ascii"),
                }
            ],
        }
    )


def opened_line(line: bytes, public: bytes) -> dict[str, Any]:
    """Verify one line and return its record.

    Raises:  UntrustedEvidence: not signed by this key, or not a statement.
    """
    try:
        envelope = json.loads(line)
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = envelope["signatures"][0]
        good = signature["keyid"] == fingerprint_of(public) and verifies(
            public, pre_authentication(payload), base64.b64decode(signature["sig"], validate=True)
        )
        if not good:
            raise UntrustedEvidence("A statement is not signed by the docket's key.")
        return dict(json.loads(payload)["predicate"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise UntrustedEvidence("A line of the log is not a signed statement.") from error
