# SPDX-License-Identifier: Apache-2.0
"""Which readers of records there are; the first whose `sniff` says yes reads the file."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

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


def reader(kind: str) -> Any:
    """Load one reader.

    Raises:  KeyError: no such format.
    """
    return import_module(CATALOG[kind])


def kind_of(name: str, head: bytes) -> str | None:
    """Name the format of a file; None where no reader takes it.

    Args:    head: its first 64 KiB, or all of it where it is shorter.
    """
    return next((kind for kind in CATALOG if reader(kind).sniff(name, head)), None)
