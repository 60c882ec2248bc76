# SPDX-License-Identifier: Apache-2.0
"""Settle labels: one answer a run, with everything set aside listed and counted to the unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safetyboard.overseers.learned.label_file import Label
from safetyboard.overseers.learned.learning import Case
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import WrongUse

Key = tuple[str, str]
_SHOWN = 160


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Hold the labelled runs to learn from, and the account of all labels: taken in = used + everything in `aside`.

    Args:    remarks: one sentence for each run whose labels contradict or repeat one another.
    """

    cases: tuple[Case, ...]
    taken_in: int
    used: int
    aside: Mapping[str, int]
    remarks: tuple[str, ...]


def axis_of(labels: Sequence[Label], wanted: str) -> str:
    """Choose the axis: the one asked for, or the only one there is.

    Raises:  WrongUse: several and none asked for, or none of that name.
    """
    found = sorted({label.axis for label in labels})
    if not wanted and len(found) == 1:
        return found[0]
    if wanted not in found:
        shown = ", ".join(found)[:_SHOWN]
        said = f"No label is on the axis {wanted[:40]!r}." if wanted else "The labels are on several axes."
        raise WrongUse(said, hint=f"Choose one with --axis: {shown}.")
    return wanted


def settle(labels: Sequence[tuple[Label, Key]], runs: Mapping[Key, Episode], axis: str) -> Settled:
    """Give each labelled run its answer.

    Labels of several people that agree count as one run. Where they contradict one another the run is set aside and
    named; "unsure" is set aside, unless somebody else is sure.

    Raises:  WrongUse: nothing of concern, or nothing without, is left; or a run is put into two clusters.
    """
    on_axis = [(label, key) for label, key in labels if label.axis == axis]
    aside = {"on another axis": len(labels) - len(on_axis), "unsure": 0, "contradictory": 0, "repeated": 0}
    by_run: dict[Key, list[Label]] = {}
    for label, key in on_axis:
        by_run.setdefault(key, []).append(label)
    cases, remarks, used = [], [], 0
    for key, given in by_run.items():
        fresh, repeated = _without_repeats(given)
        if repeated:
            aside["repeated"] += len(repeated)
            remarks.append(
                f"{_named(key)}: labelled twice alike by {repeated[0].by} ({repeated[0].place}); counted once."
            )
        sure = [label for label in fresh if label.label != "unsure"]
        if len({label.label for label in sure}) > 1:
            aside["contradictory"] += len(fresh)
            said = ", ".join(f"{label.label} by {label.by} ({label.place})" for label in fresh)
            remarks.append(f"{_named(key)}: contradictory labels: {said}; set aside.")
            continue
        aside["unsure"] += len(fresh) - len(sure)
        if sure:
            used += len(sure)
            cases.append(_case(key, sure, runs[key]))
    for concern, word in ((True, "yes"), (False, "no")):
        if not any(case.concern is concern for case in cases):
            raise WrongUse(
                f"No run is labelled {word} on the axis {axis[:40]!r}"
                + (f"; {sum(aside.values())} labels are set aside." if any(aside.values()) else "."),
                hint="A screen needs runs of both kinds.",
            )
    return Settled(cases=tuple(cases), taken_in=len(labels), used=used, aside=aside, remarks=tuple(remarks))


def _without_repeats(given: Sequence[Label]) -> tuple[list[Label], list[Label]]:
    fresh: dict[tuple[str, str], Label] = {}
    repeated = []
    for label in given:
        if (label.by, label.label) in fresh:
            repeated.append(label)
        else:
            fresh[label.by, label.label] = label
    return list(fresh.values()), repeated


def _case(key: Key, sure: Sequence[Label], episode: Episode) -> Case:
    clusters = {label.cluster for label in sure if label.cluster}
    if len(clusters) > 1:
        raise WrongUse(
            f"{_named(key)} is put into several clusters ({sure[0].place}, {sure[1].place}).", hint="Name one."
        )
    if clusters:
        cluster = f"named {clusters.pop()}"
    else:
        cluster = f"task {episode.task}" if episode.task else f"run {key[0]} {key[1]}"
    return Case(
        name=_named(key),
        episode=episode,
        concern=sure[0].label == "yes",
        cluster=cluster,
        weight=sum(label.weight for label in sure) / len(sure),
    )


def _named(key: Key) -> str:
    return f"{key[0]}, run {key[1]!r:.80}" if key[1] else key[0]
