# SPDX-License-Identifier: Apache-2.0
"""The reader that is meant reads a file, also where its first lines are damaged or it is packed."""

import gzip
import json

import pytest

from safetyboard.readers.records.catalog import kind_of

CHAT = json.dumps({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}).encode()
TRACE = CHAT[:-1] + b', "metadata": {"a": 1}}'


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (CHAT, "chat"),
        (CHAT[:-1] + b', "id": "x"}', "chat"),
        (TRACE, "invariant"),
        (CHAT[:-1] + b', "index": 0}', "invariant"),
        (CHAT[:-1] + b', "annotations": []}', "invariant"),
        (json.dumps(json.loads(CHAT)["messages"]).encode(), "invariant"),
    ],
)
def test_messages_alone_are_a_chat_and_those_with_parts_of_the_explorer_are_its_traces(line: bytes, kind: str) -> None:
    assert kind_of("log.jsonl", line + b"\n" + line + b"\n") == kind


def test_a_long_first_line_that_is_cut_off_in_the_head_is_a_chat() -> None:
    long = json.dumps({"messages": [{"role": "user", "content": "x" * 100_000}]}).encode()[: 1 << 16]
    assert kind_of("log.jsonl", long) == "chat"


@pytest.mark.parametrize(
    "first", [b"\xff\xfe\n", b"null\n", b"no record at all\n", b"{broken\n", b"\n\n7\n", b'"text"\n']
)
def test_damaged_lines_at_the_beginning_do_not_hide_the_rest(first: bytes) -> None:
    assert kind_of("log.jsonl", first + CHAT + b"\n") == "chat"
    assert kind_of("log.jsonl.gz", gzip.compress(first + CHAT + b"\n")) == "chat"
    assert kind_of("notes.txt", first + b"words\n") is None


def test_what_holds_no_record_is_claimed_by_nobody() -> None:
    for content in (b"", b"null\n" * 9, b"\x1f\x8bbroken", b"words\nmore words\n", b"\0" * 100):
        assert kind_of("log.jsonl", content) is None
