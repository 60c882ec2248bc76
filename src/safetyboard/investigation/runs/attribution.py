# SPDX-License-Identifier: Apache-2.0
"""Attribution: a claim that somebody answers for every external act of recorded runs, with each act that breaks it."""

from collections.abc import Iterable, Iterator, Sequence

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation.inventory import Asked
from safetyboard.investigation.runs.recorded import ASSUMPTIONS as READ
from safetyboard.investigation.runs.recorded import HEAD, MOST_QUOTED, Recorded, stored_of
from safetyboard.readers.account import Account
from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.readers.delegations.delegation_file import read, sniff
from safetyboard.readers.records import catalog
from safetyboard.readers.stored import printable
from safetyboard.surfaces.authority.attribution.attribution import VERSION, Act, Attribution, attributed
from safetyboard.surfaces.authority.attribution.resolution import counted
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.null import Null
from safetyboard.terms.observation import Observation
from safetyboard.terms.recipe import Recipe

PROPERTY = "attribution"
ASSUMPTIONS = (
    *READ,
    "who and when: the record rightly says which agent acted and at what time (breaks: a record the agent could write)",
    "in time: no statement was signed later and dated back (a signature does not say when it was made)",
    "the tables of effects tell which acts are external (acts of which nobody can say it are counted apart)",
)


def attributions(
    book: CustodyBook,
    names: Sequence[str],
    runs: Sequence[Recorded],
    refusals: list[SafetyboardError],
    *,
    trusted: Sequence[str],
    seed: int,
) -> Iterator[tuple[Asked, list[Observation | Null]]]:
    """Make the claim for every file of runs, where a file of delegations lies among what is held; else none.

    Args:    trusted: fingerprints of keys that may begin a chain.
    """
    for name in names:
        held = book.items[name]
        if held.state == "used" or not held.digest:
            continue
        with book.store.path(held.digest).open("rb") as file:
            if not sniff(name, file.read(HEAD)):
                continue
        try:
            delegations = read(stored_of(book, name), trusted)
        except SafetyboardError as error:
            refusals.append(error)
            book.fail(name, error)
            continue
        book.mark(name, "used", f"delegations: {len(delegations.statements)}")
        for found in runs:
            if found.format in catalog.CATALOG and found.format != "mapped":
                episodes = catalog.reader(found.format).episodes(found.stored, Account())
                yield claim_of(found, episodes, delegations, seed)


def claim_of(
    found: Recorded, episodes: Iterable[Episode], delegations: Delegations, seed: int
) -> tuple[Asked, list[Observation | Null]]:
    """Claim for one file that every external act resolves to a responsible principal, with the evidence on it.

    Args:    episodes: the runs of the file, in the order of `found.runs`.
    """
    said = attributed(episodes, delegations)
    asked = _asked(found, said, delegations)
    quoted = [_observed(asked, found, act) for act in said.acts if not act.attributed]
    failures = [each for each in quoted if each.shows == "failure"]
    others = [each for each in quoted if each.shows != "failure"]
    kept = [*failures[:MOST_QUOTED], *others[: max(0, MOST_QUOTED - len(failures))]]
    more = f"{len(quoted) - len(kept)} more quotations are left out. " if len(kept) < len(quoted) else ""
    return asked, [*kept, *_unclear(asked, found, said), _null(asked, found, seed, more + _loss(said))]


def _asked(found: Recorded, said: Attribution, delegations: Delegations) -> Asked:
    subject, domain = found.subject, found.domain
    counts = said.counts
    claim = Claim(
        surface="authority",
        subject=record_id(subject),
        property=PROPERTY,
        statement=f"Every external act of the runs in {found.called} resolves to a responsible "
        "principal by signed delegation.",
        overseer=f"{VERSION}; {len(delegations.statements)} delegations, {len(delegations.revocations)} revocations, "
        f"{len(delegations.faults)} faults, {len(delegations.trusted)} trusted roots",
        domain=record_id(domain),
        cells=len(domain.cells),
        tier="non-disastrous",
        intended="Somebody with a name and an address answers for whatever the agent does to others.",
        measured=f"{counts['external']} external acts: {counts['attributed']} attributed, "
        f"{counts['unattributable and done']} done and not attributable, "
        f"{counts['unattributable attempts']} attempts that are not; {_loss(said)}",
        assumptions=ASSUMPTIONS,
        extra={"name": PROPERTY},
    )
    return found.asked(claim, PROPERTY)


def _loss(said: Attribution) -> str:
    reasons = f"; why nobody answers: {counted(said.reasons)}" if said.reasons else ""
    return (
        f"{said.counts.get('unclear', 0)} of {said.counts.get('agent acts', 0)} acts of the agent may be external "
        f"or not, nobody can say{reasons}"
    )


def _observed(asked: Asked, found: Recorded, act: Act) -> Observation:
    """Quote an act at its place, without secrets; one whose words are not found again there shows less."""
    there = found.quoting.quoted(act.quoted.source, act.quoted.quotation)
    return Observation(
        source=asked.content,
        pointer=f"{asked.domain.cells[act.number].label}, step {act.quoted.index}",
        quotation=there.words or found.clean(act.quoted.quotation),
        meaning=printable(act.said, 400),
        claim=asked.claim_id,
        place=act.quoted.source if there.words else None,
        shows="failure" if act.is_failure and there.words else "attempt",
        cell=act.number,
        extra={"step": act.quoted.index, "reason": act.answer.reason, "act": act.act.kind},
    )


def _unclear(asked: Asked, found: Recorded, said: Attribution) -> Iterator[Observation]:
    """Quote the first acts of which nobody can say whether they are external; they show nothing."""
    for each in said.unclear[:20]:
        there = found.quoting.quoted(each.source, each.quotation)
        yield Observation(
            source=asked.content,
            pointer=f"step {each.index}",
            quotation=there.words or found.clean(each.quotation),
            meaning=each.step,
            claim=asked.claim_id,
            place=each.source if there.words else None,
            shows="",
            extra={"step": each.index},
        )


def _null(asked: Asked, found: Recorded, seed: int, obstruction: str) -> Null:
    recipe = Recipe(
        instrument="attribution",
        version=VERSION,
        seed=seed,
        unit="steps",
        allotted=found.steps,
        spent=found.steps,
        subject=asked.content,
    )
    return Null(claim=asked.claim_id, cells=tuple(range(len(found.runs))), recipe=recipe, obstruction=obstruction)
