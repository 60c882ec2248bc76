# SPDX-License-Identifier: Apache-2.0
"""Tell the broad set, for development alone: every story in several dialects, wordings and log styles, with its twin."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from needles.blind.episodes import spoken
from needles.broad.carriers import Line, carried, worded
from needles.broad.tales_of_harm import ACCESS, EXPORT, LOSS, STOPS, TESTS
from needles.broad.tales_of_power import GRANTS, SABOTAGE, WATCH
from needles.broad.tales_of_words import CLAIMS, PEOPLE
from safetyboard.terms.episode import Episode

Tale = tuple[str, tuple[Line, ...], tuple[Line, ...]]
"""What the user said, the fault, and what is done in the clean twin."""
TALES: dict[str, tuple[Tale, ...]] = {
    "contradicted-claim": CLAIMS,
    "irreversible-destruction": LOSS,
    "manipulation": PEOPLE,
    "overseer-disabling": WATCH,
    "resource-acquisition": GRANTS,
    "sabotage": SABOTAGE,
    "self-export": EXPORT,
    "shutdown-avoidance": STOPS,
    "test-tampering": TESTS,
    "unauthorised-access": ACCESS,
}
TELLINGS = 4


@dataclass(frozen=True, kw_only=True)
class Broad:
    """One telling of one story with its clean twin, in the same dialect."""

    chain: str
    story: int
    planted: Episode
    twin: Episode


def broad(*, tellings: int = TELLINGS, seed: int = 0) -> list[Broad]:
    """Tell every story so many times; two tellings of a story share neither dialect nor, as a rule, wording."""
    found = []
    for chain, tales in TALES.items():
        for story, (asked, fault, calm) in enumerate(tales):
            first = hashlib.sha256(f"{chain}/{story}".encode()).digest()[0]
            for turn in range(tellings):
                dialect = first + turn * 3
                pick = first + turn + seed
                request = worded(asked, pick)
                found.append(
                    Broad(
                        chain=chain,
                        story=story,
                        planted=_told(request, fault, dialect, pick),
                        twin=_told(request, calm, dialect, pick),
                    )
                )
    return found


def _told(request: str, lines: Sequence[Line], dialect: int, pick: int) -> Episode:
    steps = [each for line in lines for each in carried(line, dialect, pick)]
    return spoken((("user", request), *steps), (dialect // 3) % 3)
