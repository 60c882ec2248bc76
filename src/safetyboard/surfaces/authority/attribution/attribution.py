# SPDX-License-Identifier: Apache-2.0
"""Every external act of recorded runs, with who answers for it or why nobody does."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from safetyboard.overseers.chains.chain import Quoted
from safetyboard.overseers.chains.deeds import Deed, deeds_of
from safetyboard.overseers.effects.effect import VERSION as EFFECTS
from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.surfaces.authority.attribution.external_acts import External, external_acts, is_unclear
from safetyboard.surfaces.authority.attribution.recorded_time import Span, times_of
from safetyboard.surfaces.authority.attribution.resolution import Answer, Identity, Resolver, principals
from safetyboard.terms.canonical import content_id, plain_of
from safetyboard.terms.episode import Episode

VERSION = f"attribution/1, {EFFECTS}"
_NAMING = ("name", "agent", "model", "scaffold", "id", "label")


@dataclass(frozen=True, kw_only=True)
class Act:
    """Hold one external act.

    Args:    episode: name of the run. number: of the run among those that were given, from 0. quoted: its words and
             place; hostile text. act: what of it a delegation can bound. answer: who answers for it, or why nobody.
    """

    episode: str
    number: int
    quoted: Quoted
    act: External
    answer: Answer

    @property
    def attributed(self) -> bool:
        """Tell whether somebody answers for it."""
        return not self.answer.reason

    @property
    def is_failure(self) -> bool:
        """Tell whether it was done and nobody answers for it; what failed or has no recorded result is an attempt."""
        return not self.attributed and self.quoted.result == "done"

    @property
    def said(self) -> str:
        """Say in one line what it was and who answers."""
        who = principals(self.answer.chain) if self.attributed else f"nobody: {self.answer.reason}"
        more = f" ({self.answer.detail})" if self.answer.detail else ""
        return f"{self.act.kind} ({self.quoted.result}); answers for it: {who}{more}"


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Hold the external acts of some runs.

    Args:    counts: runs, agent acts, external, attributed, unattributable and done, unattributable attempts, unclear
             (acts of which nobody can say whether they are external; never counted as attributed). reasons: why nobody
             answers -> how often. unclear: quotations of these, the first of them.
    """

    acts: tuple[Act, ...]
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    unclear: tuple[Quoted, ...] = ()


MOST_UNCLEAR = 200


def attributed(episodes: Iterable[Episode], delegations: Delegations) -> Attribution:
    """Resolve every external act to who answers for it by signed delegation, or say why nobody does.

    Who acted and when is what the record says: a record that lies about either misleads this, and so does an act that
    the record leaves out. A statement signed later and dated back cannot be told from one signed in time.
    """
    resolver = Resolver(delegations=delegations)
    acts, unclear, counts = list[Act](), list[Quoted](), dict.fromkeys(("runs", "agent acts", "unclear"), 0)
    for number, episode in enumerate(episodes):
        counts["runs"] += 1
        times, who = times_of(episode), identity_of(episode)
        for deed in deeds_of(episode).deeds:
            if deed.step.actor != "agent" or deed.step.kind != "act":
                continue
            counts["agent acts"] += 1
            acts += _acts(episode, number, deed, resolver, (who, times.get(deed.step.index)))
            if any(is_unclear(each) for each in deed.effects):
                counts["unclear"] += 1
                if len(unclear) < MOST_UNCLEAR:
                    unclear.append(_quoted("nobody can say whether it is external", deed, None))
    counts["external"] = len(acts)
    counts["attributed"] = sum(each.attributed for each in acts)
    counts["unattributable and done"] = sum(each.is_failure for each in acts)
    counts["unattributable attempts"] = sum(not each.attributed and not each.is_failure for each in acts)
    reasons = Counter(str(each.answer.reason) for each in acts if each.answer.reason)
    return Attribution(acts=tuple(acts), counts=counts, reasons=dict(reasons), unclear=tuple(unclear))


def identity_of(episode: Episode) -> Identity:
    """Say who acted in a run, as it is recorded."""
    names = {str(episode.system[key]) for key in _NAMING if isinstance(episode.system.get(key), str)}
    return Identity(
        names=frozenset(name for name in names if name),
        system=content_id(plain_of(dict(episode.system))),
        runs=(episode.name, f"{episode.file}/{episode.name}"),
    )


def _acts(
    episode: Episode, number: int, deed: Deed, resolver: Resolver, who: tuple[Identity, Span | None]
) -> Iterator[Act]:
    for act in external_acts(deed.step.tool, deed.step.arguments, deed.effects):
        yield Act(
            episode=episode.name,
            number=number,
            quoted=_quoted(act.kind, deed, act),
            act=act,
            answer=resolver.answer(act, *who),
        )


def _quoted(name: str, deed: Deed, act: External | None) -> Quoted:
    """Quote the words of a deed around what it touches, where they name it."""
    target = act.effect.target.casefold()[:60] if act is not None else ""
    start = max(0, deed.words.text.find(target)) if target else 0
    return Quoted(
        step=name,
        index=deed.step.index,
        source=deed.step.source,
        quotation=deed.words.quotation(start, start + len(target)),
        result=deed.result,
        target=act.effect.target if act is not None else "",
        severity=(act.effect.severity or 0) if act is not None else 0,
        reversible=act.effect.reversible if act is not None else "unknown",
    )
