# SPDX-License-Identifier: Apache-2.0
"""Of a repository's folder what history needs is held, the rest is listed, and the items add up."""

import os
from pathlib import Path

import pytest

from safetyboard.evidence import version_control
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore

OBJECT = "objects/4a/62cc36dbf3075ff0a946f482af36a81cb380ca"
NEEDED = {"HEAD", "index", "packed-refs", "shallow", "refs/heads/main", OBJECT, "objects/pack/pack-1.pack"}
LISTED = {
    "hooks/post-checkout": "a program; never run",
    "config": "settings; never obeyed",
    "info/attributes": "settings; never obeyed",
    "modules/inner/HEAD": "another repository; not looked into",
    "worktrees/w/HEAD": "another working tree; not looked into",
    "COMMIT_EDITMSG": "history does not need it",
    "objects/pack/other.txt": "history does not need it",
}


@pytest.fixture
def found(tmp_path: Path) -> Path:
    folder = tmp_path / "found"
    for name in (*NEEDED, *LISTED):
        file = folder / ".git" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (folder / "program.py").write_text("pass\n")
    (folder / ".git" / "refs" / "away").symlink_to("/etc")
    (folder / ".git" / "objects" / "link").symlink_to(folder / "program.py")
    (folder / "inner").mkdir()
    (folder / "inner" / ".git").write_text("gitdir: ../.git/modules/inner\n")
    return folder


def book_of(tmp_path: Path) -> CustodyBook:
    return CustodyBook(BlobStore(tmp_path / "blobs"))


def test_what_history_needs_is_held_and_the_rest_is_listed_with_its_reason(tmp_path: Path, found: Path) -> None:
    book = book_of(tmp_path)
    assert book.take(found) == ("program.py",)
    assert book.history() == {".git/": {name: f".git/{name}" for name in sorted(NEEDED)}}
    account = book.account()
    said = {item.path: (item.state, item.why) for item in account.items}
    assert {said[f".git/{name}"] for name in NEEDED} == {("irrelevant", version_control.HELD)}
    for name, why in LISTED.items():
        assert said[f".git/{name}"] == ("unread", f"version control: {why}")
    assert said[".git/refs/away"] == said[".git/objects/link"] == ("unread", "a link; not followed")
    assert said["inner/.git"] == ("unread", "names a repository elsewhere; not followed")
    assert len(account.items) == len(NEEDED) + len(LISTED) + 4
    assert account.used + account.irrelevant + account.unread == len(account.items)
    assert book.read(".git/HEAD") == b"HEAD"


def test_held_history_can_be_used_as_any_item_can(tmp_path: Path, found: Path) -> None:
    book = book_of(tmp_path)
    book.take(found)
    for name in book.history()[".git/"].values():
        book.mark(name, "used", "history")
    assert book.account().used == len(NEEDED)
    assert book.take(found) == ("program.py",), "a second taking changes nothing"


def test_over_a_limit_objects_are_listed_and_what_names_them_is_still_held(
    tmp_path: Path, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_control, "MOST_FILES", len(NEEDED) - 2)
    book = book_of(tmp_path)
    book.take(found)
    assert set(book.history()[".git/"]) == {name for name in NEEDED if not name.startswith("objects/")}
    said = {item.path: item.why for item in book.account().items}
    assert said[f".git/{OBJECT}"] == version_control.OVER


def test_a_pipe_in_the_place_of_an_object_is_not_opened(tmp_path: Path, found: Path) -> None:
    (found / ".git" / OBJECT).unlink()
    os.mkfifo(found / ".git" / OBJECT)
    book = book_of(tmp_path)
    book.take(found)
    assert OBJECT not in book.history()[".git/"]


def test_a_folder_that_git_would_not_take_for_a_repository_stays_closed(tmp_path: Path, found: Path) -> None:
    (found / ".git" / "HEAD").unlink()
    book = book_of(tmp_path)
    book.take(found)
    assert book.history() == {}
    assert book.items[".git/"].why == "a version control folder; not looked into"
