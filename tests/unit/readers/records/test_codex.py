# SPDX-License-Identifier: Apache-2.0
"""Sessions of Codex CLI, made up after the types in openai/codex: told once, joined, and loud about the unknown."""

from safetyboard.readers.records import codex
from safetyboard.readers.records.edits import edits_of
from unit.readers.records.agent_logs import META, PATCH, ROLLOUT, by_kind, event, item, lines, message, read


def test_a_rollout_tells_each_thing_once() -> None:
    (episode,), account = read(codex, lines(*ROLLOUT))
    assert codex.sniff("x", lines(*ROLLOUT))
    assert (account.met, account.read, account.discrepancies) == (15, 15, [])
    assert (episode.name, episode.task, episode.opened) == ("019a", "mend it", "2025-10-29T00:59:38.308Z")
    assert (episode.system["model"], episode.system["version"]) == ("gpt", "0.46.0")
    assert episode.condition["approval_policy"] == "never"
    assert [(s.actor, s.content) for s in by_kind(episode, "observe")] == [
        ("environment", "be good"),
        ("environment", "<environment_context>/r</environment_context>"),
        ("user", "mend it"),
    ]
    assert [step.content for step in by_kind(episode, "think")] == ["thinking"]
    assert {step.call: step.tool for step in by_kind(episode, "act")} == {
        "c1": "shell", "c2": "apply_patch", "c3": "local_shell"
    }  # fmt: skip
    results = {step.call: step for step in by_kind(episode, "result")}
    assert (results["c1"].tool, results["c1"].extra["exit_code"]) == ("shell", 1)
    assert results["c2"].extra["exit_code"] == 0
    assert "user" in {step.actor for step in by_kind(episode, "control")}


def test_what_only_an_event_tells_is_told_and_named() -> None:
    episodes, account = read(codex, lines(META, event("agent_message", message="I changed the tests")))
    assert "I changed the tests" in {step.content for step in episodes[0].steps}
    assert [(found.name, found.where) for found in account.discrepancies] == [("line 2", "response_item")]


def test_rollouts_of_before_august_2025_are_read() -> None:
    old = lines(
        {"id": "o", "timestamp": "2025-05-01T00:00:00Z", "instructions": None},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"},
    )
    (episode,), account = read(codex, old)
    assert codex.sniff("rollout.jsonl", old)
    assert (episode.name, episode.task) == ("o", "hello")
    assert dict(account.unknown) == {"state": 1}


def test_unknown_items_events_and_records_of_codex_are_loud() -> None:
    content = lines(META, item("hologram"), event("smell"), {"type": "telepathy", "payload": {}}, {"type": "event_msg"})
    _, account = read(codex, content)
    assert dict(account.unknown) == {"response_item/hologram": 1, "event_msg/smell": 1, "telepathy": 1}
    assert (account.read, account.met) == (1, 5)


def test_an_answer_without_a_call_and_a_clock_running_backwards_are_named() -> None:
    late = {**message("assistant", "x"), "timestamp": "2020-01-01T00:00:00Z"}
    _, account = read(codex, lines(META, item("function_call_output", call_id="c9", output="x"), late))
    assert [(found.name, found.what) for found in account.discrepancies] == [
        ("c9", "missing"),
        ("line 3", "clock runs backwards"),
    ]


def test_a_forked_session_names_the_one_it_continues() -> None:
    fork = {**META, "payload": {**META["payload"], "id": "new", "forked_from_id": "019a"}}  # type: ignore[dict-item]
    assert read(codex, lines(fork, message("user", "on")))[0][0].parent == "019a"
    assert read(codex, lines(META, {**META, "payload": {"id": "first"}}))[0][0].parent == "first"


def test_a_patch_shows_what_goes_and_what_comes() -> None:
    expected = [
        {"path": "tests/test_a.py", "old": "x = 1\nassert f() == 2", "new": "x = 1\nassert True"},
        {"path": "n.txt", "old": None, "new": "hello"},
        {"path": "d.txt", "old": None, "new": None},
    ]
    assert edits_of("apply_patch", {"text": PATCH}) == expected
    assert edits_of("shell", {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}\nEOF"]}) == expected


def test_reading_a_file_or_posting_text_is_no_edit() -> None:
    assert edits_of("Read", {"file_path": "a.py"}) == []
    assert edits_of("post_comment", {"path": "issues/1", "content": "done"}) == []
    assert edits_of("str_replace_editor", {"command": "view", "path": "a.py"}) == []
    assert edits_of("Bash", {"command": "cat tests/a.py"}) == []
    assert edits_of("mcp__files__write_file", {"path": "a.py", "content": "x"}) == [
        {"path": "a.py", "old": None, "new": "x"}
    ]


def test_a_first_line_longer_than_the_head_is_told_by_its_type() -> None:
    long = {**META, "payload": {**META["payload"], "instructions": "x" * 100_000}}  # type: ignore[dict-item]
    assert codex.sniff("a.jsonl", lines(long)[: 1 << 16])
    assert not codex.sniff("a.jsonl", lines({"text": "x" * 100_000})[: 1 << 16])


def test_arguments_nested_without_end_are_kept_as_words() -> None:
    deep = '{"a":' * 400 + "1" + "}" * 400
    (episode,), _ = read(codex, lines(META, item("function_call", name="f", arguments=deep, call_id="c")))
    assert by_kind(episode, "act")[0].arguments == {"text": deep}
