# SPDX-License-Identifier: Apache-2.0
"""Training: join labels to recorded runs, learn a screen, and write it with its card, whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore, machine_faults, write_durably
from safetyboard.investigation.people.labelled import content_of, joined_runs
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen as chains_say
from safetyboard.overseers.learned import screen_file
from safetyboard.overseers.learned.label_file import read_labels
from safetyboard.overseers.learned.learning import Aim, learn
from safetyboard.overseers.learned.screen import Screen
from safetyboard.overseers.learned.settling import Settled, axis_of, settle
from safetyboard.terms.errors import EnvironmentFault, WrongUse

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
    given = read_labels(content_of(labels), labels.name)
    axis = axis_of(given, aim.axis)
    bench = Path(tempfile.mkdtemp(prefix="safetyboard-train-"))
    try:
        book = CustodyBook(store=BlobStore(bench))
        names = [name for path in logs for name in book.take(path)]
        joined, runs, accounts = joined_runs(book, names, [label for label in given if label.axis == axis])
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
    return screen_file.read_screen(content_of(place, screen_file.LARGEST), str(place))


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
