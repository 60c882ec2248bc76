# SPDX-License-Identifier: Apache-2.0
"""A sample that is written in parts says what it says when it is written whole, and a part that is gone is named."""

from typing import Any

import pytest

from safetyboard.readers.records.pointers import resolve
from unit.readers.records.archives import Entry, entry, log_of, read, sample_of, stored, zip_of


def parts(sample: dict[str, Any], size: int = 2) -> list[Entry]:
    """Write a sample as inspect_ai's converter lays it out; the words of the last message are an attachment."""
    prefix = f"samples/{sample['id']}_epoch_{sample['epoch']}"
    pool = [*sample["messages"]]
    pool[-1] = {**pool[-1], "content": "attachment://1"}
    events = [
        {"event": "model", "uuid": "e0", "input": [], "input_refs": [[0, 2]], "output": {"choices": [{"message": pool[2]}]}},  # noqa: E501
        {"event": "info", "uuid": "e1", "data": "a note"},
        {"event": "model", "uuid": "e2", "input": [], "input_refs": [[0, 4]], "output": {"choices": [
            {"message": {"role": "assistant", "content": "finished"}}]}},
    ]  # fmt: skip
    shell = {key: value for key, value in sample.items() if key not in ("messages", "events")}
    made = [
        entry(f"{prefix}/sample.json", {**shell, "message_refs": [[0, len(pool)]]}),
        entry(f"{prefix}/metadata.json", {"why": "attachment://0"}),
        entry(f"{prefix}/skeleton.json", {"version": 1}),
        entry(f"{prefix}/events/stats.json", {}),
        entry(f"{prefix}/events/uuids.json", [event["uuid"] for event in events]),
    ]
    for name, items in (("messages", pool), ("events", events), ("attachments", ["other words", "long words"])):
        made += [entry(f"{prefix}/{name}/{at}.json", items[at : at + size]) for at in range(0, len(items), size)]
    return made


def log(*, size: int = 2, drop: str = "") -> bytes:
    """A log of one sample written whole and one written in parts."""
    members = log_of([sample_of(1), sample_of(2)])
    members = [each for each in members if each.name != "samples/2_epoch_1.json"] + parts(sample_of(2), size)
    return zip_of([each for each in members if not drop or drop not in each.name])


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_parts_are_joined_whatever_their_size_and_every_leaf_is_found_again(size: int) -> None:
    content = log(size=size)
    episodes, account = read(content)
    assert account.balanced
    assert not account.left, account.sentence()
    assert account.discrepancies == []
    whole, split = sorted(episodes, key=lambda episode: episode.name)
    assert (whole.name, split.name) == ("1_epoch_1", "2_epoch_1")
    said, again = ([(step.actor, step.kind, step.tool) for step in each.steps] for each in (whole, split))
    assert set(said) <= set(again)
    assert [step.content for step in split.steps if step.kind == "result"] == ["long words"]
    assert split.steps[-1].content == "finished"
    file = stored("made.eval", content)
    for step in split.steps:
        if step.content:
            assert resolve(file, step.source) == step.content, step
    assert {step.source.member.split("/")[2] for step in split.steps} >= {"messages", "events", "attachments"}


@pytest.mark.parametrize(
    ("drop", "what", "where"),
    [
        ("messages/2", "missing", "messages from 2"),
        ("events/2", "missing", "events from 2"),
        ("events/0", "missing", "events from 0"),
    ],
)
def test_a_part_that_is_gone_is_named_with_its_place(drop: str, what: str, where: str) -> None:
    episodes, account = read(log(drop=drop))
    assert account.balanced
    assert len(episodes) == 2
    assert ("2_epoch_1", what, where) in {(each.name, each.what, each.where) for each in account.discrepancies}


def test_parts_without_their_shell_are_loud_and_their_sample_is_missing() -> None:
    episodes, account = read(log(drop="2_epoch_1/sample.json"))
    assert [episode.name for episode in episodes] == ["1_epoch_1"]
    assert account.balanced
    assert sum(account.unknown.values()) >= 8
    assert ("2", "missing") in {(each.name, each.what) for each in account.discrepancies}
