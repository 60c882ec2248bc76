# SPDX-License-Identifier: Apache-2.0
"""A signed summary of the log: its size and root, as a C2SP tlog-checkpoint."""

import base64
import hashlib

from safetyboard.evidence.keys import SigningKey, verifies
from safetyboard.terms.errors import UntrustedEvidence


def origin_of(public: bytes) -> str:
    """Name the log by its key."""
    return "safetyboard/" + hashlib.sha256(public).hexdigest()[:16]


def write_checkpoint(size: int, root: bytes, key: SigningKey) -> bytes:
    """Write and sign a checkpoint.

    Source:  C2SP tlog-checkpoint and signed-note.
    """
    origin = origin_of(key.public)
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"
    signature = base64.b64encode(_key_hash(origin, key.public) + key.sign(text.encode())).decode("ascii")
    return f"{text}\n\u2014 {origin} {signature}\n".encode()


def read_checkpoint(content: bytes, public: bytes) -> tuple[int, bytes]:
    """Verify a checkpoint; returns size and root.

    Raises:  UntrustedEvidence: damaged, or signed by another key.
    """
    try:
        text, _, signed = content.decode("utf-8").partition("\n\n")
        origin, size, root = text.split("\n")
        dash, name, signature = signed.rstrip("\n").split(" ")
        raw = base64.b64decode(signature, validate=True)
        good = (
            dash == "\u2014"
            and name == origin == origin_of(public)
            and raw[:4] == _key_hash(origin, public)
            and verifies(public, (text + "\n").encode(), raw[4:])
        )
        if not good:
            raise UntrustedEvidence("The checkpoint is not signed by this key.")
        return int(size), base64.b64decode(root, validate=True)
    except ValueError as error:
        raise UntrustedEvidence("The checkpoint is damaged.") from error


def _key_hash(origin: str, public: bytes) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
