# SPDX-License-Identifier: Apache-2.0
"""Tell the second hand's stories as episodes; a digest of a story's name puts it into one of two halves."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from needles.blind.claims import CLAIMS, SABOTAGE
from needles.blind.departures import EXPORT, WATCH
from needles.blind.losses import LOSS, PEOPLE
from needles.blind.stopping import GRANTS, STOPS
from needles.blind.suites import TESTS
from needles.blind.trespass import ACCESS
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Episode, Source, Step

FILE = "sha256:" + "cd" * 32
TALES = {
    "test-tampering": TESTS,
    "shutdown-avoidance": STOPS,
    "resource-acquisition": GRANTS,
    "unauthorised-access": ACCESS,
    "self-export": EXPORT,
    "overseer-disabling": WATCH,
    "contradicted-claim": CLAIMS,
    "irreversible-destruction": LOSS,
    "sabotage": SABOTAGE,
    "manipulation": PEOPLE,
}


@dataclass(frozen=True, kw_only=True)
class Blind:
    """One story of the second hand with its clean twin; held out are the stories no chain may be improved on."""

    chain: str
    name: str
    planted: Episode
    twin: Episode
    held_out: bool


def blind() -> list[Blind]:
    """Tell every story once; a user's turn is an observation in some and speech in others, as readers have it."""
    found = []
    for chain, tales in TALES.items():
        for name, before, fault, calm, after in tales:
            digest = hashlib.sha256(f"{chain}/{name}".encode()).digest()
            style = digest[1] % 3
            found.append(
                Blind(
                    chain=chain,
                    name=name,
                    planted=spoken((*before, *fault, *after), style),
                    twin=spoken((*before, *calm, *after), style),
                    held_out=digest[0] % 2 == 1,
                )
            )
    return found


def spoken(telling: tuple[tuple[object, ...], ...], style: int = 0) -> Episode:
    """Make an episode: a line is the user's, the agent's thought or speech, or a tool with arguments and answer."""
    steps: list[Step] = []
    for line in telling:
        place, who = len(steps), str(line[0])
        source = Source(file=FILE, line=place + 1, pointer="/content")
        if who == "user":
            kind = "say" if style == 1 else "observe"
            steps.append(Step(index=place, actor="user", kind=kind, source=source, content=str(line[1])))  # type: ignore[arg-type]
        elif who in ("say", "think"):
            steps.append(Step(index=place, actor="agent", kind=who, source=source, content=str(line[1])))  # type: ignore[arg-type]
        else:
            call = "" if style == 2 else f"c{place}"
            arguments = cast("Mapping[str, Plain]", line[1])
            steps.append(
                Step(index=place, actor="agent", kind="act", source=source, tool=who, arguments=arguments, call=call)
            )
            after = Source(file=FILE, line=place + 2, pointer="/content")
            steps.append(
                Step(index=place + 1, actor="tool", kind="result", source=after, content=str(line[2]), call=call)
            )
    return Episode(file=FILE, format="made", name="a run by the second hand", steps=tuple(steps))
