# SPDX-License-Identifier: Apache-2.0
"""Turn chat messages, as OpenAI and OpenTelemetry write them, into steps whose every leaf knows its place."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from safetyboard.readers.records.json_lines import parsed
from safetyboard.readers.records.pointers import pointer_of
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, canonical_json, plain_of, well_formed
from safetyboard.terms.episode import Actor, Deed, Source, Step

Path: TypeAlias = "tuple[str | int, ...]"
Locate: TypeAlias = Callable[[Path], Source]

ROLES: Mapping[str, tuple[Actor, Deed]] = {
    "assistant": ("agent", "say"),
    "model": ("agent", "say"),
    "ai": ("agent", "say"),
    "user": ("user", "observe"),
    "human": ("user", "observe"),
    "system": ("environment", "observe"),
    "developer": ("environment", "observe"),
    "tool": ("tool", "result"),
    "function": ("tool", "result"),
}
_TEXT_KEYS = ("text", "content", "input_text", "output_text", "refusal", "thinking")
_THOUGHTS = ("reasoning", "reasoning_content", "thinking")
_CALLS = ("tool_call", "tool_use", "function_call", "server_tool_call")
_RESULTS = ("tool_call_response", "tool_result", "server_tool_call_response", "function_call_output")
_TAKEN = {"role", "content", "parts", "tool_calls", "function_call", "refusal", "tool_call_id", "name", *_THOUGHTS}


def root_of(stored: Stored, *, line: int = 0, pointer: str = "") -> Source:
    """Name a place in a file; its digest is computed where it is not known."""
    digest = stored.digest
    if not digest:
        with stored.open() as stream:
            digest = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    return Source(file=digest, line=line, pointer=pointer)


def below(source: Source, *parts: str | int) -> Source:
    """Name a place further in."""
    pointer = source.pointer + pointer_of(*parts)
    return Source(file=source.file, member=source.member, line=source.line, pointer=pointer)


def text_of(value: Any) -> str:
    """Write a leaf as text: text as it is, nothing as empty, other values as canonical JSON."""
    if value is None:
        return ""
    return well_formed(value) if isinstance(value, str) else canonical_json(plain_of(value)).decode()


def name_of(value: Any) -> str:
    """Write a name or number that stands in a record as text; empty where it is neither."""
    return text_of(value) if isinstance(value, str | int | float) else ""


def arguments_of(value: Any) -> Mapping[str, Plain] | None:
    """Read the arguments of a call: an object, or text that is the JSON of one; None where it is neither."""
    if isinstance(value, str):
        value = parsed(value.encode("utf-8", "surrogatepass"))[0]
    if not isinstance(value, dict):
        return None
    plain = plain_of(value)
    return plain if isinstance(plain, dict) else None


class Steps:
    """Collect the steps of one episode in their order."""

    def __init__(self) -> None:
        self.made: list[Step] = []
        self.tools: dict[str, str] = {}

    def add(self, actor: Actor, kind: Deed, source: Source, content: Any = None, **more: Any) -> None:
        """Add a step; `more` are further fields of it."""
        self.made.append(
            Step(index=len(self.made), actor=actor, kind=kind, source=source, content=text_of(content), **more)
        )

    def act(self, call: Any, locate: Locate, path: Path, *, at: str = "", actor: Actor = "agent") -> None:
        """Add one call of a tool, in any shape in use; its source is that of the arguments where it has some."""
        inner, there = call, path
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            inner, there = call["function"], (*path, "function")
        if not isinstance(inner, dict):
            self.add(actor, "act", locate(path), call, at=at)
            return
        key = next((key for key in ("arguments", "input") if key in inner), "")
        given = inner.get(key)
        arguments = arguments_of(given)
        tool = name_of(inner.get("name"))
        name = name_of(call.get("call_id") or call.get("id") or inner.get("id"))
        if name:
            self.tools[name] = tool
        self.add(
            actor, "act", locate((*there, key) if key else path), None if arguments is not None else given,
            at=at, tool=tool, call=name, arguments=arguments or {},
        )  # fmt: skip

    def message(self, message: Any, locate: Locate, *, at: str = "", role: str = "") -> None:
        """Add what one message says, thinks, calls and returns, each leaf as a step; a message never adds none."""
        if not isinstance(message, dict):
            self.add("unknown", "observe", locate(()), message, at=at)
            return
        if "role" not in message and name_of(message.get("type")) in (*_CALLS, *_RESULTS):
            # OpenAI's Responses write calls and their results as items of their own.
            self._part(message, locate, (), ("agent", "act"), {"at": at})
            return
        role = name_of(message.get("role")) or role
        actor, kind = ROLES.get(role.lower(), ("unknown", "observe"))
        before = len(self.made)
        more: dict[str, Any] = {"at": at}
        if kind == "result":
            more["call"] = name_of(message.get("tool_call_id"))
            more["tool"] = name_of(message.get("name")) or self.tools.get(more["call"], "")
        elif role.lower() not in ("assistant", "user"):
            more["extra"] = {"role": role}
        for key in _THOUGHTS:
            if message.get(key):
                self.add(actor, "think", locate((key,)), message[key], at=at)
        for key in ("content", "parts"):
            if isinstance(message.get(key), list):
                for index, part in enumerate(message[key]):
                    self._part(part, locate, (key, index), (actor, kind), more)
            elif message.get(key) not in (None, ""):
                self.add(actor, kind, locate((key,)), message[key], **more)
        if message.get("refusal"):
            self.add(actor, kind, locate(("refusal",)), message["refusal"], at=at, extra={"refusal": True})
        self._calls(message, locate, at)
        if len(self.made) == before:
            self.add(actor, kind, locate(("content",) if "content" in message else ()), None, **more)
        self._keep(before, {key: value for key, value in message.items() if key not in _TAKEN})

    def _calls(self, message: dict[str, Any], locate: Locate, at: str) -> None:
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            for index, call in enumerate(calls):
                self.act(call, locate, ("tool_calls", index), at=at)
        elif calls:
            self.act(calls, locate, ("tool_calls",), at=at)
        if message.get("function_call"):
            self.act(message["function_call"], locate, ("function_call",), at=at)

    def _part(self, part: Any, locate: Locate, path: Path, who: tuple[Actor, Deed], more: Mapping[str, Any]) -> None:
        actor, kind = who
        if not isinstance(part, dict):
            self.add(actor, kind, locate(path), part, **more)
            return
        sort = name_of(part.get("type"))
        if sort in _CALLS:
            self.act(part, locate, path, at=more["at"])
        elif sort in _RESULTS:
            key = next((key for key in ("response", "result", "output", "content") if key in part), "")
            call = name_of(part.get("tool_use_id") or part.get("call_id") or part.get("id"))
            self.add(
                "tool", "result", locate((*path, key) if key else path), part.get(key) if key else None,
                at=more["at"], call=call, tool=self.tools.get(call, ""),
            )  # fmt: skip
        else:
            key = next((key for key in _TEXT_KEYS if isinstance(part.get(key), str)), "")
            binary = sort in ("blob", "file", "uri", "image_url", "input_audio", "image")
            if key and not binary:
                deed: Deed = "think" if sort in _THOUGHTS else kind
                self.add(actor, deed, locate((*path, key)), part[key], **more)
            else:
                # Pictures, sounds and files are named, not quoted: their place says where they stand.
                self.add(actor, kind, locate(path), None, **{**more, "extra": {"part": sort or "unknown"}})

    def _keep(self, first: int, left: dict[str, Any]) -> None:
        """Keep what a message held beside the known fields, at its first step."""
        if left:
            step = self.made[first]
            extra = {**step.extra, "message": plain_of(left)}
            self.made[first] = replace(step, extra=extra)
