# SPDX-License-Identifier: Apache-2.0
"""From an act to whoever answers for it: chains of delegations, every link of which must cover the act."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from safetyboard.evidence.keys import fingerprint_of
from safetyboard.readers.delegations.delegation import Delegation, Delegations, Principal, Scope
from safetyboard.surfaces.authority.attribution.external_acts import External
from safetyboard.surfaces.authority.attribution.recorded_time import Span

LONGEST_CHAIN = 16
Reason = Literal[
    "no delegation",
    "for another agent",
    "forged",
    "wrong key",
    "broken chain",
    "sub-delegation not allowed",
    "untrusted root",
    "no time",
    "not yet valid",
    "expired",
    "revoked",
    "over-scoped",
]
_NEARNESS: dict[str, int] = {
    each: number
    for number, each in enumerate(
        (
            "no delegation", "for another agent", "forged", "wrong key", "broken chain", "untrusted root",
            "sub-delegation not allowed", "no time", "not yet valid", "expired", "revoked", "over-scoped",
        )
    )
}  # fmt: skip
"""Of several delegations that fail, the reason of the one that came furthest is told."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Say who acted, as the record names it.

    Args:    names: what the agent is called. system: digest of the recorded system. runs: names of the run.
    """

    names: frozenset[str]
    system: str
    runs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Say who answers, from the root to whoever delegated to the agent; or the one reason why nobody does."""

    chain: tuple[Principal, ...] = ()
    statements: tuple[str, ...] = ()
    reason: Reason | Literal[""] = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Resolve acts against what was delegated; made once for a set of delegations."""

    delegations: Delegations
    _found: dict[str, Delegation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A forged copy of a statement has the id of the true one and must not stand in its way.
        for each in sorted(self.delegations.statements, key=lambda each: not each.fault):
            self._found[each.id] = each

    def answer(self, act: External, who: Identity, when: Span | None) -> Answer:
        """Say who answers for an act, or why nobody does; one chain that covers it suffices."""
        worst = Answer(reason="no delegation", detail="no statement names any agent" if not self._found else "")
        for leaf in self.delegations.statements:
            found = self._through(leaf, act, who, when)
            if not found.reason:
                return found
            if _NEARNESS[found.reason] > _NEARNESS[worst.reason]:
                worst = found
        return worst

    def _through(self, leaf: Delegation, act: External, who: Identity, when: Span | None) -> Answer:
        if not (leaf.delegate.agent or leaf.delegate.system or leaf.delegate.runs):
            return Answer(reason="no delegation")
        if not fits(leaf, who):
            return Answer(reason="for another agent", detail=leaf.place)
        if leaf.fault:
            return Answer(reason="forged" if leaf.fault == "forged" else "wrong key", detail=leaf.place)
        links, refused = self.links(leaf)
        if refused is not None:
            return refused
        if not all(fits(link, who) for link in links):
            return Answer(reason="for another agent", detail=leaf.place)
        reason = self.untimely(links, when)
        if reason:
            return Answer(reason=reason, detail=leaf.place)
        for link in links:
            lacking = beyond(link.scope, act)
            if lacking:
                return Answer(reason="over-scoped", detail=f"{link.place}: {lacking}")
        chain = tuple(reversed(links))
        return Answer(chain=tuple(each.principal for each in chain), statements=tuple(each.id for each in chain))

    def links(self, leaf: Delegation) -> tuple[tuple[Delegation, ...], Answer | None]:
        """Follow a delegation up to its root; with what is wrong on the way, or None."""
        links = [leaf]
        while links[-1].parent:
            link, parent = links[-1], self._found.get(links[-1].parent)
            if parent is None or len(links) >= LONGEST_CHAIN:
                why = "what it rests on is not there" if parent is None else "the chain is too long"
                return (), Answer(reason="broken chain", detail=f"{link.place}: {why}")
            if parent.fault:
                reason: Reason = "forged" if parent.fault == "forged" else "wrong key"
                return (), Answer(reason=reason, detail=parent.place)
            if parent.delegate.key != link.principal.key:
                return (), Answer(reason="wrong key", detail=f"{link.place}: signed by another than was delegated to")
            if not parent.may_delegate:
                return (), Answer(reason="sub-delegation not allowed", detail=parent.place)
            links.append(parent)
        root = fingerprint_of(bytes.fromhex(links[-1].principal.key))
        if root not in self.delegations.trusted:
            return (), Answer(reason="untrusted root", detail=f"{links[-1].place}: {root}")
        return tuple(links), None

    def untimely(self, links: tuple[Delegation, ...], when: Span | None) -> Reason | Literal[""]:
        """Say why no chain held at a time, or nothing; whatever can have been too early or too late is."""
        if when is None:
            return "no time"
        if any(when.earliest < link.begins for link in links):
            return "not yet valid"
        if any(when.latest >= link.ends for link in links):
            return "expired"
        for number, link in enumerate(links):
            entitled = {each.principal.key for each in links[number:]}
            for each in self.delegations.revocations:
                if each.delegation == link.id and each.key in entitled and when.latest >= each.at:
                    return "revoked"
        return ""


def fits(link: Delegation, who: Identity) -> bool:
    """Tell whether a delegation speaks of whoever acted: every field that it gives fits."""
    named = link.delegate
    return (
        (not named.agent or named.agent in who.names)
        and (not named.system or named.system == who.system)
        and (not named.runs or any(fnmatchcase(each, named.runs) for each in who.runs))
    )


def beyond(scope: Scope, act: External) -> str:
    """Say what of an act a scope does not cover; a bound that the record does not let one check is not met."""
    if act.kind not in scope.effects:
        return f"{act.kind} is not delegated"
    for what, said, patterns in _bounds(scope, act):
        if patterns is not None and not (said and any(fnmatchcase(said, each) for each in patterns)):
            return f"{what} is not told" if not said else f"another {what}"
    if act.kind == "money" and scope.most is not None and (act.amount is None or act.amount > scope.most):
        return "the amount is not told" if act.amount is None else "a larger amount"
    if act.kind == "money" and scope.unit and act.unit.casefold() != scope.unit.casefold():
        return "another currency, or none told"
    return ""


def _bounds(scope: Scope, act: External) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
    target = act.effect.target
    # A path that climbs would lead out of the folder that a pattern names.
    yield "target", "" if ".." in target.replace("\\", "/").split("/") else target, scope.targets
    hosts = None if scope.hosts is None else tuple(each.lower() for each in scope.hosts)
    yield "host", act.host, hosts
    yield "repository", act.repository, scope.repositories


def principals(chain: tuple[Principal, ...]) -> str:
    """Write a chain of principals in one line, the root first."""
    return " → ".join(f"{each.name} ({each.contact})" for each in chain)


def counted(reasons: Mapping[str, int]) -> str:
    """Write reasons with their counts, the nearest to an answer last."""
    return ", ".join(f"{reasons[each]} {each}" for each in _NEARNESS if reasons.get(each))
