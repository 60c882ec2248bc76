# SPDX-License-Identifier: Apache-2.0
"""Tell the broad set, for development alone: each story in several dialects and wordings, with its twin."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from needles.blind.episodes import spoken
from needles.broad.carriers import Line, carried, worded
from safetyboard.terms.episode import Episode

FOLDER = Path(__file__).parent / "tales"
"""One file a chain: what the user said, the fault, and what is done in the clean twin; wordings in guillemets."""
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
    for path in sorted(FOLDER.glob("*.json")):
        chain = path.stem
        for story, tale in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            first = hashlib.sha256(f"{chain}/{story}".encode()).digest()[0]
            for turn in range(tellings):
                dialect = first + turn * 3
                pick = first + turn + seed
                request = worded(tale["asked"], pick)
                found.append(
                    Broad(
                        chain=chain,
                        story=story,
                        planted=_told(request, tale["fault"], dialect, pick),
                        twin=_told(request, tale["calm"], dialect, pick),
                    )
                )
    return found


def _told(request: str, lines: Sequence[Line], dialect: int, pick: int) -> Episode:
    steps = [each for line in lines for each in carried(line, dialect, pick)]
    return spoken((("user", request), *steps), (dialect // 3) % 3)
