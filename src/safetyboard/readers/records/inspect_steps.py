# SPDX-License-Identifier: Apache-2.0
"""Turn the messages of an Inspect sample into steps, each message once, however often the log repeats it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.records.inspect_json import as_list, as_object, as_text
from safetyboard.readers.records.inspect_sheet import Path, Sheet
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Actor, Deed, Source, Step

ROLES: Mapping[str, tuple[Actor, Deed]] = {
    "system": ("environment", "observe"),
    "user": ("user", "observe"),
    "assistant": ("agent", "say"),
    "tool": ("tool", "result"),
}
_WORDS = {"text": "text", "reasoning": "reasoning"}
_MEDIA = {"image": "image", "audio": "audio", "video": "video", "document": "document", "data": "data"}
# How a pointer to an image held inside the file begins; the bytes stay where they are.
_INLINE = "data:"
Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Detail:
    """Hold what a step has beside actor, kind and words."""

    at: str = ""
    tool: str = ""
    arguments: Mapping[str, Plain] = field(default_factory=dict)
    call: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)


NO_DETAIL = Detail()


@dataclass(kw_only=True)
class Steps:
    """Collect the steps of one sample in order.

    Args:    told: how often each message has been told. called: ids of tool calls told. grading: the words that come
             now are between a grader and its model. answers: what the model said, by the id of its message.
    """

    sheet: Sheet
    made: list[Step] = field(default_factory=list)
    told: Counter[Key] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)
    grading: bool = False
    answers: dict[str, str] = field(default_factory=dict)

    def add(self, actor: Actor, kind: Deed, words: tuple[str, Source], detail: Detail = NO_DETAIL) -> None:
        """Append a step."""
        who: Actor = "overseer" if self.grading else actor
        what: Deed = "monitor" if self.grading else kind
        self.made.append(
            Step(
                index=len(self.made),
                actor=who,
                kind=what,
                source=words[1],
                at=detail.at,
                content=words[0],
                tool=detail.tool,
                arguments=detail.arguments,
                call=detail.call,
                visible_to=("overseer",) if who == "overseer" else (),
                extra=detail.extra,
            )
        )

    def conversation(self, messages: list[tuple[Any, Path]], at: str) -> int:
        """Tell what of a conversation has not been told yet; the number of messages that are none.

        A conversation grows and is logged again at every turn: the second "go on" in it is told when the first was.
        """
        here: Counter[Key] = Counter()
        damaged = 0
        for message, place in messages:
            if not isinstance(message, dict):
                damaged += 1
                continue
            key = self.key(message)
            here[key] += 1
            if here[key] > self.told[key]:
                self.message(message, place, at)
        return damaged

    def key(self, message: Mapping[str, Any]) -> Key:
        """Name a message by who says what and calls what: its ids change from one place in the log to the next."""
        return self.grading, *_key(self.sheet, message)

    def answer(self, message: Mapping[str, Any], place: Path, at: str) -> None:
        """Tell what a model answered, and remember it."""
        self.message(message, place, at)
        if not self.grading and isinstance(message.get("id"), str):
            self.answers[message["id"]] = self.key(message)[2]

    def message(self, message: Mapping[str, Any], place: Path, at: str) -> None:
        """Tell one message: its words block by block, then its calls."""
        self.told[self.key(message)] += 1
        role = as_text(message.get("role"))
        actor, kind = ROLES.get(role, ("unknown", "observe"))
        detail = Detail(
            at=at,
            tool=as_text(message.get("function")) if role == "tool" else "",
            call=as_text(message.get("tool_call_id")),
            extra={} if role in ROLES else {"role": role[:60]},
        )
        before = len(self.made)
        self.content(message.get("content"), (*place, "content"), (actor, kind), detail)
        for number, call in enumerate(as_list(message.get("tool_calls"))):
            self.act(as_object(call), (*place, "tool_calls", number), at)
        error = as_object(message.get("error"))
        if error.get("message") and error["message"] != message.get("content"):
            self.add(actor, kind, self.sheet.words(error["message"], (*place, "error", "message")), detail)
        if len(self.made) == before:
            self.add(actor, kind, ("", self.sheet.source(*place)), detail)

    def content(self, content: Any, place: Path, who: tuple[Actor, Deed], detail: Detail) -> None:
        """Tell the words of a message or a result: text as it is, else block by block."""
        if not isinstance(content, list):
            if content not in (None, ""):
                self.add(*who, self.sheet.words(content, place), detail)
            return
        for number, block in enumerate(content):
            self.block(block, (*place, number), who, detail)

    def block(self, block: Any, place: Path, who: tuple[Actor, Deed], detail: Detail) -> None:
        """Tell one block of content."""
        whole, block = block, as_object(block)
        kind = as_text(block.get("type"))
        if kind in _WORDS:
            words = self.sheet.words(block.get(_WORDS[kind]), (*place, _WORDS[kind]))
            if kind == "reasoning":
                # Redacted reasoning has a summary at most; an empty step still says that there was a thought.
                if not words[0] and block.get("summary"):
                    words = self.sheet.words(block["summary"], (*place, "summary"))
                self.add(who[0], "think", words, detail)
            elif words[0]:
                self.add(*who, words, detail)
        elif kind == "tool_use":
            self.served(block, place, detail.at)
        elif kind in _MEDIA:
            words = self.sheet.words(block.get(_MEDIA[kind]), (*place, _MEDIA[kind]))
            extra: dict[str, Plain] = {**detail.extra, "media": kind, "characters": len(words[0])}
            if words[0].startswith(_INLINE):
                words = "", words[1]
            self.add(*who, words, Detail(at=detail.at, tool=detail.tool, call=detail.call, extra=extra))
        else:
            self.add(*who, self.sheet.words(whole, place), detail)

    def act(self, call: Mapping[str, Any], place: Path, at: str) -> None:
        """Tell a tool call; arguments that are no object stand under the name that Inspect gives them."""
        name, arguments = call.get("function"), call.get("arguments")
        if isinstance(name, dict):
            # The shape of OpenAI's own records, which early logs kept.
            arguments = name.get("arguments")
            name = name.get("name")
        self.called.add(as_text(call.get("id")))
        error = call.get("parse_error")
        detail = Detail(
            at=at,
            tool=as_text(name),
            call=as_text(call.get("id")),
            arguments=self.sheet.plain(arguments if isinstance(arguments, dict) else {"input": arguments}),
            extra={"parse_error": as_text(error)} if error else {},
        )
        self.add("agent", "act", ("", self.sheet.source(*place)), detail)

    def served(self, block: Mapping[str, Any], place: Path, at: str) -> None:
        """Tell a tool that the model's provider ran itself: the act and its result."""
        name, call = as_text(block.get("name")), as_text(block.get("id"))
        arguments = block.get("arguments")
        arguments = self.sheet.plain(arguments if isinstance(arguments, dict) else {"input": arguments})
        self.add(
            "agent", "act", ("", self.sheet.source(*place)), Detail(at=at, tool=name, call=call, arguments=arguments)
        )
        detail = Detail(at=at, tool=name, call=call)
        for key in ("result", "error"):
            if block.get(key) not in (None, ""):
                self.add("tool", "result", self.sheet.words(block[key], (*place, key)), detail)


def is_rewritten(steps: Steps, message: Any) -> bool:
    """Tell whether a final message says other words than the model answered under its id.

    Solvers add to an answer, or cut it, by Inspect's own means: neither counts.
    """
    said = as_object(message).get("id"), as_object(message).get("role")
    if not isinstance(said[0], str) or said[1] != "assistant" or said[0] not in steps.answers:
        return False
    first, last = steps.answers[said[0]], steps.key(message)[2]
    return not last.startswith(first) and not first.startswith(last)


def _key(sheet: Sheet, message: Mapping[str, Any]) -> Key:
    content = message.get("content")
    if isinstance(content, str):
        said = sheet.followed(content, ())[0].strip()
    else:
        blocks = [as_object(each).get("text", "") if isinstance(each, dict) else each for each in as_list(content)]
        said = "".join(as_text(sheet.followed(block, ())[0]) for block in blocks).strip()
    if message.get("role") == "tool":
        said = said or as_text(as_object(message.get("error")).get("message")).strip()
        return "tool", said, as_text(message.get("tool_call_id"))
    calls = tuple(as_text(as_object(call).get("id")) for call in as_list(message.get("tool_calls")))
    return as_text(message.get("role")), said, calls
