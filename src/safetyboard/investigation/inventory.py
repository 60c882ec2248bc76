# SPDX-License-Identifier: Apache-2.0
"""Inventory: what was brought, what each thing is, and which claims are made about which subject."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation import pairing
from safetyboard.investigation.examination import Question
from safetyboard.investigation.pairing import Pair
from safetyboard.readers.catalog import CATALOG, kind_of, reader
from safetyboard.readers.claims_toml import ClaimDraft, read_claims
from safetyboard.readers.compressed import bare_name
from safetyboard.readers.stored import Stored
from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Domain, Variable
from safetyboard.terms.errors import SafetyboardError, UnreadableInput, WrongUse
from safetyboard.terms.network import Network
from safetyboard.terms.subject import Subject

ASSUMPTIONS = (
    "float32: the deployed network computes in float32 with any order of summation (breaks: half precision, "
    "rewritten convolutions; tested by running it beside exact arithmetic)",
    "in the box: what reaches the network lies in the claim's box (breaks: one input outside it)",
    "same bytes: the deployed network is these bytes (breaks: one changed weight; tested by the digest)",
)
INDEPENDENT = (
    "independent inputs: every input of a box varies on its own (breaks: linked inputs, whose combinations in the "
    "box may be impossible; a failure is one inside the box, and says no more)"
)
NO_TASK = "finite outputs on random inputs"
NO_PROPERTY = "no property; give one with --property FILE.vnnlib, or write claims.toml beside the network"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Hold one claim as made: its records, what to work on, and why it cannot be worked on, where that is so.

    Args:    subject_name, property_name: the input files' names. source: digest of the property's bytes.
             content: digest of the subject's unpacked bytes.
    """

    claim: Claim
    domain: Domain
    subject_name: str
    property_name: str
    source: str
    question: Question | None = None
    obstruction: str = ""
    content: str = ""

    @property
    def claim_id(self) -> str:
        """Name the claim."""
        return record_id(self.claim)


@dataclass(kw_only=True)
class Inventory:
    """Hold what was found: subjects by file name, their networks, and the claims in order."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    refusals: list[SafetyboardError] = field(default_factory=list)


def take_inventory(book: CustodyBook, path: Path, *, chosen: Path | None, alone: bool = True) -> Inventory:
    """Read what custody holds and make the claims; nothing is interpreted before custody has it.

    Args:    path: what is investigated. chosen: a property named on the command line. alone: nothing but networks is
             looked for, so that finding none is an error.
    Raises:  UnreadableInput: nothing recognisable, or nothing readable.
    """
    names = list(book.take(path))
    chosen_name = _take_chosen(book, chosen, names) if chosen is not None else None
    found = Inventory()
    pairs = _pairs(book, names, chosen_name, found)
    if not pairs and not found.asked and not alone:
        return found
    if not pairs and not found.asked:
        raise found.refusals[0] if found.refusals else _nothing(book, path)
    tasks = {pair.network: [p.property for p in pairs if p.network == pair.network] for pair in pairs}
    for pair in pairs:
        _ask(book, pair, [bare_name(name) for name in tasks[pair.network] if name] or [NO_TASK], found)
    if alone and found.refusals and not any(asked.question or not asked.obstruction for asked in found.asked):
        raise found.refusals[0]
    return found


def _nothing(book: CustodyBook, path: Path) -> UnreadableInput:
    """Say why there is nothing to investigate: a network that could not be taken, or no network at all."""
    for name, held in book.items.items():
        if not held.digest and pairing.is_network(name):
            return UnreadableInput(f"{name}: cannot be read ({held.why}).", hint="Check the file and its permissions.")
    return UnreadableInput(
        f"{path}: nothing recognisable is here.",
        hint="Give an ONNX network with a VNN-LIB property or claims.toml, agent logs, or a folder of them.",
    )


def _take_chosen(book: CustodyBook, chosen: Path, names: list[str]) -> str:
    if not pairing.is_property(chosen.name):
        raise WrongUse(f"{chosen}: --property takes a VNN-LIB file.", hint="Its name ends in .vnnlib or .vnnlib.gz.")
    if not any(pairing.is_network(name) for name in names):
        raise UnreadableInput("There is no ONNX network to put the property to.", hint="Give PATH an .onnx file.")
    if chosen.is_dir() or chosen.name not in book.take(chosen):
        raise UnreadableInput(f"{chosen}: is not one readable property file.", hint="Give one .vnnlib file.")
    return chosen.name


def _pairs(book: CustodyBook, names: Sequence[str], chosen: str | None, found: Inventory) -> tuple[Pair, ...]:
    """Pair what lists name; pair the networks of other folders by names, and let claims files speak for theirs."""
    lists = [] if chosen is not None else [name for name in names if kind_of(name) == "instances"]
    listed: list[Pair] = []
    for name in lists:
        listed += pairing.listed(read_held(book, name, "pairs networks with properties"), names, name)
    free = pairing.outside(names, lists)
    claims = [name for name in free if pairing.is_claims(name)]
    claimed = [subject for name in claims for subject in claims_made(book, name, names, found)]
    return (*listed, *pairing.by_names(free, chosen=chosen, claimed=claimed))


def read_held(book: CustodyBook, name: str, use: str, **facts: Any) -> Any:
    """Let the reader that claims a file by its name read it, and put into the account what it used and left.

    Args:    use: what the file was used for. facts: what its reader must know besides.
    Raises:  UnreadableInput and its kin.
    """
    held = book.items[name]
    kind = kind_of(name)
    if kind not in CATALOG:
        raise UnreadableInput(f"{name}: no reader takes this kind of file.", hint="See docs/reference/readers.md.")
    reading = reader(kind).read(Stored(name=name, size=held.size, load=lambda: book.read(name)), **facts)
    book.mark(name, "used", f"{use}; {reading.loss}" if reading.loss else use)
    return reading.made


def claims_made(book: CustodyBook, name: str, names: Sequence[str], found: Inventory) -> list[str]:
    """Make the claims of one claims file; returns the networks it speaks of."""
    folder = PurePosixPath(name).parent
    try:
        header = read_held(book, name, "claims")
        network_name = _beside(folder, header.network, names, name)
        table = _beside(folder, header.data, names, name) if header.data is not None else None
        subject = subject_of(book, network_name, [f"{name} over {table or 'declared ranges'}"], found)
        network, content = found.networks[network_name], found.contents[network_name]
        deployed = Deployed(content, network.input_shape, {"kind": "identity"}, network_name)
        rows = read_held(book, table, "data", **header.columns) if table is not None else None
        drafts = read_claims(header, table=rows, network=network, predict=deployed)
    except SafetyboardError as error:
        book.fail(name, error)
        found.refusals.append(error)
        raise
    source = book.items[name].digest
    found.asked += [_drafted(draft, subject, name, source, content) for draft in drafts]
    return [network_name]


def _beside(folder: PurePosixPath, wanted: str, names: Sequence[str], claims: str) -> str:
    """Find a file named in a claims file, beside it; ``.gz`` may be added."""
    path = str(folder / wanted).removeprefix("./")
    for name in names:
        if bare_name(name) == bare_name(path):
            return name
    raise UnreadableInput(f"{claims}: names {wanted!r}, which is not beside it.", hint="Add the file, or correct it.")


def _drafted(draft: ClaimDraft, subject: Subject, name: str, source: str, content: bytes) -> Asked:
    extra: dict[str, Plain] = {"name": draft.name, "family": draft.name.partition("@")[0]}
    if draft.radius is not None:
        extra["radius"] = draft.radius
    claim = Claim(
        surface="model",
        subject=record_id(subject),
        property=name,
        statement=draft.statement,
        overseer="the outputs that the claim calls unsafe: harm is the margin by which they are reached",
        domain=record_id(draft.domain),
        cells=len(draft.domain.cells),
        tier=draft.tier,  # type: ignore[arg-type]
        intended=draft.intended,
        measured=draft.measured,
        assumptions=(*ASSUMPTIONS, INDEPENDENT),
        extra={**extra, "counts": dict(draft.counts), **gap_of(draft.domain, draft.intended)},
    )
    question = Question(
        claim=claim, domain=draft.domain, content=content, reference=draft.reference, labelled=draft.labelled
    )
    return Asked(
        claim=claim,
        domain=draft.domain,
        subject_name=subject.name,
        property_name=name,
        source=source,
        content=subject.content,
        question=question,
    )


def subject_of(book: CustodyBook, name: str, tasks: Sequence[str], found: Inventory) -> Subject:
    """Read a network once and describe it; facts about what was measured stand in ``tasks``.

    Raises:  UnreadableInput and its kin: the network cannot be read.
    """
    if name in found.networks:
        return found.subjects[name]
    made, held = read_held(book, name, "subject"), book.items[name]
    found.networks[name], found.contents[name] = made.network, made.content
    found.subjects[name] = Subject(
        surface="model",
        name=name,
        media_type="application/onnx" if held.digest == made.network.content else "application/onnx+gzip",
        digest=held.digest,
        content=made.network.content,
        size=held.size,
        interface=made.facts,
        tasks=tuple(tasks),
    )
    return found.subjects[name]


def _ask(book: CustodyBook, pair: Pair, tasks: Sequence[str], found: Inventory) -> None:
    try:
        if pair.missing:
            raise UnreadableInput(f"{pair.missing}.", hint="Add the file, or drop the line.")
        subject = subject_of(book, pair.network, tasks, found)
    except SafetyboardError as error:
        _refused(book, pair, pair.network, error, found)
        return
    network = found.networks[pair.network]
    if not pair.property:
        found.asked.append(_unasked(subject, network, pair))
        return
    try:
        made = read_held(book, pair.property, "property", inputs=network.inputs, outputs=network.outputs)
    except SafetyboardError as error:
        _refused(book, pair, pair.property, error, found)
        return
    domain: Domain = made.domain
    claim = claim_of_property(subject, pair, domain, made.content)
    found.asked.append(
        Asked(
            claim=claim,
            domain=domain,
            subject_name=pair.network,
            property_name=pair.property,
            source=_digest(book, pair.property),
            content=subject.content,
            question=Question(claim=claim, domain=domain, content=found.contents[pair.network]),
        )
    )


def claim_of_property(subject: Subject, pair: Pair, domain: Domain, content: bytes) -> Claim:
    """Make the claim a VNN-LIB file stands for: no input of its boxes leads to an output it calls unsafe."""
    boxes = f"{len(domain.cells)} box{'es' if len(domain.cells) != 1 else ''}"
    measured = f"{boxes} of {len(domain.inputs)} inputs, every real input in them, {len(domain.excluded)} excluded"
    intended = _preface(content)
    return Claim(
        surface="model",
        subject=record_id(subject),
        property=pair.property,
        statement=f"No input in the boxes of {bare_name(pair.property)} leads {bare_name(pair.network)} to an output "
        "the property calls unsafe.",
        overseer=f"unsafe set of {pair.property}: harm is the margin by which its conditions hold",
        domain=record_id(domain),
        cells=len(domain.cells),
        intended=intended,
        measured=measured,
        assumptions=ASSUMPTIONS,
        extra=gap_of(domain, intended),
    )


def gap_of(domain: Domain, intended: str) -> dict[str, Plain]:
    """List what separates the goal as intended from what is measured; empty where nothing does."""
    gap: list[Plain] = []
    if not intended:
        gap.append("the creator's goal is not written down, so it cannot be compared")
    if domain.excluded:
        gap.append(f"{len(domain.excluded)} of {len(domain.excluded) + len(domain.cells)} cells are not judged")
    return {"gap": gap} if gap else {}


def _preface(content: bytes) -> str:
    """Take the comment at the head of a property as its author's intent."""
    lines = []
    for line in content.decode("utf-8", "replace").splitlines()[:20]:
        text = line.strip()
        if text.startswith(";"):
            lines.append(text.lstrip("; ").strip())
        elif text:
            break
    return " ".join(line for line in lines if line)[:500]


def _refused(book: CustodyBook, pair: Pair, at_fault: str, error: SafetyboardError, found: Inventory) -> None:
    """Keep an unreadable pair in the account: a claim that was not run, and why."""
    found.refusals.append(error)
    held = book.items.get(at_fault)
    if held is not None and held.state != "used":
        book.fail(at_fault, error)
    subject = found.subjects.get(pair.network) or Subject(
        surface="model",
        name=pair.network,
        media_type="application/octet-stream",
        digest=_digest(book, pair.network),
        content=_digest(book, pair.network),
        size=book.items[pair.network].size if pair.network in book.items else 0,
        interface={"unreadable": error.message},
        tasks=("nothing, as it could not be read",),
    )
    found.subjects.setdefault(pair.network, subject)
    domain = Domain(inputs=(), outputs=(), cells=(), unsafe_sets=(), lift={"kind": "identity"})
    claim = Claim(
        surface="model",
        subject=record_id(subject),
        property=pair.property,
        statement=f"{bare_name(pair.property) or 'Any property'} holds for {bare_name(pair.network)}.",
        overseer="none",
        domain=record_id(domain),
        cells=0,
    )
    found.asked.append(
        Asked(
            claim=claim,
            domain=domain,
            subject_name=pair.network,
            property_name=pair.property,
            source=_digest(book, pair.property),
            obstruction=f"unreadable: {error}",
        )
    )


def _digest(book: CustodyBook, name: str) -> str:
    held = book.items.get(name)
    return held.digest if held is not None and held.digest else digest_of(b"")


def _unasked(subject: Subject, network: Network, pair: Pair) -> Asked:
    domain = Domain(
        inputs=tuple(Variable(name=f"X_{i}") for i in range(network.inputs)),
        outputs=tuple(Variable(name=f"Y_{i}") for i in range(network.outputs)),
        cells=(),
        unsafe_sets=(),
        lift={"kind": "identity"},
    )
    claim = Claim(
        surface="model",
        subject=record_id(subject),
        property="",
        statement=f"Nothing is claimed about {bare_name(pair.network)}.",
        overseer="none",
        domain=record_id(domain),
        cells=0,
    )
    return Asked(
        claim=claim,
        domain=domain,
        subject_name=pair.network,
        property_name="",
        source=subject.content,
        obstruction=NO_PROPERTY,
    )
