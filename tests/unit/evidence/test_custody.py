# SPDX-License-Identifier: Apache-2.0
"""Nothing that was found vanishes: held before it is read, and used, irrelevant or unread in the end."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.evidence import custody as custody_module
from safetyboard.evidence import store as store_module
from safetyboard.evidence.custody import CustodyBook, account_line
from safetyboard.evidence.store import BlobStore
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.custody import Custody
from safetyboard.terms.errors import SyntaxFault, UnreadableInput, UntrustedEvidence, WrongUse


@pytest.fixture
def book(tmp_path: Path) -> CustodyBook:
    return CustodyBook(BlobStore(tmp_path / "blobs"))


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """A folder with files below files, links, a pipe, and folders that belong to tools."""
    folder = tmp_path / "found"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "a.onnx").write_bytes(b"network")
    (folder / "empty").write_bytes(b"")
    (folder / "sub" / "deep" / "b.csv").write_bytes(b"1,2\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "link").symlink_to(folder / "a.onnx")
    (folder / "away").symlink_to("/")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    return folder


def states(custody: Custody) -> dict[str, tuple[str, str]]:
    return {item.path: (item.state, item.why) for item in custody.items}


@pytest.mark.idea("C4")
def test_everything_under_a_folder_is_held_or_named_as_unread(book: CustodyBook, found: Path) -> None:
    assert book.take(found) == ("a.onnx", "empty", "sub/deep/b.csv")
    account = book.account()
    assert states(account) == {
        ".git/": ("unread", "a version control folder; not looked into"),
        "a.onnx": ("irrelevant", "no reader claims it"),
        "away": ("unread", "a link; not followed"),
        "dangling": ("unread", "a link; not followed"),
        "empty": ("irrelevant", "no reader claims it"),
        "link": ("unread", "a link; not followed"),
        "pipe": ("unread", "not a regular file; not opened"),
        "sub/deep/b.csv": ("irrelevant", "no reader claims it"),
    }
    assert (account.used, account.irrelevant, account.unread) == (0, 3, 5)
    held = {item.path: item for item in account.items if item.digest}
    assert held["a.onnx"].digest == digest_of(b"network")
    assert (held["a.onnx"].size, held["empty"].size) == (7, 0)
    assert set(book.store.digests()) == {digest_of(b"network"), digest_of(b""), digest_of(b"1,2\n")}


@pytest.mark.idea("C4")
@settings(max_examples=30)
@given(choices=st.lists(st.sampled_from(["used", "irrelevant", "unread", None]), max_size=12))
def test_the_three_counts_add_up_to_the_list(
    choices: list[str | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("items")
    for number, _ in enumerate(choices):
        (folder / f"{number:02}").write_bytes(b"%d" % number)
    book = CustodyBook(BlobStore(tmp_path_factory.mktemp("blobs")))
    names = book.take(folder)
    for name, choice in zip(names, choices, strict=True):
        if choice is not None:
            book.mark(name, choice, "said so")  # type: ignore[arg-type]
    account = book.account()
    counted = Counter(choice or "irrelevant" for choice in choices)
    assert (account.used, account.irrelevant, account.unread) == tuple(
        counted[state] for state in ("used", "irrelevant", "unread")
    )
    assert account.used + account.irrelevant + account.unread == len(account.items) == len(choices)
    assert [item.path for item in account.items] == sorted(names)


@pytest.mark.idea("C4")
def test_the_unread_share_is_printed(book: CustodyBook, found: Path) -> None:
    assert account_line(book.account()) == "0 items: 0 used, 0 irrelevant, 0 unread"
    book.take(found)
    book.mark("a.onnx", "used", "subject")
    book.fail("sub/deep/b.csv", SyntaxFault("sub/deep/b.csv: line 1: no header."))
    assert account_line(book.account()) == "8 items: 1 used, 1 irrelevant, 6 unread (75.0 %)"
    assert states(book.account())["sub/deep/b.csv"] == ("unread", "sub/deep/b.csv: line 1: no header.")


def test_what_is_read_is_what_was_held_even_when_the_file_changes_afterwards(book: CustodyBook, found: Path) -> None:
    book.take(found)
    (found / "a.onnx").write_bytes(b"swapped")
    assert book.read("a.onnx") == b"network"
    book.store.path(digest_of(b"network")).write_bytes(b"forged!")
    with pytest.raises(UntrustedEvidence, match="was changed"):
        book.read("a.onnx")


def test_what_was_never_held_cannot_be_read_nor_count_as_used(book: CustodyBook, found: Path) -> None:
    book.take(found)
    with pytest.raises(UnreadableInput, match=r"link: is not held \(a link; not followed\)"):
        book.read("link")
    with pytest.raises(UnreadableInput, match="no such item"):
        book.read("never")
    with pytest.raises(WrongUse, match="was not read, so it cannot have been used"):
        book.mark("link", "used")
    assert states(book.account())["link"][0] == "unread"


def test_a_single_file_is_held_and_a_link_the_user_named_is_followed(book: CustodyBook, found: Path) -> None:
    assert book.take(found / "a.onnx") == ("a.onnx",)
    assert book.take(found / "link") == ("a.onnx", "link")
    assert book.read("link") == b"network"
    assert CustodyBook(book.store).take(found / "pipe") == ()


def test_two_different_files_of_one_name_are_refused_and_the_first_stays(book: CustodyBook, tmp_path: Path) -> None:
    for folder, content in (("one", b"1"), ("two", b"2"), ("same", b"1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.onnx").write_bytes(content)
    book.take(tmp_path / "one" / "net.onnx")
    book.mark("net.onnx", "used", "subject")
    with pytest.raises(WrongUse, match="another file named net.onnx"):
        book.take(tmp_path / "two" / "net.onnx")
    book.take(tmp_path / "same" / "net.onnx")
    assert book.read("net.onnx") == b"1"
    assert states(book.account()) == {"net.onnx": ("used", "subject")}


def test_nothing_there_is_one_sentence(book: CustodyBook, found: Path) -> None:
    for path in (found / "gone", found / "dangling", found / "a.onnx" / "below"):
        with pytest.raises(UnreadableInput, match="no such file or folder"):
            book.take(path)
    assert book.account().items == ()


def test_too_many_files_are_refused(book: CustodyBook, found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody_module, "MOST_FILES", 7)
    with pytest.raises(UnreadableInput, match="holds more than 7 files"):
        book.take(found)
    monkeypatch.setattr(custody_module, "MOST_FILES", 8)
    assert len(book.take(found)) == 3


def test_a_file_that_changes_while_it_is_read_is_unread_and_the_rest_is_held(
    book: CustodyBook, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bytes come in through the store's own reading; the file grows between two pieces of it.
    chunks, grown = store_module._chunks, list[int]()

    def moving(file: object, name: str) -> object:
        for chunk in chunks(file, name):  # type: ignore[arg-type]
            if name.endswith("a.onnx") and len(grown) < 50:
                grown.append(1)
                with (found / "a.onnx").open("ab") as more:
                    more.write(b"!")
            yield chunk

    monkeypatch.setattr(store_module, "_chunks", moving)
    assert book.take(found) == ("empty", "sub/deep/b.csv")
    assert states(book.account())["a.onnx"] == ("unread", "changed while it was read.")
    assert len(grown) < 5, "a file that never stops growing is read for ever"
    assert not book.store.has(digest_of(b"network"))


def test_a_folder_that_cannot_be_listed_is_named(
    book: CustodyBook, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    book.take(found)
    monkeypatch.undo()
    assert states(book.account())["sub/deep/"] == ("unread", "Permission denied; not looked into")


def test_a_name_that_is_no_text_can_stand_in_a_record(book: CustodyBook, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"net\xff.onnx")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system holds only names that are text")
    (folder / "line\nbreak").write_bytes(b"y")
    assert book.take(folder) == ("line\nbreak", "net\\xff.onnx")
    assert book.read("net\\xff.onnx") == b"x"


LARGE = """
import resource, sys
from pathlib import Path
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
book = CustodyBook(BlobStore(Path(sys.argv[2])))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
book.take(Path(sys.argv[1]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(book.account().items[0].size, (after - before) // (1024 if sys.platform != "darwin" else 1048576))
"""


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(150 << 20)
    command = [sys.executable, "-c", LARGE, str(tmp_path / "large"), str(tmp_path / "blobs")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    size, more = map(int, answer.stdout.split())
    assert size == 150 << 20
    assert more < 50
