# SPDX-License-Identifier: Apache-2.0
"""The sessions of coding agents under a home folder are listed, soonest deleted first, and nothing else is."""

import os
import time
from pathlib import Path

import pytest

from safetyboard.investigation.preservation import agents_found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    now = time.time()
    for days, name in (
        (1, ".claude/projects/-w-it/new.jsonl"),
        (27, ".claude/projects/-w-it/old.jsonl"),
        (3, ".codex/sessions/2026/01/02/rollout-1.jsonl"),
        (9, ".codex/archived_sessions/rollout-0.jsonl"),
        (0, ".claude/settings.json"),
        (0, ".codex/auth.json"),
        (0, "projects/other.jsonl"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
        os.utime(path, (now - 86_400 * days,) * 2)
    return tmp_path


def test_sessions_are_listed_and_what_is_deleted_soonest_comes_first(home: Path) -> None:
    assert [path.name for path in agents_found(home)] == [
        "old.jsonl",
        "new.jsonl",
        "rollout-1.jsonl",
        "rollout-0.jsonl",
    ]


def test_settings_and_credentials_of_agents_are_not_listed(home: Path) -> None:
    assert not {"settings.json", "auth.json", "other.jsonl"} & {path.name for path in agents_found(home)}


def test_links_are_left_and_an_empty_home_gives_nothing(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (home / ".claude/projects/-w-it/link.jsonl").symlink_to(home / "projects/other.jsonl")
    assert "link.jsonl" not in {path.name for path in agents_found(home)}
    assert agents_found(tmp_path_factory.mktemp("nobody")) == ()


def test_a_home_that_was_named_is_looked_at_whatever_the_environment_says(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/nowhere")
    monkeypatch.setenv("CODEX_HOME", "/nowhere")
    assert len(agents_found(home)) == 4
    assert agents_found() == ()
