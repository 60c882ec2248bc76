# SPDX-License-Identifier: Apache-2.0
"""Inspect logs of every version: nothing lost, every leaf found again, disagreements named, hostile files survived."""

import json
import random
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safetyboard.readers.account import Account
from safetyboard.readers.records import inspect_log
from safetyboard.readers.records.catalog import kind_of
from safetyboard.readers.records.inspect_json import as_text
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import EnvironmentFault
from unit.readers.records.archives import (
    STORED,
    ZSTANDARD,
    Entry,
    entries_of,
    found_again,
    kept,
    log_of,
    pooled,
    read,
    sample_of,
    stored,
    zip_of,
)

LOGS = ("inspect_ai", "vivaria", "docent")
# What a person found on looking at these files: samples were taken out of them by hand before they were published.
PRUNED = {"log.eval": 199, "log_tool_call_error.json": 3, "2025-05-12T20-28-13-04-00_no-samples.json": 3}


def logs(data: Path) -> list[Path]:
    files = [file for folder in LOGS for file in sorted((data / "records" / folder).rglob("*"))]
    return [file for file in files if file.suffix in (".eval", ".json") and file.name != "tb_airline.json"]


def changed(content: bytes, value: Any) -> bytes:
    document = json.loads(content)
    value(document)
    return json.dumps(document).encode()


def test_every_log_in_the_data_is_read_without_loss(safetyboard_data: Path) -> None:
    files = logs(safetyboard_data)
    assert len(files) > 20
    for file in files:
        account = Account()
        assert kind_of(file.name, file.read_bytes()[: 1 << 16]) == "inspect", file
        episodes = list(inspect_log.episodes(kept(file), account))
        assert account.balanced, file
        assert not account.left, (file, account.sentence())
        assert len(account.discrepancies) == PRUNED.get(file.name, 0), (file, account.discrepancies[:5])
        assert all(episode.steps for episode in episodes), file
        assert episodes or "no-samples" in file.name


def test_every_leaf_of_every_log_is_found_again(safetyboard_data: Path) -> None:
    checked = 0
    for file in logs(safetyboard_data):
        store = kept(file)
        content = file.read_bytes()
        held = Stored(name=file.name, size=len(content), load=lambda content=content: content)
        for episode in inspect_log.episodes(store, Account()):
            for step in episode.steps:
                assert found_again(held, step), (file, step)
            for outcome in episode.true:
                assert as_text(resolve(held, outcome.source)) == outcome.value
            checked += len(episode.steps)
    assert checked > 1000


def test_words_moved_to_the_attachments_are_cited_where_they_stand(safetyboard_data: Path) -> None:
    for file in logs(safetyboard_data):
        for episode in inspect_log.episodes(kept(file), Account()):
            for step in episode.steps:
                assert not step.content.startswith(("attachment://", "tc://"))
                assert "attachment://" not in json.dumps(dict(step.arguments))
    log = safetyboard_data / "records/docent/docent/docent/samples/log.eval"
    places = Counter(
        s.source.pointer.split("/")[1] for e in inspect_log.episodes(kept(log), Account()) for s in e.steps
    )
    assert places["attachments"] > 100


def test_graders_and_agents_are_told_apart(safetyboard_data: Path) -> None:
    log = safetyboard_data / "records/inspect_ai/tests/analysis/test_logs/2025-05-12T20-28-26-04-00_security-guide.json"
    episodes = list(inspect_log.episodes(kept(log), Account()))
    for episode in episodes:
        assert not any("GRADE" in step.content for step in episode.steps if step.actor != "overseer")
        assert any("GRADE: $LETTER" in step.content for step in episode.steps if step.actor == "overseer")
        assert [(outcome.by, outcome.value) for outcome in episode.true] == [("learned", "C")]
        assert episode.judgements[0].made_by == "learned"
        assert "GRADE: C" in episode.judgements[0].rationale
        assert episode.system["model"] == "openai/gpt-4o-mini"


def popularity(data: Path) -> list[Entry]:
    found = (data / "records/inspect_ai/tests/scorer/logs").glob("*mj7khqpMM4GBCfVQozKgzB.eval")
    return entries_of(next(found))


def test_one_struck_dropped_edited_and_duplicated_are_exactly_four(safetyboard_data: Path) -> None:
    clean = popularity(safetyboard_data)
    assert read(zip_of(clean))[1].discrepancies == []
    draw = random.Random(7)
    for _ in range(5):
        struck, dropped, edited, doubled = draw.sample(range(1, 11), 4)
        made: list[Entry] = []
        for member in clean:
            if member.name == "header.json":
                content = changed(member.content, lambda d, s=struck: d["eval"]["dataset"]["sample_ids"].remove(s))
                made.append(replace(member, content=content))
            elif member.name == f"samples/{edited}_epoch_1.json":
                content = changed(member.content, lambda d: d["scores"]["match"].update(value="X"))
                made.append(replace(member, content=content))
            elif member.name == f"samples/{doubled}_epoch_1.json":
                made += [member, replace(member, name="samples/again_epoch_1.json")]
            elif member.name != f"samples/{dropped}_epoch_1.json":
                made.append(member)
        account = read(zip_of(made))[1]
        named = {(found.name, found.what, found.where) for found in account.discrepancies}
        assert named == {
            (str(struck), "missing", "header"),
            (str(dropped), "missing", "samples"),
            (str(edited), "edited", "samples"),
            (str(doubled), "duplicate", "samples"),
        }
        assert len(account.discrepancies) == 4
        assert account.balanced


def test_a_json_log_is_reconciled_too() -> None:
    ids = [1, 2, 3, 4, 5]
    log: dict[str, Any] = {
        "version": 2, "status": "success", "results": {"total_samples": 5},
        "eval": {"task": "made", "model": "m", "dataset": {"sample_ids": ids}, "config": {"epochs": 1}},
        "samples": [sample_of(number) for number in ids],
        "reductions": [{"scorer": "match", "samples": [{"sample_id": number, "value": 1.0} for number in ids]}],
    }  # fmt: skip
    assert read(json.dumps(log).encode(), "made.json")[1].discrepancies == []
    log["eval"]["dataset"]["sample_ids"] = [2, 3, 4, 5]
    log["samples"][2]["scores"]["match"]["value"] = "I"
    log["samples"].append(log["samples"].pop(3) | {"id": 5})
    account = read(json.dumps(log).encode(), "made.json")[1]
    named = {(found.name, found.what) for found in account.discrepancies}
    assert named == {("1", "missing"), ("3", "edited"), ("4", "missing"), ("5", "duplicate")}


def test_an_edited_last_message_is_named(safetyboard_data: Path) -> None:
    edited = 0
    for log in (
        "vivaria/server/src/test-data/small.eval",
        "inspect_ai/tests/log/test_eval_log/log_message_deduplication.eval",
    ):
        clean = [replace(each, method=STORED) for each in entries_of(safetyboard_data / "records" / log)]
        assert read(zip_of(clean))[1].discrepancies == []
        for number, member in enumerate(clean):
            if not member.name.startswith("samples/"):
                continue
            messages = json.loads(member.content)["messages"]
            last = max(place for place, each in enumerate(messages) if each["role"] == "assistant")
            content = changed(member.content, lambda d, place=last: d["messages"][place].update(content="All is well."))
            made = [*clean[:number], replace(member, content=content), *clean[number + 1 :]]
            found = [(each.what, each.between, each.name) for each in read(zip_of(made))[1].discrepancies]
            name = member.name.removeprefix("samples/").removesuffix(".json")
            assert found == [("edited", "events, messages", f"{name} message {last}")]
            edited += 1
    assert edited == 7


def test_epochs_are_reconciled_one_by_one() -> None:
    made = [sample_of(number, epoch=epoch) for number in (1, 2) for epoch in (1, 2)]
    assert read(zip_of(log_of(made)))[1].discrepancies == []
    members = [member for member in log_of(made) if member.name != "samples/2_epoch_1.json"]
    assert [found.name for found in read(zip_of(members))[1].discrepancies] == ["2 epoch 1"]


def test_members_packed_with_zstd_read_the_same(safetyboard_data: Path) -> None:
    pytest.importorskip("zstandard")
    clean = popularity(safetyboard_data)
    packed = zip_of([replace(member, method=ZSTANDARD) for member in clean])
    plain, squeezed = read(zip_of(clean)), read(packed)
    assert squeezed[1].sentence() == plain[1].sentence()
    assert [[s.content for s in e.steps] for e in squeezed[0]] == [[s.content for s in e.steps] for e in plain[0]]
    assert all(found_again(stored("z.eval", packed), step) for episode in squeezed[0] for step in episode.steps)


def test_a_missing_zstandard_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zstandard")
    content = zip_of(log_of([sample_of(1)], method=ZSTANDARD))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(EnvironmentFault, match="pip install"):
        read(content)


def test_without_msgspec_the_same_is_read(monkeypatch: pytest.MonkeyPatch, safetyboard_data: Path) -> None:
    content = zip_of(popularity(safetyboard_data))
    before = read(content)[0]
    monkeypatch.setitem(sys.modules, "msgspec", None)
    assert read(content)[0] == before


def test_a_log_still_being_written_is_read_without_header() -> None:
    made = [sample_of(number) for number in (1, 2, 3)]
    members = [m for m in log_of(made) if m.name not in ("header.json", "summaries.json", "samples/3_epoch_1.json")]
    members = [replace(m, content=json.dumps(json.loads(m.content)[:2]).encode()) if "summaries/" in m.name else m for m in members]  # fmt: skip  # noqa: E501
    episodes, account = read(zip_of(members))
    assert [episode.name for episode in episodes] == ["1_epoch_1", "2_epoch_1"]
    assert account.discrepancies == []
    assert episodes[0].system["model"] == "made/model"


@pytest.mark.parametrize("where", ["message_pool", "events_data"])
def test_pooled_messages_are_told_once_and_cited_in_the_pool(where: str) -> None:
    content = zip_of(log_of([pooled(where)]))
    (episode,), account = read(content)
    assert [step.content for step in episode.steps] == ["Be brief.", "Task 1", "done", "", "long words", "finished"]
    assert [step.actor for step in episode.steps] == ["environment", "user", "agent", "agent", "tool", "agent"]
    assert f"/{where}/" in episode.steps[0].source.pointer
    assert episode.steps[4].source.pointer == "/attachments/abc"
    assert all(found_again(stored("p.eval", content), step) for step in episode.steps)
    assert account.balanced


def test_the_same_words_said_twice_are_two_steps() -> None:
    sample = sample_of(1)
    again = {"role": "user", "content": "go on"}
    sample["messages"] = [again, {"role": "assistant", "content": "a"}, again, {"role": "assistant", "content": "b"}]
    both = sample["messages"]
    sample["events"] = [
        {"event": "model", "input": both[:1], "output": {"choices": [{"message": both[1]}]}},
        {"event": "model", "input": both[:3], "output": {"choices": [{"message": both[3]}]}},
    ]
    (episode,), _ = read(zip_of(log_of([sample])))
    assert [step.content for step in episode.steps] == ["go on", "a", "go on", "b"]


def test_a_reference_that_leads_nowhere_is_named() -> None:
    sample = sample_of(1, text="attachment://gone")
    (episode,), account = read(zip_of(log_of([sample])))
    assert [(found.what, found.name) for found in account.discrepancies] == [("missing", "1_epoch_1 gone")]
    assert episode.steps[2].content == "attachment://gone"


def test_approvals_limits_and_unknown_events_are_told_or_counted() -> None:
    sample = sample_of(1)
    call = {"id": "c1", "function": "bash", "arguments": {"cmd": "rm -rf /"}}
    sample["events"] = [
        {"event": "approval", "message": "run it?", "call": call, "approver": "human", "decision": "reject",
         "explanation": "no"},
        {"event": "sample_limit", "type": "token", "message": "too many tokens", "limit": 5},
        {"event": "approval", "message": "only asked", "call": call, "approver": "auto", "decision": "approve"},
        {"event": "teleport", "to": "mars"},
        7,
    ]  # fmt: skip
    sample["limit"] = {"type": "token", "limit": 5}
    content = zip_of(log_of([sample]))
    (episode,), account = read(content)
    control = [(step.actor, step.content) for step in episode.steps if step.kind == "control"]
    assert control == [("overseer", "no"), ("environment", "too many tokens"), ("overseer", "only asked")]
    assert episode.steps[0].extra["decision"] == "reject"
    assert account.unknown == {"inspect event teleport": 1}
    assert account.left == {"unknown types": 1, "events that are no object": 1}
    assert account.balanced
    assert all(found_again(stored("a.eval", content), step) for step in episode.steps if step.kind == "control")


def test_a_score_that_is_not_a_number_is_an_abstention() -> None:
    made = [sample_of(1, value=float("nan")), sample_of(2, value=None), sample_of(3, value={"a": 0.5, "b": "C"})]
    made[2]["scores"]["match"]["history"] = [{"value": 1, "provenance": {"author": "ada"}}]
    episodes, account = read(zip_of(log_of(made)))
    assert [[judged.outcome for judged in episode.judgements] for episode in episodes][:2] == [["ABSTAIN"], ["ABSTAIN"]]
    assert [len(episode.true) for episode in episodes] == [0, 0, 2]
    assert [(outcome.name, outcome.value, outcome.by) for outcome in episodes[2].true] == [("match/a", "0.5", "human"), ("match/b", "C", "human")]  # fmt: skip  # noqa: E501
    assert account.discrepancies == []
