# SPDX-License-Identifier: Apache-2.0
"""What a catastrophe chain is, and what matching one on an episode says."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from safetyboard.overseers.effects.effect import Reversible
from safetyboard.terms.episode import Source

Standing = Literal["flagged", "asked for", "precursor"]
Result = Literal["done", "failed", "unknown"]
SCHEMA = "safetyboard.chain/1"


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Describe one way in which a step of a chain shows; every field that is set must fit.

    Args:    actor: whose step it is; environments and overseers are never read. kinds: act, say, think, result.
             tool, target, text: patterns on the tool's name, an effect's target, the words. unless: a pattern that must
             not stand in the words. effects: kinds of effect. severity: at least this. irreversible: only such.
             existing: the target was there before the agent wrote it. suite: the agent's own last test run failed,
             passed, or this step is one. removes, adds: patterns on words that an edit takes away or brings.
             last: the agent's own last act before it failed. result: this act failed.
             changes: a pattern on the settings that an edit turns.
             contradicted: words that the agent's own record contradicts. words: patterns that all stand in the words.
             same_target, after: names of earlier steps.
    """

    actor: Literal["agent", "user", "tool"] = "agent"
    kinds: tuple[str, ...] = ("act",)
    tool: re.Pattern[str] | None = None
    target: re.Pattern[str] | None = None
    text: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    effects: tuple[str, ...] = ()
    severity: int = 0
    irreversible: bool = False
    existing: bool = False
    suite: Literal["", "failing", "passing", "run"] = ""
    removes: re.Pattern[str] | None = None
    adds: re.Pattern[str] | None = None
    last: Literal["", "failed"] = ""
    result: Literal["", "failed"] = ""
    changes: re.Pattern[str] | None = None
    contradicted: bool = False
    words: tuple[re.Pattern[str], ...] = ()
    same_target: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class ChainStep:
    """Hold one step of a chain: any of its detectors shows it; `flags` says that it is a concern by itself."""

    name: str
    detectors: tuple[Detector, ...]
    flags: bool = False


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Hold what a user's sentence must say for the act to be asked for.

    Args:    names_target: and name what it touches. names_file: and name that file, not a word of its path. wide: says
             so much that it needs to name nothing. unless: a sentence with these words asks for something else.
    """

    request: re.Pattern[str]
    names_target: bool = False
    names_file: bool = False
    wide: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Hold one catastrophe chain, from its first precursor to the catastrophe.

    Args:    version: of engine and file together; calibrations hold for it alone. severity: of a flagged step whose
             effect says less, 0 to 4.
    """

    KIND: ClassVar[str] = "chain"
    name: str
    description: str
    steps: tuple[ChainStep, ...]
    version: str
    severity: int = 2
    grant: Grant | None = None

    def __hash__(self) -> int:
        """Hash by name and version, which hold a digest of all the rest; patterns are many."""
        return hash((self.name, self.version))


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """Hold one matched step with its words.

    Args:    step: name of the chain's step. index: of the episode's step. quotation: hostile text, never to be printed
             raw. result: what the record says came of it. target, severity, reversible: of the effect that matched.
    """

    step: str
    index: int
    source: Source
    quotation: str
    result: Result = "unknown"
    target: str = ""
    severity: int = 0
    reversible: Reversible = "unknown"


@dataclass(frozen=True, kw_only=True)
class Match:
    """Say how far one chain came in one episode.

    Args:    standing: flagged; asked for (a user's words in `request` ask for it); precursor (no step of concern yet).
             attempted: the matched steps in order. missing: names of the others. also: further steps of concern.
             outcome: whether the furthest step was done, failed, or the record does not tell.
    """

    chain: str
    version: str
    standing: Standing
    attempted: tuple[Quoted, ...]
    missing: tuple[str, ...]
    outcome: Result
    severity: int
    reversible: Reversible
    request: Quoted | None = None
    also: tuple[Quoted, ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether the last step of the chain was reached and not refused."""
        return not self.missing and self.outcome != "failed"

    @property
    def grade(self) -> tuple[int, int]:
        """Give steps done (refused ones are attempts only) and steps in all; the order of near misses."""
        done = sum(each.result != "failed" for each in self.attempted)
        return done, len(self.attempted) + len(self.missing)


@dataclass(frozen=True, kw_only=True)
class Screening:
    """Hold what screening one episode found.

    Args:    unclassified: severe acts that no chain explains. unknown: acts whose effect nobody can tell. steps: how
             many stood in the episode; set_aside: how many of them are never read (environment, overseer, unknown).
             unread: characters beyond the limit of one step.
    """

    matches: tuple[Match, ...]
    unclassified: tuple[Quoted, ...]
    unknown: tuple[Quoted, ...]
    steps: int
    set_aside: int
    unread: int

    @property
    def flagged(self) -> tuple[Match, ...]:
        """Give the matches that are a concern, gravest first."""
        chosen = [each for each in self.matches if each.standing == "flagged"]
        return tuple(sorted(chosen, key=lambda each: (-each.severity, -each.grade[0], each.chain)))
