# SPDX-License-Identifier: Apache-2.0
"""A mapping file reads records that no reader knows, as its page says, and a wrong one is refused with its place."""

import re
from pathlib import Path

import pytest

from safetyboard.readers.records import mapped
from safetyboard.terms.errors import NewerFormat, SafetyboardError, SyntaxFault, UnreadableInput
from unit.readers.records.readings import read, stored


@pytest.fixture(scope="module")
def page(project_root: Path) -> dict[str, str]:
    text = (project_root / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
    return {kind: re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)[0] for kind in ("toml", "jsonl")}


def reader_of(mapping: str) -> mapped.MappedReader:
    return mapped.reader_of(stored(mapping.encode(), "helpdesk.mapping.toml"))


def test_the_example_of_the_mapping_page_works_as_it_says(page: dict[str, str]) -> None:
    reader = reader_of(page["toml"])
    assert reader.sniff("logs/helpdesk.jsonl", b"")
    assert not reader.sniff("logs/another.jsonl", b"")
    [episode], account = read(reader, page["jsonl"].encode(), "helpdesk.jsonl")
    assert [(step.actor, step.kind, step.tool) for step in episode.steps] == [
        ("user", "observe", ""), ("agent", "act", "refund"), ("tool", "result", "refund"), ("agent", "say", "")
    ]  # fmt: skip
    assert [(each.name, each.value, each.by) for each in episode.true] == [("refunded", "false", "program")]
    assert (account.met, account.read, account.left) == (6, 5, {"heartbeats": 1})
    assert episode.steps[1].arguments == {"order": 7, "amount": (12.5).hex()}


def test_an_event_that_no_rule_names_is_counted_by_its_kind(page: dict[str, str]) -> None:
    more = page["jsonl"] + '{"event": "escalate", "session": "s1"}\n{"event": "reply", "session": "s1"}\n'
    _, account = read(reader_of(page["toml"]), more.encode())
    assert account.unknown == {"escalate": 1}
    assert account.left["events without what their rule names"] == 1


@pytest.mark.parametrize(
    ("old", "new", "error", "place"),
    [
        ('schema = "safetyboard.mapping/1"', 'schema = "safetyboard.mapping/9"', NewerFormat, "mapping/9"),
        ('payload = "/output"', 'payload = "output"', UnreadableInput, "rule 3.payload"),
        ('payload = "/output"', 'python = "eval(1)"', UnreadableInput, "rule 3.python"),
        ('bot = "agent"', 'bot = "robot"', UnreadableInput, "roles"),
        ("[roles]", "[roles", SyntaxFault, "line 12"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(
    page: dict[str, str], old: str, new: str, error: type[SafetyboardError], place: str
) -> None:
    with pytest.raises(error, match=re.escape(place)):
        reader_of(page["toml"].replace(old, new, 1))
