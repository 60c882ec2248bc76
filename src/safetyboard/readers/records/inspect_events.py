# SPDX-License-Identifier: Apache-2.0
"""Walk the events of an Inspect sample in order: model calls, tools, sandbox, approvals, limits, graders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records.inspect_json import as_list, as_object, as_text
from safetyboard.readers.records.inspect_sheet import Path, Sheet, events_of
from safetyboard.readers.records.inspect_steps import Detail, Steps, is_rewritten
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Actor, Deed

# They say how the run was organised, not what anybody did; what changed in the state stands in messages and results.
STRUCTURE = frozenset(
    ("sample_init", "state", "store", "step", "span_begin", "span_end", "branch", "anchor", "checkpoint", "subtask")
)
DEEPEST = 40
_GRADERS = ("scorer", "scorers")


@dataclass(frozen=True, kw_only=True)
class Walked:
    """Hold what a walk found beside steps.

    Args:    scorers: names of scorers that were seen at work. asking: those of them that asked a model. rewritten:
             places of final messages that say other words than the model answered.
    """

    steps: Steps
    scorers: frozenset[str]
    asking: frozenset[str]
    rewritten: tuple[int, ...] = ()


@dataclass(kw_only=True)
class _Walk:
    steps: Steps
    sheet: Sheet
    account: Account
    spans: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    open_steps: list[tuple[str, str]] = field(default_factory=list)
    scorers: set[str] = field(default_factory=set)
    asking: set[str] = field(default_factory=set)

    def events(self, events: list[Any], place: Path) -> None:
        for number, event in enumerate(events):
            if not isinstance(event, dict):
                self.account.leave("events that are no object")
                continue
            # Foreign writers of the format name the kind `type`.
            kind = as_text(event.get("event") or event.get("type"))
            if kind in STRUCTURE:
                self.account.take()
                self.structure(kind, event, (*place, number))
            elif kind in TELLERS:
                self.account.take()
                grader = self.grader(event)
                self.steps.grading = grader is not None
                TELLERS[kind](self, event, (*place, number), grader)
                self.steps.grading = False
            else:
                self.account.pass_unknown(f"inspect event {kind[:60]}")

    def structure(self, kind: str, event: Mapping[str, Any], place: Path) -> None:
        if kind == "span_begin":
            words = as_text(event.get("type")), as_text(event.get("name")), as_text(event.get("parent_id"))
            self.spans[as_text(event.get("id"))] = words
            if words[0] == "scorer":
                self.scorers.add(words[1])
        elif kind == "step" and event.get("action") == "begin":
            self.open_steps.append((as_text(event.get("type")), as_text(event.get("name"))))
            if event.get("type") == "scorer":
                self.scorers.add(as_text(event.get("name")))
        elif kind == "step" and self.open_steps:
            self.open_steps.pop()
        elif kind == "subtask" and len(place) < DEEPEST:
            self.events(as_list(event.get("events")), (*place, "events"))

    def grader(self, event: Mapping[str, Any]) -> str | None:
        """Name the scorer at work; None where none is. Cyclic parents end the climb."""
        span, climbed = as_text(event.get("span_id")), 0
        while span in self.spans and climbed < DEEPEST:
            kind, name, parent = self.spans[span]
            if kind in _GRADERS:
                return name
            span, climbed = parent, climbed + 1
        return next((name for kind, name in reversed(self.open_steps) if kind in _GRADERS), None)

    def add(
        self, who: tuple[Actor, Deed], event: Mapping[str, Any], place: Path, words: str, extra: dict[str, Plain]
    ) -> None:
        """Tell an event whose words stand at a path in it; where nothing stands there, the event is named."""
        value, path = _first(event, words)
        said = self.sheet.words(value, (*place, *path)) if path else ("", self.sheet.source(*place))
        call = as_object(event.get("call"))
        arguments = self.sheet.plain(call.get("arguments"))
        detail = Detail(
            at=as_text(event.get("timestamp")),
            tool=as_text(call.get("function")),
            call=as_text(call.get("id")),
            arguments=arguments,
            extra=extra,
        )
        self.steps.add(*who, said, detail)


def _first(event: Mapping[str, Any], *words: str) -> tuple[Any, tuple[str, ...]]:
    """Give the first of several paths in an event at which something stands, and what does."""
    for path in (tuple(word.split("/")) for word in words):
        value: Any = event
        for part in path:
            value = as_object(value).get(part)
        if value not in (None, ""):
            return value, path
    return None, ()


def walked(sheet: Sheet, account: Account) -> Walked:
    """Tell a sample: its events in order, then what of its final conversation no event has."""
    steps = Steps(sheet=sheet)
    walk = _Walk(steps=steps, sheet=sheet, account=account)
    walk.events(*events_of(sheet.sample))
    final = as_list(sheet.sample.get("messages"))
    damaged = steps.conversation([(message, ("messages", number)) for number, message in enumerate(final)], "")
    account.take(len(final) - damaged)
    if damaged:
        account.leave("messages that are no object", damaged)
    _answer(steps)
    _end(steps, "error", "message", "observe")
    _end(steps, "limit", "type", "control")
    rewritten = tuple(number for number, message in enumerate(final) if is_rewritten(steps, message))
    return Walked(steps=steps, scorers=frozenset(walk.scorers), asking=frozenset(walk.asking), rewritten=rewritten)


def _answer(steps: Steps) -> None:
    """Tell the final output where neither events nor messages have it."""
    for number, choice in enumerate(as_list(as_object(steps.sheet.sample.get("output")).get("choices"))):
        message = as_object(choice).get("message")
        if isinstance(message, dict) and not steps.told[steps.key(message)]:
            steps.message(message, ("output", "choices", number, "message"), "")


def _end(steps: Steps, key: str, words: str, kind: Deed) -> None:
    """Tell the error or limit that ended a sample, unless an event has told it."""
    value = as_object(steps.sheet.sample.get(key)).get(words)
    said = steps.sheet.words(value, (key, words))
    told = any(step.kind == kind and said[0] in (step.content, step.extra.get(words)) for step in steps.made)
    if said[0] and not told:
        steps.add("environment", kind, said)


def _model(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    if grader is not None:
        walk.asking.add(grader)
    at, steps = as_text(event.get("timestamp")), walk.steps
    pool, pool_at = walk.sheet.pools
    asked = [(message, (*place, "input", number)) for number, message in enumerate(as_list(event.get("input")))]
    for reference in as_list(event.get("input_refs")):
        first, last = reference if isinstance(reference, list) and len(reference) == 2 else (reference, None)
        if not isinstance(first, int) or isinstance(first, bool) or not isinstance(last, int | None):
            continue
        end = first + 1 if last is None else last
        asked += [(pool[number], (*pool_at, number)) for number in range(max(first, 0), min(end, len(pool)))]
    if damaged := steps.conversation(asked, at):
        walk.account.leave("messages that are no object", damaged)
    for number, choice in enumerate(as_list(as_object(event.get("output")).get("choices"))):
        message = as_object(choice).get("message")
        if isinstance(message, dict):
            steps.answer(message, (*place, "output", "choices", number, "message"), at)
    error, path = _first(event, "error", "output/error")
    if path:
        steps.add("environment", "observe", walk.sheet.words(error, (*place, *path)), Detail(at=at))


def _tool(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    at, call, name = (as_text(event.get(key)) for key in ("timestamp", "id", "function"))
    if call not in walk.steps.called:
        walk.steps.act(event, place, at)
    if len(place) < DEEPEST:
        walk.events(as_list(event.get("events")), (*place, "events"))
        walk.steps.grading = grader is not None
    error = as_object(event.get("error"))
    detail = Detail(at=at, tool=name, call=call, extra={"error": as_text(error.get("type"))} if error else {})
    message = {"role": "tool", "tool_call_id": call, "content": event.get("result"), "error": error}
    walk.steps.told[walk.steps.key(message)] += 1
    before = len(walk.steps.made)
    walk.steps.content(event.get("result"), (*place, "result"), ("tool", "result"), detail)
    if error.get("message") and error["message"] != event.get("result"):
        words = walk.sheet.words(error["message"], (*place, "error", "message"))
        walk.steps.add("tool", "result", words, detail)
    if len(walk.steps.made) == before:
        walk.steps.add("tool", "result", ("", walk.sheet.source(*place)), detail)


def _sandbox(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    at, action = as_text(event.get("timestamp")), as_text(event.get("action"))
    done = {key: event[key] for key in ("action", "cmd", "file", "options", "input") if event.get(key) is not None}
    detail = Detail(at=at, tool="sandbox", arguments=walk.sheet.plain(done), extra={"action": action})
    walk.steps.add("tool", "act", ("", walk.sheet.source(*place)), detail)
    if event.get("output"):
        extra: dict[str, Plain] = {"action": action, "code": as_text(event.get("result"))}
        words = walk.sheet.words(event["output"], (*place, "output"))
        walk.steps.add("environment", "result", words, Detail(at=at, tool="sandbox", extra=extra))


def _score(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    score = as_object(event.get("score"))
    value = walk.sheet.words(score.get("value"), (*place, "score", "value"))[0]
    extra: dict[str, Plain] = {"value": value, "scorer": as_text(event.get("scorer") or grader)}
    key = "explanation" if score.get("explanation") else "value"
    walk.add(("overseer", "monitor"), event, place, f"score/{key}", extra)


def _score_edit(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    edit = as_object(event.get("edit"))
    extra: dict[str, Plain] = {"scorer": as_text(event.get("score_name")), **_texts(edit, "value", "answer")}
    extra |= _texts(as_object(edit.get("provenance")), "author", "reason")
    key = "explanation" if isinstance(edit.get("explanation"), str) else "value"
    walk.add(("overseer", "monitor"), event, place, f"edit/{key}", extra)


def _decided(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
    keys = ("decision", "approver", "reviewer", "action", "stage", "status", "suspicion", "message")
    key = "explanation" if event.get("explanation") else "message"
    kind: Deed = "monitor" if event.get("kind") == "observation" else "control"
    walk.add(("overseer", kind), event, place, key, _texts(event, *keys))


_BESIDE = ("type", "limit", "source", "interrupted", "level", "outcome", "tokens_before", "tokens_after")


def _plainly(who: Actor, kind: Deed, *words: str) -> Callable[..., None]:
    """Make the teller of an event that is one leaf; the first of several places that has words is told."""

    def tell(walk: _Walk, event: dict[str, Any], place: Path, grader: str | None) -> None:
        value, path = _first(event, *words)
        said = walk.sheet.words(value, (*place, *path)) if path else ("", walk.sheet.source(*place))
        walk.steps.add(who, kind, said, Detail(at=as_text(event.get("timestamp")), extra=_texts(event, *_BESIDE)))

    return tell


def _texts(values: Mapping[str, Any], *keys: str) -> dict[str, Plain]:
    return {key: as_text(values[key]) for key in keys if values.get(key) is not None}


TELLERS: Mapping[str, Callable[..., None]] = {
    "model": _model,
    "tool": _tool,
    "sandbox": _sandbox,
    "score": _score,
    "score_edit": _score_edit,
    "approval": _decided,
    "review": _decided,
    "sentinel": _decided,
    "sample_limit": _plainly("environment", "control", "message"),
    "interrupt": _plainly("environment", "control", "message"),
    "compaction": _plainly("environment", "control", "message"),
    "input": _plainly("user", "observe", "input", "message"),
    "error": _plainly("environment", "observe", "error/message"),
    "info": _plainly("environment", "observe", "data", "message"),
    "logger": _plainly("environment", "observe", "message/message", "message"),
}
"""Event -> how it is told."""
