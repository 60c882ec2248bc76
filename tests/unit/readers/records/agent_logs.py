# SPDX-License-Identifier: Apache-2.0
"""Made-up session files, and what must be true of every reading of one."""

import json
from types import ModuleType
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records import claude_code, codex, invariant
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import canonical_json, digest_of, plain_of, well_formed
from safetyboard.terms.episode import Episode, Step


def stored(content: bytes, name: str = "made-up.jsonl") -> Stored:
    return Stored(name=name, size=len(content), load=lambda: content, digest=digest_of(content))


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def read(reader: ModuleType, content: bytes, name: str = "made-up.jsonl") -> tuple[list[Episode], Account]:
    """Read, and hold what must be true of every reading."""
    file, account = stored(content, name), Account()
    episodes = list(reader.episodes(file, account))
    assert account.balanced
    names = [episode.name for episode in episodes]
    assert len(set(names)) == len(names)
    for episode in episodes:
        assert [step.index for step in episode.steps] == list(range(len(episode.steps)))
        for step in episode.steps:
            found_again(file, step)
        plain = [episode.system, episode.condition, episode.extra, *(step.extra for step in episode.steps)]
        canonical_json([dict(part) for part in [*plain, *(step.arguments for step in episode.steps)]])
        canonical_json([episode.name, episode.task, *(step.content for step in episode.steps)])
    return episodes, account


def found_again(file: Stored, step: Step) -> None:
    """The words of a step are the text at its source; the arguments of a call stand at, or below, its source."""
    value = resolve(file, step.source)
    written = well_formed(value) if isinstance(value, str) else canonical_json(plain_of(value)).decode()
    if step.kind != "act":
        assert step.content == written or not (step.content or isinstance(value, str))
        return
    assert step.content in ("", written)
    places = [value] if not isinstance(value, dict) else [value, *value.values(), value.get("function")]
    places += [place.get("arguments") for place in places if isinstance(place, dict)]
    parsed = [json_of(place) for place in places if isinstance(place, str)]
    found = [plain_of(place) for place in (*places, *parsed)]
    told = dict(step.arguments)
    assert not told or told in found or next(iter(told.values())) in found


def json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def by_kind(episode: Episode, kind: str) -> list[Step]:
    return [step for step in episode.steps if step.kind == kind]


def said(uuid: str, parent: str | None, text: str, **more: Any) -> dict[str, Any]:
    record = {"type": "user", "uuid": uuid, "parentUuid": parent, "isSidechain": False, "sessionId": "s"}
    return {**record, "message": {"role": "user", "content": text}, "timestamp": "2026-01-01T00:00:00Z", **more}


def answer(uuid: str, parent: str, *blocks: dict[str, Any], reply: str = "", **more: Any) -> dict[str, Any]:
    message = {"id": reply or f"m-{uuid}", "role": "assistant", "model": "m", "content": list(blocks)}
    record = {"type": "assistant", "uuid": uuid, "parentUuid": parent, "isSidechain": False, "sessionId": "s"}
    return {**record, "message": message, "timestamp": "2026-01-01T00:00:00Z", **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(name: str, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": tool, "input": arguments}


def given_back(uuid: str, parent: str, name: str, words: Any, **more: Any) -> dict[str, Any]:
    error = {"is_error": more.pop("is_error")} if "is_error" in more else {}
    block = {"type": "tool_result", "tool_use_id": name, "content": words, **error}
    return said(uuid, parent, "", message={"role": "user", "content": [block]}, **more)


PATCH = """*** Begin Patch
*** Update File: tests/test_a.py
@@ def test_a():
 x = 1
-assert f() == 2
+assert True
*** Add File: n.txt
+hello
*** Delete File: d.txt
*** End Patch"""


def item(kind: str, /, **payload: Any) -> dict[str, Any]:
    record = {"timestamp": "2025-10-29T00:59:39.000Z", "type": "response_item"}
    return {**record, "payload": {"type": kind, **payload}}


def event(kind: str, /, **payload: Any) -> dict[str, Any]:
    return {"timestamp": "2025-10-29T00:59:39.000Z", "type": "event_msg", "payload": {"type": kind, **payload}}


def message(role: str, words: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return item("message", role=role, content=[{"type": kind, "text": words}])


META = {
    "timestamp": "2025-10-29T00:59:38.317Z",
    "type": "session_meta",
    "payload": {
        "id": "019a", "timestamp": "2025-10-29T00:59:38.308Z", "cwd": "/r", "originator": "codex_exec",
        "cli_version": "0.46.0", "instructions": "be good", "source": "exec", "git": {"branch": "main"},
    },
}  # fmt: skip
TURN = {
    "timestamp": "2025-10-29T00:59:39.000Z",
    "type": "turn_context",
    "payload": {"cwd": "/r", "approval_policy": "never", "sandbox_policy": {"mode": "workspace-write"}, "model": "gpt"},
}
ROLLOUT = (
    META,
    message("user", "<environment_context>/r</environment_context>"),
    message("user", "mend it"),
    event("user_message", message="mend it", kind="plain"),
    TURN,
    event("agent_reasoning", text="thinking"),
    item("reasoning", summary=[{"type": "summary_text", "text": "thinking"}], content=None, encrypted_content="gA"),
    item("function_call", name="shell", arguments='{"command":["bash","-lc","pytest"]}', call_id="c1"),
    item("function_call_output", call_id="c1", output='{"output":"1 failed","metadata":{"exit_code":1}}'),
    item("custom_tool_call", name="apply_patch", status="completed", input=PATCH, call_id="c2"),
    item("custom_tool_call_output", call_id="c2", output="Exit code: 0\nWall time: 0 seconds\nOutput:\nExit code: 9"),
    item("local_shell_call", call_id="c3", status="completed", action={"type": "exec", "command": ["ls"]}),
    event("turn_aborted", reason="interrupted"),
    event("token_count", info=None),
    message("assistant", "done"),
)


GOOD: dict[ModuleType, list[dict[str, Any]]] = {
    claude_code: [
        said("a", None, "do it"),
        answer("b", "a", text("which?"), call("t", "Edit", file_path="a", old_string="b", new_string="c")),
        given_back("c", "b", "t", [text("done"), {"type": "image", "source": {}}]),
        {"type": "summary", "summary": "S", "leafUuid": "c"},
        said("d", "b", "rather this"),
        said("e", None, "side", isSidechain=True),
    ],
    codex: list(ROLLOUT),
    invariant: [
        {"metadata": {"description": "d"}},
        {"index": 1, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ["b"]}]},
        {"index": 2, "messages": [{"role": "tool", "tool_call_id": "x", "content": "a"}], "annotations": [{}]},
    ],
}
