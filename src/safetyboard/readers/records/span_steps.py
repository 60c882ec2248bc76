# SPDX-License-Identifier: Apache-2.0
"""Read what a span says was asked, answered, called and returned: attributes old and new become steps."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from safetyboard.readers.records.chat_messages import Locate, Path, Steps, arguments_of, name_of
from safetyboard.readers.records.json_lines import parsed
from safetyboard.readers.records.span import Attribute, Event, Span
from safetyboard.terms.canonical import Plain, plain_of, well_formed
from safetyboard.terms.episode import Source, Step

Message: TypeAlias = "tuple[Any, Locate, str]"

_OPENING = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages")
_CLOSING = ("gen_ai.output.messages", "gen_ai.completion", "llm.output_messages")
_EVENTS_BEFORE = ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message")
_CARRIERS = ("gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "gen_ai.content.completion")
_ARGUMENTS = ("gen_ai.tool.call.arguments", "tool.parameters", "input.value")
_RESULTS = ("gen_ai.tool.call.result", "output.value")
_WHOLE = ("invoke_agent", "create_agent", "invoke_workflow", "AGENT", "CHAIN")
_WRAPPERS = ("message", "message_content", "tool_call")
_RENAMED = {"contents": "parts"}
_CONVERSATIONS = 16
_DEEPEST_KEY = 24


class SpanSteps:
    """Collect the steps of one trace; what later spans only repeat of a conversation is counted, not repeated."""

    def __init__(self) -> None:
        self.steps = Steps()
        self.repeated = 0
        self.conversations: list[list[str]] = []
        self.spoken: set[str] = set()
        self.current: dict[int, list[str]] = {}
        self.requested: dict[str, Mapping[str, Plain]] = {}

    @property
    def made(self) -> list[Step]:
        """Give the steps so far."""
        return self.steps.made

    def open(self, span: Span) -> None:
        """Add what went into a span."""
        before = len(self.made)
        if _is_tool(span):
            self._call(span)
        else:
            self._converse(span, list(_messages(span, _OPENING, "user")))
            if len(self.made) == before and id(span) not in self.current:
                self._aside(span, "input.value", "user")
        if len(self.made) == before:
            self.steps.add("environment", "monitor", span.name_at, span.name, at=span.at)
        self._keep(before, span)

    def close(self, span: Span) -> None:
        """Add what came out of a span."""
        if _is_tool(span):
            for key in _RESULTS:
                if key in span.attributes:
                    held = span.attributes[key]
                    tool, call = _tool(span)
                    self.steps.add(
                        "tool", "result", held.locate(()), held.value, at=span.until, tool=tool, call=call
                    )  # fmt: skip
                    break
        else:
            self._answer(span)
        for event in span.events:
            if event.name == "exception" and "exception.message" in event.attributes:
                told = event.attributes["exception.message"]
                self.steps.add("environment", "monitor", told.locate(()), told.value, at=event.at)
        if span.error is not None:
            self.steps.add("environment", "monitor", span.error[1], span.error[0], at=span.until)

    def _converse(self, span: Span, messages: list[Message]) -> None:
        """Add the messages that no earlier span of the same conversation held."""
        marks = [_mark(message, role) for message, _, role in messages]
        best, common = -1, 0
        for place, known in enumerate(self.conversations):
            length = next((at for at, (a, b) in enumerate(zip(known, marks)) if a != b), min(len(known), len(marks)))
            if length > common:
                best, common = place, length
        if best >= 0 and common == len(self.conversations[best]):
            del self.conversations[best]
        self.repeated += common
        for message, locate, role in messages[common:]:
            self._say(message, locate, span.at, role)
        if messages:
            self.current[id(span)] = marks
            self.conversations = [*self.conversations[1 - _CONVERSATIONS :], marks]

    def _answer(self, span: Span) -> None:
        """Add the answers; the answer of a whole agent is mostly that of its last inner span."""
        answers = list(_messages(span, _CLOSING, "assistant"))
        whole = {"gen_ai.operation.name", "openinference.span.kind"}
        inner = any(span.attributes[key].value in _WHOLE for key in whole if key in span.attributes)
        for message, locate, role in answers:
            mark = _mark(message, role)
            if id(span) in self.current:
                self.current[id(span)].append(mark)
            if inner and mark in self.spoken:
                self.repeated += 1
                continue
            self.spoken.add(mark)
            self._say(message, locate, span.until, role)
        if not answers:
            self._aside(span, "output.value", "assistant")

    def _say(self, message: Any, locate: Locate, at: str, role: str) -> None:
        before = len(self.made)
        self.steps.message(message, locate, at=at, role=role)
        for step in self.made[before:]:
            if step.kind == "act" and step.call:
                self.requested[step.call] = step.arguments

    def _aside(self, span: Span, key: str, role: str) -> None:
        """Add what a span without messages was given or gave."""
        if key in span.attributes:
            held = span.attributes[key]
            kind = _word(span, "openinference.span.kind")
            if kind in ("AGENT", "LLM", ""):
                self._say({"content": held.value}, _shifted(held.locate, 1, ()), span.at, role)
            else:
                self.steps.add("environment", "observe", held.locate(()), held.value, at=span.at)

    def _call(self, span: Span) -> None:
        """Add the call of a tool, unless the agent's own message showed the same call."""
        key = next((key for key in _ARGUMENTS if key in span.attributes), "")
        held = span.attributes[key] if key else None
        tool, call = _tool(span)
        arguments = arguments_of(held.value) if held else None
        if call and self.requested.get(call) == (arguments or {}) and call in self.requested:
            self.repeated += 1
            return
        self.steps.add(
            "agent", "act", held.locate(()) if held else span.name_at,
            held.value if held and arguments is None else None,
            at=span.at, tool=tool, call=call, arguments=arguments or {},
        )  # fmt: skip

    def _keep(self, before: int, span: Span) -> None:
        """Keep the attributes that are no messages at the first step of the span."""
        if len(self.made) == before:
            return
        taken = (*_OPENING, *_CLOSING, *_ARGUMENTS, *_RESULTS)
        left = {key: each.value for key, each in span.attributes.items() if not key.startswith(taken)}
        step = self.made[before]
        extra = {"span": well_formed(span.span), "name": well_formed(span.name), "attributes": plain_of(left)}
        self.made[before] = replace(step, extra={**step.extra, **extra})


def _word(span: Span, key: str) -> str:
    return name_of(span.attributes[key].value) if key in span.attributes else ""


def _is_tool(span: Span) -> bool:
    return (
        _word(span, "gen_ai.operation.name") == "execute_tool" or _word(span, "openinference.span.kind") == "TOOL"
    ) or ("gen_ai.tool.name" in span.attributes and not any(key.startswith("llm.") for key in span.attributes))


def _tool(span: Span) -> tuple[str, str]:
    name = next((_word(span, key) for key in ("gen_ai.tool.name", "tool.name") if key in span.attributes), span.name)
    return name, next((_word(span, key) for key in ("gen_ai.tool.call.id", "tool_call.id") if _word(span, key)), "")


def _mark(message: Any, role: str) -> str:
    """Name a message by who says what, so that its repetition is known."""
    told = message if isinstance(message, dict) else {"content": message}
    parts = [told.get(key) for key in ("content", "parts", "tool_calls", "tool_call_id")]
    return json.dumps([name_of(told.get("role")) or role, *parts], sort_keys=True)


def _messages(span: Span, prefixes: tuple[str, ...], role: str) -> Iterator[Message]:
    """Give the messages of a span with their places and the role they have where they name none."""
    events = [event for event in span.events if event.name in _CARRIERS]
    for attributes in (span.attributes, *(event.attributes for event in events)):
        for prefix in prefixes:
            if prefix in attributes:
                yield from _structured(attributes[prefix], "system" if "system" in prefix else role)
            yield from _flat(attributes, prefix, role)
    names = _EVENTS_BEFORE if role == "user" else ("gen_ai.choice",)
    for event in span.events:
        if event.name in names:
            yield _event_message(event, "assistant" if role == "assistant" else event.name.split(".")[1])


def _structured(held: Attribute, role: str) -> Iterator[Message]:
    """Open messages written as a list, as text that is the JSON of one, or as plain text."""
    value = held.value
    if isinstance(value, str):
        opened = parsed(value.encode("utf-8", "surrogatepass"))[0]
        value = opened if isinstance(opened, dict | list) else value
    inside: Path = ()
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value, inside = value["messages"], ("messages",)
    if role == "system" and isinstance(value, list):
        yield {"role": role, "parts": value}, _shifted(held.locate, 1, ()), role
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield item, _shifted(held.locate, 0, (*inside, index)), role
            else:
                yield {"content": item}, _shifted(held.locate, 1, (*inside, index)), role
    elif isinstance(value, dict):
        yield value, held.locate, role
    else:
        yield {"content": value}, _shifted(held.locate, 1, ()), role


def _shifted(locate: Locate, drop: int, prefix: Path) -> Locate:
    return lambda path: locate((*prefix, *path[drop:]))


def _event_message(event: Event, role: str) -> Message:
    """Read a message that was written as an event of its own, its fields as attributes or as one text of JSON."""
    for key in ("gen_ai.event.content", "event_body", "body"):
        if key in event.attributes:
            for body, locate, _ in _structured(event.attributes[key], role):
                if isinstance(body.get("message"), dict):
                    return body["message"], _shifted(locate, 0, ("message",)), role
                return body, locate, role
    fields = {key.removeprefix("gen_ai."): each for key, each in event.attributes.items()}
    leaves: dict[Path, Attribute] = {}
    message: dict[str, Any] = {}
    for key, each in fields.items():
        value = each.value
        if key in ("message", "tool_calls") and isinstance(value, str):
            value = parsed(value.encode("utf-8", "surrogatepass"))[0] or value
        if key == "message" and isinstance(value, dict):
            return value, each.locate, role
        name = {"id": "tool_call_id"}.get(key, key) if role == "tool" else key
        message[name], leaves[(name,)] = value, each
    return message, _among(leaves, event.source), role


def _flat(attributes: Mapping[str, Attribute], prefix: str, role: str) -> Iterator[Message]:
    """Join keys such as ``prefix.0.message.content`` to messages.

    Source:  OpenInference specification, "Flattening"; OpenLLMetry writes ``gen_ai.prompt.0.content`` alike.
    """
    pattern = re.compile(re.escape(prefix) + r"\.([0-9]{1,9})(?:\.(.+))?", re.DOTALL)
    found: dict[int, dict[str, Attribute]] = {}
    for key, each in attributes.items():
        matched = pattern.fullmatch(key)
        if matched:
            found.setdefault(int(matched[1]), {})[matched[2] or "content"] = each
    for index in sorted(found):
        leaves: dict[Path, Attribute] = {}
        tree: dict[str, Any] = {}
        for key, each in found[index].items():
            _plant(tree, _words(key), each)
        message = _built(tree, (), leaves)
        yield message, _among(leaves, next(iter(found[index].values())).locate(())), role


def _words(key: str) -> list[str]:
    """Split a flat key into the names of a message's fields."""
    words = key.split(".")
    if len(words) > _DEEPEST_KEY:
        return [key]
    words = [word for at, word in enumerate(words) if not (word in _WRAPPERS and at < len(words) - 1)]
    for name in ("name", "arguments"):
        if words[0] in (f"function_call_{name}", f"function_call_{name}_json"):
            return ["function_call", name]
    return [_RENAMED.get(word, word) for word in words]


def _plant(tree: dict[str, Any], words: list[str], leaf: Attribute) -> None:
    for word in words[:-1]:
        inner = tree.setdefault(word, {})
        if not isinstance(inner, dict):
            tree[".".join(words)] = leaf
            return
        tree = inner
    tree[words[-1] if not isinstance(tree.get(words[-1]), dict) else f"{words[-1]}."] = leaf


def _built(node: Any, path: Path, leaves: dict[Path, Attribute]) -> Any:
    """Turn a tree of keys into lists and objects, and note where each leaf stands."""
    if isinstance(node, Attribute):
        leaves[path] = node
        return node.value
    if node and path and all(re.fullmatch("[0-9]{1,9}", key) for key in node):
        ordered = sorted(node, key=int)
        return [_built(node[key], (*path, index), leaves) for index, key in enumerate(ordered)]
    return {key: _built(inner, (*path, key), leaves) for key, inner in node.items()}


def _among(leaves: dict[Path, Attribute], otherwise: Source) -> Locate:
    """Find the place of a part among leaves that each have their own."""

    def locate(path: Path) -> Source:
        for length in range(len(path), 0, -1):
            if path[:length] in leaves:
                return leaves[path[:length]].locate(path[length:])
        return next((each.locate(()) for at, each in leaves.items() if at[: len(path)] == path), otherwise)

    return locate
