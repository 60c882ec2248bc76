# SPDX-License-Identifier: Apache-2.0
"""Where coding agents keep their sessions by default on this machine."""

import os
from pathlib import Path


def default_locations(home: Path | None = None) -> tuple[Path, ...]:
    """Name the session folders of known agents, whether or not they exist.

    Args:    home: somebody's home folder; without it this user's, where the agents' own settings may name others.
    Source:  Claude Code documentation (`CLAUDE_CONFIG_DIR`, default ``~/.claude``, sessions in ``projects``);
             Codex CLI documentation (`CODEX_HOME`, default ``~/.codex``, sessions in ``sessions``, those put away in
             ``archived_sessions``).
    """
    chosen = (lambda name: None) if home is not None else os.environ.get
    base = home if home is not None else Path.home()
    claude = Path(chosen("CLAUDE_CONFIG_DIR") or base / ".claude")
    codex = Path(chosen("CODEX_HOME") or base / ".codex")
    return claude / "projects", codex / "sessions", codex / "archived_sessions"


def existing_locations(home: Path | None = None) -> tuple[Path, ...]:
    """Name those session folders of known agents that exist on this machine."""
    return tuple(place for place in default_locations(home) if place.is_dir())
