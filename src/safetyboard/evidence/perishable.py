# SPDX-License-Identifier: Apache-2.0
"""Which files go first when evidence is disappearing: soonest deleted, then newest."""

from pathlib import PurePath

RETAINED_DAYS = {(".claude", "projects"): 30}
"""Folders whose owner deletes old files by itself, and after how many days without a change.

Source:  Claude Code settings, `cleanupPeriodDays`, default 30.
"""
SOON_DAYS = 7
DAY = 86_400.0
LOGS = (".jsonl", ".ndjson", ".log", ".eval", ".traj", ".trace", ".otlp", ".out", ".err", ".wal")
BULK = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".mypy_cache"})


def is_log(name: str) -> bool:
    """Tell whether a file of this name is one that programs only append to."""
    return name.lower().endswith(LOGS)


def urgency(name: str, modified: float, now: float) -> tuple[int, float, str]:
    """Order files: a smaller answer is more urgent.

    First what its owner is to delete within a week, soonest first; then logs, newest first; then other files, newest
    first; then what tools can make again.

    Args:    name: with its folders. modified, now: seconds since 1970.
    """
    parts = PurePath(name).parts
    for folder, days in RETAINED_DAYS.items():
        if any(parts[place : place + len(folder)] == folder for place in range(len(parts))):
            left = modified + days * DAY - now
            return (0, left, name) if left < SOON_DAYS * DAY else (1, -modified, name)
    if BULK.intersection(parts):
        return 3, -modified, name
    return (1 if is_log(name) else 2), -modified, name
