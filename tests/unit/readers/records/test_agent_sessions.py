# SPDX-License-Identifier: Apache-2.0
"""Sessions of coding agents are read to the last record: files made by others, and files that are damaged."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.readers.account import Account
from safetyboard.readers.records import claude_code, invariant, locations, swe_agent
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import UnreadableInput
from unit.readers.records.agent_logs import GOOD, by_kind, lines, read, stored

READERS = pytest.mark.parametrize("reader", [*GOOD], ids=["claude", "codex", "invariant"])
CLAUDE = "records/inspect_scout/tests/sources/claude_code_source/fixtures"
DATA: list[tuple[ModuleType, str, str, int]] = [
    (claude_code, CLAUDE, "*.jsonl", 12),
    (swe_agent, "records/swe-agent", "**/*.traj", 22),
    (invariant, "records/invariant-explorer", "**/*.jsonl", 18),
]


@pytest.mark.parametrize(("reader", "folder", "pattern", "count"), DATA, ids=["claude", "swe", "invariant"])
def test_every_file_of_the_data_is_read_without_loss(
    safetyboard_data: Path, reader: ModuleType, folder: str, pattern: str, count: int
) -> None:
    paths = sorted((safetyboard_data / folder).glob(pattern))
    assert len(paths) == count
    for path in paths:
        content = path.read_bytes()
        # Its messages stand alone on a line, as those of any chat endpoint do.
        assert reader.sniff(str(path), content[: 1 << 16]) or path.name == "sample_data.jsonl", path
        episodes, account = read(reader, content, str(path))
        assert account.met > 0
        assert account.read == account.met, (path, account.sentence())
        assert all(episode.file == digest_of(content) for episode in episodes)
        assert any(episode.steps for episode in episodes)


def test_every_text_of_a_claude_code_record_is_in_some_step(safetyboard_data: Path) -> None:
    for path in sorted((safetyboard_data / CLAUDE).glob("*.jsonl")):
        told = {step.content for episode in read(claude_code, path.read_bytes())[0] for step in episode.steps}
        for line in path.read_bytes().splitlines():
            content = json.loads(line).get("message", {}).get("content", [])
            texts = [content] if isinstance(content, str) else [b["text"] for b in content if b["type"] == "text"]
            assert set(texts) <= told


def test_a_side_chain_in_its_own_file_names_the_session_that_started_it(safetyboard_data: Path) -> None:
    (main,), _ = read(claude_code, (safetyboard_data / CLAUDE / "agent_session.jsonl").read_bytes())
    (side,), _ = read(claude_code, (safetyboard_data / CLAUDE / "agent-atest01.jsonl").read_bytes())
    assert (side.parent, side.branch) == (main.name, "sidechain")
    assert side.name != main.name
    started = next(step for step in main.steps if step.tool == "Task" and step.kind == "act")
    assert side.task == started.arguments["prompt"]
    assert side.steps[0].actor == "agent"


def test_results_of_the_data_meet_the_calls_before_them(safetyboard_data: Path) -> None:
    alone, met = [], 0
    for reader, folder, pattern, _ in DATA:
        for path in sorted((safetyboard_data / folder).glob(pattern)):
            for episode in read(reader, path.read_bytes(), str(path))[0]:
                tools: dict[str, str] = {}
                for step in episode.steps:
                    if step.kind == "act":
                        assert step.call
                        tools[step.call] = step.tool
                    elif step.kind == "result" and step.call in tools:
                        assert step.tool == tools[step.call]
                        met += 1
                    elif step.kind == "result":
                        alone.append((path.name, step.index))
    # These hold results of calls that the trace does not hold.
    assert {name for name, _ in alone} == {"code.jsonl", "line_numbers.jsonl", "webarena.jsonl"}
    assert met > 200


def test_old_and_new_trajectories_show_the_edit_and_the_file(safetyboard_data: Path) -> None:
    for name in ("swe-agent__test-repo-i1", "6e44b9__sweagenttestrepo-1c2844"):
        path = next((safetyboard_data / "records/swe-agent").glob(f"**/{name}.traj"))
        (episode,), _ = read(swe_agent, path.read_bytes(), path.name)
        edit = next(step for step in episode.steps if step.tool == "edit" and step.kind == "act")
        (change,) = edit.extra["edits"]  # type: ignore[misc]
        assert isinstance(change, dict)
        assert str(change["path"]).endswith("tests/missing_colon.py")
        assert "def division(a: float, b: float) -> float:" in str(change["new"])
        assert [outcome.value for outcome in episode.true] == ["submitted"]


def test_a_turn_struck_from_the_history_is_named_and_told_all_the_same(safetyboard_data: Path) -> None:
    path = next((safetyboard_data / "records/swe-agent").glob("**/swe-agent__test-repo-i1.traj"))
    document = json.loads(path.read_bytes())
    clean, account = read(swe_agent, json.dumps(document).encode(), path.name)
    assert account.discrepancies == []
    del document["history"][7:9]
    (episode,), account = read(swe_agent, json.dumps(document).encode(), path.name)
    assert [(found.name, found.what, found.where) for found in account.discrepancies] == [
        ("turn 2", "missing", "history")
    ]
    assert [step.arguments for step in by_kind(episode, "act")] == [step.arguments for step in by_kind(clean[0], "act")]
    document["history"][-2]["content"] = "all well"
    assert "observation differs" in {
        found.what for found in read(swe_agent, json.dumps(document).encode())[1].discrepancies
    }


def test_what_the_explorer_refuses_is_named(safetyboard_data: Path) -> None:
    folder = safetyboard_data / "records/invariant-explorer/tests/data"
    expected = {
        "duplicate_index": "duplicate",
        "inconsistent_index_presence": "index missing",
        "incorrect_index_type": "index is no integer",
        "metadata_not_in_first_row": "metadata behind traces",
        "mixed_format": "mixed shapes",
        "trace_with_incorrect_annotation": "annotation without words or address",
        "two_metadata_rows": "second row of metadata",
    }
    for name, what in expected.items():
        _, account = read(invariant, (folder / f"{name}.jsonl").read_bytes(), f"{name}.jsonl")
        assert what in {found.what for found in account.discrepancies}, name
    for name in ("abc", "webarena", "line_numbers"):
        assert read(invariant, (folder / f"{name}.jsonl").read_bytes())[1].discrepancies == []


def test_arguments_that_are_no_json_are_kept_as_words(safetyboard_data: Path) -> None:
    folder = safetyboard_data / "records/invariant-explorer/tests/data"
    (episode,), _ = read(invariant, (folder / "trace_with_non_json_parseable_tool_call_arguments.jsonl").read_bytes())
    (act,) = by_kind(episode, "act")
    assert "Agatha Christie" in act.content + str(dict(act.arguments))


def test_several_attempts_are_episodes_of_their_own() -> None:
    turn = {"action": "ls", "observation": "a", "response": "look", "thought": "look", "state": "{}"}
    attempt = {"trajectory": [turn], "history": [], "info": {"exit_status": "exit_cost"}}
    document = {"attempts": [attempt, attempt, 3], "trajectory": [turn], "history": [], "trajectory_format": 2}
    episodes, account = read(swe_agent, json.dumps(document).encode(), "x/run.traj")
    assert [(e.name, e.parent) for e in episodes] == [("run/0", "run"), ("run/1", "run"), ("run", "")]
    assert [[step.kind for step in e.steps] for e in episodes] == [["think", "act", "result"]] * 3
    assert dict(account.unknown) == {"part trajectory_format": 1}
    assert dict(account.left) == {"attempts that are no objects": 1, "unknown types": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1, column 1"),
        (b'{"history": [{"role": "user"', "line 1, column 29"),
        (b'{"history": "\xff"}', "byte 13 is not UTF-8"),
        (b"[1]", "no list named history or trajectory"),
        (b"[" * 5000 + b"]" * 5000, "nested"),
    ],
)
def test_a_trajectory_that_cannot_be_read_gets_one_sentence(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableInput, match=says) as caught:
        list(swe_agent.episodes(stored(content, "bad.traj"), Account()))
    assert "bad.traj" in str(caught.value)
    assert caught.value.hint


def test_calls_without_ids_are_joined_in_order() -> None:
    function = {"type": "function", "function": {"name": "write_file", "arguments": {"path": "a", "content": "b"}}}
    trace = [
        {"role": "assistant", "content": None, "tool_calls": [function]},
        {"role": "tool", "content": "ok"},
        {"role": "user2", "content": "who?"},
    ]
    (episode,), account = read(invariant, lines(trace))
    (act,), (result,) = by_kind(episode, "act"), by_kind(episode, "result")
    assert act.call == result.call != ""
    assert act.extra["edits"] == [{"path": "a", "old": None, "new": "b"}]
    assert [(found.name, found.what) for found in account.discrepancies] == [("user2", "unknown role")]


def test_two_traces_with_one_id_keep_apart() -> None:
    trace = {
        "id": "x",
        "messages": [{"role": "user", "content": "a"}],
        "annotations": [{"content": "bad", "address": "messages[0]"}],
    }
    episodes, account = read(invariant, lines(trace, trace, {"type": "odd"}, 7))
    assert [episode.name for episode in episodes] == ["x", "x/2"]
    assert [(s.actor, s.content) for s in by_kind(episodes[0], "monitor")] == [("overseer", "bad")]
    assert (dict(account.unknown), account.met, account.read) == ({"odd": 1}, 4, 2)


@READERS
def test_damaged_lines_are_left_and_counted_and_the_rest_is_read(reader: ModuleType) -> None:
    good = [json.dumps(record).encode() for record in GOOD[reader]]
    bad = [b'{"type": "user", "x": "\xff"}', b'{"a": ' * 400 + b"1" + b"}" * 400, b'{"n": 1' + b"0" * 5000 + b"}"]
    _, whole = read(reader, b"\n".join(good))
    _, account = read(reader, b"\n".join([*good, *bad, b"", good[0][:-9]]))
    assert (account.read, account.met) == (whole.read, whole.met + 4)
    assert account.left["not UTF-8"] == 1
    assert account.left["not JSON"] == 2
    assert sum(count for reason, count in account.left.items() if "nested" in reason) == 1


@READERS
def test_a_line_of_twenty_megabytes_is_passed_over(reader: ModuleType) -> None:
    good = lines(*GOOD[reader])
    _, account = read(reader, b'{"type": "user", "x": "' + b"y" * (20 << 20) + b'"}\n' + good)
    assert account.left["lines over 16 MiB"] == 1
    assert account.read == len(GOOD[reader])


@READERS
def test_an_empty_file_holds_no_episode(reader: ModuleType) -> None:
    episodes, account = read(reader, b"")
    assert (episodes, account.met) == ([], 0)
    assert not reader.sniff("x.jsonl", b"")


@READERS
def test_half_a_surrogate_pair_and_reals_come_out_plain(reader: ModuleType) -> None:
    content = lines(*GOOD[reader]).replace(b'"a"', b'"\\ud800"').replace(b'"b"', b"1e400")
    content = content.replace(b'"done"', b'"\\udc00 done"').replace(b'"mend it"', b'"\\ud800"')
    assert read(reader, content)[1].read > 0


def test_no_reader_takes_the_files_of_another(safetyboard_data: Path) -> None:
    heads = {reader: lines(*records) for reader, records in GOOD.items()}
    heads[swe_agent] = b'{"trajectory": [], "history": []}'
    for reader in heads:
        assert [other for other in heads if other.sniff("file.json", heads[reader])] == [reader]
    for folder in (CLAUDE, "records/invariant-explorer/tests/data"):
        for path in (safetyboard_data / folder).glob("*.jsonl"):
            assert sum(reader.sniff(path.name, path.read_bytes()) for reader in heads) == 1, path


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b", "s"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, below in inner for found in places(below, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@READERS
@settings(max_examples=200)
@given(data=st.data())
def test_whatever_stands_in_a_file_the_account_is_honest(reader: ModuleType, data: st.DataObject) -> None:
    records: list[Any] = [*GOOD[reader]]
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(records) - 1))
        path = data.draw(st.sampled_from(places(records[index])))
        records[index] = changed(records[index], path, data.draw(VALUES))
        if data.draw(st.booleans()):
            records.insert(data.draw(st.integers(0, len(records))), records[index])
    content = lines(*records)
    if data.draw(st.booleans()):
        at, new = data.draw(st.integers(0, len(content))), data.draw(st.binary(max_size=4))
        content = content[:at] + new + content[at + data.draw(st.integers(0, 4)) :]
    reader.sniff("x.jsonl", content)
    _, account = read(reader, content)
    assert account.met == sum(1 for line in content.split(b"\n") if line.strip())


@settings(max_examples=200)
@given(data=st.data())
def test_whatever_stands_in_a_trajectory_the_account_is_honest(data: st.DataObject) -> None:
    turn = {
        "action": "edit 1:1\nx\nend_of_edit",
        "observation": "o",
        "response": "r",
        "thought": "t",
        "state": '{"a":1}',
    }
    made: Any = {
        "history": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "(Open file: a)\n(Current directory: b)"},
            {"role": "assistant", "content": "r", "thought": "t", "action": turn["action"], "tool_calls": [
                {"id": "c", "function": {"name": "edit", "arguments": '{"search": "a", "replace": "b"}'}}]},
            {"role": "tool", "content": [{"type": "text", "text": "o"}], "tool_call_ids": ["c"]},
        ],
        "trajectory": [turn, {**turn, "action": "submit"}],
        "info": {"exit_status": "submitted", "model_stats": {"cost": 0.5}},
        "replay_config": '{"agent": {"model": {"name": "m"}}}',
    }  # fmt: skip
    for _ in range(data.draw(st.integers(1, 4))):
        made = changed(made, data.draw(st.sampled_from(places(made))), data.draw(VALUES))
    try:
        read(swe_agent, json.dumps(made).encode(), "x.traj")
    except UnreadableInput as error:
        assert "x.traj" in str(error)


def test_only_folders_that_exist_are_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    monkeypatch.delenv("CODEX_HOME", raising=False)
    assert locations.existing_locations() == ()
    (tmp_path / ".claude/projects").mkdir(parents=True)
    assert locations.existing_locations() == (tmp_path / ".claude/projects",)
    (tmp_path / "other/sessions").mkdir(parents=True)
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "nowhere"))
    assert locations.existing_locations() == (tmp_path / "other/sessions",)
