# SPDX-License-Identifier: Apache-2.0
"""Measure the shipped chains and the grading of acts on held-out cases; run as a program it writes the records."""

import sys
from collections import defaultdict
from pathlib import Path

from needles.blind.episodes import blind
from needles.chats import replies
from needles.commands import labelled
from needles.episodes import needles
from safetyboard.overseers.calibration import Calibration, measured, written
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen
from safetyboard.overseers.chains.normal_text import NormalText
from safetyboard.overseers.conduct.turns import VERSION as CONDUCT
from safetyboard.overseers.conduct.turns import manners_of, turns_of
from safetyboard.overseers.effects.effect import VERSION, is_severe
from safetyboard.overseers.effects.tools import act_effects

STORIES = "held-out and disguised made-up stories, each told 5 times and counted once, seed 0"
BLIND = "second set, by another hand and blind to the chains; its held-out half, told once"
REPLIES = "held-out half of labelled replies by the hand that wrote the rules; other hands will see less"
PEOPLE = "held-out half of the second set's stories, by the hand that wrote the rules but before it wrote them"
LINES = "held-out made-up templates of shell lines, each filled up to 6 times and counted once, seed 0"


def of_chains() -> list[Calibration]:
    """Measure every shipped chain: a story is found when every telling is, and accused when any telling is."""
    records = []
    told = [each for each in needles() if each.held_out]
    for chain in shipped():
        hits: dict[int, list[bool]] = defaultdict(list)
        alarms: dict[tuple[str, int], list[bool]] = defaultdict(list)
        for each in told:
            if each.chain == chain.name:
                hits[each.story].append(bool(screen(each.planted, [chain]).flagged))
            # The clean twins of every chain's stories are twins for each chain.
            alarms[each.chain, each.story].append(bool(screen(each.twin, [chain]).flagged))
        found, accused = [all(each) for each in hits.values()], [any(each) for each in alarms.values()]
        records.append(measured(chain.name, chain.version, found, accused, made_of=STORIES))
    return records


def of_chains_blind(*, held_out: bool = True) -> list[Calibration]:
    """Measure every shipped chain on one half of the second set; the chains may be improved on the other half only."""
    told = [each for each in blind() if each.held_out == held_out]
    return [
        measured(
            chain.name,
            chain.version,
            [bool(screen(each.planted, [chain]).flagged) for each in told if each.chain == chain.name],
            [bool(screen(each.twin, [chain]).flagged) for each in told],
            made_of=BLIND,
        )
        for chain in shipped()
    ]


def of_conduct() -> list[Calibration]:
    """Measure the reading of an agent's manner: on replies of its own hand, and on the blind stories of people."""
    shown = [(label, [manner for manner, _ in manners_of(NormalText(text))]) for label, text in replies(held_out=True)]
    calm = [manners for label, manners in shown if label not in ("harm", "manipulation")]
    urges = "urges self-harm"
    people = [each for each in blind() if each.held_out and each.chain == "manipulation"]
    return [
        measured(
            "manner: self-harm urged",
            CONDUCT,
            [urges in manners for label, manners in shown if label == "harm"],
            [urges in manners for label, manners in shown if label != "harm"],
            made_of=REPLIES,
        ),
        measured(
            "manner: manipulation",
            CONDUCT,
            [bool({*manners} - {urges}) for label, manners in shown if label == "manipulation"],
            [bool(manners) for manners in calm],
            made_of=REPLIES,
        ),
        measured(
            "manner: manipulation",
            CONDUCT,
            [any(turn.score for turn in turns_of(each.planted)) for each in people],
            [any(turn.score for turn in turns_of(each.twin)) for each in blind() if each.held_out],
            made_of=PEOPLE,
        ),
    ]


def of_everything() -> list[Calibration]:
    """Measure all that the shipped records say."""
    return [*of_chains(), *of_chains_blind(), of_effects(), *of_conduct()]


def of_effects() -> Calibration:
    """Measure the grading of acts: a template is found when every filling is, and accused when any filling is."""
    severe: dict[str, list[bool]] = defaultdict(list)
    calm: dict[str, list[bool]] = defaultdict(list)
    for case in labelled():
        if case.held_out:
            said = any(map(is_severe, act_effects("bash", {"command": case.line})))
            (severe if case.severe else calm)[case.template].append(said)
    found, accused = [all(each) for each in severe.values()], [any(each) for each in calm.values()]
    return measured("effects", VERSION, found, accused, made_of=LINES)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(written(of_everything()))
