# SPDX-License-Identifier: Apache-2.0
"""Read a mapping file: which fields of somebody's own records say who did what, with nothing in it that runs."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.episode import Actor, Deed
from safetyboard.terms.errors import NewerFormat, SyntaxFault, TooLarge, UnreadableInput

SCHEMA = "safetyboard.mapping/1"
SUFFIX = ".mapping.toml"
LARGEST = 1 << 20
ANY = "*"
By = Literal["program", "human", "environment", "learned", "agent", "unknown"]
_TOP = {"schema", "name", "files", "episode", "event", "roles", "rule"}
_EPISODE = ("id", "task", "model", "version", "organisation")
_EVENT = ("kind", "time")
_POINTERS = ("payload", "arguments", "call", "value")
_RULE = {"when", "role", "kind", "tool", "skip", "outcome", "by", *_POINTERS}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Say what events of some kinds are.

    Args:    when: the kinds, or ``*``. role: a word, or a pointer to one. deed: say, act, ...; empty: by the role.
             payload, arguments, call, value: pointers, or empty. tool: a pointer or a name. skip: why such events are
             left. outcome: name of the measure whose value the event gives. by: who measured.
    """

    when: tuple[str, ...]
    role: str = ""
    deed: str = ""
    payload: str = ""
    tool: str = ""
    arguments: str = ""
    call: str = ""
    value: str = ""
    skip: str = ""
    outcome: str = ""
    by: By = "unknown"


@dataclass(frozen=True, kw_only=True)
class RecordMapping:
    """Hold one mapping file: its name, the files it speaks of, and the rules in the order in which they are tried."""

    name: str
    files: tuple[str, ...]
    rules: tuple[Rule, ...]
    episode: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    time: str = ""
    roles: Mapping[str, Actor] = field(default_factory=dict)


def parse_mapping(stored: Stored) -> RecordMapping:
    """Read a mapping file; whatever it holds beside the schema is refused.

    Raises:  TooLarge: over 1 MiB. SyntaxFault: no TOML. NewerFormat: another schema. UnreadableInput: a key that does
             not exist, a value of a wrong type, or a pointer that is none.
    """
    if stored.size > LARGEST:
        raise TooLarge(f"{stored.name}: a mapping file of over 1 MiB.", hint="Mappings are short.")
    try:
        document = tomllib.loads(stored.load().decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SyntaxFault(f"{stored.name}: {printable(str(error), 200)}.", hint="Write it as TOML in UTF-8.") from error
    said = document.get("schema")
    if said != SCHEMA:
        raise NewerFormat(
            f"{stored.name}: the schema is {printable(repr(said))}, not {SCHEMA!r}.", hint=f'Write schema = "{SCHEMA}".'
        )
    return _Reader(stored.name).mapping(document)


class _Reader:
    """Check a mapping's keys and values, and name the one that is wrong."""

    def __init__(self, name: str) -> None:
        self.name = name

    def refuse(self, place: str, what: str) -> UnreadableInput:
        """Say what is wrong and where."""
        place = printable(place, 100)
        return UnreadableInput(
            f"{self.name}: {place} {what}.", hint="The keys are listed in docs/reference/mapping.md."
        )

    def known(self, table: Any, keys: Any, place: str) -> Mapping[str, Any]:
        """Take a table with no other keys."""
        if not isinstance(table, dict):
            raise self.refuse(place, "is no table")
        for key in table:
            if key not in keys:
                raise self.refuse(f"{place}.{key}".lstrip("."), "is not a key of this schema")
        return table

    def text(self, table: Mapping[str, Any], key: str, place: str, *, pointer: bool = False) -> str:
        """Take a text, or a pointer, or nothing."""
        value = table.get(key, "")
        if not isinstance(value, str):
            raise self.refuse(f"{place}.{key}".lstrip("."), "is not text")
        if pointer and value and not value.startswith("/"):
            raise self.refuse(f"{place}.{key}", "is not a JSON pointer, which begins with /")
        return value

    def texts(self, table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
        """Take a text or a list of them."""
        value = table.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.refuse(f"{place}.{key}".lstrip("."), "is neither text nor a list of texts")
        return tuple(value)

    def mapping(self, document: Mapping[str, Any]) -> RecordMapping:
        """Take the whole file."""
        self.known(document, _TOP, "")
        episode = self.known(document.get("episode", {}), _EPISODE, "episode")
        event = self.known(document.get("event", {}), _EVENT, "event")
        rules = document.get("rule", [])
        if not isinstance(rules, list) or not rules:
            raise self.refuse("rule", "is missing: a mapping needs at least one [[rule]]")
        roles = document.get("roles", {})
        if not isinstance(roles, dict) or any(actor not in get_args(Actor) for actor in roles.values()):
            raise self.refuse("roles", f"must give each role one of {', '.join(get_args(Actor))}")
        stem = self.name.rsplit("/", 1)[-1].removesuffix(SUFFIX)
        return RecordMapping(
            name=self.text(document, "name", "") or stem,
            files=self.texts(document, "files", "") or (f"{stem}.json*", f"{stem}.ndjson*", f"{stem}.log*"),
            rules=tuple(self.rule(rule, f"rule {index}") for index, rule in enumerate(rules, 1)),
            episode={key: self.text(episode, key, "episode", pointer=True) for key in episode},
            kind=self.text(event, "kind", "event", pointer=True),
            time=self.text(event, "time", "event", pointer=True),
            roles=roles,
        )

    def rule(self, table: Any, place: str) -> Rule:
        """Take one rule."""
        self.known(table, _RULE, place)
        deed, said = self.text(table, "kind", place), self.text(table, "by", place) or "unknown"
        by: By | None = next((known for known in get_args(By) if known == said), None)
        if deed and deed not in get_args(Deed):
            raise self.refuse(f"{place}.kind", f"must be one of {', '.join(get_args(Deed))}")
        if by is None:
            raise self.refuse(f"{place}.by", f"must be one of {', '.join(get_args(By))}")
        pointers = {key: self.text(table, key, place, pointer=True) for key in _POINTERS}
        skip, outcome = self.text(table, "skip", place), self.text(table, "outcome", place)
        if outcome and not pointers["value"]:
            raise self.refuse(f"{place}.value", "is missing: an outcome needs the pointer of its value")
        if not (skip or outcome or pointers["payload"] or pointers["arguments"] or "tool" in table):
            raise self.refuse(place, "says nothing: give payload, tool, arguments, outcome or skip")
        return Rule(
            when=self.texts(table, "when", place) or (ANY,), role=self.text(table, "role", place), deed=deed,
            tool=self.text(table, "tool", place), skip=skip, outcome=outcome, by=by, **pointers,
        )  # fmt: skip
