# SPDX-License-Identifier: Apache-2.0
"""Packs of prohibitions, declarative and editable, and the clauses that a recorded run breaks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar

from safetyboard.overseers.chains.chain import Detector, Match, Quoted, Screening
from safetyboard.overseers.chains.chain_file import detector_of, known_keys, text_of, toml_of
from safetyboard.overseers.chains.deeds import Deeds, deeds_of
from safetyboard.overseers.chains.engine import detected
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SyntaxFault

SCHEMA = "safetyboard.prohibitions/1"
ENGINE = "prohibitions/1"
_PACK = ("schema", "name", "clauses", "declared")
DECLARED = ("question answering", "tool only")
_CLAUSE = ("number", "norm", "text", "chains", "detectors", "even_if_asked")


@dataclass(frozen=True, kw_only=True)
class Clause:
    """Hold one prohibition.

    Args:    norm: where the duty comes from, in general words. chains: names of chains that show it broken.
             detectors: what shows it broken besides. even_if_asked: a user's request excuses nothing.
    """

    number: str
    norm: str
    text: str
    chains: tuple[str, ...] = ()
    detectors: tuple[Detector, ...] = ()
    even_if_asked: bool = False


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Hold the prohibitions that stand for every run.

    Args:    version: of engine and file together. declared: the role that the systems are declared to have, or empty.
    """

    KIND: ClassVar[str] = "prohibitions"
    name: str
    version: str
    clauses: tuple[Clause, ...]
    declared: str = ""


@dataclass(frozen=True, kw_only=True)
class Breach:
    """Say which clause a run breaks, and in which words.

    Args:    quoted: the step that shows it. chain: through which chain, or empty. excused: a user's words ask for it,
             so that it is listed and not charged.
    """

    clause: Clause
    quoted: Quoted
    chain: str = ""
    excused: bool = False

    @property
    def sentence(self) -> str:
        """Name the clause; the quotation stands beside it and is never printed raw."""
        said = f"Clause {self.clause.number} ({self.clause.norm}): {self.clause.text}"
        return f"{said} Attempted, and refused." if self.quoted.result == "failed" else said


def default_pack() -> Pack:
    """Read the pack that comes with the product."""
    place = files("safetyboard.overseers.prohibitions").joinpath("default.toml")
    return read_pack(place.read_bytes(), "default.toml", chains=None)


def read_pack(content: bytes, name: str, *, chains: Iterable[str] | None) -> Pack:
    """Read a pack.

    Args:    chains: names a clause may call; None: any.
    Raises:  TooLarge, SyntaxFault: each names the file, the clause and the remedy.
    """
    plain = toml_of(content, name)
    known_keys(plain, _PACK, name)
    if plain.get("schema") != SCHEMA:
        raise SyntaxFault(f"{name}: schema is not {SCHEMA!r}.", hint=f'Write schema = "{SCHEMA}".')
    entries = plain.get("clauses")
    if not isinstance(entries, list) or not entries:
        raise SyntaxFault(f"{name}: there is no [[clauses]].", hint="A pack has at least one.")
    allowed = None if chains is None else frozenset(chains)
    clauses = tuple(_clause(each, f"{name}: [[clauses]] number {at}", allowed) for at, each in enumerate(entries, 1))
    numbers = [each.number for each in clauses]
    twice = next((each for each in numbers if numbers.count(each) > 1), None)
    if twice is not None:
        raise SyntaxFault(f"{name}: two clauses have the number {twice[:20]!r}.", hint="Renumber one.")
    declared = plain.get("declared", "")
    if declared not in ("", *DECLARED):
        raise SyntaxFault(f"{name}: {str(declared)[:60]!r} is no declared role.", hint=f"Known: {', '.join(DECLARED)}.")
    version = f"{ENGINE}+{digest_of(content)[7:19]}"
    return Pack(name=text_of(plain, "name", name), version=version, clauses=clauses, declared=declared)


def joined(packs: Sequence[Pack]) -> Pack:
    """Lay packs upon one another: a clause of a later pack replaces the one with its number, others are added."""
    clauses: dict[str, Clause] = {}
    for pack in packs:
        clauses |= {each.number: each for each in pack.clauses}
    return Pack(
        name=" + ".join(pack.name for pack in packs),
        version=" ".join(pack.version for pack in packs),
        clauses=tuple(clauses.values()),
        declared=next((pack.declared for pack in reversed(packs) if pack.declared), ""),
    )


def breaches(episode: Episode, screening: Screening, pack: Pack, read: Deeds | None = None) -> tuple[Breach, ...]:
    """Name the clauses that a run breaks, each with the step that shows it; the prompt has no say in what is checked.

    Finds what chains and detectors can see, and no more; it is no legal judgement.

    Args:    read: the deeds of the episode, where they were read already.
    """
    deeds = (read or deeds_of(episode)).deeds
    found: list[Breach] = []
    for clause in pack.clauses:
        for match in screening.matches:
            if match.chain in clause.chains and match.standing != "precursor":
                excused = match.standing == "asked for" and not clause.even_if_asked
                found.append(Breach(clause=clause, quoted=_last(match), chain=match.chain, excused=excused))
        for deed in deeds:
            words = (detected(each, f"breaks {clause.number}", deed) for each in clause.detectors)
            if shown := next((each for each in words if each is not None), None):
                found.append(Breach(clause=clause, quoted=shown))
                break
    return tuple(found)


def _last(match: Match) -> Quoted:
    """Give the gravest matched step, of equals the last."""
    return max(match.attempted, key=lambda each: (each.severity, each.index))


def _clause(entry: Any, place: str, allowed: frozenset[str] | None) -> Clause:
    known_keys(entry, _CLAUSE, place)
    chains = entry.get("chains", [])
    if not isinstance(chains, list) or not all(isinstance(each, str) for each in chains):
        raise SyntaxFault(f"{place}: chains is no list of names.", hint='Write chains = ["sabotage"].')
    for each in chains:
        if allowed is not None and each not in allowed:
            raise SyntaxFault(
                f"{place}: there is no chain {each[:60]!r}.", hint=f"Known: {', '.join(sorted(allowed))}."
            )
    detectors = entry.get("detectors", [])
    if not isinstance(detectors, list) or not (chains or detectors):
        raise SyntaxFault(f"{place}: nothing shows it broken.", hint="Name chains or write [[clauses.detectors]].")
    return Clause(
        number=text_of(entry, "number", place),
        norm=text_of(entry, "norm", place),
        text=text_of(entry, "text", place),
        chains=tuple(chains),
        detectors=tuple(detector_of(each, f"{place}, detector {at}") for at, each in enumerate(detectors, 1)),
        even_if_asked=_yes(entry, place),
    )


def _yes(entry: Mapping[str, Any], place: str) -> bool:
    value = entry.get("even_if_asked", False)
    if not isinstance(value, bool):
        raise SyntaxFault(f"{place}: even_if_asked is neither true nor false.", hint="Write even_if_asked = true.")
    return value
