# SPDX-License-Identifier: Apache-2.0
"""Make steps of one record of Codex CLI: items of the model, events of the program, contexts of turns."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from safetyboard.readers.records.place import Leaf, Place, leaf, leaves, plain_object, text_in
from safetyboard.readers.records.pointers import pointer_of
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Actor, Deed, Step

ENVELOPES = frozenset(
    [
        "session_meta",
        "response_item",
        "event_msg",
        "turn_context",
        "compacted",
        "world_state",
        "inter_agent_communication",
        "inter_agent_communication_metadata",
    ]
)
CALLS = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "web_search_call": "action",
    "tool_search_call": "arguments",
    "image_generation_call": "revised_prompt",
}
OUTPUTS = {"function_call_output": "output", "custom_tool_call_output": "output", "tool_search_output": "tools"}
ITEMS = frozenset(
    (*CALLS, *OUTPUTS, *["message", "reasoning", "agent_message", "ghost_snapshot", "compaction", "compaction_summary"])
) | {"context_compaction", "compaction_trigger", "additional_tools", "configuration_update"}
MIRRORS: Mapping[str, tuple[Actor, Deed]] = {
    "user_message": ("user", "observe"),
    "agent_message": ("agent", "say"),
    "agent_reasoning": ("agent", "think"),
    "agent_reasoning_raw_content": ("agent", "think"),
}
"""Events that repeat what an item of the model says."""
CONTROLS = frozenset(
    [
        "turn_aborted",
        "exec_approval_request",
        "apply_patch_approval_request",
        "request_permissions",
        "request_user_input",
        "elicitation_request",
        "entered_review_mode",
        "exited_review_mode",
        "thread_rolled_back",
        "undo_started",
        "undo_completed",
        "shutdown_complete",
        "guardian_assessment",
        "guardian_warning",
        "safety_buffering",
    ]
)
EVENTS = (
    frozenset(MIRRORS)
    | CONTROLS
    | frozenset(
        [
            "error",
            "warning",
            "stream_error",
            "deprecation_notice",
            "background_event",
            "token_count",
            "task_started",
            "task_complete",
            "turn_started",
            "turn_complete",
            "turn_diff",
            "plan_update",
            "session_configured",
            "context_compacted",
            "model_reroute",
            "agent_reasoning_section_break",
            "exec_command_begin",
            "exec_command_end",
            "exec_command_output_delta",
            "terminal_interaction",
            "patch_apply_begin",
            "patch_apply_end",
            "mcp_tool_call_begin",
            "mcp_tool_call_end",
            "web_search_begin",
            "web_search_end",
            "image_generation_begin",
            "image_generation_end",
            "view_image_tool_call",
            "dynamic_tool_call_request",
            "dynamic_tool_call_response",
            "item_started",
            "item_completed",
            "raw_response_item",
            "hook_started",
            "hook_completed",
            "sub_agent_activity",
            "thread_goal_updated",
            "thread_name_updated",
            "thread_settings_applied",
            "collab_agent_spawn_end",
            "collab_agent_interaction_end",
            "collab_waiting_end",
            "collab_close_end",
            "collab_resume_end",
            "mcp_startup_update",
            "mcp_startup_complete",
            "model_verification",
        ]
    )
)
GIVEN = ("<environment_context>", "<user_instructions>", "# AGENTS.md instructions", "<turn_aborted>")
_EXIT = re.compile(r"^(?:Exit code: |Process exited with code )(-?\d{1,9})$", re.MULTILINE)


def is_given(text: str) -> bool:
    """Tell whether the program wrote this into the user's turn."""
    return text.lstrip().startswith(GIVEN)


def item_steps(item: Mapping[str, Any], pointer: str, place: Place) -> Iterator[Step]:
    """Make the steps of one item that the model wrote or was given."""
    kind = item["type"]
    if kind in CALLS:
        tool = text_in(item, "name") or kind.removesuffix("_call")
        named = text_in(item, "call_id") or text_in(item, "id")
        yield place.act(pointer, tool, item.get(CALLS[kind]), call=named)
    elif kind in OUTPUTS:
        yield from _output(item, OUTPUTS[kind], pointer, place)
    elif kind == "reasoning":
        yield from _reasoning(item, pointer, place)
    elif kind == "message":
        parts = list(leaves(item.get("content"), f"{pointer}/content")) or [Leaf(pointer=pointer, text="", rest={})]
        for part in parts:
            part = Leaf(pointer=part.pointer, text=part.text, rest={} if part.text else part.rest)
            yield place.words(*_speaker(text_in(item, "role"), part.text), part)
    else:
        key = "message" if isinstance(item.get("message"), str) else "content"
        yield place.words("agent" if kind == "agent_message" else "environment", "observe", leaf(item, pointer, key))


def _speaker(role: str, text: str) -> tuple[Actor, Deed]:
    if role == "assistant":
        return "agent", "say"
    if role == "user":
        return "environment" if is_given(text) else "user", "observe"
    return "environment" if role in ("system", "developer") else "unknown", "observe"


def _reasoning(item: Mapping[str, Any], pointer: str, place: Place) -> Iterator[Step]:
    """Write down thoughts in the open; sealed ones stand as a step without words."""
    rest = plain_object({key: value for key, value in item.items() if key not in ("type", "summary", "content")})
    parts = [part for key in ("summary", "content") for part in leaves(item.get(key), pointer + pointer_of(key))]
    for part in parts or [Leaf(pointer=pointer, text="", rest={})]:
        yield place.words("agent", "think", Leaf(pointer=part.pointer, text=part.text, rest={}), extra=rest)
        rest = {}


def _output(item: Mapping[str, Any], key: str, pointer: str, place: Place) -> Iterator[Step]:
    """Write down what a tool gave back; the exit code where the program wrote it at its head or beside it."""
    output, here = item.get(key), f"{pointer}/{key}"
    extra: dict[str, Plain] = {}
    if isinstance(output, dict):
        extra = plain_object({name: value for name, value in output.items() if name != "content"})
        output, here = output.get("content"), here + "/content"
    if isinstance(output, str):
        extra.update(_exit_code(output))
    for part in list(leaves(output, here)) or [Leaf(pointer=pointer, text="", rest={})]:
        yield place.words("tool", "result", part, call=text_in(item, "call_id"), extra=extra)
        extra = {}


def _exit_code(output: str) -> dict[str, Plain]:
    if output.startswith("{"):
        try:
            metadata = json.loads(output).get("metadata")
        except (ValueError, RecursionError):
            return {}
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return {"exit_code": code} if isinstance(code, int) and abs(code) < 2**31 else {}
    head = output.partition("\nOutput:")[0][:1000]
    found = _EXIT.search(head) if "\nOutput:" in output else None
    return {"exit_code": int(found[1])} if found else {}


def event_steps(event: Mapping[str, Any], place: Place) -> Iterator[Step]:
    """Make the step of one event; it carries all of the event beside its words."""
    kind = event["type"]
    actor, deed = MIRRORS.get(kind, ("environment", "control" if kind in CONTROLS else "monitor"))
    if kind == "turn_aborted" and text_in(event, "reason") == "interrupted":
        actor = "user"
    keys = ("message", "text", "aggregated_output", "stdout", "last_agent_message", "unified_diff")
    key = next((name for name in keys if isinstance(event.get(name), str)), "")
    rest: dict[str, Plain] = {"event": kind}
    for name, value in event.items():
        if name not in (key, "type", "call_id"):
            rest[name if name != "event" else "event_field"] = plain_of(value)
    part = leaf(event[key], f"/payload/{key}") if key else Leaf(pointer="/payload", text="", rest={})
    yield place.words(actor, deed, part, call=text_in(event, "call_id"), extra=rest)


def context_steps(kind: str, payload: Mapping[str, Any], pointer: str, place: Place) -> Iterator[Step]:
    """Make the step of what a session or turn began with: instructions, policies, a summary."""
    paths = {"session_meta": (("instructions",), ("base_instructions", "text")), "compacted": (("message",),)}
    path = next((path for path in paths.get(kind, ()) if text_in(payload, *path)), ())
    rest = plain_object({key: value for key, value in payload.items() if key not in path[:1]})
    text = text_in(payload, *path) if path else ""
    deed: Deed = "control" if kind == "turn_context" else "observe"
    yield place.words(
        "environment",
        deed,
        Leaf(pointer=pointer + pointer_of(*path), text=text, rest={}),
        extra={"record": kind, **rest},
    )
