# SPDX-License-Identifier: Apache-2.0
"""Training: join labels to recorded runs, learn a screen, and write it with its card, whole or not at all."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore, machine_faults, write_durably
from safetyboard.investigation.recorded import HEAD, stored_of
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen as chains_say
from safetyboard.overseers.learned import screen_file
from safetyboard.overseers.learned.label_file import LARGEST, Label, read_labels
from safetyboard.overseers.learned.learning import Aim, learn
from safetyboard.overseers.learned.screen import Screen
from safetyboard.overseers.learned.settling import Key, Settled, axis_of, settle
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.records.mapped import MappedReader, is_mapping, reader_of
from safetyboard.readers.stored import printable
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput, WrongUse

SCHEMA = "safetyboard.train-screen/1"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Hold a screen that was trained and written, with the account of its labels and logs."""

    screen: Screen
    folder: Path
    settled: Settled
    logs: Mapping[str, str]

    @property
    def bounded(self) -> bool:
        """Tell whether any bound stands."""
        return self.screen.control is not None

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        settled = self.settled
        return {
            "schema": SCHEMA,
            "screen": str(self.folder),
            "version": self.screen.version,
            "axis": self.screen.axis,
            "channels": list(self.screen.channels),
            "seed": self.screen.seed,
            "labels": {"in": settled.taken_in, "used": settled.used, "set_aside": dict(settled.aside)},
            "remarks": list(settled.remarks),
            "logs": dict(self.logs),
            "card": dict(self.screen.card),
        }


def train(labels: Path, logs: Sequence[Path], out: Path, *, aim: Aim) -> Trained:
    """Train a screen on labelled runs and write it to a new folder.

    Args:    aim: what is wanted; an empty axis means the only one the labels are on.
    Raises:  WrongUse: `out` is there, a label names no run or several, or a class is empty. SyntaxFault, TooLarge,
             UnreadableInput: of labels and logs. EnvironmentFault: the folder cannot be written.
    """
    if os.path.lexists(out):
        raise WrongUse(f"{out}: is there already.", hint="Choose a new folder with --out.")
    given = read_labels(_content(labels), labels.name)
    axis = axis_of(given, aim.axis)
    bench = Path(tempfile.mkdtemp(prefix="safetyboard-train-"))
    try:
        book = CustodyBook(store=BlobStore(bench))
        names = [name for path in logs for name in book.take(path)]
        joined, runs, accounts = _joined(book, names, [label for label in given if label.axis == axis])
    finally:
        shutil.rmtree(bench, ignore_errors=True)
    others = [(label, ("", "")) for label in given if label.axis != axis]
    settled = settle([*joined, *others], runs, axis)
    chains = shipped()
    screen = learn(
        settled.cases,
        Aim(axis=axis, alpha=aim.alpha, confidence=aim.confidence, seed=aim.seed, channels=aim.channels),
        rule=lambda episode: bool(chains_say(episode, chains).flagged),
    )
    _write(out, screen_file.written(screen))
    return Trained(screen=screen, folder=out, settled=settled, logs=accounts)


def screen_at(folder: Path) -> Screen:
    """Read a screen from the folder that training wrote, or from its file.

    Raises:  UnreadableInput: nothing is there; otherwise see `read_screen`.
    """
    place = folder / screen_file.NAME if folder.is_dir() else folder
    return screen_file.read_screen(_content(place, screen_file.LARGEST), str(place))


def _content(path: Path, largest: int = LARGEST) -> bytes:
    try:
        if path.stat().st_size > largest:
            raise TooLarge(f"{path}: over {largest >> 20} MiB.", hint="Is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableInput(f"{path}: cannot be read ({error.strerror}).", hint="Check the path.") from error


def _joined(
    book: CustodyBook, names: Sequence[str], labels: Sequence[Label]
) -> tuple[list[tuple[Label, Key]], dict[Key, Episode], dict[str, str]]:
    """Find the run of every label; only logs that some label names are read."""
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
    with stored_of(book, name).open() as file:
        head = file.read(HEAD)
    mapped = next((each for each in mappings if each.sniff(name, head)), None)
    kind = None if mapped else catalog.kind_of(name, head)
    if mapped is None and kind is None:
        raise UnreadableInput(
            f"{printable(name, 120)}: no reader knows its format.", hint="See docs/reference/readers.md."
        )
    return mapped or catalog.reader(str(kind))


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


def _write(out: Path, content: bytes) -> None:
    """Make the folder beside its place and move it there whole."""
    with machine_faults(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            write_durably(made / screen_file.NAME, content)
            made.chmod(0o777 & ~_umask())
            if os.path.lexists(out):
                raise EnvironmentFault(f"{out}: came to be there meanwhile.", hint="Choose a new folder with --out.")
            made.rename(out)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
