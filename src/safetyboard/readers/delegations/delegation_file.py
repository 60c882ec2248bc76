# SPDX-License-Identifier: Apache-2.0
"""Files of delegations: signed envelopes in a list, each verified with the key it names before it is believed."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from safetyboard.evidence.keys import SigningKey, fingerprint_of
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard.readers.delegations.delegation import Delegation, Delegations, Fault, Revocation
from safetyboard.readers.delegations.statement_record import delegation_of, principal_of, revocation_of
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import content_id, plain_of
from safetyboard.terms.errors import SyntaxFault, TooLarge, UnreadableInput, UntrustedEvidence

SCHEMA = "safetyboard.delegations/1"
LARGEST = 8 << 20
MOST = 10_000


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file says that it holds delegations."""
    return name.endswith(".json") and SCHEMA.encode() in head[:4096]


def read(stored: Stored, trusted: Iterable[str]) -> Delegations:
    """Read a file of delegations and verify every signature; a statement that fails is kept with what is wrong.

    Args:    trusted: fingerprints of keys that may begin a chain, from outside the file.
    Raises:  SyntaxFault, UnreadableInput, TooLarge: the file as a whole cannot be read.
    """
    if stored.size > LARGEST:
        raise TooLarge(f"{stored.name}: {stored.size} bytes, more than {LARGEST}.", hint="Give fewer statements.")
    entries = _entries(stored.load(), stored.name)
    statements, revocations, faults = list[Delegation](), list[Revocation](), dict[str, str]()
    for number, envelope in enumerate(entries):
        place = f"{stored.name}: statement {number + 1}"
        try:
            made = _made(envelope, place)
        except UnreadableInput as error:
            faults[place] = error.message.removeprefix(f"{place}: ")
            continue
        if isinstance(made, Revocation):
            revocations.append(made)
            continue
        statements.append(made)
        if made.fault:
            faults[place] = made.fault
    return Delegations(
        statements=tuple(statements), revocations=tuple(revocations), trusted=frozenset(trusted), faults=faults
    )


def signed(record: Mapping[str, Any], key: SigningKey) -> tuple[bytes, str]:
    """Sign one delegation or revocation with a principal's key; gives the envelope and the id of the record.

    The key is entered as the principal's; a record that names another one is refused.

    Raises:  UnreadableInput: the record is no delegation or revocation, or names another key.
    """
    principal = record.get("principal")
    if not isinstance(principal, Mapping):
        raise UnreadableInput("The statement names no principal.", hint="See docs/how-to/attribution.md.")
    if principal.get("key", key.public.hex()) != key.public.hex():
        raise UnreadableInput("The statement names another principal's key.", hint="Let that principal sign it.")
    whole = plain_of({**record, "principal": {**principal, "key": key.public.hex()}})
    if not isinstance(whole, dict):
        raise UnreadableInput("The statement is no object.")
    _record(whole, "The statement")
    return signed_line(whole, key), content_id(whole)


def added(content: bytes, name: str, envelope: bytes) -> bytes:
    """Give the bytes of a file of delegations with one more statement; empty content makes a new file.

    Raises:  SyntaxFault, UnreadableInput: the file is there and is none.
    """
    entries = _entries(content, name) if content else []
    whole = {"schema": SCHEMA, "statements": [*entries, json.loads(envelope)]}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def _entries(content: bytes, name: str) -> list[Any]:
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{name}: is no JSON.", hint="Give a file that `safetyboard delegate` wrote.") from error
    entries = whole.get("statements") if isinstance(whole, dict) and whole.get("schema") == SCHEMA else None
    if not isinstance(entries, list):
        raise UnreadableInput(f"{name}: is no file of delegations.", hint=f"Its schema must be {SCHEMA}.")
    if len(entries) > MOST:
        raise TooLarge(f"{name}: {len(entries)} statements, more than {MOST}.", hint="Give fewer statements.")
    return entries


def _record(record: Mapping[str, Any], place: str, fault: Fault = "") -> Delegation | Revocation:
    kind = record.get("kind")
    if kind == "delegation" and record.get("schema") == 1:
        return delegation_of(record, place, fault)
    if kind == "revocation" and record.get("schema") == 1:
        return revocation_of(record, place)
    raise UnreadableInput(f"{place}: is neither a delegation nor a revocation of schema 1.")


def _made(envelope: Any, place: str) -> Delegation | Revocation:
    """Verify one envelope with the key its record names, which is believed for nothing else before that."""
    try:
        payload = json.loads(base64.b64decode(envelope["payload"], validate=True))
        claimed = dict(payload["predicate"])
        [signature] = envelope["signatures"]
        keyid = str(signature["keyid"])
        line = json.dumps(envelope).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableInput(f"{place}: is no signed statement.") from error
    public = bytes.fromhex(principal_of(claimed, place).key)
    fault: Fault = ""
    try:
        claimed = opened_line(line, public)
    except UntrustedEvidence:
        fault = "wrong key" if keyid != fingerprint_of(public) else "forged"
    made = _record(claimed, place, fault)
    if fault and isinstance(made, Revocation):
        raise UnreadableInput(f"{place}: a revocation whose signature does not hold ({fault}): {printable(keyid, 80)}.")
    return made
