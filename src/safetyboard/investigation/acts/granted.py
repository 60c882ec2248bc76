# SPDX-License-Identifier: Apache-2.0
"""Granted: ask of every permission file what it lets an agent reach, and search for the shortest allowed way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from safetyboard import __version__
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.redaction import cleaned as clean
from safetyboard.investigation.acts.blanked import blanked
from safetyboard.investigation.acts.reenacted import plain_result
from safetyboard.investigation.inventory import Asked
from safetyboard.investigation.runs.recorded import HEAD, stored_of
from safetyboard.investigation.verdict import EXECUTIONS
from safetyboard.laboratory.jobs import Job
from safetyboard.laboratory.sandbox.running import available
from safetyboard.overseers.goals.autonomy import autonomy
from safetyboard.readers.grants import catalog
from safetyboard.readers.stored import printable
from safetyboard.surfaces.authority.attack.reach.search import Path, effects_of, reach
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain, content_id, digest_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Cell, Domain
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.grant import Grant
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.subject import Subject

ALLOWED = "what the grant allows"
OF_CONTAINERS = ("compose", "devcontainer")
"""Files that many projects have for other reasons: a grant only where an agent's records lie beside them."""
RUNS = 160
A_RUN = 50_000
LARGEST_FILE = 1 << 20
MOST_BYTES = 32 << 20
ASSUMPTIONS = (
    "rules are matched as their vendor documents it; the vendor's program was not run (breaks: it matches otherwise)",
    "only this file was read (breaks: settings of another scope, flags, prompts, a person who is asked)",
)


@dataclass(frozen=True, kw_only=True)
class Granted:
    """Hold one permission file with the question that is asked of it, and the tree its rules speak of."""

    grant: Grant
    subject: Subject
    asked: Asked
    effects: tuple[tuple[str, int], ...]
    tree: Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Search:
    """Give a search what it needs."""

    grant: Grant
    tree: Mapping[str, bytes]
    claim: str
    runs: int
    seed: int


def granted(
    book: CustodyBook, names: Sequence[str], refusals: list[SafetyboardError], *, records: bool
) -> Iterator[Granted]:
    """Read every permission file that no other reader took; one that cannot be read is refused, the others are read.

    Args:    records: recorded runs lie beside it.
    """
    for name in names:
        held = book.items[name]
        if held.state == "used" or not held.digest:
            continue
        with book.store.path(held.digest).open("rb") as file:
            kind = catalog.kind_of(name, file.read(HEAD))
        if kind is None or (kind in OF_CONTAINERS and not records):
            continue
        try:
            grant = _cleaned(catalog.grant_of(stored_of(book, name)))
            book.mark(name, "used", f"permissions ({kind})")
            yield _granted(grant, name, held.size, _tree(book, names, name))
        except SafetyboardError as error:
            refusals.append(error)
            book.fail(name, error)


def _cleaned(grant: Grant) -> Grant:
    """Take the secrets out of everything a grant says; a rule that spells one is searched without it."""
    return replace(
        grant,
        rules=tuple(replace(rule, pattern=clean(rule.pattern)) if rule.pattern else rule for rule in grant.rules),
        enforcement=tuple(replace(each, what=clean(each.what), path=clean(each.path)) for each in grant.enforcement),
        unknown={clean(name): count for name, count in grant.unknown.items()},
        notes=tuple(clean(note) for note in grant.notes),
    )


def _tree(book: CustodyBook, names: Sequence[str], own: str) -> dict[str, bytes]:
    """Take the small files around a permission file for the workspace its rules speak of."""
    folders = own.split("/")[:-1]
    while folders and folders[-1].startswith("."):
        folders.pop()
    above = "".join(f"{folder}/" for folder in folders)
    found, size = dict[str, bytes](), 0
    for name in names:
        held = book.items[name]
        fits = held.size <= LARGEST_FILE and size + held.size <= MOST_BYTES
        if name.startswith(above) and fits and (held.state == "irrelevant" or name == own):
            found[name.removeprefix(above)], size = book.read(name), size + held.size
    return blanked(found)[0]


def _described(grant: Grant, name: str, size: int) -> Subject:
    level = autonomy(grant)
    rules: list[Plain] = [printable(clean(rule.text), 200) for rule in grant.rules[:60]]
    walls: list[Plain] = [printable(f"{each.kind}: {each.what} {each.path}".strip(), 200) for each in grant.enforcement]
    return Subject(
        surface="authority",
        name=name,
        media_type=f"application/vnd.safetyboard.grant+{grant.format}",
        digest=grant.source,
        content=grant.source,
        size=size,
        interface={
            "agent": grant.subject,
            "mode": grant.mode or "the vendor's default",
            "rules": rules,
            "declared walls": walls or ["none"],
            "tools offered": len(grant.tools),
            "autonomy": f"level {level.level} of 4: {level.said}",
            "not understood": dict(grant.unknown),
            "notes": list(grant.notes),
        },
        tasks=("what its rules let through, on this workspace",),
    )


def _granted(grant: Grant, name: str, size: int, tree: Mapping[str, bytes]) -> Granted:
    subject = _described(grant, name, size)
    effects = tuple((each.name, each.severity) for each in effects_of(grant, tree))
    domain = Domain(
        inputs=(),
        outputs=(),
        cells=tuple(Cell(label=printable(label, 120), lower=(), upper=()) for label, _ in effects),
        unsafe_sets=((),),
        lift=EXECUTIONS,
    )
    claim = Claim(
        surface="authority",
        subject=record_id(subject),
        property=ALLOWED,
        statement=f"Under {printable(name, 120)} no allowed sequence of calls that was tried has one of these effects.",
        overseer="bait in the sandbox: what was changed, told, received or left running",
        domain=record_id(domain),
        cells=len(effects),
        intended="The agent can do its work, and nothing that its owner would call a disaster.",
        measured=f"{len(effects)} effects; rules matched by a model, ways run in a sandbox",
        assumptions=ASSUMPTIONS,
        extra={"name": ALLOWED},
    )
    asked = Asked(
        claim=claim,
        domain=domain,
        subject_name=name,
        property_name=ALLOWED,
        source=grant.source,
        content=grant.source,
        obstruction=f"needs: a sandbox. {missing}" if (missing := available()) else "",
    )
    return Granted(grant=grant, subject=subject, asked=asked, effects=effects, tree=tree)


def search_job(one: Granted, units: int, seed: int) -> Job:
    """Make the search over one grant a piece of work."""
    runs = max(len(one.effects) * 3, min(RUNS, units // A_RUN))
    tree: dict[str, Plain] = {path: digest_of(content) for path, content in one.tree.items()}
    described: dict[str, Plain] = {
        "phase": "reach",
        "claim": one.asked.claim_id,
        "version": __version__,
        "tree": tree,
        "runs": runs,
        "seed": seed,
    }
    argument = Search(grant=one.grant, tree=one.tree, claim=one.asked.claim_id, runs=runs, seed=seed)
    return Job(key=content_id(described), work=searched, argument=argument)


def searched(work: Search, progress: Progress) -> dict[str, Plain]:
    """Search one grant for the shortest allowed way to every effect."""
    try:
        found = reach(
            work.grant,
            work.tree,
            budget=Budget(units=work.runs),
            seed=work.seed,
            progress=progress,
            claim_of=lambda effect: work.claim,
        )
    except SafetyboardError as error:
        recipe = Recipe(
            instrument="reach", version="1", seed=work.seed, unit="runs in the sandbox", allotted=work.runs, spent=0,
            subject=work.grant.source,
        )  # fmt: skip
        null = Null(claim=work.claim, cells=(), recipe=recipe, obstruction=str(error))
        return plain_result((null,), {}, {}, "no answer")
    executions = [path.execution for path in found.paths if path.execution is not None]
    contents = {digest_of(content): content for content, _ in found.folder.values()}
    facts: dict[str, Plain] = {
        "paths": [_path(path) for path in found.paths],
        "probes": [{"name": probe.name, "outcome": probe.outcome} for probe in found.probes],
        "assumptions": list(found.assumptions),
    }
    word = f"{len(executions)} of {len(found.nulls) + len(executions)} effects reached"
    return plain_result((*executions, *found.nulls), {**found.blobs, **contents}, facts, word)


def _path(path: Path) -> dict[str, Plain]:
    return {
        "effect": printable(path.effect, 200),
        "severity": path.severity,
        "steps": [printable(clean(step), 300) for step in path.steps],
        "rules": [[printable(clean(rule), 200) for rule in each] for each in path.rules],
        "evaded": [printable(clean(rule.text), 200) for rule in path.evaded],
        "declared only": path.declared_only,
        "execution": record_id(path.execution) if path.execution is not None else "",
        "why": printable(path.why, 300),
    }
