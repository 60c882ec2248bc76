# SPDX-License-Identifier: Apache-2.0
"""The record inside a signed statement of delegation: which fields there are, and what they must look like."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from safetyboard.readers.delegations.delegation import (
    ACTS,
    Delegate,
    Delegation,
    Fault,
    Principal,
    Revocation,
    Scope,
)
from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import content_id, plain_of
from safetyboard.terms.errors import UnreadableInput

_FIELDS = {"kind", "schema", "principal", "delegate", "scope", "from", "until", "may_delegate", "parent", "note"}
_TAKEN_BACK = {"kind", "schema", "principal", "delegation", "at", "note"}
_PRINCIPAL = {"name", "nature", "contact", "key"}
_DELEGATE = {"agent", "system", "runs", "key"}
_SCOPE = {"effects", "targets", "hosts", "repositories", "amounts"}
_KEY = re.compile(r"[0-9a-f]{64}")
_HINT = "See docs/how-to/attribution.md."


def delegation_of(record: Mapping[str, Any], place: str, fault: Fault = "") -> Delegation:
    """Read one delegation; an unknown field is refused, as it might narrow what is delegated.

    Raises:  UnreadableInput: a field is missing, unknown or of the wrong form; it is named.
    """
    _known(record, _FIELDS, place)
    begins, ends = moment(record.get("from"), f"{place}: from"), moment(record.get("until"), f"{place}: until")
    if begins >= ends:
        raise UnreadableInput(f"{place}: it ends before it begins.", hint="Exchange from and until.")
    parent, may = record.get("parent", ""), record.get("may_delegate", False)
    if not isinstance(parent, str) or not isinstance(may, bool):
        raise UnreadableInput(f"{place}: parent must be text and may_delegate true or false.", hint=_HINT)
    return Delegation(
        id=content_id(plain_of(dict(record))),
        principal=principal_of(record, place),
        delegate=_delegate(record.get("delegate"), place),
        scope=_scope(record.get("scope"), place),
        begins=begins,
        ends=ends,
        may_delegate=may,
        parent=parent,
        place=place,
        fault=fault,
    )


def revocation_of(record: Mapping[str, Any], place: str) -> Revocation:
    """Read one revocation.

    Raises:  UnreadableInput: a field is missing, unknown or of the wrong form.
    """
    _known(record, _TAKEN_BACK, place)
    return Revocation(
        delegation=_text(record, "delegation", place),
        at=moment(record.get("at"), f"{place}: at"),
        key=principal_of(record, place).key,
        place=place,
    )


def principal_of(record: Mapping[str, Any], place: str) -> Principal:
    """Read who signs.

    Raises:  UnreadableInput: a field is missing or no public key is given.
    """
    found = record.get("principal")
    if not isinstance(found, Mapping):
        raise UnreadableInput(f"{place}: no principal is named.", hint=_HINT)
    _known(found, _PRINCIPAL, f"{place}: principal")
    key = _text(found, "key", f"{place}: principal")
    if not _KEY.fullmatch(key):
        raise UnreadableInput(f"{place}: principal: key must be 64 hexadecimal digits.", hint=_HINT)
    name, nature, contact = (_text(found, each, f"{place}: principal") for each in ("name", "nature", "contact"))
    if nature not in ("legal person", "natural person"):
        raise UnreadableInput(f'{place}: nature must be "legal person" or "natural person".', hint=_HINT)
    return Principal(name=name, nature=nature, contact=contact, key=key)


def moment(value: Any, place: str) -> datetime:
    """Read a moment with its zone.

    Raises:  UnreadableInput: it is none, or has no zone.
    """
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError("no zone")
        return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        hint = "Write it as 2026-01-31T00:00:00Z."
        raise UnreadableInput(f"{place}: is no moment with a zone.", hint=hint) from error


def _known(found: Mapping[str, Any], fields: set[str], place: str) -> None:
    unknown = sorted(str(key) for key in found if key not in fields)
    if unknown:
        raise UnreadableInput(f"{place}: unknown field {printable(unknown[0])}.", hint=_HINT)


def _text(found: Mapping[str, Any], key: str, place: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UnreadableInput(f"{place}: {key} must be text.", hint=_HINT)
    return value


def _delegate(found: Any, place: str) -> Delegate:
    if not isinstance(found, Mapping):
        raise UnreadableInput(f"{place}: no delegate is named.", hint=_HINT)
    _known(found, _DELEGATE, f"{place}: delegate")
    given = {key: _text(found, key, f"{place}: delegate") for key in found}
    if not given or (given.get("key") and not _KEY.fullmatch(given["key"])):
        hint = "Give agent, system, runs or a key of 64 hexadecimal digits."
        raise UnreadableInput(f"{place}: the delegate is not told.", hint=hint)
    return Delegate(**given)


def _scope(found: Any, place: str) -> Scope:
    if not isinstance(found, Mapping):
        raise UnreadableInput(f"{place}: no scope is given.", hint=_HINT)
    _known(found, _SCOPE, f"{place}: scope")
    effects = _patterns(found, "effects", place)
    if not effects or any(each not in ACTS for each in effects):
        raise UnreadableInput(f"{place}: scope: effects must be among {', '.join(ACTS)}.", hint=_HINT)
    amounts = found.get("amounts", {})
    if not isinstance(amounts, Mapping):
        raise UnreadableInput(f"{place}: scope: amounts must hold most and unit.", hint=_HINT)
    _known(amounts, {"most", "unit"}, f"{place}: scope: amounts")
    return Scope(
        effects=effects,
        targets=_patterns(found, "targets", place),
        hosts=_patterns(found, "hosts", place),
        repositories=_patterns(found, "repositories", place),
        most=decimal_of(amounts["most"], place) if "most" in amounts else None,
        unit=_text(amounts, "unit", place) if "unit" in amounts else "",
    )


def _patterns(found: Mapping[str, Any], key: str, place: str) -> tuple[str, ...] | None:
    if key not in found:
        return None
    listed = found[key]
    if not isinstance(listed, list) or not all(isinstance(each, str) and len(each) <= 1000 for each in listed):
        raise UnreadableInput(f"{place}: scope: {key} must be a list of texts.", hint=_HINT)
    return tuple(listed)


def decimal_of(value: Any, place: str) -> Decimal:
    """Read an amount.

    Raises:  UnreadableInput: it is no decimal number.
    """
    try:
        found = Decimal(value)
        if isinstance(value, str) and found.is_finite() and found >= 0:
            return found
    except (InvalidOperation, TypeError, ValueError):
        pass
    raise UnreadableInput(f"{place}: an amount must be a decimal number in quotation marks.", hint=_HINT)
