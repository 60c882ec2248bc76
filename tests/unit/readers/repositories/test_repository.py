# SPDX-License-Identifier: Apache-2.0
"""Histories are read from bytes: branches, commits, trees, and which two commits stand around the work."""

import json
import subprocess
from pathlib import Path

import pytest

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.readers.repositories.choice import chosen_commits
from safetyboard.readers.repositories.repository import Repository, bundle_of, repository_of, sniff
from safetyboard.readers.repositories.tree import changes
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import UnreadableInput, WrongUse
from unit.readers.repositories.made import Made, simple, stored


def opened(path: Path) -> Stored:
    return Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes, digest=digest_of(path.read_bytes()))


@pytest.mark.idea("C2")
def test_a_bundle_is_read_without_conversion_and_tells_the_commits_around_the_work(project_root: Path) -> None:
    folder = project_root / "examples" / "repair_agent"
    recorded = json.loads((folder / "history" / "recorded.json").read_text(encoding="utf-8"))["commits"]
    stored_bundle = opened(folder / "history" / "repository.bundle")
    assert sniff(stored_bundle.name, stored_bundle.load()[:32])
    found = bundle_of(stored_bundle)
    assert (found.head, found.source, found.discrepancies) == ("main", stored_bundle.digest, ())
    chosen = chosen_commits(found)
    assert (chosen.base, chosen.final) == (recorded["base"], recorded["final"])
    assert chosen.why == "before: the tag or branch named base; after: what HEAD names, or the only branch"
    base, final = found.tree(recorded["base"]), found.tree(recorded["final"])
    here = folder / "repository"
    assert dict(base.files) == {
        path.relative_to(here).as_posix(): path.read_bytes()
        for path in here.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert [(each.kind, each.path) for each in changes(base, final)] == [
        ("edited", f"lending/{name}.py") for name in ("cards", "holds", "loans")
    ] + [("edited", f"tests/test_{name}.py") for name in ("cards", "fines", "loans")]


@pytest.mark.idea("C2")
def test_a_working_tree_s_history_is_read_from_custody_and_agrees_with_git(tmp_path: Path, project_root: Path) -> None:
    """The project's own history, packed by git, where there is a git to compare with."""
    copy = tmp_path / "work" / ".git"
    for command in (["clone", "-q", "--bare", str(project_root), str(copy)], ["-C", str(copy), "gc", "-q"]):
        answer = subprocess.run(["git", *command], capture_output=True, text=True, check=False)
        if answer.returncode:
            pytest.skip(f"there is no git history here to compare with: {answer.stderr[:80]}")
    book = CustodyBook(BlobStore(tmp_path / "blobs"))
    book.take(copy.parent)
    [(folder, names)] = book.history().items()
    held = {
        inner: Stored(name=name, size=book.items[name].size, load=lambda name=name: book.read(name))
        for inner, name in names.items()
    }
    found = repository_of(folder, held)

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(copy), *words], capture_output=True, text=True, check=True).stdout

    tip = git("rev-parse", "HEAD").strip()
    assert found.heads[found.head] == tip
    assert {each.name for each in found.commits(100_000)} == set(git("rev-list", "--all").split())
    listed = git("ls-tree", "-r", "--format=%(objectmode) %(objectsize) %(path)", "-z", tip).rstrip("\0").split("\0")
    tree = found.tree(tip)
    ours = {f"{0o100000 | tree.modes[path]:o} {len(content)} {path}" for path, content in tree.files.items()}
    ours |= {f"120000 {len(target)} {path}" for path, target in tree.links.items()}
    assert ours == set(listed)
    without_index = {path: each for path, each in held.items() if not path.endswith(".idx")}
    assert repository_of(folder, without_index).tree(tip) == tree


def both(made: Made) -> tuple[Repository, Repository]:
    return repository_of("r", made.git()), bundle_of(made.bundle())


def test_tags_are_followed_to_commits_and_a_loose_reference_goes_before_a_packed_one() -> None:
    made, tip = simple()
    made.refs["refs/tags/base"] = made.tag("base", tip)
    for found in both(made):
        assert dict(found.tags) == {"base": tip}
    held = made.git()
    held["packed-refs"] = stored(
        "packed-refs", f"# pack-refs\n{'1' * 40} refs/heads/main\n{tip} refs/heads/old\n".encode()
    )
    assert dict(repository_of("r", held).heads) == {"main": tip, "old": tip}


def test_what_is_missing_is_named() -> None:
    made, tip = simple()
    later = made.commit(made.folder({"a.py": b"new\n"}), "9" * 40, at=5)
    made.refs["refs/heads/main"] = later
    held = made.git()
    held["shallow"] = stored("shallow", later.encode() + b"\n")
    held["objects/info/alternates"] = stored("alternates", b"/elsewhere\n")
    found = repository_of("r", held)
    assert {odd.where for odd in found.discrepancies} == {
        "its parents were not fetched (shallow)", "objects are borrowed from another folder; not followed",
    }  # fmt: skip
    assert [name for each in found.commits(10) for name in each.parents if found.commit(name) is None] == ["9" * 40]
    assert (
        chosen_commits(found).why
        == "nothing is named base, and of what comes after its parent is not in the repository"
    )
    blob = next(name for name in made.objects if b"new" in getattr(made.objects[name], "data", b""))
    del held[f"objects/{blob[:2]}/{blob[2:]}"]
    [odd] = repository_of("r", held).tree(later).discrepancies
    assert (odd.name, odd.what) == ("a.py", "missing")


def test_a_bundle_that_builds_on_what_it_does_not_hold_says_so() -> None:
    made, _ = simple()
    found = bundle_of(made.bundle(b"-" + b"8" * 40 + b" an earlier commit"))
    assert [(odd.name, odd.what) for odd in found.discrepancies] == [("8" * 40, "missing")]


def history(*edges: tuple[str, tuple[str, ...]]) -> tuple[Made, dict[str, str]]:
    made, names = Made(), dict[str, str]()
    for number, (name, parents) in enumerate(edges):
        tree = made.folder({"f": name.encode()})
        names[name] = made.commit(tree, *(names[each] for each in parents), at=number)
    return made, names


def test_the_rule_for_the_two_commits_is_said_in_words() -> None:
    made, at = history(("one", ()), ("two", ("one",)), ("three", ("one",)), ("four", ("two", "three")))
    made.refs = {"refs/heads/main": at["two"]}
    chosen = chosen_commits(repository_of("r", made.git()))
    assert (chosen.base, chosen.final) == (at["one"], at["two"])
    assert chosen.why.startswith("before: the only parent")
    made.refs = {"refs/heads/main": at["two"], "refs/heads/work": at["three"]}
    chosen = chosen_commits(repository_of("r", made.git()))
    assert (chosen.base, chosen.final) == (at["one"], at["two"])
    assert "where they part" in chosen.why
    made.refs = {"refs/heads/main": at["one"], "refs/heads/work": at["three"]}
    chosen = chosen_commits(repository_of("r", made.git()))
    assert (chosen.base, chosen.final) == (at["one"], at["three"])
    made.refs = {"refs/heads/main": at["four"]}
    chosen = chosen_commits(repository_of("r", made.git()))
    assert (chosen.base, chosen.why) == (None, "nothing is named base, and of what comes after it has 2 parents")
    made.refs = {f"refs/heads/{name}": commit for name, commit in at.items()}
    assert chosen_commits(repository_of("r", made.git())).final is None


def test_two_branches_that_crossed_twice_are_not_guessed_about() -> None:
    made, at = history(
        ("root", ()), ("a", ("root",)), ("b", ("root",)), ("ab", ("a", "b")), ("ba", ("b", "a")),
    )  # fmt: skip
    made.refs = {"refs/heads/main": at["ab"], "refs/heads/work": at["ba"]}
    chosen = chosen_commits(repository_of("r", made.git()))
    assert chosen.base is None
    assert chosen.why.endswith("they part at 2 commits")


def test_the_caller_s_names_go_first_and_a_wrong_one_is_refused() -> None:
    made, at = history(("one", ()), ("two", ("one",)))
    made.refs = {"refs/heads/main": at["two"], "refs/tags/base": at["one"]}
    found = repository_of("r", made.git())
    assert chosen_commits(found, base=at["one"][:10], final="HEAD").base == at["one"]
    assert chosen_commits(found, base="main").why.endswith("both are the same commit")
    with pytest.raises(WrongUse, match="no branch, tag or commit is named 'nonsense\\?'"):
        chosen_commits(found, base="nonsense\n")


def test_a_detached_head_is_what_comes_after() -> None:
    made, at = history(("one", ()), ("two", ("one",)), ("three", ("two",)))
    made.refs, made.head = {"refs/heads/main": at["three"]}, at["two"]
    assert chosen_commits(repository_of("r", made.git())).final == at["two"]


def test_names_in_commits_are_hostile_text_and_trailers_are_read() -> None:
    made = Made()
    message = "Fix\n\nCo-authored-by: Helper <h@x>\nco-authored-by: \x1b[31mEvil <e@x>\nReviewed-by: Ann\nno trailer\n"
    made.refs["refs/heads/main"] = made.commit(made.folder({"f": b""}), message=message, author=b"\x1b]0;x <m@x>")
    [found] = repository_of("r", made.git()).commits(5)
    assert found.author.name == "?]0;x"
    assert [(each.name, each.mail) for each in found.named_by("Co-Authored-By")] == [
        ("Helper", "h@x"), ("?[31mEvil", "e@x"),
    ]  # fmt: skip
    assert found.named_by("Reviewed-by")[0].name == "Ann"
    assert not found.signed


def test_an_empty_folder_is_one_sentence() -> None:
    with pytest.raises(UnreadableInput, match="no branch or tag leads to a commit"):
        repository_of("r", {"HEAD": stored("HEAD", b"ref: refs/heads/main\n")})
