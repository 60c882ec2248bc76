# SPDX-License-Identifier: Apache-2.0
"""Preserve: store what is disappearing, most urgent first, and follow what still grows."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from safetyboard.evidence.keys import load_key
from safetyboard.evidence.listing import Found, listed, opened, text_of
from safetyboard.evidence.perishable import is_log, urgency
from safetyboard.evidence.preserved import Batch, Holdings, Item, Preserver, Remark
from safetyboard.evidence.store import machine_faults
from safetyboard.laboratory.interrupt import Stop, interruptible, stop_after
from safetyboard.readers.records.locations import default_locations, existing_locations
from safetyboard.terms.errors import UnreadableInput, WrongUse

SCHEMA = "safetyboard.preservation/1"
INTERVAL = 1.0
"""Seconds between two looks at followed folders; longer where one look takes more than a quarter of it."""
MOST_FILES = 200_000
SESSIONS = (".jsonl", ".jsonl.gz", ".json")
BATCH_FILES, BATCH_BYTES = 256, 64 << 20
Clock = Callable[[], datetime]


class Told(Protocol):
    """Hear of every acknowledged entry, and of notes."""

    def entry(self, number: int, batch: Batch) -> None:
        """Hear that an entry is on the disk."""

    def note(self, sentence: str) -> None:
        """Hear one sentence."""


@dataclass(kw_only=True)
class Preservation:
    """Count what became of everything that was met: new + grown + changed + renamed + unchanged are held."""

    store: Path
    signer: str
    entries: int = 0
    stored_bytes: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def discrepancies(self) -> list[Remark]:
        """List the files that no longer begin with what was held of them."""
        return [remark for remark in self.remarks if remark.discrepancy]

    @property
    def exit_code(self) -> int:
        """Give 0 where all is held, 3 where something could not be read or a discrepancy is open."""
        return 3 if self.unread or self.discrepancies else 0

    @property
    def open_points(self) -> list[str]:
        """Name what could not be read, and every discrepancy, one a line."""
        unread = [f"unread       {path}: {why}" for path, why in sorted(self.unread.items())]
        return unread + [f"discrepancy  {each.path}: {each.what}; {each.detail}" for each in self.discrepancies]

    @property
    def sentence(self) -> str:
        """Say it for people."""
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())) or "nothing was there"
        kinds = Counter(remark.what for remark in self.remarks if remark.what in ("gone", "link"))
        more = "".join(f", {count} {what}" for what, count in sorted(kinds.items()))
        lost = f"; {len(self.unread)} unread, {len(self.discrepancies)} discrepancies"
        return f"{self.store}: {counts}{more}; {self.stored_bytes} bytes added; {self.entries} entries{lost}"

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        return {
            "schema": SCHEMA,
            "store": str(self.store),
            "signer": self.signer,
            "entries": self.entries,
            "stored_bytes": self.stored_bytes,
            "counts": dict(sorted(self.counts.items())),
            "unread": [{"path": path, "why": why} for path, why in sorted(self.unread.items())],
            "remarks": [vars(remark) for remark in self.remarks],
            "discrepancies": len(self.discrepancies),
        }


def paths_wanted(paths: Sequence[Path], *, agents: bool) -> tuple[Path, ...]:
    """Join the paths that were named with the session folders of known agents.

    Raises:  WrongUse: there is none. UnreadableInput: a path that was named does not exist.
    """
    for path in paths:
        if not path.exists():
            raise UnreadableInput(f"{path}: there is no such file or folder.", hint="Check the path.")
    found = (*paths, *(place for place in default_locations() if place.exists())) if agents else tuple(paths)
    if not found:
        searched = ", ".join(str(place) for place in default_locations())
        said = f"No session folder of a known agent is here ({searched})." if agents else "No path was given."
        raise WrongUse(said, hint="Give a PATH.")
    return found


def agents_found(home: Path | None = None) -> tuple[Path, ...]:
    """List the session files of known agents under a home folder, soonest deleted and newest first; links are left.

    Raises:  UnreadableInput: there are more than 200,000.
    """
    found = [each for place in existing_locations(home) for each in _bounded(place, ())]
    sessions = [each for each in found if not each.why and each.path.endswith(SESSIONS)]
    now = datetime.now(UTC).timestamp()
    return tuple(Path(each.path) for each in sorted(sessions, key=lambda each: urgency(each.path, each.modified, now)))


def preserve(
    paths: Sequence[Path],
    out: Path,
    *,
    told: Told,
    follow: bool = False,
    interval: float = INTERVAL,
    stop: Stop | None = None,
    clock: Clock = lambda: datetime.now(UTC),
) -> Preservation:
    """Store what is under the paths; with `follow`, go on until interrupted.

    Raises:  WrongUse, UnreadableInput: see `paths_wanted` and `Preserver`. EnvironmentFault: the disk is full; what
             was acknowledged before stays.
    """
    key, fresh = load_key()
    if fresh:
        told.note(f"A signing key was made for this installation; its fingerprint is {key.fingerprint}.")
    halt = stop or stop_after(None)
    with interruptible(halt):
        preserver = Preserver(out, key)
        try:
            watch = Watching(preserver=preserver, paths=tuple(paths), told=told, stop=halt, clock=clock)
            watch.look()
            watch.close_round()
            if follow and not halt.wanted():
                told.note(f"Following; a look every {interval:g} s or more, until interrupted.")
            while follow and not halt.wanted():
                began = time.monotonic()
                watch.look()
                _wait(max(interval, 4 * (time.monotonic() - began)), halt)
            if follow:
                watch.close_round()
        finally:
            preserver.close()
    return watch.result


def copied(store: Path, roots: Sequence[Path], target: Path) -> int:
    """Write the latest held states of files below the roots into a new folder, verified; gives their number.

    Names are those below each root, after the root's own name and that of the folder it lies in.

    Raises:  UntrustedEvidence: held bytes were changed. EnvironmentFault: the disk is full.
    """
    held, count, taken = Holdings.at(store), 0, set[str]()
    for number, root in enumerate(roots):
        whole = text_of(root.resolve())
        folder = f"{root.resolve().parent.name.strip('.') or 'root'}/{root.resolve().name}"
        folder = folder if folder not in taken else f"{number}/{folder}"
        taken.add(folder)
        for path, item in sorted(held.latest.items()):
            if path in held.gone or not (path == whole or path.startswith(whole + "/")):
                continue
            place = target / folder / path[len(whole) :].strip("/") if path != whole else target / folder
            held.verify(item.digest)
            with machine_faults(place):
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with held.open(item.digest) as stored, place.open("xb") as file:
                    shutil.copyfileobj(stored, file)
            count += 1
    return count


def _bounded(path: Path, skip: tuple[Path, ...]) -> list[Found]:
    """List what lies under a path, as long as it is not too much."""
    found = []
    for each in listed(path, skip=skip):
        found.append(each)
        if len(found) > MOST_FILES:
            raise UnreadableInput(f"{path}: holds more than {MOST_FILES} files.", hint="Give a smaller folder.")
    return found


def _wait(seconds: float, stop: Stop) -> None:
    until = time.monotonic() + seconds
    while not stop.wanted() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))


@dataclass(kw_only=True)
class Watching:
    """Look at the paths again and again; each look stores what is new and says what else happened."""

    preserver: Preserver
    paths: tuple[Path, ...]
    told: Told
    stop: Stop
    clock: Clock
    stamps: dict[str, tuple[int, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    batch: Batch = field(default_factory=Batch)
    waiting_bytes: int = 0

    def __post_init__(self) -> None:
        self.result = Preservation(store=self.preserver.root, signer=self.preserver.key.fingerprint)
        self.roots = [text_of(path.resolve()) for path in self.paths]

    def look(self) -> None:
        """List everything, store what is new or grown, most urgent first, and acknowledge it in batches."""
        now = self.clock().timestamp()
        met = {found.path: found for path in self.paths for found in self._listed(path)}
        self.lost = missing(self.preserver.held, self.roots, met)
        for found in sorted(met.values(), key=lambda found: urgency(found.path, found.modified, now)):
            if self.stop.wanted():
                break
            if found.why:
                self._refuse(found, found.why)
            elif self.stamps.get(found.path) != found.stamp:
                self._take(found)
            if len(self.batch.items) >= BATCH_FILES or self.waiting_bytes >= BATCH_BYTES:
                self._acknowledge()
        else:
            for path in self.lost.values():
                self.stamps.pop(path, None)
                self._remark(Remark(path=path, what="gone", detail="no longer there; what was held stays"))
        if not self.batch.empty:
            self._acknowledge()

    def _listed(self, path: Path) -> list[Found]:
        return _bounded(path, (self.preserver.root.resolve(),))

    def _refuse(self, found: Found, why: str) -> None:
        """Name once what is not read; a link to something inside loses nothing."""
        if self.refused.get(found.path) == why:
            return
        self.refused[found.path] = why
        if found.link:
            self._remark(Remark(path=found.path, what="link", detail=why))
        else:
            self.batch.unread[found.path] = self.result.unread[found.path] = why

    def _take(self, found: Found) -> None:
        """Store one file, and say how it relates to what was held of it."""
        held = self.preserver.held
        origin = found.path if found.path in held.latest else self.lost.get(found.place, "")
        earlier = held.latest[origin] if origin else None
        try:
            item, follows = self.preserver.take(found.path, opened(found), earlier)
        except UnreadableInput as error:
            self._refuse(found, error.message.removeprefix(f"{found.path}: "))
            return
        self.stamps[found.path] = found.stamp
        for named in (self.refused, self.result.unread):
            named.pop(found.path, None)
        renamed = origin if origin != found.path else ""
        if origin != found.path and not (follows and earlier is not None and earlier.size):
            # The place was given to another file; only bytes can tell that this one was renamed.
            earlier, renamed = None, ""
        added = item.size - (earlier.size if earlier is not None and follows else 0)
        if earlier is not None and not renamed and item.digest == earlier.digest and origin not in held.gone:
            self._count("unchanged")
            return
        self.batch.items.append(item)
        self.waiting_bytes += added
        self.result.stored_bytes += added
        if renamed:
            self.lost.pop(found.place, None)
            self._remark(Remark(path=renamed, what="renamed away", detail=f"to {item.path}"))
            self._remark(Remark(path=item.path, what="renamed", detail=f"from {renamed}"))
        what, remark = relation(item, earlier, follows=follows)
        if remark is not None:
            self._remark(remark)
        self._count("renamed" if renamed else what)

    def _remark(self, remark: Remark) -> None:
        self.batch.remarks.append(remark)
        self.result.remarks.append(remark)

    def _count(self, what: str) -> None:
        self.result.counts[what] = self.result.counts.get(what, 0) + 1

    def _acknowledge(self) -> None:
        """Write the entry; only now may anybody be told that these bytes are held."""
        at = self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.result.entries = self.preserver.acknowledge(self.batch, at, self.roots)
        said, self.batch, self.waiting_bytes = self.batch, Batch(), 0
        self.told.entry(self.result.entries, said)

    def close_round(self) -> None:
        """Sign how much was there, so that an entry exists also where nothing was new."""
        self.batch.census = {
            **self.result.counts,
            "held_paths": len(self.preserver.held.latest) - len(self.preserver.held.gone),
            "unread": len(self.result.unread),
            "discrepancies": len(self.result.discrepancies),
            "interrupted": int(self.stop.wanted()),
        }
        self._acknowledge()


def relation(item: Item, earlier: Item | None, *, follows: bool) -> tuple[str, Remark | None]:
    """Say how a state relates to the one before it: new, grown, back, or changed; with what must be said of it."""
    if earlier is None:
        return "new", None
    before = f"{earlier.digest} ({earlier.size} bytes)"
    if follows and item.size > earlier.size:
        grown = f"by {item.size - earlier.size} bytes; begins with {before}"
        return "grown", Remark(path=item.path, what="grown", detail=grown)
    if follows:
        back = Remark(path=item.path, what="back", detail="was gone, and is there again, unchanged")
        return "back", back if item.path == earlier.path else None
    detail = f"{item.size} bytes; no longer begins with {before}, which stays held"
    what = "changed" if not is_log(item.path) else "truncated" if item.size < earlier.size else "rewritten"
    return "changed", Remark(path=item.path, what=what, detail=detail, discrepancy=what != "changed")


def missing(held: Holdings, roots: Sequence[str], met: Collection[str]) -> dict[str, str]:
    """Find held paths below the roots that are no longer there, by the place their file had."""
    return {
        item.place: path
        for path, item in held.latest.items()
        if path not in met and path not in held.gone and any(path == r or path.startswith(r + "/") for r in roots)
    }
