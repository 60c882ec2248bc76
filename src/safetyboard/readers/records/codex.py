# SPDX-License-Identifier: Apache-2.0
"""Read sessions of Codex CLI (rollout files): one record a line, items of the model and events of the program.

Source:  openai/codex, codex-rs/protocol (RolloutItem, ResponseItem, EventMsg) and codex-rs/rollout/src/policy.rs (what
         is kept). Files of before August 2025, whose items stand without an envelope, are read too.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records import json_lines
from safetyboard.readers.records.codex_steps import (
    ENVELOPES,
    EVENTS,
    ITEMS,
    MIRRORS,
    context_steps,
    event_steps,
    is_given,
    item_steps,
)
from safetyboard.readers.records.place import Place, earlier, file_of, named, numbered, plain_object, text_in
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Step

FORMAT = "codex"
SHAPELESS = "records without the parts of their type"
_META = ("id", "timestamp")


def sniff(name: str, head: bytes) -> bool:
    """Tell whether the first line that can be read opens a rollout file."""
    for line in head.split(b"\n")[:5]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(record, dict):
            return False
        kind = record.get("type")
        if isinstance(kind, str) and kind in ENVELOPES and isinstance(record.get("payload"), dict):
            return True
        old = "instructions" in record or "git" in record
        return "type" not in record and old and all(isinstance(record.get(key), str) for key in _META)
    # A first line longer than the head: its type comes before what it holds.
    return b"\n" not in head and b'"type":"session_meta","payload":{' in head[:200].replace(b" ", b"")


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give the one episode of a rollout file; nothing where the file holds no record.

    Raises:  UnreadableInput, TooLarge: what the store says of packed files.
    """
    session = _Session(stored, account)
    for line, record in json_lines.records(stored, account):
        session.meet(line, record)
    if account.met:
        yield session.told()


class _Session:
    """Collect the steps of a rollout file."""

    def __init__(self, stored: Stored, account: Account) -> None:
        self.stored, self.account, self.file = stored, account, file_of(stored)
        self.steps: list[Step] = []
        self.system: dict[str, Plain] = {"scaffold": "Codex CLI"}
        self.condition: dict[str, Plain] = {}
        self.name = self.parent = self.opened = self.before = ""
        self.calls: dict[str, str] = {}

    def meet(self, line: int, record: Any) -> None:
        """Take one record into account, and its steps."""
        if not isinstance(record, dict):
            self.account.leave("records that are no objects")
            return
        at = text_in(record, "timestamp")
        place = Place(file=self.file, line=line, at=at)
        kind, payload, pointer = text_in(record, "type"), record.get("payload"), "/payload"
        if kind in ITEMS or "type" not in record:
            # Before August 2025: items without an envelope, and a first line without a type.
            opening = "session_meta" if "id" in record else "no type"
            opening = "state" if "record_type" in record else opening
            kind, payload, pointer = "response_item" if kind else opening, record, ""
        known = self._known(kind, payload)
        if known:
            self.account.pass_unknown(known)
        elif not isinstance(payload, dict):
            self.account.leave(SHAPELESS)
        else:
            self.account.take()
            self._keep(kind, payload, pointer, place)
        if at and earlier(at, self.before):
            self._fault("timestamps, lines", f"line {line}", "clock runs backwards", self.before)
        self.before = at or self.before

    def _known(self, kind: str, payload: Any) -> str:
        """Give the name of a type that no reader knows; empty for a known one."""
        if kind not in ENVELOPES:
            return printable(kind)
        inner = text_in(payload, "type")
        among = {"response_item": ITEMS, "event_msg": EVENTS}.get(kind)
        return "" if among is None or inner in among or not isinstance(payload, dict) else printable(f"{kind}/{inner}")

    def _keep(self, kind: str, payload: Mapping[str, Any], pointer: str, place: Place) -> None:
        if kind == "response_item":
            steps = list(item_steps(payload, pointer, place))
        elif kind == "event_msg":
            steps = list(event_steps(payload, place))
        else:
            steps = list(context_steps(kind, payload, pointer, place))
        if kind == "session_meta":
            self._open(payload, place.at)
        if kind == "turn_context":
            self._turn(payload)
        self.steps.extend(named(steps, self.calls, self._fault))

    def _open(self, meta: Mapping[str, Any], at: str) -> None:
        name = text_in(meta, "id") or text_in(meta, "session_id")
        if self.name:
            # A session that continues another keeps the first lines of that one.
            self.parent = self.parent or (name if name != self.name else "")
            return
        self.name, self.opened = name, text_in(meta, "timestamp") or at
        self.parent = text_in(meta, "forked_from_id") or text_in(
            meta, "source", "subagent", "thread_spawn", "parent_thread_id"
        )
        for key in ("cli_version", "originator", "model_provider"):
            if value := text_in(meta, key):
                self.system["version" if key == "cli_version" else key] = value
        for key in ("cwd", "source", "git"):
            if meta.get(key):
                self.condition.update(plain_object({key: meta[key]}))

    def _turn(self, context: Mapping[str, Any]) -> None:
        for key in ("model", "effort"):
            if value := text_in(context, key):
                self.system.setdefault(key, value)
        for key in ("cwd", "approval_policy", "sandbox_policy"):
            if context.get(key):
                self.condition.setdefault(key, plain_of(context[key]))

    def told(self) -> Episode:
        """Give the episode; events that only repeat an item of the model are not told twice."""
        said = {_key(step) for step in self.steps if "event" not in step.extra}
        steps: list[Step] = []
        for step in self.steps:
            event = step.extra.get("event")
            if event in MIRRORS:
                if _key(step) in said:
                    continue
                self._fault("event_msg, response_item", f"line {step.source.line}", "missing", "response_item")
            steps.append(step)
        return Episode(
            file=self.file,
            format=FORMAT,
            name=self.name or PurePosixPath(self.stored.name).stem,
            parent=self.parent,
            task=next((step.content for step in steps if step.actor == "user" and not is_given(step.content)), ""),
            system=self.system,
            condition=self.condition,
            opened=self.opened or next((step.at for step in steps if step.at), ""),
            steps=numbered(steps),
        )

    def _fault(self, between: str, name: str, what: str, where: str) -> None:
        self.account.discrepancies.append(
            Discrepancy(between=between, name=printable(name, 200), what=what, where=where)
        )


def _key(step: Step) -> tuple[str, str, str]:
    return step.actor, step.kind, step.content
