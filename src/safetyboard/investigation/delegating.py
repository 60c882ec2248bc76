# SPDX-License-Identifier: Apache-2.0
"""Delegate: sign a statement with this installation's key and add it to a file of delegations."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetyboard.evidence.keys import load_key
from safetyboard.evidence.store import machine_faults, write_durably
from safetyboard.readers.delegations.delegation_file import added, signed
from safetyboard.terms.errors import SyntaxFault, UnreadableInput


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Hold what was signed: its id, by whom, and where it went; only the key where nothing was to be signed."""

    public: str
    fingerprint: str
    id: str = ""
    into: str = ""

    @property
    def sentence(self) -> str:
        """Say what was done."""
        key = f"public key {self.public}, fingerprint {self.fingerprint}"
        return f"{self.into}: signed {self.id} with {key}" if self.id else key


def delegate(statement: Path | None, into: Path) -> Signed:
    """Sign one statement and add it to a file, which is made where it is missing; without one, show the public key.

    Raises:  UnreadableInput: the statement or the file cannot be read, or is of another form.
    """
    key, _ = load_key()
    if statement is None:
        return Signed(public=key.public.hex(), fingerprint=key.fingerprint)
    record = _parsed(_bytes(statement), statement)
    envelope, name = signed(record, key)
    content = added(_bytes(into) if into.exists() else b"", str(into), envelope)
    with machine_faults(into):
        write_durably(into, content)
    return Signed(public=key.public.hex(), fingerprint=key.fingerprint, id=name, into=str(into))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path}: cannot be read ({error.strerror}).", hint="Check the path.") from error


def _parsed(content: bytes, path: Path) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{path}: is no JSON.", hint="See docs/how-to/attribution.md.") from error
    if not isinstance(found, dict):
        raise UnreadableInput(f"{path}: is no JSON object.", hint="See docs/how-to/attribution.md.")
    return found
