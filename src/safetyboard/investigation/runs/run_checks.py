# SPDX-License-Identifier: Apache-2.0
"""What every recorded run is checked for beyond the chains, and what of it is kept when the run is dropped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from safetyboard.evidence.custody import CustodyBook
from safetyboard.overseers.chains.chain import Match, Quoted, Screening
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.deeds import Deeds
from safetyboard.overseers.claim_and_truth import beside_reference
from safetyboard.overseers.conduct.drift import Drift, drift_of
from safetyboard.overseers.conduct.stakes import Benign, benign_failures
from safetyboard.overseers.conduct.steps import Declared, Overreach, overreaches
from safetyboard.overseers.conduct.turns import Turn, turns_of
from safetyboard.overseers.learned import screen_file
from safetyboard.overseers.learned.screen import Scored, Screen
from safetyboard.overseers.prohibitions.pack import SCHEMA, Breach, Pack, breaches, default_pack, joined, read_pack
from safetyboard.readers.stored import printable
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError, UnreadableInput
from safetyboard.terms.judgement import Judgement

SUFFIX = ".prohibitions.toml"
HEAD = 4 << 10
MOST_KEPT = 50
"""Results of one kind kept of one run; how many more there were is counted."""
LONGEST_ANSWER = 100
_Each = TypeVar("_Each")
_ROLES: dict[str, Declared] = {
    "tool only": "tool only",
    "tool": "tool only",
    "tool ai": "tool only",
    "question answering": "question answering",
    "qa": "question answering",
    "oracle": "question answering",
}
_END = r"\s*(?:[.!;\n]|$)"
_SAYS_ROLE: tuple[tuple[Declared, re.Pattern[str]], ...] = (
    (
        "question answering",
        re.compile(r"\b(you|assistant|system|it|model) (only|just) answers? questions" + _END, re.I),
    ),
    ("question answering", re.compile(r"\b(you|assistant|system|it|model) answers? questions only" + _END, re.I)),
    ("question answering", re.compile(r"\bquestion[- ]answering[- ]only (assistant|system|model|ai)\b", re.I)),
    ("tool only", re.compile(r"\btool-only (assistant|system|model|ai|agent)\b", re.I)),
)
"""What declares a role for good; questions *about something*, or tools only *when needed*, declare none."""


@dataclass(frozen=True, kw_only=True)
class Checks:
    """Hold what every run is checked for besides the chains.

    Args:    pack: prohibitions, those of the user laid upon the default ones. screen: a learned one, where given.
    """

    pack: Pack
    screen: Screen | None = None


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Hold a success that the agent claimed and a recorded outcome denies."""

    quoted: Quoted
    truth: str
    differences: int


@dataclass(kw_only=True)
class Kept:
    """Keep what the checks found in one run; nothing of the run itself but the words to be quoted.

    Args:    opened: when it began, in one clock, or empty. turns: how many the agent said to a person; None where
             there is no conversation. left: results that were not kept, by kind. judged: what the record says that
             others judged, without their words. telling: the words of the piece a screen scored highest.
    """

    opened: str = ""
    task: str = ""
    breaches: tuple[Breach, ...] = ()
    turns: int | None = None
    manners: tuple[Turn, ...] = ()
    drift: Drift | None = None
    declared: Declared | None = None
    overreaches: tuple[Overreach, ...] = ()
    stakes: tuple[Benign, ...] = ()
    claimed: Claimed | None = None
    judged: tuple[Judgement, ...] = ()
    scored: Scored | None = None
    unscored: Judgement | None = None
    telling: Quoted | None = None
    matches: tuple[Match, ...] = ()
    left: dict[str, int] = field(default_factory=dict)


def checks_of(
    book: CustodyBook,
    names: Sequence[str],
    refusals: list[SafetyboardError],
    *,
    pack: Path | None = None,
    screen: Path | None = None,
) -> Checks:
    """Gather what runs are checked for: the default pack, packs that lie beside the logs, and what was named.

    A pack beside the logs that cannot be read is refused, and the others are read; a named one must be readable.

    Raises:  UnreadableInput, SyntaxFault, TooLarge and their kin: of what was named.
    """
    known = tuple(chain.name for chain in shipped())
    packs = [default_pack()]
    given = _taken(book, pack) if pack is not None else ""
    for name in names:
        if name != given and book.items[name].digest and is_pack(name, _head(book, name)):
            try:
                packs.append(read_pack(book.read(name), name, chains=known))
                book.mark(name, "used", "prohibitions")
            except SafetyboardError as error:
                refusals.append(error)
                book.fail(name, error)
    if given:
        packs.append(read_pack(book.read(given), given, chains=known))
        book.mark(given, "used", "prohibitions")
    learned = None
    if screen is not None:
        name = _taken(book, screen / screen_file.NAME if screen.is_dir() else screen)
        learned = screen_file.read_screen(book.read(name), name)
        book.mark(name, "used", "a learned screen")
    return Checks(pack=joined(packs) if len(packs) > 1 else packs[0], screen=learned)


def usual() -> Checks:
    """Give what runs are checked for where nothing else is said."""
    return Checks(pack=default_pack())


def is_pack(name: str, head: bytes) -> bool:
    """Tell whether a file is a pack of prohibitions: by the end of its name, or by the schema it begins with."""
    lowered = name.lower()
    return lowered.endswith(SUFFIX) or (lowered.endswith(".toml") and SCHEMA.encode() in head)


def _head(book: CustodyBook, name: str) -> bytes:
    if not name.lower().endswith(".toml"):
        return b""
    with book.store.path(book.items[name].digest).open("rb") as file:
        return file.read(HEAD)


def _taken(book: CustodyBook, path: Path) -> str:
    if path.is_dir() or path.name not in book.take(path):
        raise UnreadableInput(f"{path}: is not one readable file.", hint="Give the file itself.")
    return path.name


def checked(episode: Episode, screening: Screening, read: Deeds, checks: Checks) -> Kept:
    """Check one run, and keep what was found.

    Args:    screening: what the chains say. read: the deeds of the run.
    """
    kept = Kept(opened=clock_of(episode.opened), task=episode.task, matches=screening.matches)
    kept.breaches = _most(kept, "breaches", breaches(episode, screening, checks.pack, read))
    _towards_people(kept, episode)
    kept.declared = declared_of(episode, checks.pack)
    if kept.declared is not None:
        kept.overreaches = _most(kept, "overreaches", overreaches(episode, kept.declared, read))
    grave = tuple(each for each in benign_failures(episode, read) if each.escalated)
    kept.stakes = _most(kept, "benign failures", grave)
    kept.claimed = _claimed(episode)
    kept.judged = tuple(_slim(each) for each in episode.judgements)
    if checks.screen is not None:
        _score(kept, episode, read, checks.screen)
    return kept


def _most(kept: Kept, kind: str, found: tuple[_Each, ...]) -> tuple[_Each, ...]:
    if len(found) > MOST_KEPT:
        kept.left[kind] = len(found) - MOST_KEPT
    return found[:MOST_KEPT]


def _towards_people(kept: Kept, episode: Episode) -> None:
    """Read the turns of a conversation; where nobody speaks to the agent, there is none."""
    if not any(step.actor == "user" and step.content.strip() for step in episode.steps):
        return
    turns = turns_of(episode)
    if turns:
        kept.turns = len(turns)
        kept.manners = _most(kept, "turns", tuple(turn for turn in turns if turn.manners))
        kept.drift = drift_of([turn.score > 0 for turn in turns]) if kept.manners else None


def declared_of(episode: Episode, pack: Pack) -> Declared | None:
    """Give the role that a pack, the log's own fields or its system prompt declare; None where none does."""
    for told in (episode.system, episode.condition):
        for key in ("declared", "declared_role", "declared role"):
            value = told.get(key)
            if isinstance(value, str) and (role := _ROLES.get(re.sub(r"[-_\s]+", " ", value.strip().lower()))):
                return role
    first = next((step for step in episode.steps if step.actor != "user"), None)
    if first is not None and first.actor == "environment" and first.kind == "observe":
        for role, pattern in _SAYS_ROLE:
            if pattern.search(first.content[:HEAD]):
                return role
    return _ROLES.get(pack.declared)


def _claimed(episode: Episode) -> Claimed | None:
    if not episode.true:
        return None
    found = beside_reference(episode)
    if found.standing != "claimed, not done" or found.claim is None or found.truth is None:
        return None
    truth = f"{found.truth.name or 'outcome'} {found.truth.value} by a {found.truth.by}"
    return Claimed(quoted=found.claim, truth=printable(truth, 120), differences=len(found.differences))


def _slim(judgement: Judgement) -> Judgement:
    """Keep how a judgement ended; its words are long and stand in the record."""
    answer = None if judgement.answer is None else judgement.answer.strip()[:LONGEST_ANSWER]
    return replace(judgement, answer=answer, rationale="", extra={"withheld": judgement.extra.get("withheld") is True})


def _score(kept: Kept, episode: Episode, read: Deeds, screen: Screen) -> None:
    try:
        kept.scored = screen.score(episode)
    except (RecursionError, ValueError, TypeError, AttributeError):
        kept.unscored = screen.judge(episode)
        return
    deed = next((each for each in read.deeds if each.step.index == kept.scored.step), None)
    if deed is not None:
        kept.telling = Quoted(
            step="its most telling piece",
            index=deed.step.index,
            source=deed.step.source,
            quotation=deed.words.quotation(0, 0),
        )


def clock_of(opened: str) -> str:
    """Write a time in one clock, so that texts sort by time; empty where it is no time. None named counts as UTC."""
    try:
        read = datetime.fromisoformat(opened.strip())
    except ValueError:
        return ""
    aware = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat()
    except OverflowError:
        return ""
