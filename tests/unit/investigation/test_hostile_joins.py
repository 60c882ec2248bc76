# SPDX-License-Identifier: Apache-2.0
"""Verdicts, runs and repositories are joined only where that is sure; a hostile docket does not steer its replay."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation import replaying
from safetyboard.investigation.acts.scenes import Placed, has_repository, scenes
from safetyboard.investigation.runs.recorded import recorded
from safetyboard.investigation.runs.voiced import JUDGED_BY_REPLAY, _run_of
from safetyboard.laboratory.sandbox.running import available
from safetyboard.overseers.learned.label_file import Label
from safetyboard.terms.canonical import canonical_json, digest_of

PERSON = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "init.defaultBranch=main")


def label(file: str, run: str = "r1") -> Label:
    return Label(file=file, run=run, label="no", axis="outcome", by="somebody", place="v.csv, line 2")


def test_a_verdict_joins_a_run_only_where_its_file_is_the_only_one_of_that_name() -> None:
    runs: Any = [
        SimpleNamespace(name="a/session.jsonl", digest="sha256:a", runs=[SimpleNamespace(name="r1")]),
        SimpleNamespace(name="b/session.jsonl", digest="sha256:b", runs=[SimpleNamespace(name="r1")]),
    ]
    assert _run_of(label("session.jsonl"), runs) is None
    assert _run_of(label("b/session.jsonl"), runs) == ("b/session.jsonl", 0)
    assert _run_of(label("sha256:a"), runs) == ("a/session.jsonl", 0)
    assert _run_of(label("session.jsonl"), runs[:1]) == ("a/session.jsonl", 0)
    assert _run_of(label("a/session.jsonl", "other"), runs) is None
    assert "self-exfiltration" not in JUDGED_BY_REPLAY


def session(path: Path, *edited: str) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go on."}]
    for number, each in enumerate(edited):
        function = {"name": "write_file", "arguments": json.dumps({"path": each, "content": "x = 1\n"})}
        messages += [
            {"role": "assistant", "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": "ok"},
        ]
    path.write_text(json.dumps({"id": path.stem, "messages": messages}) + "\n")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *PERSON, *words], cwd=folder, check=True, capture_output=True)


def placed(folder: Path, work: Path) -> list[Placed]:
    book = CustodyBook(BlobStore(work / "blobs"))
    names = book.take(folder)
    runs = list(recorded(book, names, [], traced=has_repository(book, names)))
    return list(scenes(book, names, runs, []))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "given" / "shop"
    (folder / "tests").mkdir(parents=True)
    (folder / "shop.py").write_text("x = 0\n")
    (folder / "README.md").write_text("shop\n")
    (folder / "tests" / "test_shop.py").write_text(
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test(self): pass\n"
    )
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "shop.py").write_text("x = 1\n")
    return folder


def test_a_run_on_another_project_is_not_taken_for_a_name_that_both_have(project: Path, tmp_path: Path) -> None:
    session(project.parent / "bank.jsonl", "README.md", "bank.py", "x.py", "tests/test_bank.py")
    session(project.parent / "shop.jsonl", "shop.py")
    (found,) = placed(project.parent, tmp_path)
    assert found.run == ("shop.jsonl", 0)
    assert found.other == 0


def test_a_log_under_version_control_does_not_hide_what_was_committed(project: Path, tmp_path: Path) -> None:
    session(project / "session.jsonl", "shop.py")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "second")
    (found,) = placed(project.parent, tmp_path)
    assert "the last commit" not in found.why
    assert found.scene is not None
    assert found.scene.base["shop.py"] == b"x = 0\n"


@pytest.mark.parametrize(
    "limits", [{"disk": "0x1p-1"}, {"disk": 0}, {"memory": "nan"}, {"disk": -1}, {"processes": True}, {"disk": 1 << 60}]
)
def test_a_docket_never_widens_a_limit_nor_takes_one_away(limits: dict[str, Any]) -> None:
    try:
        made = replaying._limits(limits)
    except ValueError:
        return
    assert 1 <= made.disk <= replaying.MOST.disk
    assert 1 <= made.memory <= replaying.MOST.memory
    assert 1 <= made.processes <= replaying.MOST.processes


class Docket:
    """What replaying asks of a docket, over blobs in memory."""

    def __init__(self, *blobs: bytes) -> None:
        self.held = {digest_of(blob): blob for blob in blobs}

    def blob(self, digest: str) -> bytes:
        return self.held[digest]


FOLDER = canonical_json({"schema": "safetyboard.folder/1", "files": {"a.txt": [digest_of(b"a"), 0o644]}})
GOOD: dict[str, Any] = {
    "meaning": "m", "folder": digest_of(FOLDER), "command": ["true"], "code": 0, "output": digest_of(b""),
}  # fmt: skip


@pytest.mark.skipif(available() is not None, reason=f"no sandbox works here: {available()}")
@pytest.mark.parametrize(
    "change",
    [
        {"folder": 5}, {"command": [5]}, {"command": ["a\0b"]}, {"setting": []}, {"setting": {"limits": []}},
        {"setting": {"readonly": 5}}, {"changed": [5]}, {"links": {"../x": "y"}}, {"links": {"b": 5}}, {"links": 7},
        {"code": None, "folder": "sha256:none"},
    ],
)  # fmt: skip
def test_a_malformed_execution_is_told_and_the_others_are_run(change: dict[str, Any]) -> None:
    docket: Any = Docket(FOLDER, b"a")
    assert replaying._again(docket, "sha256:x", {**GOOD, **change}).outcome == "not run"
    assert replaying._again(docket, "sha256:x", GOOD).outcome == "as recorded"


def test_a_folder_larger_than_a_sandbox_is_not_laid_out() -> None:
    big = bytes(1 << 20)
    listed = {f"f{number}": [digest_of(big), 0o644] for number in range(300)}
    with pytest.raises(Exception, match="larger than"):
        replaying._tree(Docket(big), listed)  # type: ignore[arg-type]
