# SPDX-License-Identifier: Apache-2.0
"""Compare the inventories inside one Inspect log, and name by id what is missing, extra, edited or duplicate."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from safetyboard.readers.account import Discrepancy
from safetyboard.readers.records.inspect_json import as_list, as_object, as_text, is_missing

SAMPLES, SUMMARIES, JOURNAL, REDUCTIONS = "samples", "summaries", "journal", "reductions"
HEADER, START = "header", "journal start"
WHOLE = -1
"""Stands for an epoch where all epochs of an id are meant."""
MOST_EXPECTED = 1_000_000
Key = tuple[str, int]
Marks = Mapping[str, str]
# How Inspect turns a letter into a number before it reduces epochs (`value_to_float`, its defaults).
_NUMBERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}


@dataclass(kw_only=True)
class Inventories:
    """Collect what each inventory of a log says of each sample.

    Args:    listed: ids by the header and by the journal's start, those that are there. entries: scores by id and
             epoch, by samples, summaries and journal. reduced: id -> scorer -> the value, or None where
             no rule of ours gives it. repeated: (inventory, id, epoch) met more than once. finished: the log says that
             all samples ran.
    """

    listed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    entries: dict[str, dict[Key, Marks | None]] = field(default_factory=dict)
    reduced: dict[str, dict[str, float | None]] | None = None
    repeated: Counter[tuple[str, Key]] = field(default_factory=Counter)
    finished: bool = False
    epochs: int = 1
    total: int | None = None

    def header(self, header: Mapping[str, Any], name: str = HEADER) -> None:
        """Note what the header, or the journal's start, announces."""
        told = as_object(header.get("eval"))
        ids = as_object(told.get("dataset")).get("sample_ids")
        if isinstance(ids, list):
            self.listed[name] = tuple(as_text(item) for item in ids)
        if name == HEADER:
            self.finished = header.get("status") == "success"
            total = as_object(header.get("results")).get("total_samples")
            self.total = total if isinstance(total, int) else None
        epochs = as_object(told.get("config")).get("epochs")
        self.epochs = epochs if isinstance(epochs, int) and epochs > 0 else 1

    def entry(self, inventory: str, entry: Mapping[str, Any]) -> None:
        """Note one sample, or the summary of one."""
        epoch = entry.get("epoch")
        key = as_text(entry.get("id")), epoch if isinstance(epoch, int) else 1
        known = self.entries.setdefault(inventory, {})
        # A retried sample is journalled again, and the later entry counts.
        if key in known and inventory != JOURNAL:
            self.repeated[inventory, key] += 1
        known[key] = marks(entry.get("scores"))

    def superseded(self, name: str) -> None:
        """Note a member that a later one of the same name hides."""
        bare = name.removeprefix("samples/").removesuffix(".json")
        identity, _, epoch = bare.rpartition("_epoch_")
        if identity and name.startswith("samples/"):
            self.repeated[SAMPLES, (identity, int(epoch) if epoch.isdecimal() and len(epoch) < 9 else 1)] += 1
        else:
            self.repeated[name, ("", 0)] += 1

    def reductions(self, reductions: Any) -> None:
        """Note what was reduced over epochs."""
        if not isinstance(reductions, list) or not reductions:
            return
        self.reduced = {}
        for reduction in reductions:
            scorer = as_text(as_object(reduction).get("scorer"))
            known = as_object(reduction).get("reducer") in (None, "mean")
            for sample in as_list(as_object(reduction).get("samples")):
                value = as_object(sample).get("value")
                number = value if known and isinstance(value, int | float) and not is_missing(value) else None
                identity = as_text(as_object(sample).get("sample_id"))
                self.reduced.setdefault(identity, {})[scorer] = None if number is None else float(number)

    def discrepancies(self) -> Iterator[Discrepancy]:
        """Name each disagreement once, whichever inventories show it."""
        for (inventory, key), _ in sorted(self.repeated.items()):
            name = self.name(key) if key[0] or inventory == SAMPLES else inventory
            yield Discrepancy(between=inventory, name=name, what="duplicate", where=inventory)
        yield from self._missing()
        yield from self._edited()
        yield from self._counted()

    def name(self, key: Key) -> str:
        """Name a sample by its id, with its epoch where there are several."""
        return f"{key[0]} epoch {key[1]}" if key[1] != WHOLE and self.span > 1 else key[0]

    @cached_property
    def span(self) -> int:
        """Count the epochs: as configured, or as far as any inventory goes where the log does not say."""
        return max([self.epochs, *(epoch for known in self.entries.values() for _, epoch in known)])

    @cached_property
    def by_id(self) -> dict[str, list[Marks]]:
        """Give the scores of each sample by its id; those without scores are left out."""
        return _by_id(self.entries.get(SAMPLES, {}))

    def _missing(self) -> Iterator[Discrepancy]:
        present = [known for known in (SAMPLES, SUMMARIES, JOURNAL) if known in self.entries]
        recorded: dict[Key, None] = {key: None for known in present for key in self.entries[known]}
        ids = {identity for identity, _ in recorded} | set(self.reduced or ())
        for identity in sorted(ids):
            lacking = [name for name, listed in self.listed.items() if identity not in listed]
            if lacking:
                yield _lacks(identity, [*self.listed, *present], lacking)
            # A sample that nobody scored is not expected here.
            if self.reduced is not None and identity not in self.reduced and identity in self.by_id:
                yield _lacks(identity, [*present, REDUCTIONS], [REDUCTIONS])
        compared = [*self.listed, *present, *([] if self.reduced is None else [REDUCTIONS])]
        for key in sorted({**recorded, **dict.fromkeys(self._expected(recorded))}):
            lacking = [known for known in present if key not in self.entries[known]]
            if lacking:
                yield _lacks(self.name(key), compared, lacking)

    def _expected(self, recorded: Mapping[Key, None]) -> Iterator[Key]:
        """Give what must have run: all that a finished log lists, and whatever was reduced."""
        ids = {item for listed in self.listed.values() for item in listed} if self.finished else set()
        ids |= set(self.reduced or ())
        known = {identity for identity, _ in recorded}
        countable = self.finished and self.span * len(known) <= MOST_EXPECTED
        for identity in ids:
            if identity not in known:
                yield identity, WHOLE
            elif countable:
                yield from ((identity, epoch) for epoch in range(1, self.span + 1))

    def _edited(self) -> Iterator[Discrepancy]:
        present = [known for known in (SAMPLES, SUMMARIES, JOURNAL) if known in self.entries]
        told: set[str] = set()
        for key in sorted({key for known in present for key in self.entries[known]}):
            said = {known: marked for known in present if (marked := self.entries[known].get(key)) is not None}
            if len({tuple(sorted(marked.items())) for marked in said.values()}) < 2:
                continue
            counts = Counter(tuple(sorted(marked.items())) for marked in said.values())
            most, often = counts.most_common(1)[0]
            odd = [known for known, marked in said.items() if tuple(sorted(marked.items())) != most or often == 1]
            told.add(key[0])
            yield Discrepancy(between=", ".join(said), name=self.name(key), what="edited", where=", ".join(odd))
        for identity, reduced in sorted((self.reduced or {}).items()):
            if identity not in told and self._differs(identity, reduced):
                yield Discrepancy(between=f"{SAMPLES}, {REDUCTIONS}", name=identity, what="edited", where=REDUCTIONS)

    def _differs(self, identity: str, reduced: Mapping[str, float | None]) -> bool:
        """Tell whether the mean over epochs is not what was reduced; unsaid where a value is no number we know."""
        of_id = self.by_id.get(identity, [])
        if len(of_id) != self.span:
            return False
        for scorer, value in reduced.items():
            numbers = [made for marked in of_id if (made := number(marked.get(scorer, ""))) is not None]
            if value is not None and len(numbers) == len(of_id) and abs(sum(numbers) / len(of_id) - value) > 1e-6:
                return True
        return False

    def _counted(self) -> Iterator[Discrepancy]:
        """Compare the header's count of samples where it lists no ids."""
        seen = len(self.entries.get(SAMPLES, {}))
        if HEADER not in self.listed and self.finished and self.total is not None and self.total != seen:
            yield Discrepancy(
                between=f"{HEADER}, {SAMPLES}", name=f"{self.total} samples", what="missing", where=f"{seen} {SAMPLES}"
            )


def _by_id(entries: Mapping[Key, Marks | None]) -> dict[str, list[Marks]]:
    found: dict[str, list[Marks]] = {}
    for (identity, _), marked in entries.items():
        if marked:
            found.setdefault(identity, []).append(marked)
    return found


def _lacks(name: str, compared: list[str], lacking: list[str]) -> Discrepancy:
    alone = [known for known in compared if known not in lacking]
    what, where = ("extra", alone) if len(alone) == 1 < len(lacking) else ("missing", lacking)
    return Discrepancy(between=", ".join(compared), name=name, what=what, where=", ".join(where))


def marks(scores: Any) -> Marks | None:
    """Give each scorer's value as text, so that inventories can be compared; None where there are no scores."""
    if not isinstance(scores, dict):
        return None
    return {name: as_text(score.get("value") if isinstance(score, dict) else score) for name, score in scores.items()}


def number(mark: str) -> float | None:
    """Give the number that Inspect makes of a value; None where only the task knows."""
    if mark in _NUMBERS:
        return _NUMBERS[mark]
    try:
        return float(mark)
    except ValueError:
        return None
