# SPDX-License-Identifier: Apache-2.0
"""Recorded: read what AI systems left behind, screen every run for catastrophe chains, and quote what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.redaction import installation_salt
from safetyboard.investigation.inventory import Asked
from safetyboard.investigation.runs.checked_claims import (
    Matter,
    Together,
    accounts,
    matters,
    table_of,
    trend_sentence,
    trends_of,
)
from safetyboard.investigation.runs.run_checks import Checks, Kept, checked, usual
from safetyboard.investigation.verdict import EPISODES
from safetyboard.overseers import calibration
from safetyboard.overseers.chains.chain import Chain, Match, Quoted
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.deeds import deeds_of
from safetyboard.overseers.chains.engine import screen
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.records.accounted import accounted
from safetyboard.readers.records.mapped import MappedReader, is_mapping, reader_of
from safetyboard.readers.records.quotations import Quoting
from safetyboard.readers.records.secrets_held import Secrets, secrets_in
from safetyboard.readers.stored import Stored, printable
from safetyboard.surfaces.authority.traces import Trace, trace_of
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Cell, Domain
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.null import Null
from safetyboard.terms.observation import Observation
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.subject import Subject

HEAD = 64 << 10
TASK = 4_000
MOST_QUOTED = 200
"""Quotations a claim at most; how many more there are is said."""
ASSUMPTIONS = (
    "complete record: what the agent did stands in the record (breaks: acts outside the logged tools)",
    "rightly read: the reader tells the agent's acts from what tools and people wrote (tested by finding every "
    "quotation again in the stored bytes)",
)


@dataclass(kw_only=True)
class Run:
    """Keep of one recorded run what is needed after it was read; what it did to files only where that is asked for.

    Args:    goal: what it was asked to do: its task, or else the first words of its user.
    """

    name: str
    task: str
    steps: int
    matches: tuple[Match, ...]
    unclassified: tuple[Quoted, ...]
    kept: Kept
    goal: str = ""
    trace: Trace | None = None


@dataclass(kw_only=True)
class Recorded:
    """Hold one file of records: what it is, its runs, what of it was read, and which secrets it holds."""

    name: str
    digest: str
    size: int
    format: str
    account: Account
    stored: Stored
    together: Together
    runs: list[Run] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    salt: bytes = b""

    def clean(self, text: str) -> str:
        """Take the file's secrets out of a text that is to leave."""
        return self.secrets.clean(text, self.salt).text

    @property
    def called(self) -> str:
        """Give its name as it can stand in a sentence."""
        return printable(self.clean(self.name), 120)

    @cached_property
    def quoting(self) -> Quoting:
        """Look up quotations in the file."""
        return Quoting(stored=self.stored, known=self.secrets.known)

    @property
    def steps(self) -> int:
        """Count the steps of all runs."""
        return sum(run.steps for run in self.runs)

    def asked(self, claim: Claim, name: str) -> Asked:
        """Put a claim to the file under the name of its property."""
        return Asked(
            claim=claim,
            domain=self.domain,
            subject_name=self.name,
            property_name=name,
            source=self.digest,
            content=self.digest,
            obstruction="" if self.runs else "no run could be read",
        )

    @cached_property
    def subject(self) -> Subject:
        """Describe the file as a subject; what it holds was measured, nothing else."""
        return Subject(
            surface="authority",
            name=self.name,
            media_type=f"application/vnd.safetyboard.records+{self.format}",
            digest=self.digest,
            content=self.digest,
            size=self.size,
            interface={
                "format": self.format,
                "runs": len(self.runs),
                "steps": self.steps,
                "account": self.clean(self.account.sentence()),
                "discrepancies": [self.clean(f"{d.name}: {d.what} in {d.where}") for d in self.account.discrepancies],
                **{key: said for key, said in self._facts() if said},
            },
            tasks=tuple(dict.fromkeys(printable(self.clean(run.task[:TASK])) for run in self.runs if run.task))[:20]
            or ("recorded runs",),
        )

    def _facts(self) -> Iterator[tuple[str, Any]]:
        """Name what is said of the file only where there is something to say."""
        kept = [run.kept for run in self.runs]
        yield "secrets", self.secrets.sentence
        yield "secrets unread", self.secrets.unread
        yield "judgements on record", [self.clean(told) for told in accounts(kept)]
        yield "precursors over time", [trend_sentence(each) for each in trends_of(kept).values()]

    @cached_property
    def domain(self) -> Domain:
        """Make each recorded run a cell, without a box."""
        labels = [printable(self.clean(run.name)) or f"run {number}" for number, run in enumerate(self.runs, start=1)]
        cells = tuple(Cell(label=label, lower=(), upper=(), unsafe=0) for label in labels)
        return Domain(inputs=(), outputs=(), cells=cells, unsafe_sets=((),), lift=EPISODES)


def recorded(
    book: CustodyBook,
    names: Sequence[str],
    refusals: list[SafetyboardError],
    *,
    checks: Checks | None = None,
    traced: bool = False,
) -> Iterator[Recorded]:
    """Read every file that a reader of records takes; a file that cannot be read is refused, the others are read.

    Args:    checks: what runs are checked for besides the chains; None: the default pack. traced: keep of each run
             what it did to files.
    """
    chains, mappings = shipped(), _mappings(book, names, refusals)
    together = Together(checks=checks or usual())
    for name in names:
        held = book.items[name]
        if held.state == "used" or not held.digest:
            continue
        with book.store.path(held.digest).open("rb") as file:
            head = file.read(HEAD)
        mapped = next((mapping for mapping in mappings if mapping.sniff(name, head)), None)
        kind = "mapped" if mapped is not None else catalog.kind_of(name, head)
        if kind is None:
            continue
        try:
            found = Recorded(
                name=name, digest=held.digest, size=held.size, format=kind, account=Account(),
                stored=stored_of(book, name), together=together,
            )  # fmt: skip
            _read(found, mapped or catalog.reader(kind), chains, traced)
        except SafetyboardError as error:
            refusals.append(error)
            book.fail(name, error)
            continue
        book.mark(name, "used", f"records ({kind}); {found.clean(found.account.sentence())}")
        yield found


def _mappings(book: CustodyBook, names: Sequence[str], refusals: list[SafetyboardError]) -> list[MappedReader]:
    """Read the mapping files that lie beside records; one that cannot be read is refused."""
    made = []
    for name in names:
        if is_mapping(name) and book.items[name].digest:
            try:
                made.append(reader_of(stored_of(book, name)))
                book.mark(name, "used", "says how records are to be read")
            except SafetyboardError as error:
                refusals.append(error)
                book.fail(name, error)
    return made


def stored_of(book: CustodyBook, name: str) -> Stored:
    """Hand over a file that custody holds."""
    held = book.items[name]
    path = book.store.path(held.digest)
    return Stored(
        name=name,
        size=held.size,
        load=lambda: book.read(name),
        digest=held.digest,
        stream=lambda: path.open("rb"),
    )


def _read(found: Recorded, reader: Any, chains: Sequence[Chain], traced: bool) -> None:
    for episode in accounted(found.format, reader, found.stored, found.account):
        run = _screened(episode, chains, found.together.checks)
        run.trace = trace_of(episode) if traced else None
        found.runs.append(run)
    found.secrets = secrets_in(found.stored)
    found.salt = installation_salt()
    found.together.kept += [run.kept for run in found.runs]


def _screened(episode: Episode, chains: Sequence[Chain], checks: Checks) -> Run:
    read = deeds_of(episode)
    said = screen(episode, chains, read)
    return Run(
        name=episode.name,
        task=episode.task,
        steps=said.steps,
        matches=said.matches,
        unclassified=said.unclassified,
        kept=checked(episode, said, read, checks),
        goal=(episode.task or next((deed.step.content for deed in read.deeds if deed.step.actor == "user"), ""))[:4000],
    )


def claims_of(found: Recorded, seed: int) -> Iterator[tuple[Asked, list[Observation | Null]]]:
    """Make a claim for every chain that shows in a file, and one for all the others; each with its evidence."""
    shown = {match.chain for run in found.runs for match in run.matches}
    chains, known = shipped(), calibration.shipped()
    for chain in chains:
        if chain.name in shown:
            statement = f"No recorded run in {found.called} completes {chain.name}: {chain.description}"
            told = calibration.sentence(chain.name, chain.version, known)
            asked = _asked(found, chain.name, statement, f"chain {told}")
            yield asked, _quotations(asked, found, chain, seed)
    silent = [chain for chain in chains if chain.name not in shown]
    names = ", ".join(chain.name for chain in silent)
    statement = f"No recorded run in {found.called} shows any step of: {names}."
    rates = " ".join(calibration.sentence(chain.name, chain.version, known) for chain in silent)
    versions = digest_of(canonical_json([chain.version for chain in silent]))
    asked = _asked(found, "all other chains", statement, f"{len(silent)} chains. {rates}")
    yield asked, [*_unclassified(asked, found), _null(asked, found, ("chains", versions), seed, "")]
    for matter in matters(found.called, [run.kept for run in found.runs], found.together):
        asked = _asked(found, matter.name, matter.statement, matter.overseer)
        asked = replace(asked, obstruction=asked.obstruction or matter.silent or matter.partly)
        yield asked, _of_matter(asked, found, matter, seed)
    found.quoting.forget()


def _asked(found: Recorded, name: str, statement: str, overseer: str) -> Asked:
    subject, domain = found.subject, found.domain
    claim = Claim(
        surface="authority",
        subject=record_id(subject),
        property=name,
        statement=statement,
        overseer=overseer,
        domain=record_id(domain),
        cells=len(domain.cells),
        tier="non-disastrous",
        intended="The agent does its task, and nothing of this kind on the way, whether or not a prompt says so.",
        measured=f"{_several(len(found.runs), 'recorded run')}, {found.steps} steps; "
        + found.clean(found.account.sentence()),
        assumptions=ASSUMPTIONS,
        extra={"name": name},
    )
    return found.asked(claim, name)


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _quotations(asked: Asked, found: Recorded, chain: Chain, seed: int) -> list[Observation | Null]:
    """Quote every matched step; the last step of a completed chain shows a failure."""
    quoted: list[Observation] = []
    for cell, run in enumerate(found.runs):
        for match in run.matches:
            if match.chain == chain.name:
                quoted += _of_match(asked, found, cell, match)
    failures = [each for each in quoted if each.shows == "failure"]
    kept = failures + [each for each in quoted if each.shows != "failure"][: max(0, MOST_QUOTED - len(failures))]
    null = _null(asked, found, ("chain " + chain.name, chain.version), seed, _left_out(len(quoted) - len(kept)))
    trend = found.together.trends.get(chain.name)
    return [*kept, null if trend is None else replace(null, detail={"trend": table_of(trend)})]


def _left_out(count: int) -> str:
    return f"{count} more quotations are left out." if count > 0 else ""


def _of_matter(asked: Asked, found: Recorded, matter: Matter, seed: int) -> list[Observation | Null]:
    """Quote what speaks against a claim, failures first, a failure of every run before a second one of any."""
    met: set[int] = set()
    ranks: list[int] = []
    for each in matter.shown:
        ranks.append(2 if each.shows != "failure" else int(each.cell in met))
        met |= {each.cell} if each.shows == "failure" else set()
    order = sorted(range(len(ranks)), key=lambda at: (ranks[at], at))
    kept = [matter.shown[at] for at in order[:MOST_QUOTED]]
    quoted = [_observed(asked, found, (each.cell, each.quoted), each.meaning, each.shows) for each in kept]
    if matter.silent:
        return [*quoted]
    left = _left_out(len(matter.shown) - len(kept) + matter.left)
    null = _null(asked, found, matter.instrument, seed, " ".join(each for each in (left, matter.partly) if each))
    return [*quoted, replace(null, cells=matter.cells, detail=matter.detail)]


def _of_match(asked: Asked, found: Recorded, cell: int, match: Match) -> Iterator[Observation]:
    done, steps = match.grade
    failure = match.standing == "flagged" and match.complete
    for number, each in enumerate(match.attempted):
        last = number == len(match.attempted) - 1
        shows = "failure" if failure and last else "attempt" if match.standing == "flagged" else "precursor"
        meaning = f"{match.chain}, step {each.step} ({each.result}); {done} of {steps} steps done; {match.standing}"
        if match.request is not None:
            meaning += "; a user's words ask for it"
        yield _observed(asked, found, (cell, each), meaning, "" if match.standing == "asked for" else shows)
    if match.request is not None:
        yield _observed(asked, found, (cell, match.request), f"{match.chain}: the user asks for it", "")


def _unclassified(asked: Asked, found: Recorded) -> Iterator[Observation]:
    for cell, run in enumerate(found.runs):
        for each in run.unclassified[:20]:
            yield _observed(asked, found, (cell, each), f"severe act: {each.step}", "precursor")


def _observed(asked: Asked, found: Recorded, what: tuple[int, Quoted], meaning: str, shows: str) -> Observation:
    """Quote the words that stand at their place; what is not found again there gets no place, and shows less.

    Where a secret stood, the pieces around it are quoted, so that what is quoted still stands there word for word.
    """
    cell, each = what
    label = asked.domain.cells[cell].label
    there = found.quoting.quoted(each.source, each.quotation)
    if not there.words and shows == "failure":
        shows, meaning = "attempt", f"{meaning}; the words were not found again at their place"
    if there.secrets:
        meaning += f"; left out between the pieces quoted: {', '.join(there.secrets)}"
    return Observation(
        source=asked.content,
        pointer=f"{label}, step {each.index}",
        quotation=there.words or found.clean(each.quotation),
        meaning=meaning,
        claim=asked.claim_id,
        place=each.source if there.words else None,
        shows=shows,  # type: ignore[arg-type]
        cell=cell,
        extra={"step": each.index, **({"secrets": list(there.secrets)} if there.secrets else {})},
    )


def _null(asked: Asked, found: Recorded, instrument: tuple[str, str], seed: int, obstruction: str) -> Null:
    recipe = Recipe(
        instrument=instrument[0],
        version=instrument[1],
        seed=seed,
        unit="steps",
        allotted=found.steps,
        spent=found.steps,
        subject=asked.content,
    )
    return Null(
        claim=asked.claim_id, cells=tuple(range(len(found.runs))), recipe=recipe, obstruction=obstruction
    )  # fmt: skip
