# SPDX-License-Identifier: Apache-2.0
"""Labelled: find in logs the runs that labels name, or every run there is, and say what could not be read."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation.runs.recorded import HEAD, stored_of
from safetyboard.overseers.learned.label_file import LARGEST, Label
from safetyboard.overseers.learned.settling import Key
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.records.mapped import MappedReader, is_mapping, reader_of
from safetyboard.readers.stored import printable
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError, TooLarge, UnreadableInput, WrongUse


@dataclass(kw_only=True)
class Logs:
    """Hold logs in custody; they can be read more than once.

    Args:    accounts: of each log that was read, what of it. unread: logs that are damaged, with why; files that no
             reader takes are none.
    """

    book: CustodyBook
    names: tuple[str, ...]
    accounts: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def runs(self) -> Iterator[tuple[str, Episode]]:
        """Give every run with the name of its log; a log that breaks off is unread from there on, and says so."""
        mappings = [reader_of(stored_of(self.book, name)) for name in self.names if is_mapping(name)]
        for name in self.names:
            reader = None if is_mapping(name) else _known_reader(self.book, name, mappings)
            if reader is None:
                continue
            account = Account()
            try:
                for episode in reader.episodes(stored_of(self.book, name), account):
                    yield name, episode
                self.accounts[name] = account.sentence()
            except SafetyboardError as error:
                self.unread[name] = printable(error.message, 300)


@contextmanager
def logs_at(paths: Sequence[Path]) -> Iterator[Logs]:
    """Take logs into custody for as long as they are needed.

    Raises:  UnreadableInput: nothing is there.
    """
    bench = Path(tempfile.mkdtemp(prefix="safetyboard-logs-"))
    try:
        book = CustodyBook(store=BlobStore(bench))
        names = tuple(dict.fromkeys(name for path in paths for name in book.take(path)))
        yield Logs(book=book, names=names)
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def content_of(path: Path, largest: int = LARGEST) -> bytes:
    """Read a small file whole.

    Raises:  TooLarge; UnreadableInput.
    """
    try:
        if path.stat().st_size > largest:
            raise TooLarge(f"{path}: over {largest >> 20} MiB.", hint="Is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path}: cannot be read ({error.strerror}).", hint="Check the path.") from error


def joined_runs(
    book: CustodyBook, names: Sequence[str], labels: Sequence[Label]
) -> tuple[list[tuple[Label, Key]], dict[Key, Episode], dict[str, str]]:
    """Find the run of every label; only logs that some label names are read.

    Raises:  WrongUse: a label names no run, or several. UnreadableInput: no reader knows a log.
    """
    places = {label.file: _log_of(book, names, label) for label in labels}
    mappings = [reader_of(stored_of(book, name)) for name in names if is_mapping(name)]
    held: dict[str, Counter[str]] = {}
    kept: dict[Key, Episode] = {}
    accounts = {}
    for name in dict.fromkeys(places.values()):
        account, found = Account(), held.setdefault(name, Counter())
        wanted = {label.run for label in labels if places[label.file] == name}
        for episode in _reader(book, name, mappings).episodes(stored_of(book, name), account):
            found[episode.name] += 1
            # A log may be large, and its labels few.
            if episode.name in wanted or (not found.keys() - {episode.name} and "" in wanted):
                kept[name, episode.name] = episode
        accounts[name] = account.sentence()
    joined, runs = [], {}
    for label in labels:
        name = places[label.file]
        run = _run_of(held[name], name, label)
        joined.append((label, (name, run)))
        runs[name, run] = kept[name, run]
    return joined, runs, accounts


def _log_of(book: CustodyBook, names: Sequence[str], label: Label) -> str:
    """Find the log that a label names: by digest, or by the end of its path."""
    wanted = Path(label.file).parts
    found = [
        name
        for name in names
        if book.items[name].digest == label.file or (wanted and Path(name).parts[-len(wanted) :] == wanted)
    ]
    if len(found) != 1:
        said = f"{len(found)} logs are" if found else "no log is"
        shown = ", ".join(printable(name) for name in found[:3])
        raise WrongUse(
            f"{label.place}: {said} named {printable(label.file, 120)!r}" + (f": {shown}." if found else "."),
            hint="Write more of the path, or its digest."
            if found
            else "Give the log, or its folder, after the labels.",
        )
    return found[0]


def _reader(book: CustodyBook, name: str, mappings: Sequence[MappedReader]) -> Any:
    known = _known_reader(book, name, mappings)
    if known is None:
        raise UnreadableInput(
            f"{printable(name, 120)}: no reader knows its format.", hint="See docs/reference/readers.md."
        )
    return known


def _known_reader(book: CustodyBook, name: str, mappings: Sequence[MappedReader]) -> Any:
    """Find what reads a log; None where nothing does."""
    with stored_of(book, name).open() as file:
        head = file.read(HEAD)
    mapped = next((each for each in mappings if each.sniff(name, head)), None)
    kind = None if mapped else catalog.kind_of(name, head)
    return mapped or (catalog.reader(kind) if kind is not None else None)


def _run_of(found: Mapping[str, int], name: str, label: Label) -> str:
    if not label.run and len(found) == 1:
        run = next(iter(found))
    elif label.run in found:
        run = label.run
    else:
        shown = ", ".join(printable(each) for each in list(found)[:3])
        said = f"no run {printable(label.run)!r}" if label.run else f"{len(found)} runs and the label names none"
        raise WrongUse(
            f"{label.place}: {printable(name, 120)} holds {said}.", hint=f"Its runs: {shown}…" if found else ""
        )
    if found[run] > 1:
        raise WrongUse(
            f"{label.place}: {printable(name, 120)} holds {found[run]} runs of the id {printable(run)!r}.",
            hint="A label must name one run.",
        )
    return run
