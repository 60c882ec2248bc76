# SPDX-License-Identifier: Apache-2.0
"""A signed summary of the log: its size and root, as a C2SP tlog-checkpoint."""

import base64
import hashlib
import re

from safetyboard.evidence.keys import SigningKey, verifies
from safetyboard.terms.errors import UntrustedEvidence

_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\n+ ]+)\n(?P<size>0|[1-9][0-9]{0,14})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    r"\n\u2014 (?P<name>[^\n ]+) (?P<signature>[A-Za-z0-9+/=]+)\n"
)


def origin_of(public: bytes) -> str:
    """Name the log by its key."""
    return "safetyboard/" + hashlib.sha256(public).hexdigest()[:16]


def key_hash(name: str, public: bytes) -> bytes:
    """Shorten a named ed25519 key to the four bytes that stand before a signature.

    Source:  C2SP signed-note, "Signatures": SHA-256(name || 0x0A || 0x01 || public key)[:4].
    """
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def write_checkpoint(size: int, root: bytes, key: SigningKey) -> bytes:
    """Write and sign a checkpoint.

    Source:  C2SP tlog-checkpoint and signed-note.
    """
    origin = origin_of(key.public)
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"
    signature = base64.b64encode(key_hash(origin, key.public) + key.sign(text.encode())).decode("ascii")
    return f"{text}\n\u2014 {origin} {signature}\n".encode()


def read_checkpoint(content: bytes, public: bytes) -> tuple[int, bytes]:
    """Verify a checkpoint; returns size and root.

    Raises:  UntrustedEvidence: damaged, or signed by another key.
    """
    try:
        note = _NOTE.fullmatch(content.decode("utf-8"))
        if note is None:
            raise UntrustedEvidence("The checkpoint is damaged.")
        raw = base64.b64decode(note["signature"], validate=True)
        root = base64.b64decode(note["root"], validate=True)
    except ValueError as error:
        raise UntrustedEvidence("The checkpoint is damaged.") from error
    good = (
        note["name"] == note["origin"] == origin_of(public)
        and raw[:4] == key_hash(note["origin"], public)
        and verifies(public, note["text"].encode(), raw[4:])
    )
    if not good:
        raise UntrustedEvidence("The checkpoint is not signed by this key.")
    # Base64 has bits to spare in its last digit; only one spelling of a checkpoint is accepted.
    if base64.b64encode(raw).decode() != note["signature"] or base64.b64encode(root).decode() != note["root"]:
        raise UntrustedEvidence("The checkpoint is damaged.")
    return int(note["size"]), root
