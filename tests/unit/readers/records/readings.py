# SPDX-License-Identifier: Apache-2.0
"""Reads made-up records, and holds what must be true of every reading."""

import json
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records import otlp
from safetyboard.readers.records.chat_messages import arguments_of, text_of
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.episode import Episode, Step


def stored(content: bytes, name: str = "made.jsonl") -> Stored:
    return Stored(name=name, size=len(content), load=lambda: content)


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def found_again(file: Stored, step: Step) -> None:
    there = resolve(file, step.source)
    # A value of OTLP that is a list or an object is written as lists of keys and values there.
    told = (there, otlp.any_value(there))
    if step.content:
        assert step.content in map(text_of, told)
    if step.arguments:
        assert step.arguments in map(arguments_of, told)


def read(reader: Any, content: bytes, name: str = "made.jsonl") -> tuple[list[Episode], Account]:
    """Read, and hold what must be true of every reading: the account adds up, leaves are found, texts are canonical."""
    account, file = Account(), stored(content, name)
    episodes = list(reader.episodes(file, account))
    assert account.balanced
    for episode in episodes:
        assert [step.index for step in episode.steps] == list(range(len(episode.steps)))
        for step in episode.steps:
            found_again(file, step)
            canonical_json([step.content, dict(step.arguments), dict(step.extra), step.tool, step.call, step.at])
        canonical_json([dict(episode.system), dict(episode.condition), dict(episode.extra), episode.name, episode.task])
    return episodes, account
