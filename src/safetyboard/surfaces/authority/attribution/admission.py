# SPDX-License-Identifier: Apache-2.0
"""Grants of high autonomy are refused where nobody answers for what they let happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from safetyboard.overseers.goals.autonomy import HIGH, Autonomy, autonomy
from safetyboard.overseers.goals.powers import Power, powers_of
from safetyboard.readers.delegations.delegation import ActKind, Delegations
from safetyboard.surfaces.authority.attribution.recorded_time import Span
from safetyboard.surfaces.authority.attribution.resolution import Answer, Identity, Resolver, fits
from safetyboard.terms.grant import Grant

_ANSWERED: Mapping[Power, ActKind] = {
    "send": "network", "speak": "message", "spend": "money", "delete": "deletion", "run": "deletion",
}  # fmt: skip
"""Which kind of external act each power lets happen; a program that is run can delete what lies outside."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Say for which kind of act of a grant nobody answers, and where the grant gives the power to it."""

    grant: str
    kind: ActKind
    power: Power
    place: str
    autonomy: Autonomy
    reason: str


def refusals(grant: Grant, delegations: Delegations, at: datetime) -> tuple[Refusal, ...]:
    """List why a grant of high autonomy must not be given at a time; none where it may, or where it is not high.

    For each kind of external act that the grant lets happen alone, one chain must name the grant's agent (or the digest
    of its file as the system) and delegate that kind. Bounds inside a delegation (hosts, amounts) are not compared with
    the grant's: an act beyond them shows when it is attributed.

    Args:    at: with its zone.
    """
    graded = autonomy(grant)
    if graded.level < HIGH:
        return ()
    resolver, who = Resolver(delegations=delegations), _identity(grant)
    found, when = list[Refusal](), Span(earliest=at, latest=at)
    told = set[ActKind]()
    for power, place in sorted(powers_of(grant).items()):
        kind = _ANSWERED.get(power)
        if kind is None or kind in told:
            continue
        told.add(kind)
        answer = _answer(resolver, kind, who, when)
        if answer:
            found.append(Refusal(grant=grant.name, kind=kind, power=power, place=place, autonomy=graded, reason=answer))
    return tuple(found)


def _identity(grant: Grant) -> Identity:
    return Identity(names=frozenset({grant.subject, grant.name} - {""}), system=grant.source, runs=())


def _answer(resolver: Resolver, kind: ActKind, who: Identity, when: Span) -> str:
    """Say why nobody answers for a kind of act, or nothing."""
    reasons = ["no delegation names this agent"]
    for leaf in resolver.delegations.statements:
        if not (leaf.delegate.agent or leaf.delegate.system) or leaf.delegate.runs or not fits(leaf, who):
            continue
        if leaf.fault:
            reasons.append(f"{leaf.fault}: {leaf.place}")
            continue
        links, refused = resolver.links(leaf)
        reason = _said(refused) if refused is not None else resolver.untimely(links, when)
        if not reason and not all(fits(link, who) and kind in link.scope.effects for link in links):
            reason = f"{kind} is not delegated"
        if not reason:
            return ""
        reasons.append(f"{reason}: {leaf.place}")
    return reasons[-1]


def _said(answer: Answer) -> str:
    return answer.reason or ""
