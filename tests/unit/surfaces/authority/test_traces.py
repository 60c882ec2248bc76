# SPDX-License-Identifier: Apache-2.0
"""What a recorded run did to files is read from its log, with paths as its repository writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.stored import Stored
from safetyboard.surfaces.authority.traces import Trace, trace_of, within


def call(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]}


def answer(number: int, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": text}


def traced(messages: list[dict[str, Any]]) -> Trace:
    content = json.dumps({"id": "one", "messages": messages}).encode() + b"\n"
    stored = Stored(name="session.jsonl", size=len(content), load=lambda: content)
    (episode,) = catalog.reader("chat").episodes(stored, Account())
    return trace_of(episode)


SESSION = [
    {"role": "user", "content": "Make add() right."},
    call(1, "Edit", file_path="/w/sums/src/add.py", old_string="a - b", new_string="a + b"),
    answer(1, "The file has been updated."),
    call(2, "Write", file_path="/w/sums/tests/test_add.py", content="assert True\n"),
    answer(2, "Permission denied"),
    call(3, "Bash", command="echo 1 > /w/sums/notes.txt"),
    answer(3, ""),
    call(4, "Write", file_path="/etc/motd", content="hello"),
    answer(4, "ok"),
    call(5, "run_suite"),
    answer(5, "3 passed, 1 failed in 0.1s"),
]


def test_edits_tools_and_the_words_of_the_user_are_read() -> None:
    trace = traced(SESSION)
    assert [(edit.path, edit.old, edit.new, edit.done) for edit in trace.edits] == [
        ("/w/sums/src/add.py", "a - b", "a + b", True),
        ("/w/sums/tests/test_add.py", None, "assert True\n", False),
        ("/etc/motd", None, "hello", True),
    ]
    kinds = {tool.name: tool.kind for tool in trace.tools}
    assert kinds == {"Edit": "edit", "Write": "write", "Bash": "shell", "run_suite": "measure"}
    assert [said.text for said in trace.asked] == ["Make add() right."]
    assert trace.obscure == 1


def test_paths_are_written_as_the_tree_writes_them_and_what_lies_outside_is_left_out() -> None:
    fitted = within(traced(SESSION), ["src/add.py", "tests/test_add.py", "README.md"])
    assert [edit.path for edit in fitted.edits] == ["src/add.py", "tests/test_add.py"]


def test_a_log_of_another_repository_fits_nothing() -> None:
    assert within(traced(SESSION), ["lib/other.py", "README.md"]).edits == ()


@pytest.mark.parametrize("words", ["", "user"])
def test_a_talk_without_calls_did_nothing(words: str) -> None:
    assert traced([{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": words}]).edits == ()


def test_edits_of_lines_by_number_are_kept_without_words_that_could_be_replayed(safetyboard_data: Path) -> None:
    seen = 0
    for file in sorted((safetyboard_data / "records" / "swe-agent").rglob("*.traj")):
        content = file.read_bytes()
        stored = Stored(name=file.name, size=len(content), load=lambda content=content: content)
        for episode in catalog.reader("swe-agent").episodes(stored, Account()):
            for edit in trace_of(episode).edits:
                seen += 1
                assert edit.path
                assert edit.old is None or edit.new is not None
    assert seen > 3
