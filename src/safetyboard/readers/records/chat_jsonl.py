# SPDX-License-Identifier: Apache-2.0
"""Read conversations as OpenAI-style chat messages: a list of them, or an object that holds one, a record."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.chat_messages import Steps, below, name_of, root_of, text_of
from safetyboard.readers.records.json_lines import values
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Source

_LISTS = ("messages", "conversation", "conversations", "trajectory", "history", "traj")
_NAMES = ("id", "custom_id", "conversation_id", "trace_id", "index")


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file holds chat messages; readers of particular formats are asked before."""
    text = head.lstrip()
    shaped = text[:1] in (b"{", b"[") and b'"role"' in head and (b'"content"' in head or b'"tool_calls"' in head)
    listed = re.search(rb"(?:\A|\n)\s*\[\s*\{", head) or any(f'"{key}"'.encode() in head for key in _LISTS)
    return shaped and (bool(listed) or _begins(text)) and b'"$schema"' not in head and b'"$defs"' not in head


def _begins(text: bytes) -> bool:
    """Tell whether the first line is a message by itself: a session that was logged message by message."""
    try:
        return _is_message(json.loads(text.split(b"\n", 1)[0]))
    except (ValueError, RecursionError):
        return False


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each conversation as an episode; lines that only describe the file go with those behind them.

    Source:  OpenAI API reference, chat completions and fine-tuning files; an answer beside its request (``request``,
             ``response``) is read as the last message.
    """
    account.unit = "conversations and descriptions"
    root = root_of(stored)
    shared: dict[str, Plain] = {}
    bare: list[tuple[Source, Any]] = []
    seen: dict[str, int] = {}
    for line, pointer, value in values(stored, account):
        at = Source(file=root.file, line=line, pointer=pointer)
        if _is_message(value):
            # A file that is one list of messages, or one message a line, is one conversation.
            bare.append((at, value))
            account.take()
            continue
        found = _conversation(value, at)
        if found is None and isinstance(value, dict) and value.keys() <= {"metadata"}:
            shared = {"description": plain_of(value["metadata"])} if value else shared
            account.take()
        elif found is None:
            account.pass_unknown("lines without messages")
        else:
            account.take()
            episode = _episode(value, found, at, shared)
            seen[episode.name] = seen.get(episode.name, 0) + 1
            if seen[episode.name] == 2 and episode.name:
                account.discrepancies.append(
                    Discrepancy(between="conversations", name=episode.name, what="duplicate", where=f"line {line}")
                )
            yield episode
    if bare:
        steps = Steps()
        for at, message in bare:
            steps.message(message, lambda path, at=at: below(at, *path))  # type: ignore[misc]
        yield Episode(file=root.file, format="chat_jsonl", name="", steps=tuple(steps.made))


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str) and not any(key in value for key in _LISTS)


def _conversation(value: Any, at: Source) -> tuple[Source, list[Any]] | None:
    """Find the messages in a record."""
    if isinstance(value, list):
        return (at, value) if any(isinstance(item, dict) and "role" in item for item in value) else None
    if not isinstance(value, dict):
        return None
    for key in _LISTS:
        if isinstance(value.get(key), list):
            return below(at, key), value[key]
    for key in ("request", "body"):
        inner = value.get(key)
        if isinstance(inner, dict):
            found = _conversation(inner, below(at, key))
            if found is not None:
                return found
    return None


def _answer(value: Mapping[str, Any], at: Source) -> Iterator[tuple[Source, Any]]:
    """Give the messages of an answer that stands beside its request."""
    response = value.get("response")
    here = below(at, "response")
    if isinstance(response, dict) and isinstance(response.get("body"), dict):
        response, here = response["body"], below(here, "body")
    choices = response.get("choices") if isinstance(response, dict) else value.get("choices")
    here = below(here if isinstance(response, dict) else at, "choices")
    for index, choice in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(choice, dict) and "message" in choice:
            yield below(here, index, "message"), choice["message"]


def _episode(value: Any, found: tuple[Source, list[Any]], at: Source, shared: Mapping[str, Plain]) -> Episode:
    steps = Steps()
    here, told = found
    for index, message in enumerate(told):
        steps.message(message, lambda path, index=index: below(here, index, *path))  # type: ignore[misc]
    record = value if isinstance(value, dict) else {}
    for place, message in _answer(record, at):
        steps.message(message, lambda path, place=place: below(place, *path), role="assistant")  # type: ignore[misc]
    taken = (*_LISTS, *_NAMES, "response", "choices", "model")
    extra = {key: plain_of(inner) for key, inner in record.items() if key not in taken}
    names = (name_of(record.get(key)) for key in _NAMES)
    inner = record.get("body") if isinstance(record.get("body"), dict) else record
    model = text_of(inner.get("model")) if isinstance(inner, dict) else ""
    return Episode(
        file=at.file,
        format="chat_jsonl",
        name=next((name for name in names if name), f"line {at.line}" if at.line else at.pointer),
        steps=tuple(steps.made),
        system={"model": model} if model else {},
        extra={**shared, **extra},
    )
