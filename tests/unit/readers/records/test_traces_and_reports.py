# SPDX-License-Identifier: Apache-2.0
"""Traces, evaluation reports and conversations are read without loss, and every leaf is found again where it says."""

import gzip
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.readers.account import Account
from safetyboard.readers.records import chat_jsonl, garak, json_lines, openinference, otlp, promptfoo, tau_bench
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput
from unit.readers.records import made_traces as made
from unit.readers.records.readings import lines, read, stored

READERS = (otlp, openinference, garak, promptfoo, tau_bench, chat_jsonl)
HEAD = 1 << 16


def heads_and_tails(episodes: list[Episode]) -> list[tuple[Any, ...]]:
    """What is the same whatever file it came from."""
    return [
        (each.name, each.system, each.extra, [(s.actor, s.kind, s.content, s.tool, s.call, s.arguments, s.at, s.extra)
         for s in each.steps]) for each in episodes
    ]  # fmt: skip


FILES = {
    garak: ("garak/**/*.report.jsonl", 7),
    tau_bench: ("tau-bench/**/*.json", 1),
    chat_jsonl: ("invariant-explorer/**/*.jsonl", 18),
}


@pytest.mark.parametrize("reader", FILES, ids=lambda reader: reader.__name__.rsplit(".", 1)[-1])
def test_every_such_file_is_read_whole_and_every_leaf_is_found(safetyboard_data: Path, reader: ModuleType) -> None:
    pattern, expected = FILES[reader]
    files = sorted((safetyboard_data / "records").glob(pattern))
    assert len(files) == expected
    for path in files:
        content = path.read_bytes()
        # Resolving parses the file again for every leaf: of long files, the first items stand for all.
        if len(content) > 1 << 20:
            content = json.dumps(json.loads(content)[:6]).encode()
        assert reader.sniff(path.name, content[:HEAD])
        episodes, account = read(reader, content, path.name)
        assert episodes
        assert account.left == {}
        assert account.unknown == {}


def test_a_description_of_a_format_is_not_taken_for_records(safetyboard_data: Path) -> None:
    files = list((safetyboard_data / "records" / "openinference-genai-schemas").rglob("*.json"))
    assert len(files) == 2
    assert [path for path in files for reader in READERS if reader.sniff(path.name, path.read_bytes()[:HEAD])] == []


def test_the_made_up_messages_are_what_the_conventions_describe(safetyboard_data: Path) -> None:
    folder = safetyboard_data / "records" / "openinference-genai-schemas"
    for kind, messages in (("input", [made.QUESTION, made.SHOWN]), ("output", [made.CALL, made.ANSWER])):
        schema = json.loads(next(folder.rglob(f"gen-ai-{kind}-messages.json")).read_text(encoding="utf-8"))
        jsonschema.validate(messages, schema)


def test_rewards_of_tau_bench_are_those_of_the_file(safetyboard_data: Path) -> None:
    path = safetyboard_data / "records" / "tau-bench" / "historical_trajectories" / "gpt-4o-airline.json"
    runs = json.loads(path.read_bytes())
    account = Account()
    episodes = list(tau_bench.episodes(stored(path.read_bytes(), path.name), account))
    assert (account.met, account.read, len(episodes)) == (200, 200, len(runs))
    rewards = [next(outcome for outcome in each.true if outcome.name == "reward") for each in episodes]
    assert [float(reward.value) for reward in rewards] == [run["reward"] for run in runs]
    assert {reward.by for reward in rewards} == {"program"}
    assert [each.condition["gold_actions"] for each in episodes] == [
        plain_of(run["info"]["task"]["actions"]) for run in runs
    ]
    assert episodes[3].condition["gold_actions_at"] == "/3/info/task/actions"
    assert sum(step.kind == "act" for each in episodes for step in each.steps) == 1164
    assert {step.actor for each in episodes for step in each.steps} == {"environment", "user", "agent", "tool"}


def test_a_reward_that_was_edited_in_one_place_is_named() -> None:
    run = {"task_id": 1, "trial": 0, "reward": 1.0, "traj": [{"role": "user", "content": "hi"}],
           "info": {"reward_info": {"reward": 1.0, "info": {"r_actions": 1.0}}}}  # fmt: skip
    assert read(tau_bench, lines(run))[1].discrepancies == []
    [found] = read(tau_bench, lines({**run, "reward": 0.0}))[1].discrepancies
    assert (found.name, found.what) == ("task 1 trial 0", "edited")


SCORES = [0.0, 1.0, None, 0.25, None, 0.75, 0.0]


def test_a_whole_garak_report_reconciles_in_any_order() -> None:
    report = made.garak_report(SCORES)
    episodes, account = read(garak, lines(*report))
    assert account.discrepancies == []
    assert account.left == {}
    assert len(episodes) == len(SCORES)
    again, turned = read(garak, lines(*reversed(report)))
    assert turned.discrepancies == []
    assert {each.name: each.judgements for each in again} == {each.name: each.judgements for each in episodes}


@pytest.mark.parametrize("struck", range(len(SCORES)))
def test_one_attempt_struck_from_a_garak_report_is_one_discrepancy(struck: int) -> None:
    report = [entry for entry in made.garak_report(SCORES) if entry.get("seq") != struck]
    [found] = read(garak, lines(*report))[1].discrepancies
    assert (found.between, found.name, found.what) == ("eval, attempts", "made.Probe made.Detector", "missing")
    assert struck == len(SCORES) - 1 or f"no attempt with seq {struck}" in found.where


def test_an_attempt_that_was_never_evaluated_is_named_by_its_id() -> None:
    report = [entry for entry in made.garak_report(SCORES) if (entry.get("seq"), entry.get("status")) != (1, 2)]
    episodes, account = read(garak, lines(*report))
    assert [(each.name, each.what) for each in account.discrepancies if each.between == "attempts"] == [
        ("u1/1", "missing")
    ]
    assert next(each for each in episodes if each.name == "u1/1").judgements == ()


@pytest.mark.parametrize("change", ["score", "duplicate"])
def test_an_edited_score_and_a_repeated_attempt_are_named(change: str) -> None:
    report = made.garak_report(SCORES)
    report.insert(3, made.attempt(0, 0.0)) if change == "duplicate" else None
    for entry in report:
        if change == "score" and (entry.get("seq"), entry.get("status")) == (1, 2):
            entry["detector_results"] = {"made.Detector": [0.0]}
    found = {each.what for each in read(garak, lines(*report))[1].discrepancies}
    assert found == ({"duplicate", "extra"} if change == "duplicate" else {"edited"})


def test_a_null_score_is_an_abstention_and_never_a_zero() -> None:
    episodes, _ = read(garak, lines(*made.garak_report(SCORES)))
    judged = [judgement for each in episodes for judgement in each.judgements]
    assert Counter(each.outcome for each in judged) == {"VALUE": 5, "ABSTAIN": 2}
    assert all(each.harm is None and each.answer is None for each in judged if each.outcome == "ABSTAIN")
    assert [each.harm > 0 for each in judged if each.harm is not None] == [False, True, False, True, False]


def test_each_generation_of_an_attempt_is_an_episode_with_its_own_score() -> None:
    entry = {**made.attempt(0, None, outputs=3), "detector_results": {"made.Detector": [0.0, 1.0, None]}}
    episodes, _ = read(garak, lines(entry))
    assert [(each.branch, each.steps[-1].content, each.judgements[0].answer) for each in episodes] == [
        ("0", "answer 0.0", "0.0"), ("1", "answer 0.1", "1.0"), ("2", "answer 0.2", None)
    ]  # fmt: skip


@pytest.mark.parametrize("as_text", [True, False])
def test_a_trace_is_told_in_the_order_of_its_times_and_repeats_nothing(as_text: bool) -> None:
    content = json.dumps(made.request(*made.weather(as_text=as_text))).encode()
    assert otlp.sniff("trace.json", content[:HEAD])
    [episode], account = read(otlp, content, "trace.json")
    assert (account.read, account.discrepancies) == (4, [])
    told = [step.content for step in episode.steps if step.actor in ("user", "agent", "tool") and step.content]
    assert told == ["What is the weather in Ulm?", "I need the tool.", "rain, 12.5 °C", "rain, 12.5 °C", "It rains."]
    [act] = [step for step in episode.steps if step.kind == "act"]
    assert (act.tool, act.call, act.arguments) == ("weather", "c1", {"town": "Ulm", "days": 2})
    assert episode.extra["repeated_messages"] == 4
    assert episode.system["model"] == "m"


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("framing", ["none", "fixed", "varint"])
def test_the_same_spans_in_json_and_in_protobuf_are_the_same_episodes(as_text: bool, framing: str) -> None:
    pytest.importorskip("opentelemetry.proto", reason="opentelemetry-proto is not installed")
    first, second = made.weather(as_text=as_text)[:2], made.weather(as_text=as_text)[2:]
    requests = [made.request(*first, *second)] if framing == "none" else [made.request(*first), made.request(*second)]
    wire = [made.wire(each) for each in requests]
    ahead = {"none": lambda size: b"", "fixed": lambda size: size.to_bytes(4, "big"), "varint": made.varint}[framing]
    content = b"".join(ahead(len(each)) + each for each in wire)
    assert otlp.sniff("trace.binpb", content[:HEAD])
    in_wire, account = read(otlp, content, "trace.binpb")
    in_text, _ = read(otlp, lines(*requests), "trace.jsonl")
    assert account.read == 4
    assert heads_and_tails(in_wire) == heads_and_tails(in_text)
    if framing != "none":
        _, cut = read(otlp, content[:-3], "trace.binpb")
        assert (cut.read, cut.left) == (2, {"truncated": 1})


def test_protobuf_without_its_package_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(EnvironmentFault, match="opentelemetry-proto"):
        list(otlp.episodes(stored(b"\x0a\x02\x12\x00", "trace.binpb"), Account()))


def test_old_names_of_attributes_and_events_are_read() -> None:
    flat = made.span(1, 0, "old", (1, 2), gen_ai__prompt__0__role="user", gen_ai__prompt__0__content="hello",
                     gen_ai__completion__0__role="assistant", gen_ai__completion__0__tool_calls__0__name="f",
                     gen_ai__completion__0__tool_calls__0__arguments='{"a": 1}')  # fmt: skip
    events = made.span(2, 1, "events", (3, 4))
    events["events"] = [
        {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": "again"}}]},
        {"name": "gen_ai.choice", "attributes": [{"key": "message", "value": {"stringValue": '{"content": "done"}'}}]},
    ]
    [episode], _ = read(otlp, lines(made.request(flat, events)))
    assert [(step.actor, step.kind, step.content, step.tool) for step in episode.steps] == [
        ("user", "observe", "hello", ""), ("agent", "act", "", "f"), ("user", "observe", "again", ""),
        ("agent", "say", "done", ""),
    ]  # fmt: skip


def test_spans_that_do_not_fit_together_are_kept_and_named() -> None:
    spans = [made.span(each, parent, f"s{each}", (each, each + 1)) for each, parent in [(1, 2), (2, 1), (3, 9), (4, 0)]]
    spans += [spans[3], {**spans[3], "name": "another"}]
    [episode], account = read(otlp, lines(made.request(*spans)))
    assert [(each.what, each.name[-1]) for each in account.discrepancies] == [
        ("duplicate", "4"), ("cyclic", "1"), ("missing", "3")
    ]  # fmt: skip
    assert account.left == {"copies of a span": 1}
    assert sorted(step.content for step in episode.steps) == ["another", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("shape", ["lines", "list", "one after another"])
def test_flat_spans_are_read_in_every_shape_of_file(shape: str) -> None:
    spans = made.flat_spans()
    joined = "\n".join(json.dumps(each, indent=2) for each in spans).encode()
    content = {"lines": lines(*spans), "list": json.dumps(spans).encode(), "one after another": joined}[shape]
    assert openinference.sniff("spans.json", content)
    [episode], account = read(openinference, content, "spans.json")
    assert account.read == 2
    assert [(step.actor, step.kind, step.content) for step in episode.steps] == [
        ("environment", "observe", "Be brief."), ("user", "observe", "Weather?"), ("user", "observe", "Quick!"),
        ("agent", "act", ""), ("environment", "monitor", "weather"), ("tool", "result", "rain"),
        ("environment", "monitor", "too late"),
    ]  # fmt: skip


def test_errors_of_promptfoo_are_errors_and_not_failures() -> None:
    summary = made.promptfoo_summary()
    assert promptfoo.sniff("out.json", json.dumps(summary).encode())
    episodes, account = read(promptfoo, json.dumps(summary).encode(), "out.json")
    assert account.discrepancies == []
    assert [[(each.outcome, each.answer, each.made_by) for each in episode.judgements] for episode in episodes] == [
        [("VALUE", "pass", "program")], [("VALUE", "pass", "program"), ("VALUE", "fail", "learned")],
        [("ERROR", None, "program")],
    ]  # fmt: skip
    assert [step.content for step in episodes[1].steps] == ["Be short.", "Capital of France?", "Go away."]
    by_line, _ = read(promptfoo, lines(*summary["results"]["results"]))
    assert [each.judgements for each in by_line] == [each.judgements for each in episodes]
    del summary["results"]["results"][2]
    [found] = read(promptfoo, json.dumps(summary).encode(), "out.json")[1].discrepancies
    assert (found.name, found.what) == ("errors", "missing")


GOOD = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "yes"}]}


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (b'{"messages": [{"role": "user", "cont', "not JSON"),
        (b'{"messages": "\xff\xfe"}', "not UTF-8"),
        (b'{"x": "' + b"a" * (17 << 20) + b'"}', "lines over 16 MiB"),
        (b"[" * 400 + b"]" * 400, f"nested over {json_lines.DEEPEST} deep"),
        (b"[" * 100_000 + b"]" * 100_000, f"nested over {json_lines.DEEPEST} deep"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_a_damaged_line_is_left_by_its_reason_and_the_rest_is_read(damaged: bytes, reason: str) -> None:
    content = lines(GOOD) + damaged + b"\n\n" + lines(GOOD)
    episodes, account = read(chat_jsonl, content)
    assert [each.name for each in episodes] == ["line 1", "line 4"]
    assert account.left == {reason: 1}
    assert read(chat_jsonl, gzip.compress(lines(GOOD)), "made.jsonl.gz")[1].read == 1


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}]},
         {"role": "tool", "tool_call_id": "c", "content": "done"}],
        [{"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
         {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "done"}]}],
        [{"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": '{"a": 1}'},
         {"type": "function_call_output", "call_id": "c", "output": "done"}],
    ],
)  # fmt: skip
def test_every_way_to_write_a_call_and_its_result_gives_the_same_two_steps(messages: list[Any]) -> None:
    [episode], _ = read(chat_jsonl, lines({"messages": messages}))
    assert [(step.actor, step.kind, step.tool, step.call, step.content) for step in episode.steps] == [
        ("agent", "act", "f", "c", ""), ("tool", "result", "f", "c", "done")
    ]  # fmt: skip
    assert episode.steps[0].arguments == {"a": 1}


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_one_after_another_in_a_json_file_are_all_read(indent: int | None) -> None:
    texts = [json.dumps(GOOD, indent=indent) for _ in range(3)]
    for between in ("", "\n"):
        assert read(chat_jsonl, between.join(texts).encode(), "made.json")[1].read == 3
    whole, account = read(chat_jsonl, "\n".join(texts).encode()[:-9], "made.json")
    assert (len(whole), sum(account.left.values())) == (2, 1)


def test_a_list_that_was_cut_off_gives_what_stands_before_the_cut() -> None:
    run = {"task_id": 1, "reward": 1.0, "traj": GOOD["messages"], "info": {}}
    content = json.dumps([{**run, "trial": trial} for trial in range(4)]).encode()
    for end in (len(content) - 1, len(content) - 5):
        episodes, account = read(tau_bench, content[:end], "made.json")
        assert len(episodes) == (4 if end == len(content) - 1 else 3)
        assert account.left == {"truncated": 1}


def test_gzip_that_is_a_bomb_or_was_cut_is_refused() -> None:
    bomb = gzip.compress(b"\n" * (64 << 20))
    with pytest.raises(TooLarge, match=r"made\.jsonl\.gz: unpacks to more than"):
        list(chat_jsonl.episodes(stored(bomb, "made.jsonl.gz"), Account()))
    with pytest.raises(UnreadableInput, match="damaged"):
        list(chat_jsonl.episodes(stored(gzip.compress(lines(GOOD))[:-9], "made.jsonl.gz"), Account()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(records=st.lists(JSON, min_size=2, max_size=6), piece=st.integers(1, 40), indent=st.sampled_from([None, 1]))
def test_every_shape_of_file_gives_the_same_records_however_it_is_cut_into_pieces(
    records: list[Any], piece: int, indent: int | None
) -> None:
    texts = [json.dumps(record, indent=indent, ensure_ascii=False) for record in records]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "PIECE", piece)
        one_list = f"[{' ,'.join(texts)}]\n".encode()
        assert [each for _, _, each in json_lines.values(stored(one_list, "a.json"), Account())] == records
        listed = "\n".join(json.dumps(record) for record in records).encode()
        found = list(json_lines.values(stored(listed, "a.jsonl"), Account()))
        assert found == [(number, "", record) for number, record in enumerate(records, 1)]
        objects = [{"held": record} for record in records]
        joined = " \n".join(json.dumps(each, indent=indent) for each in objects).encode()
        assert [each for _, _, each in json_lines.values(stored(joined, "a.json"), Account())] == objects


def test_half_a_surrogate_pair_does_not_stop_the_reading() -> None:
    content = b'{"messages": [{"role": "user", "content": "\\ud800 <b>\\u001b[31m"}], "id": "\\udfff"}\n'
    [episode], _ = read(chat_jsonl, content)
    assert episode.steps[0].content == "\ufffd <b>\x1b[31m"


SAMPLES: dict[Any, Any] = {
    otlp: [made.request(*made.weather(as_text=False))],
    openinference: made.flat_spans(),
    garak: made.garak_report(SCORES),
    promptfoo: [made.promptfoo_summary()],
    tau_bench: [{"task_id": 1, "trial": 0, "reward": 1.0, "traj": GOOD["messages"], "info": {"task": {"actions": []}}}],
    chat_jsonl: [GOOD, GOOD["messages"], {"metadata": {}}],
}
WRONG = st.sampled_from([None, True, 7, -1.5, 2**70, "", "text", [], {}, [[]], {"a": None}, ["x"], "[1, 2]", "\ud800"])


def spoiled(value: Any, draw: Any, chance: int) -> Any:
    """Put wrong types at some places of a record."""
    if draw(st.integers(0, chance)) == 0:
        return draw(WRONG)
    if isinstance(value, dict):
        return {key: spoiled(each, draw, chance) for key, each in value.items()}
    return [spoiled(each, draw, chance) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("reader", SAMPLES, ids=lambda reader: reader.__name__.rsplit(".", 1)[-1])
@settings(max_examples=60)
@given(data=st.data())
def test_wrong_types_anywhere_break_nothing_and_the_account_adds_up(reader: ModuleType, data: st.DataObject) -> None:
    records = [spoiled(record, data.draw, 12) for record in SAMPLES[reader]]
    read(reader, lines(*records))


@pytest.mark.parametrize("reader", SAMPLES, ids=lambda reader: reader.__name__.rsplit(".", 1)[-1])
@settings(max_examples=60)
@given(data=st.data(), name=st.sampled_from(["made.jsonl", "made.json"]))
def test_bytes_cut_or_changed_anywhere_break_nothing(reader: ModuleType, data: st.DataObject, name: str) -> None:
    content = bytearray(lines(*SAMPLES[reader]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    read(reader, bytes(content), name)


@settings(max_examples=80)
@given(data=st.data())
def test_damaged_protobuf_is_left_and_nothing_breaks(data: st.DataObject) -> None:
    pytest.importorskip("opentelemetry.proto", reason="opentelemetry-proto is not installed")
    content = bytearray(made.wire(made.request(*made.weather(as_text=True))))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(otlp, bytes(content), "made.binpb")
