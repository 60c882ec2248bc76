# SPDX-License-Identifier: Apache-2.0
"""Tell the turns of a SWE-agent run once, from its history and its trajectory, and name where they disagree."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.place import (
    Leaf,
    Place,
    arguments_of,
    leaf,
    leaves,
    named,
    numbered,
    plain_object,
    text_in,
)
from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Actor, Step

COMMANDS = frozenset(
    ["create", "edit", "find_file", "goto", "insert", "open", "scroll_down", "scroll_up", "search_dir", "search_file"]
    + ["str_replace_editor", "submit", "debug_start", "connect_start"]
)
STATE_LINES = 4000
ROLES = frozenset(("system", "user", "assistant", "tool"))
MESSAGE = frozenset(
    ["role", "content", "thought", "action", "tool_calls", "tool_call_ids", "message_type", "agent", "is_demo"]
)
TURN = frozenset(["action", "observation", "response", "thought", "messages", "query"])
_OPEN = re.compile(r"\(Open file: ([^\n]*)\)\n\(Current directory: [^\n]*\)")


def merged(document: Mapping[str, Any], base: str, place: Place, account: Account) -> tuple[Step, ...]:
    """Give the steps of one run in order; every entry of both lists is taken into account."""
    telling = _Telling(place=place, base=base, account=account, turns=_entries(document, "trajectory", account))
    for index, message in _entries(document, "history", account):
        role = text_in(message, "role")
        if role not in ROLES:
            account.pass_unknown(f"role {printable(role)}")
            continue
        account.take()
        telling.hear(index, message, role)
    telling.close()
    return numbered(named(telling.steps, {}, telling.fault))


def _entries(document: Mapping[str, Any], key: str, account: Account) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    entries = document.get(key)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            found.append((index, entry))
        else:
            account.leave(f"entries of the {key} that are no objects")
    return found


@dataclass(kw_only=True)
class _Telling:
    """Walk the history with the trajectory beside it."""

    place: Place
    base: str
    account: Account
    turns: list[tuple[int, dict[str, Any]]]
    steps: list[Step] = field(default_factory=list)
    next: int = 0
    open_calls: list[str] = field(default_factory=list)
    waiting: tuple[int, dict[str, Any]] | None = None
    opened: str = ""
    asked: bool = False

    def hear(self, index: int, message: dict[str, Any], role: str) -> None:
        """Tell one message of the history."""
        pointer = f"{self.base}/history/{index}"
        extra = plain_object({key: value for key, value in message.items() if key not in MESSAGE})
        for key in ("is_demo", "agent"):
            if message.get(key) not in (None, False, "main", "primary"):
                extra[key] = plain_of(message[key])
        if role == "assistant" and not message.get("is_demo"):
            self.observe()
            self._speak(index, message, pointer, extra)
            return
        parts = list(leaves(message.get("content"), f"{pointer}/content")) or [Leaf(pointer=pointer, text="", rest={})]
        told = not message.get("is_demo") and role != "system" and bool(self.open_calls)
        if told:
            self._compare("".join(part.text for part in parts), index)
        calls = message.get("tool_call_ids")
        calls = [call for call in calls if isinstance(call, str)] if isinstance(calls, list) else []
        call = (calls or self.open_calls or [""])[0]
        for part in parts:
            if told or role == "tool":
                self.steps.append(self.place.words("tool", "result", part, call=call, extra=extra))
            else:
                self.steps.append(self.place.words(self._asker(role, message), "observe", part, extra=extra))
            found = _OPEN.search(part.text[-STATE_LINES:])
            self.opened = found[1].strip() if found else self.opened
        if told:
            self.open_calls = []

    def _asker(self, role: str, message: Mapping[str, Any]) -> Actor:
        if role != "user" or message.get("is_demo"):
            return "environment"
        self.asked, first = True, not self.asked
        return "user" if first else "environment"

    def _speak(self, index: int, message: dict[str, Any], pointer: str, extra: dict[str, Plain]) -> None:
        turn = self._match(message)
        thought = leaf(message["thought"], f"{pointer}/thought") if text_in(message, "thought") else None
        if thought:
            self.steps.append(self.place.words("agent", "think", thought))
        calls = message.get("tool_calls")
        calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        action = text_in(message, "action")
        words = text_in(message, "content")
        # What the model wrote holds thought and action once more; it is told where it says something else.
        if words and (not thought or words != thought.text) and not (action.strip() and action.strip() in words):
            self.steps.append(self.place.words("agent", "say", leaf(words, f"{pointer}/content"), extra=extra))
        self.open_calls = []
        acts = list(_acts(self, index, pointer, calls, action))
        if not acts and not words and not thought:
            self.steps.append(self.place.words("agent", "say", Leaf(pointer=pointer, text="", rest={}), extra=extra))
        if turn and acts:
            acts[0] = replace(acts[0], extra={**acts[0].extra, **_beside(self, *turn)})
        self.steps += acts
        self.waiting = turn
        if not turn and self.turns and acts:
            self._differ(f"history {index}", "missing", "trajectory")

    def _match(self, message: Mapping[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Find the turn that this message made; turns between are told from the trajectory alone."""
        action, words = text_in(message, "action"), text_in(message, "content")
        for ahead in range(self.next, min(self.next + 20, len(self.turns))):
            turn = self.turns[ahead][1]
            if action and text_in(turn, "action").strip() != action.strip():
                continue
            if action or (words and text_in(turn, "response") == words):
                self._alone(self.next, ahead)
                self.next = ahead + 1
                self.account.take()
                return self.turns[ahead]
        return None

    def _compare(self, seen: str, index: int) -> None:
        """Compare what the model was shown with what was observed; shells write other line ends."""
        if self.waiting is None:
            return
        number, turn = self.waiting
        self.waiting = None
        observed = turn.get("observation")
        if isinstance(observed, str) and _words(observed) not in _words(seen):
            self._differ(f"turn {number}", "observation differs", f"history {index}")

    def observe(self) -> None:
        """Tell what a turn observed that no message of the history shows, such as that of the last."""
        if self.waiting is None:
            return
        (number, turn), self.waiting = self.waiting, None
        if not isinstance(turn.get("observation"), str):
            return
        place = leaf(turn["observation"], f"{self.base}/trajectory/{number}/observation")
        self.steps.append(self.place.words("tool", "result", place, call=(self.open_calls or [""])[0]))
        self.open_calls = []

    def _alone(self, start: int, end: int) -> None:
        """Tell turns that the history does not have."""
        for number, turn in self.turns[start:end]:
            self.account.take()
            pointer = f"{self.base}/trajectory/{number}"
            for key, kind in (("thought", "think"), ("response", "say")):
                words = text_in(turn, key)
                if words and (key == "thought" or not text_in(turn, "thought")):
                    part = leaf(words, f"{pointer}/{key}")
                    self.steps.append(self.place.words("agent", "think" if kind == "think" else "say", part))
            call = f"turn-t{number}"
            action, beside = text_in(turn, "action"), _beside(self, number, turn)
            if action.strip():
                act = _command(self, f"{pointer}/action", action, call)
                self.steps.append(replace(act, extra={**act.extra, **beside}))
            else:
                part = Leaf(pointer=pointer, text="", rest={})
                self.steps.append(self.place.words("agent", "observe", part, extra=beside))
            self.open_calls, self.waiting = [call] if action.strip() else [], (number, turn)
            self.observe()
            if self.asked:
                self._differ(f"turn {number}", "missing", "history")

    def close(self) -> None:
        """Tell what is left."""
        self.observe()
        self._alone(self.next, len(self.turns))

    def _differ(self, name: str, what: str, where: str) -> None:
        self.fault("history, trajectory", name, what, where)

    def fault(self, between: str, name: str, what: str, where: str) -> None:
        """Name a discrepancy."""
        self.account.discrepancies.append(
            Discrepancy(between=between, name=printable(name, 200), what=what, where=where)
        )


def _acts(telling: _Telling, index: int, pointer: str, calls: list[dict[str, Any]], action: str) -> Iterator[Step]:
    for place, call in enumerate(calls):
        name = text_in(call, "id") or f"turn-{index}-{place}"
        telling.open_calls.append(name)
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        yield telling.place.act(
            f"{pointer}/tool_calls/{place}",
            text_in(function, "name"),
            function.get("arguments"),
            call=name,
            opened=telling.opened,
        )
    if not calls and action.strip():
        telling.open_calls.append(f"turn-{index}")
        yield _command(telling, f"{pointer}/action", action, f"turn-{index}")


def _command(telling: _Telling, pointer: str, action: str, call: str) -> Step:
    """Write down a command line; no ids are recorded in these, so a turn has one of its own."""
    word = (action.split() or [""])[0]
    tool = word if word in COMMANDS else "bash"
    act = telling.place.act(pointer, tool, {"command": action}, call=call, opened=telling.opened)
    return replace(act, content=action)


def _beside(telling: _Telling, index: int, turn: Mapping[str, Any]) -> dict[str, Plain]:
    rest = plain_object({key: value for key, value in turn.items() if key not in TURN})
    if isinstance(rest.get("state"), str):
        # Older files keep the state as JSON text.
        state_told = arguments_of(rest["state"])
        rest["state"] = rest["state"] if "text" in state_told else state_told
    state = rest.get("state")
    if isinstance(state, dict) and isinstance(state.get("open_file"), str):
        telling.opened = str(state["open_file"])
    return {"trajectory": index, **rest}


def _words(text: str) -> str:
    return " ".join(text.split())
