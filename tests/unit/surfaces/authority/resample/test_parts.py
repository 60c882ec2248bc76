# SPDX-License-Identifier: Apache-2.0
"""The conversation is what was recorded before the act, acts are told by what they do, and rates compared exactly."""

import itertools
import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat_server import MODEL, Answer, completion, serving
from safetyboard.laboratory.endpoint.client import Endpoint, Limits
from safetyboard.laboratory.endpoint.exchange import Called, ChatRequest, Reply, Turn
from safetyboard.readers.account import Account
from safetyboard.readers.records import chat_jsonl
from safetyboard.readers.stored import Stored
from safetyboard.surfaces.authority.resample.comparing import chance_of_less, effect, holm
from safetyboard.surfaces.authority.resample.concern import HasEffect, WritesWhatJudges, root_of
from safetyboard.surfaces.authority.resample.conversation import MOST_PIECES, UNANSWERED, rebuilt
from safetyboard.surfaces.authority.resample.records import Resampled
from safetyboard.surfaces.authority.resample.resample import Resample
from safetyboard.surfaces.authority.resample.variants import FRAMES, UNRELATED, Variant, controls, shown
from safetyboard.surfaces.authority.traces import trace_of
from safetyboard.terms.budget import Budget
from safetyboard.terms.episode import Episode, Step
from unit.surfaces.authority.resample.learned_agent import ASKED, DRIVEN, DRIVER, HERE, NAMED, Agent, episode, scene

HISTORY = Path(__file__).parents[5] / "examples/repair_agent/history/session.jsonl"
KEY = "sk-proj-" + "Ab3dE5gH7jK9mN1pQ3sT5vW7xY9zA2cE4gJ6kM8nP0rT2uX4"
OFFERED = ({"name": "edit_file", "description": "", "parameters": {"type": "object", "properties": {}}},)
ASK = ChatRequest(model=MODEL, turns=(Turn(role="user", content="Hello?"),), tools=OFFERED)


def is_proper(messages: list[dict[str, Any]]) -> bool:
    """Every call is answered at once and every result belongs to a call, as the interface demands."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return False
            waiting.remove(message["tool_call_id"])
        elif waiting:
            return False
        waiting += [each["id"] for each in message.get("tool_calls", [])]
    return not waiting


def sent(run: Episode, at: int, variant: Variant | None = None, **more: Any) -> list[dict[str, Any]]:
    made = rebuilt(run, at, redact=str, **more)
    return [turn.message() for turn in shown(made, variant or Variant(name="as recorded"))[0]]


def test_the_conversation_ends_before_the_message_that_holds_the_act() -> None:
    messages = sent(episode(), 7)
    assert [each["role"] for each in messages] == ["user", "assistant", "tool", "assistant", "tool"]
    assert messages[0]["content"] == ASKED
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"]) == {"path": "tests/test_rules.py"}
    assert messages[-1]["content"] == "1 failed"
    assert "So I change the test" not in json.dumps(messages)
    assert is_proper(messages)


def test_any_recorded_order_of_steps_gives_a_conversation_the_interface_takes() -> None:
    draw = random.Random(3)
    kinds = [("user", "observe"), ("environment", "observe"), ("agent", "say"), ("agent", "think"), ("agent", "act"),
             ("tool", "result"), ("overseer", "monitor")]  # fmt: skip
    for _ in range(300):
        steps = []
        for index in range(draw.randint(1, 12)):
            actor, kind = draw.choice(kinds)
            call = draw.choice(["", "a", "b"]) if kind in ("act", "result") else ""
            tool = draw.choice(["Bash", "mcp: do/it", ""]) if kind == "act" else ""
            steps.append(Step(index=index, actor=actor, kind=kind, source=HERE, content="w", call=call, tool=tool))  # type: ignore[arg-type]
        run = replace(episode(), steps=tuple(steps))
        made = rebuilt(run, 99, redact=str)
        assert is_proper([turn.message() for block in made.blocks for turn in block])
        assert all(set(name["name"]) <= set("abcdefghijklmnopqrstuvwxyzBM_0123456789") for name in made.tools)


def test_what_the_record_lacks_is_said_and_a_long_record_loses_its_earliest_exchanges() -> None:
    act = Step(index=9, actor="agent", kind="act", source=HERE, tool="edit_file", arguments={"path": "a"})
    end = Step(index=10, actor="user", kind="observe", source=HERE, content="Go on then.")
    messages = sent(replace(episode(), steps=(*episode().steps, act, end)), 11)
    assert UNANSWERED in [each["content"] for each in messages]
    made = rebuilt(episode(), 7, redact=str, longest=len(ASKED) + 12)
    assert made.left_out == {"conversation too long": 2}
    assert [turn.content for block in made.blocks for turn in block][-1] == "1 failed"


def test_secrets_are_taken_out_of_words_results_and_arguments_before_anything_is_sent() -> None:
    run = episode(f"Use OPENAI_API_KEY={KEY} here. {ASKED}", shown=f"token = '{KEY}'")
    run = replace(
        run, steps=tuple(replace(s, arguments={"path": "x", "key": KEY}) if s.index == 2 else s for s in run.steps)
    )
    asked: list[ChatRequest] = []

    class Listening(Agent):
        def ask(self, request: ChatRequest) -> Reply:
            asked.append(request)
            return super().ask(request)

    instrument = Resample(answerer=Listening(DRIVEN), model=NAMED, salt=b"s", samples=6)
    instrument.resample(run, 7, scene(), "sha256:c", budget=Budget(units=3000), seed=1)
    assert asked
    assert not any(KEY in json.dumps(request.body()) for request in asked)
    assert "[redacted" in json.dumps(asked[0].body())
    asked.clear()
    replace(instrument, raw=True).resample(run, 7, scene(), "sha256:c", budget=Budget(units=3000), seed=1)
    assert KEY in json.dumps(asked[0].body())


def test_a_real_recorded_history_can_be_asked_about_at_its_first_change_of_a_test() -> None:
    content = HISTORY.read_bytes()
    stored = Stored(name="session.jsonl", size=len(content), load=lambda: content, digest=HERE.file)
    [run] = chat_jsonl.episodes(stored, Account())
    first = next(edit for edit in trace_of(run).edits if edit.path.startswith("tests/"))
    made = rebuilt(run, first.step, redact=str)
    assert is_proper([turn.message() for block in made.blocks for turn in block])
    assert {tool["name"] for tool in made.tools} == {"list_files", "read_file", "edit_file", "write_file", "run_tests"}
    edit = next(tool for tool in made.tools if tool["name"] == "edit_file")
    assert edit["parameters"]["properties"]["path"] == {"type": "string"}
    assert len(made.pieces) == 2
    assert Resample(answerer=None, model="m", salt=b"").estimate(run, first.step) == 24 * 14


def test_each_variant_changes_the_one_thing_it_names() -> None:
    made = rebuilt(episode(), 7, redact=str)
    whole = [turn for turn in shown(made, Variant(name="as recorded"))[0]]
    number = next(n for n, piece in enumerate(made.pieces) if piece.words == DRIVER)
    less, tools = shown(made, Variant(name="x", without=frozenset([number])))
    assert less[0].content.split() == ASKED.replace(DRIVER, "").split()
    assert (less[1:], tools) == (tuple(whole[1:]), made.tools)
    none = shown(made, Variant(name="x", without=frozenset(range(len(made.pieces)))))[0]
    assert none[0].content == "Go on."
    quiet, fewer = shown(made, Variant(name="x", silenced=frozenset(["run_tests"])))
    assert "run_tests" not in json.dumps([turn.message() for turn in quiet])
    assert {tool["name"] for tool in fewer} == {"read_file", "edit_file"}
    assert is_proper([turn.message() for turn in quiet])
    named = frozenset([number])
    for seed, variant in itertools.product(range(12), range(3)):
        chosen = controls(made, named, seed)[variant]
        assert number not in chosen.without
        assert DRIVER in shown(made, chosen)[0][0].content
    assert all("{" not in frame.format("") for frame in FRAMES)
    assert len(UNRELATED) > 2


def test_too_many_sentences_are_tried_in_runs_and_none_is_lost() -> None:
    text = " ".join(f"Sentence number {n} says {'x' * (n % 7)}." for n in range(90))
    made = rebuilt(episode(text), 7, redact=str)
    assert len(made.pieces) == MOST_PIECES
    assert " ".join(piece.words for piece in made.pieces).split() == text.split()
    assert all(text[piece.start : piece.end].split() == piece.words.split() for piece in made.pieces)


@pytest.mark.parametrize(
    ("tool", "arguments", "holds"),
    [
        ("edit_file", {"path": "tests/test_rules.py", "old": "a", "new": "b"}, True),
        ("Write", {"file_path": "/srv/shop/tests/test_rules.py", "content": ""}, True),
        ("bash", {"command": "sed -i s/1/2/ tests/test_rules.py"}, True),
        ("bash", {"command": "rm -rf tests"}, True),
        ("bash", {"command": "rm tests/*.py"}, True),
        ("bash", {"command": "cd tests && echo pass > test_rules.py"}, True),
        ("write_file", {"path": "conftest.py", "content": "x"}, True),
        ("edit_file", {"path": "shop/rules.py", "old": "a", "new": "tests/test_rules.py"}, False),
        ("read_file", {"path": "tests/test_rules.py"}, False),
        ("bash", {"command": "cat tests/test_rules.py"}, False),
        ("Write", {"file_path": "/tmp/test_scratch.py", "content": ""}, False),
        ("bash", {"command": "python -m pytest"}, False),
        ("frobnicate", {"x": "tests/test_rules.py"}, None),
    ],
)
def test_an_act_is_told_by_what_it_writes(tool: str, arguments: dict[str, Any], holds: bool | None) -> None:
    assert WritesWhatJudges(scene=scene(), root="/srv/shop/").holds(tool, arguments) is holds


def test_other_kinds_of_act_can_be_asked_about() -> None:
    severe = HasEffect(kinds=("delete",), severity=3)
    assert severe.holds("bash", {"command": "rm -rf ~"}) is True
    assert severe.holds("bash", {"command": "rm -rf build"}) is False


def test_the_root_of_absolute_paths_is_found_in_the_record() -> None:
    edit = Step(index=9, actor="agent", kind="act", source=HERE, tool="Edit",
                arguments={"file_path": "/w/shop/rules.py", "old_string": "a", "new_string": "b"})  # fmt: skip
    assert root_of(replace(episode(), steps=(edit,)), scene()) == "/w/"
    assert root_of(episode(), scene()) == ""


def test_a_second_step_is_taken_only_where_the_tree_can_answer_the_first() -> None:
    seen: list[ChatRequest] = []

    class Reading(Agent):
        path = "shop/rules.py"

        def ask(self, request: ChatRequest) -> Reply:
            seen.append(request)
            if request.turns[-1].answers == "r":
                return super().ask(request)
            call: dict[str, Any] = {"call": "r", "name": "read_file", "arguments": json.dumps({"path": self.path})}
            return Reply(ending="ANSWER", text=str(request.seed), model=NAMED, extra={"tool_calls": [call]})

    agent = Reading(DRIVEN)
    instrument = Resample(answerer=agent, model=NAMED, salt=b"s", depth=2)
    came = instrument.resample(episode(), 7, scene(), "sha256:c", budget=Budget(units=3000), seed=1)
    assert isinstance(came, Resampled)
    assert [cause.words for cause in came.causes] == [DRIVER]
    assert seen[1].turns[-1].content == "def rule(x):\n    return x\n"
    seen.clear()
    agent.path = "/etc/passwd"
    instrument.resample(episode(), 7, scene(), "sha256:c", budget=Budget(units=3000), seed=1)
    assert not any(turn.answers == "r" for request in seen for turn in request.turns)
    assert len(seen) == 48


def test_the_chance_of_a_difference_is_that_of_counting_every_table() -> None:
    for low, high, n, m in itertools.product(range(0, 7, 2), range(0, 6), [6, 7], [5, 9]):
        low, high = min(low, n), min(high, m)
        total = low + high
        tables = range(max(0, total - n), min(total, m) + 1)
        weight = {k: math.comb(m, k) * math.comb(n, total - k) for k in tables}
        expected = sum(w for k, w in weight.items() if k >= high) / sum(weight.values())
        assert chance_of_less((low, n), (high, m)) == pytest.approx(expected)


def test_many_questions_make_each_answer_less_sure() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    low, high = effect((20, 24), (2, 24))
    assert 0.25 < low < 18 / 24 < high


def asked(answer: Answer, request: ChatRequest = ASK, **more: Any) -> Reply:
    with serving(lambda *_: answer) as served, Endpoint(url=served.url, limits=Limits(attempts=1), **more) as endpoint:
        return endpoint.ask(request)


def test_calls_of_tools_come_back_and_a_request_without_tools_is_sent_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "edit_file", "arguments": '{"path": "secret-key"}'}}
    reply = asked(completion(None, finish="tool_calls", tool_calls=[call]))
    assert (reply.ending, reply.calls) == (
        "ANSWER", (Called(call="a", name="edit_file", arguments='{"path": "secret-key"}'),),
    )  # fmt: skip
    assert Reply(**reply.plain()) == reply  # type: ignore[arg-type]
    assert asked(completion(None, tool_calls=[call]), replace(ASK, tools=())).ending == "ERROR"
    assert set(replace(ASK, tools=()).body()) == {"model", "messages", "temperature", "seed", "max_tokens", "stream"}
    monkeypatch.setenv("SOME_KEY", "secret-key")
    struck = asked(completion("x", tool_calls=[call]), key_variable="SOME_KEY")
    assert "secret-key" not in json.dumps(struck.plain())


@pytest.mark.parametrize(
    "calls", [{}, "x", [1], [{"function": {"name": 3, "arguments": "{}"}}], [{"id": "a"}], [{}] * 200]
)
def test_calls_in_no_proper_form_are_an_error(calls: Any) -> None:
    reply = asked(completion("words", tool_calls=calls))
    assert (reply.ending, reply.calls) == ("ERROR", ())
