# SPDX-License-Identifier: Apache-2.0
"""Read any file of JSON records by a mapping file beside it, which says where in a record everything stands."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records.chat_messages import ROLES, Steps, arguments_of, name_of, root_of, text_of
from safetyboard.readers.records.json_lines import values
from safetyboard.readers.records.mapping import ANY, SUFFIX, RecordMapping, Rule, parse_mapping
from safetyboard.readers.records.pointers import value_at
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, well_formed
from safetyboard.terms.episode import Actor, Episode, Outcome, Source
from safetyboard.terms.errors import UnreadableInput

_NOTHING = object()


def sniff(name: str, head: bytes) -> bool:
    """Take no file by itself: without its mapping nobody knows what a record means. See `reader_of`."""
    return False


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Refuse a file that comes without its mapping.

    Raises:  UnreadableInput: always.
    """
    raise UnreadableInput(
        f"{stored.name}: no reader knows these records.", hint=f"Put a mapping file (*{SUFFIX}) beside it."
    )


def is_mapping(name: str) -> bool:
    """Tell whether a name is that of a mapping file."""
    return name.lower().endswith(SUFFIX)


def reader_of(stored: Stored) -> "MappedReader":
    """Make the reader that a mapping file describes; it has the same two functions as every reader of records.

    Raises:  TooLarge, SyntaxFault, NewerFormat, UnreadableInput: see `parse_mapping`.
    """
    return MappedReader(mapping=parse_mapping(stored))


@dataclass(kw_only=True)
class _Open:
    """Hold an episode whose events are still coming."""

    steps: Steps = field(default_factory=Steps)
    true: list[Outcome] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    opened: str = ""


@dataclass(frozen=True, kw_only=True)
class MappedReader:
    """Read files by one mapping."""

    mapping: RecordMapping

    def sniff(self, name: str, head: bytes) -> bool:
        """Tell whether the mapping speaks of a file; only its name counts."""
        bare = name.rsplit("/", 1)[-1]
        return not is_mapping(bare) and any(fnmatch(bare, pattern) for pattern in self.mapping.files)

    def episodes(self, stored: Stored, account: Account) -> Iterator[Episode]:
        """Give each episode as soon as its last event was met; the file is read twice to know which is last."""
        account.unit = "events"
        waiting = Counter(self._group(value) for _, _, value in values(stored, Account()))
        held: dict[str, _Open] = {}
        root = root_of(stored)
        for line, pointer, value in values(stored, account):
            group = self._group(value)
            self._event(value, Source(file=root.file, line=line, pointer=pointer), account, held, group)
            waiting[group] -= 1
            if not waiting[group] and group in held:
                yield self._finished(held.pop(group), group, root)

    def _group(self, value: Any) -> str:
        return name_of(_found(value, self.mapping.episode.get("id", "")))

    def _event(self, value: Any, at: Source, account: Account, held: dict[str, _Open], group: str) -> None:
        if not isinstance(value, dict | list):
            account.leave("events that are no objects")
            return
        kind = name_of(_found(value, self.mapping.kind))
        rule = next((rule for rule in self.mapping.rules if kind in rule.when or ANY in rule.when), None)
        if rule is None:
            account.pass_unknown(well_formed(kind[:100]) or "events of no kind")
            return
        if rule.skip:
            account.leave(rule.skip)
            return
        opened = held.setdefault(group, _Open())
        if not self._add(opened, rule, value, at):
            account.leave("events without what their rule names")
            return
        account.take()
        for key in self.mapping.episode:
            told = name_of(_found(value, self.mapping.episode[key]))
            if told and key != "id":
                opened.told.setdefault(key, told)

    def _add(self, opened: _Open, rule: Rule, value: Any, at: Source) -> bool:
        """Add what an event says; False where nothing of what the rule names is there."""
        when = name_of(_found(value, self.mapping.time))
        opened.opened = opened.opened or when
        result = _found(value, rule.value)
        if rule.outcome and result is not _NOTHING:
            told = repr(result) if isinstance(result, float) else text_of(result)
            opened.true.append(Outcome(value=told, by=rule.by, source=_below(at, rule.value), name=rule.outcome))
        payload, given = _found(value, rule.payload), _found(value, rule.arguments)
        tool = rule.tool
        if tool.startswith("/"):
            tool = name_of(_found(value, tool))
        elif given is _NOTHING and payload is _NOTHING:
            tool = ""
        if payload is _NOTHING and given is _NOTHING and not tool:
            return bool(rule.outcome) and result is not _NOTHING
        actor, deed = self._who(rule, value)
        arguments = None if given is _NOTHING else arguments_of(given)
        content, place = payload, rule.payload
        if payload is _NOTHING:
            content, place = (None if arguments is not None or given is _NOTHING else given), rule.arguments
        step_at = _below(at, place) if payload is not _NOTHING or given is not _NOTHING else at
        call = name_of(_found(value, rule.call))
        more: dict[str, Any] = {"at": when, "tool": tool, "call": call, "arguments": arguments or {}}
        opened.steps.add(actor, deed or ("act" if tool else "say"), step_at, content, **more)
        return True

    def _who(self, rule: Rule, value: Any) -> tuple[Actor, Any]:
        role = name_of(_found(value, rule.role)) if rule.role.startswith("/") else rule.role
        actor, usual = ROLES.get(role.lower(), ("unknown", "observe"))
        if role in self.mapping.roles:
            actor = self.mapping.roles[role]
            usual = {"agent": "say", "user": "observe", "tool": "result", "overseer": "monitor"}.get(actor, "observe")  # type: ignore[assignment]
        act = bool(rule.tool) and actor == "agent"
        return actor, rule.deed or ("act" if act else usual)

    def _finished(self, opened: _Open, group: str, root: Source) -> Episode:
        system: Mapping[str, Plain] = {key: opened.told[key] for key in ("model", "version") if key in opened.told}
        return Episode(
            file=root.file,
            format=f"mapped {well_formed(self.mapping.name)}",
            name=group,
            steps=tuple(opened.steps.made),
            task=opened.told.get("task", ""),
            system=system,
            organisation=opened.told.get("organisation", ""),
            opened=opened.opened,
            true=tuple(opened.true),
        )


def _found(value: Any, pointer: str) -> Any:
    """Follow a pointer of the mapping; nothing where there is none or it leads nowhere."""
    if not pointer:
        return _NOTHING
    try:
        return value_at(value, pointer)
    except (UnreadableInput, RecursionError):
        return _NOTHING


def _below(at: Source, pointer: str) -> Source:
    return Source(file=at.file, line=at.line, pointer=at.pointer + pointer)
