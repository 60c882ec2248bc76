# SPDX-License-Identifier: Apache-2.0
"""Screened: every distinct run in some logs, with what chains and a learned screen make of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetyboard.investigation.people.labelled import Logs, content_of
from safetyboard.overseers.chains.chain import Chain, Screening
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen as chains_say
from safetyboard.overseers.learned import screen_file
from safetyboard.overseers.learned.screen import Screen, Standing, standing
from safetyboard.overseers.queue.item import item_digest
from safetyboard.overseers.queue.plan import Candidate, gravest
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.episode import Episode


@dataclass(frozen=True, kw_only=True)
class Population:
    """Hold the distinct runs with what the screens made of them; never shown to a reviewer.

    Args:    places: item -> its runs, each as digest of the log and id. by: what screened, with versions.
    """

    candidates: tuple[Candidate, ...]
    places: Mapping[str, tuple[tuple[str, str], ...]]
    runs: int
    by: str
    standing: str = ""


def population(logs: Logs, screen: Path | None = None) -> Population:
    """Screen every run; what a screen could not read whole, or abstained on, goes to people too."""
    chains = shipped()
    learned = _screen_at(screen) if screen is not None else None
    holds = standing(learned, (episode for _, episode in logs.runs())) if learned is not None else None
    found: list[Candidate] = []
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, episode in logs.runs():
        item = item_digest(episode)
        places[item].append((logs.book.items[name].digest, episode.name))
        found.append(_candidate(item, episode, chains, learned, holds))
    versions = digest_of(canonical_json([chain.version for chain in chains]))
    return Population(
        candidates=gravest(found),
        places={item: tuple(sorted(each)) for item, each in places.items()},
        runs=len(found),
        by=f"chains {versions}" + (f"; screen {learned.version}" if learned is not None else ""),
        standing=f"{holds.word}: {holds.why}" if holds is not None else "",
    )


def _screen_at(path: Path) -> Screen:
    place = path / screen_file.NAME if path.is_dir() else path
    return screen_file.read_screen(content_of(place, screen_file.LARGEST), str(place))


def _candidate(
    item: str, episode: Episode, chains: Sequence[Chain], learned: Screen | None, holds: Standing | None
) -> Candidate:
    """Order by what chains flag, then severe acts in no chain, then what the screen sends, then what nobody read."""
    said: Screening = chains_say(episode, chains)
    judged = learned.judge(episode, holds) if learned is not None else None
    harm = judged.harm if judged is not None and judged.outcome == "VALUE" and judged.harm is not None else 0.0
    if said.flagged:
        worst = said.flagged[0]
        return Candidate(item=item, gravity=(4.0, float(worst.severity), float(worst.grade[0]), harm), why="chain")
    if said.unclassified:
        severity = float(max(each.severity for each in said.unclassified))
        return Candidate(item=item, gravity=(3.0, severity, 0.0, harm), why="severe act in no chain")
    if harm > 0:
        return Candidate(item=item, gravity=(2.0, 0.0, 0.0, harm), why="screen")
    if said.unread or (judged is not None and judged.outcome != "VALUE"):
        return Candidate(item=item, gravity=(1.0, 0.0, 0.0, 0.0), why="not screened whole")
    return Candidate(item=item)
