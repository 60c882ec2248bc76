# SPDX-License-Identifier: Apache-2.0
"""Read what an owner has accepted, until when; an expired or unowned acceptance counts for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from safetyboard.board.lesson_file import read_json
from safetyboard.terms.errors import SyntaxFault

SCHEMA = "safetyboard.baseline/1"
KEYS = ("lesson", "subject", "owner", "expires", "reason")


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Accept that one lesson affects one subject, in somebody's name, until a day.

    Args:    lesson: id of the lesson record. subject: content digest of the subject's bytes.
             expires: the last day on which the acceptance holds.
    """

    lesson: str
    subject: str
    owner: str
    expires: date
    reason: str = ""


def read_baseline(content: bytes, name: str) -> tuple[Acceptance, ...]:
    """Read a baseline file.

    Raises:  SyntaxFault: an unknown or missing key, a wrong date; names the entry.
    """
    plain = read_json(content, name)
    if plain.get("schema") != SCHEMA:
        raise SyntaxFault(f"{name}: schema is {plain.get('schema')!r}.", hint=f'Write "schema": "{SCHEMA}".')
    _refuse_unknown(list(plain), ("schema", "accepted"), name)
    entries = plain.get("accepted", [])
    if not isinstance(entries, list):
        raise SyntaxFault(f"{name}: accepted must be a list.")
    return tuple(_acceptance(entry, f"{name}: accepted[{number}]") for number, entry in enumerate(entries))


def _acceptance(entry: object, place: str) -> Acceptance:
    if not isinstance(entry, dict):
        raise SyntaxFault(f"{place} must be an object.")
    _refuse_unknown(list(entry), KEYS, place)
    for key in KEYS[:4]:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise SyntaxFault(f"{place}: {key} is missing.", hint="An acceptance needs an owner and an end.")
    try:
        expires = date.fromisoformat(entry["expires"])
    except ValueError as error:
        raise SyntaxFault(f"{place}: expires is {entry['expires']!r}.", hint="Write a day like 2027-01-31.") from error
    return Acceptance(
        lesson=entry["lesson"],
        subject=entry["subject"],
        owner=entry["owner"],
        expires=expires,
        reason=str(entry.get("reason", "")),
    )


def _refuse_unknown(keys: Sequence[str], known: Sequence[str], place: str) -> None:
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise SyntaxFault(f"{place}: the key {unknown[0]!r} is unknown.", hint=f"Known: {', '.join(known)}.")


def acceptance_of(
    accepted: Sequence[Acceptance], lesson: str, subject: str, today: date
) -> tuple[Acceptance | None, Acceptance | None]:
    """Find the acceptance that holds today, and one that has expired, for a lesson and a subject."""
    mine = [entry for entry in accepted if entry.lesson == lesson and entry.subject == subject]
    holding = [entry for entry in mine if today <= entry.expires]
    lapsed = [entry for entry in mine if today > entry.expires]
    return next(iter(holding), None), next(iter(lapsed), None)
