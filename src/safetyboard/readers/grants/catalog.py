# SPDX-License-Identifier: Apache-2.0
"""Which readers of permission files there are; the first whose `sniff` says yes reads the file."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.grant import Grant

_FLOOR = "safetyboard.readers.grants"
CATALOG: Mapping[str, str] = {
    "claude-code": f"{_FLOOR}.claude_code",
    "codex": f"{_FLOOR}.codex",
    "gemini": f"{_FLOOR}.gemini",
    "opencode": f"{_FLOOR}.opencode",
    "cursor": f"{_FLOOR}.cursor",
    "vscode": f"{_FLOOR}.vscode",
    "mcp-servers": f"{_FLOOR}.mcp_servers",
    "devcontainer": f"{_FLOOR}.devcontainer",
    "compose": f"{_FLOOR}.compose",
    "tools": f"{_FLOOR}.tool_schemas",
}
"""Format -> module with ``sniff(name, head) -> bool`` and ``grant_of(stored) -> Grant``."""


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


def grant_of(stored: Stored) -> Grant:
    """Read one permission file.

    Raises:  UnreadableInput: names the file, the place and the remedy.
    """
    with stored.open() as stream:
        kind = kind_of(stored.name, stream.read(1 << 16))
    if kind is None:
        raise UnreadableInput(
            f"{stored.name}: no permission file that is known.", hint=f"Known are {', '.join(CATALOG)}."
        )
    found: Grant = reader(kind).grant_of(stored)
    return found
