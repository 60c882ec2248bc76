# SPDX-License-Identifier: Apache-2.0
"""Which readers of records there are; the first whose `sniff` says yes reads the file."""

import zlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from safetyboard.readers.records import json_lines

HEAD = 64 << 10
LINES = (".jsonl", ".ndjson")
_FLOOR = "safetyboard.readers.records"
CATALOG: Mapping[str, str] = {
    "inspect": f"{_FLOOR}.inspect_log",
    "claude-code": f"{_FLOOR}.claude_code",
    "codex": f"{_FLOOR}.codex",
    "swe-agent": f"{_FLOOR}.swe_agent",
    "tau-bench": f"{_FLOOR}.tau_bench",
    "garak": f"{_FLOOR}.garak",
    "promptfoo": f"{_FLOOR}.promptfoo",
    "otlp": f"{_FLOOR}.otlp",
    "openinference": f"{_FLOOR}.openinference",
    "invariant": f"{_FLOOR}.invariant",
    "mapped": f"{_FLOOR}.mapped",
    "chat": f"{_FLOOR}.chat_jsonl",
}
"""Format -> module with ``sniff(name, head) -> bool`` and ``episodes(stored, account) -> Iterator[Episode]``."""

SOURCES = (
    ".py",
    ".pyi",
    ".js",
    ".mjs",
    ".ts",
    ".tsx",
    ".go",
    ".rs",
    ".java",
    ".c",
    ".h",
    ".cpp",
    ".sh",
    ".md",
    ".rst",
    ".toml",
    ".ini",
    ".cfg",
    ".html",
    ".css",
)
"""Endings of programs and their papers: what stands in them is quoted or made up, never a record."""


def reader(kind: str) -> Any:
    """Load one reader.

    Raises:  KeyError: no such format.
    """
    return import_module(CATALOG[kind])


def kind_of(name: str, head: bytes) -> str | None:
    """Name the format of a file; None where no reader takes it.

    Args:    head: its first 64 KiB, or all of it where it is shorter.
    """
    head = _unpacked(head)
    kind = _claimed(name, head)
    if kind is None and name.lower().removesuffix(".gz").endswith(LINES):
        # One damaged line at the beginning must not hide all that stands behind it.
        rest = _from_the_first_record(head)
        kind = _claimed(name, rest) if rest != head else None
    return kind


def _claimed(name: str, head: bytes) -> str | None:
    if name.lower().endswith(SOURCES):
        return None
    return next((kind for kind in CATALOG if reader(kind).sniff(name, head)), None)


def _unpacked(head: bytes) -> bytes:
    """Open the beginning of gzip, as far as it opens; other bytes as they are."""
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return head


def _from_the_first_record(head: bytes) -> bytes:
    """Leave out the lines before the first that is a JSON object or list."""
    place = 0
    while place < len(head):
        end = head.find(b"\n", place)
        line = head[place : end if end >= 0 else len(head)].strip()
        if line[:1] in (b"{", b"[") and (end < 0 or json_lines.parsed(line)[0] is not None):
            return head[place:]
        if end < 0:
            return b""
        place = end + 1
    return b""
