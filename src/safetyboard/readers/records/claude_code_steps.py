# SPDX-License-Identifier: Apache-2.0
"""Make steps of one record of Claude Code: messages block by block, notices, and what stands beside the tree."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from safetyboard.readers.records.place import Fault, Leaf, Place, leaf, leaves, plain_object, text_in
from safetyboard.readers.records.pointers import pointer_of
from safetyboard.readers.records.session_tree import MANY
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Actor, Deed, Step

TALK = frozenset(("user", "assistant"))
TREE = TALK | {"system", "attachment", "progress"}
LOOSE = frozenset(
    [
        "summary",
        "file-history-snapshot",
        "queue-operation",
        "custom-title",
        "ai-title",
        "agent-name",
        "agent-color",
        "agent-setting",
        "tag",
        "last-prompt",
        "permission-mode",
        "mode",
        "pr-link",
        "worktree-state",
        "saved_hook_context",
    ]
)
CALLS = frozenset(("tool_use", "server_tool_use", "mcp_tool_use"))
STOPPED = "[Request interrupted by user"
ENVELOPE = frozenset(
    [
        "type",
        "uuid",
        "parentUuid",
        "message",
        "timestamp",
        "sessionId",
        "version",
        "cwd",
        "gitBranch",
        "isSidechain",
        "userType",
        "slug",
        "requestId",
        "toolUseResult",
        "content",
        "summary",
        "entrypoint",
        "agentId",
    ]
)
_EXIT = re.compile(r"(?:Error: )?Exit code (-?\d{1,9})\b")


def voice_of(record: Mapping[str, Any]) -> str:
    """Name the model call a reply belongs to; MANY for a prompt; empty for results and notices."""
    if record["type"] == "assistant":
        return text_in(record, "message", "id") or MANY
    if record["type"] != "user" or record.get("isMeta") is True:
        return ""
    content = record["message"].get("content")
    blocks = content if isinstance(content, list) else []
    results = any(isinstance(block, dict) and block.get("type") == "tool_result" for block in blocks)
    return "" if results else MANY


def prompt_of(record: Mapping[str, Any]) -> str:
    """Give the digest of a prompt, by which the call that started a side chain is found."""
    if record["type"] != "user":
        return ""
    first = next(leaves(record["message"].get("content"), ""), None)
    return hashlib.sha256(first.text.encode()).hexdigest() if first and first.text else ""


def steps_of(record: Mapping[str, Any], place: Place, fault: Fault) -> list[Step]:
    """Make the steps of a record; its fields that have no place in a step stand in the `extra` of the first."""
    kind = record["type"]
    if kind in TALK:
        steps = list(_message(record, place, fault))
    elif kind == "summary":
        steps = [place.words("environment", "observe", leaf(record, "", "summary"))]
    else:
        steps = [_notice(record, place)]
    beside = plain_object({key: value for key, value in record.items() if key not in ENVELOPE})
    if not steps and kind in TALK:
        steps = [place.words("unknown", "observe", Leaf(pointer="/message", text="", rest={}))]
    if beside and kind in TALK:
        steps[0] = replace(steps[0], extra={**steps[0].extra, "record": beside})
    return steps


def _notice(record: Mapping[str, Any], place: Place) -> Step:
    """Write down what the program itself recorded: notices, hooks, snapshots, changes of mode."""
    kind = record["type"]
    actor: Actor = "environment"
    deed: Deed = "observe"
    if kind in ("permission-mode", "mode") or text_in(record, "subtype") == "permission_mode":
        deed = "control"
    elif "hook" in text_in(record, "subtype") or "hook" in text_in(record, "data", "type"):
        deed = "monitor"
    elif kind == "queue-operation" and text_in(record, "operation") == "enqueue":
        actor = "user"
    rest = {key: value for key, value in record.items() if key not in ENVELOPE - {"content", "toolUseResult"}}
    return place.words(actor, deed, leaf({**rest, "type": kind}, "", "content"))


def _message(record: Mapping[str, Any], place: Place, fault: Fault) -> Iterator[Step]:
    message = record["message"]
    content, pointer = message.get("content"), "/message/content"
    if not isinstance(content, list):
        yield from (_said(record, place, part) for part in leaves(content, pointer))
        return
    for index, block in enumerate(content):
        here = pointer + pointer_of(index)
        kind = text_in(block, "type")
        if kind in ("thinking", "redacted_thinking"):
            yield place.words("agent", "think", leaf(block, here, "thinking"))
        elif kind in CALLS:
            yield place.act(here, text_in(block, "name"), block.get("input"), call=text_in(block, "id"))
        elif kind.endswith("tool_result"):
            yield from _result(record, block, here, place)
        else:
            if kind not in ("text", "image", "document"):
                fault("blocks, known blocks", text_in(record, "uuid"), "unknown type", f"line {place.line}{here}")
            yield _said(record, place, leaf(block, here))


def _said(record: Mapping[str, Any], place: Place, part: Leaf) -> Step:
    if record["type"] == "assistant":
        synthetic = record.get("isApiErrorMessage") is True or text_in(record, "message", "model") == "<synthetic>"
        return place.words("environment", "observe", part) if synthetic else place.words("agent", "say", part)
    if part.text.startswith(STOPPED):
        return place.words("user", "control", part)
    if record.get("isMeta") is True or record.get("isCompactSummary") is True:
        return place.words("environment", "observe", part)
    # The prompt of a side chain was written by the agent that started it, not by a person.
    return place.words("agent" if record.get("isSidechain") is True else "user", "observe", part)


def _result(record: Mapping[str, Any], block: Mapping[str, Any], here: str, place: Place) -> Iterator[Step]:
    """Write down each text a tool gave back; the first carries what the program kept of the result beside it."""
    extra: dict[str, Plain] = {}
    if "is_error" in block:
        extra["is_error"] = plain_of(block["is_error"])
    if "toolUseResult" in record:
        extra["toolUseResult"] = plain_of(record["toolUseResult"])
    parts = list(leaves(block.get("content"), here + "/content")) or [Leaf(pointer=here, text="", rest={})]
    code = _EXIT.match(parts[0].text) if block.get("is_error") is True else None
    if code:
        extra["exit_code"] = int(code[1])
    for part in parts:
        yield place.words("tool", "result", part, call=text_in(block, "tool_use_id"), extra=extra)
        extra = {}
