# SPDX-License-Identifier: Apache-2.0
"""Where coding agents keep their sessions by default on this machine."""

import os
from pathlib import Path


def default_locations() -> tuple[Path, ...]:
    """Name the session folders of known agents, whether or not they exist.

    Source:  Claude Code documentation (`CLAUDE_CONFIG_DIR`, default ``~/.claude``, sessions in ``projects``);
             Codex CLI documentation (`CODEX_HOME`, default ``~/.codex``, sessions in ``sessions``).
    """
    claude = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    codex = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
    return claude / "projects", codex / "sessions"


def existing_locations() -> tuple[Path, ...]:
    """Name those session folders of known agents that exist on this machine."""
    return tuple(place for place in default_locations() if place.is_dir())
