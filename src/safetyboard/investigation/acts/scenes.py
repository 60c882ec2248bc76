# SPDX-License-Identifier: Apache-2.0
"""Scenes: find the repositories that recorded runs worked on, and set each beside the run that changed it most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation.acts.blanked import blanked
from safetyboard.investigation.runs.recorded import Recorded, stored_of
from safetyboard.readers.pipelines.pipeline import pipelines_of
from safetyboard.readers.repositories.choice import chosen_commits
from safetyboard.readers.repositories.repository import Repository, bundle_of, repository_of, sniff
from safetyboard.readers.repositories.tree import Tree
from safetyboard.readers.repositories.understanding import understanding_of
from safetyboard.readers.stored import printable
from safetyboard.readers.suites.suite import Suite, new_judges, suites_of
from safetyboard.readers.suites.weakening import Comparison, Weakening, compared
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.surfaces.authority.traces import Trace, within
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.subject import Subject

SCHEMA = "safetyboard.history/1"
MEDIA_TYPE = "application/vnd.safetyboard.history+json"
LARGEST_FILE = 16 << 20
MOST_COMMITS = 2000
NO_RUN = "no recorded run here changed a file of it"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Hold one repository with what was found about it.

    Args:    listing: canonical JSON of both trees, the subject's bytes. scene: None where nothing can be replayed, and
             `obstruction` says why. run: file and number of the recorded run it was paired with. other: further runs
             whose edits fit too, which were not replayed. weakened: where the suite demands less than it did.
    """

    subject: Subject
    listing: bytes
    scene: Scene | None
    obstruction: str
    why: str
    run: tuple[str, int] | None = None
    other: int = 0
    weakened: tuple[Weakening, ...] = ()


def has_repository(book: CustodyBook, names: Sequence[str]) -> bool:
    """Tell whether a repository lies among what was given, so that runs are traced while they are read."""
    return bool(book.history()) or any(sniff(name, _head(book, name)) for name in names)


def scenes(
    book: CustodyBook, names: Sequence[str], runs: Sequence[Recorded], refusals: list[SafetyboardError]
) -> Iterator[Placed]:
    """Read every repository, and place it; one that cannot be read is refused, the others are read."""
    for folder, held in book.history().items():
        inner = {path: stored_of(book, item) for path, item in held.items()}
        try:
            repository = repository_of(folder.removesuffix(".git/").rstrip("/") or "repository", inner)
            for item in held.values():
                book.mark(item, "used", "version control: history")
            yield _placed(repository, _working(book, folder), runs)
        except SafetyboardError as error:
            refusals.append(error)
    for name in names:
        if sniff(name, _head(book, name)):
            try:
                repository = bundle_of(stored_of(book, name))
                book.mark(name, "used", "version control: history")
                yield _placed(repository, None, runs)
            except SafetyboardError as error:
                refusals.append(error)
                book.fail(name, error)


def _head(book: CustodyBook, name: str) -> bytes:
    held = book.items[name]
    if not held.digest:
        return b""
    with book.store.path(held.digest).open("rb") as file:
        return file.read(64)


def _working(book: CustodyBook, folder: str) -> dict[str, bytes | None]:
    """Read the working tree around a repository's folder; None stands for a file that is there and was not read.

    Whether a reader took a file for something else plays no part: a log that is under version control is a file too.
    """
    above = folder.removesuffix(".git/")
    found: dict[str, bytes | None] = {}
    for name, held in book.items.items():
        if name.startswith(above) and not name.startswith(folder):
            read = held.digest and held.size <= LARGEST_FILE
            found[name.removeprefix(above)] = book.read(name) if read else None
    return found


def _placed(repository: Repository, working: Mapping[str, bytes | None] | None, runs: Sequence[Recorded]) -> Placed:
    base, final, why, obstruction = _ends(repository, working)
    files, secrets = blanked(base.files if base else {})
    after, more = blanked(final or {})
    suite = next(iter(suites_of(files)), None)
    if not obstruction:
        obstruction = _no_suite(suite)
    weaker = compared(files, after, suite) if suite is not None and after else None
    run, trace, other = _fitting(runs, {*files, *after})
    modes = dict(base.modes) if base else {}
    listing = _listing(files, after, modes)
    subject = Subject(
        surface="authority",
        name=repository.name,
        media_type=MEDIA_TYPE,
        digest=digest_of(listing),
        content=digest_of(listing),
        size=len(listing),
        interface={
            "commits": why,
            "files before": len(files),
            "files after": len(after),
            "suite": suite.why if suite else "none found",
            "discrepancies": [f"{d.name}: {d.what} in {d.where}" for d in repository.discrepancies[:20]],
            **_records(repository, files, weaker),
            **({"files from which secrets were taken out": secrets + more} if secrets + more else {}),
        },
        tasks=(f"the run {run[0]}, number {run[1] + 1}" if run else "no recorded run",),
    )
    scene = None
    if base is not None and suite is not None and not obstruction:
        judged = tuple(path for path in suite.judged if path in files)
        scene = Scene(
            name=repository.name,
            source=subject.content,
            base=files,
            final=after,
            judged=judged,
            framework="unittest" if suite.framework == "unittest" else "pytest",
            modes=modes,
            tools=trace.tools if trace else (),
            edits=trace.edits if trace else (),
            asked=trace.asked if trace else (),
            intruding=new_judges(files, after),
        )
    return Placed(
        subject=subject, listing=listing, scene=scene, obstruction=obstruction, why=why, run=run, other=other,
        weakened=weaker.weakened if weaker else (),
    )  # fmt: skip


def _records(repository: Repository, files: Mapping[str, bytes], weaker: Comparison | None) -> dict[str, Plain]:
    """Say what else the history tells: demands of the suite before and after, who is recorded, what CI judges by."""
    told: dict[str, Plain] = {}
    if weaker is not None:
        (tests, later), (demands, left) = weaker.tests, weaker.demands
        told["suite, where it differs"] = f"{tests} tests with {demands} demands before, {later} with {left} after"
    try:
        understood = understanding_of(repository.commits(MOST_COMMITS))
        bounds = f"between {understood.lower} and {understood.upper} of {len(understood.made)}"
        told["agent-made commits that a person is recorded to have looked at"] = (
            bounds if understood.made else f"unknown: none of {understood.commits} commits names an agent"
        )
    except SafetyboardError as error:
        told["agent-made commits that a person is recorded to have looked at"] = f"unknown: {error}"
    facts = pipelines_of(files).facts
    if facts:
        told["what the pipelines say"] = [
            printable(f"{fact.path}, line {fact.line}: {fact.meaning}", 200) for fact in facts[:20]
        ]
    return told


def _ends(
    repository: Repository, working: Mapping[str, bytes | None] | None
) -> tuple[Tree | None, Mapping[str, bytes] | None, str, str]:
    """Choose the trees before and after: what is not committed yet comes after what is."""
    chosen = chosen_commits(repository)
    head = chosen.final
    if working and head is not None:
        tree = repository.tree(head)
        # What is there and was not read counts as unchanged: a gap in what we hold is no edit of anybody's.
        whole = {path: tree.files.get(path) if content is None else content for path, content in working.items()}
        if any(whole.get(path) != content for path, content in tree.files.items()):
            kept = {
                path: content
                for path, content in whole.items()
                if content is not None and (path in tree.files or path.endswith(".py"))
            }
            return tree, kept, f"before: {head[:12]}, the last commit; after: the working tree, which differs", ""
    if chosen.base is None or chosen.final is None or chosen.base == chosen.final:
        return None, None, chosen.why, f"what was before and after is not known: {chosen.why}"
    base, final = repository.tree(chosen.base), repository.tree(chosen.final)
    return base, final.files, f"{chosen.why} ({chosen.base[:12]}, {chosen.final[:12]})", ""


def _no_suite(suite: Suite | None) -> str:
    if suite is None:
        return "no suite was found that judges the work"
    if suite.framework not in ("pytest", "unittest"):
        return suite.obstruction or f"needs: a runner for {suite.framework}"
    return suite.obstruction


def _fitting(runs: Sequence[Recorded], paths: set[str]) -> tuple[tuple[str, int] | None, Trace | None, int]:
    """Choose the run that edited the most files of the trees, then the most often; ties go to the first."""
    best: tuple[tuple[int, int], tuple[str, int], Trace] | None = None
    fitting = 0
    for found in runs:
        for number, run in enumerate(found.runs):
            trace = within(run.trace, paths) if run.trace else None
            hits = [edit for edit in trace.edits if edit.path in paths] if trace is not None else []
            # A name that many projects share (README.md) makes no match: most of what was edited must be of this tree.
            if trace is None or not hits or 2 * len(hits) < len(trace.edits):
                continue
            fitting += 1
            score = len({edit.path for edit in hits}), len(hits)
            if best is None or score > best[0]:
                best = score, (found.name, number), trace
    return (best[1], best[2], fitting - 1) if best else (None, None, 0)


def _listing(base: Mapping[str, bytes], final: Mapping[str, bytes], modes: Mapping[str, int]) -> bytes:
    trees: dict[str, Plain] = {
        name: {path: [digest_of(content), modes.get(path, 0o644)] for path, content in tree.items()}
        for name, tree in (("base", base), ("final", final))
    }
    return canonical_json({"schema": SCHEMA, **trees})
