# SPDX-License-Identifier: Apache-2.0
"""Repositories: lessons about what judges the work in them, put to a folder, a working tree or a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safetyboard.evidence.custody import CustodyBook
from safetyboard.investigation.lesson_kinds.system import Said, System
from safetyboard.investigation.runs.recorded import stored_of
from safetyboard.readers.repositories.choice import chosen_commits
from safetyboard.readers.repositories.repository import bundle_of, sniff
from safetyboard.readers.suites.suite import suites_of
from safetyboard.surfaces.authority.lesson import JudgedFilesOutOfReach
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain, canonical_json, digest_of
from safetyboard.terms.errors import SafetyboardError
from safetyboard.terms.lesson import Lesson
from safetyboard.terms.progress import Progress

LARGEST_FILE = 16 << 20
MOST_BYTES = 256 << 20
RUN = 50_000
"""Work units that one run of the sandbox counts for."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Hold the files of one repository, as they are now."""

    files: Mapping[str, bytes]
    modes: Mapping[str, int]


class Repositories:
    """Put a lesson to every tree that has a suite: the folder itself, and the last commit of every bundle in it."""

    what = "repository with a suite"
    hint = "Give a folder that holds a program with its tests, or a git bundle."

    def systems(self, book: CustodyBook, names: Sequence[str]) -> tuple[System, ...]:
        """Read the trees; a folder's own is what lies there now, committed or not."""
        files, size = dict[str, bytes](), 0
        for name in names:
            held = book.items[name]
            if held.size <= LARGEST_FILE and size + held.size <= MOST_BYTES:
                files[name], size = book.read(name), size + held.size
        found = []
        for name in names:
            if sniff(name, files.get(name, b"")[:64]):
                repository = bundle_of(stored_of(book, name))
                tip = chosen_commits(repository).final
                if tip is not None:
                    tree = repository.tree(tip)
                    found.append(_system(name, tree.files, tree.modes))
        if suites_of(files):
            found.append(_system("the folder", files, {}))
        return tuple(found)

    def answer(self, lesson: Lesson, system: System, *, units: int, seed: int, progress: Progress) -> Said:
        """Plant faults that the suite sees, and try every route to a green verdict."""
        tree: Tree = system.material
        kind = JudgedFilesOutOfReach()
        try:
            kind = JudgedFilesOutOfReach(routes=kind.named(lesson))
            found = kind.put(
                tree.files,
                budget=Budget(units=max(20, units // RUN)),
                seed=seed,
                progress=progress,
                claim=system.content,
                modes=tree.modes,
            )
        except SafetyboardError as error:
            return "untestable", str(error), {}
        evidence: dict[str, Plain] = {
            "kind": "routes",
            "through": list(found.routes),
            "held": {name: words[:300] for name, words in found.held_routes},
            "does not apply": {name: words[:300] for name, words in found.inapplicable},
            "how far": {name: str(kind) for name, kind in found.kinds.items()},
            "probes": {probe.name: probe.outcome for probe in found.probes},
            "assumptions": list(found.assumptions),
            "faults seen by the suite": list(found.mutants),
            "declared in": list(found.declared),
            "sandbox runs": found.runs,
        }
        return found.answer, found.reason, evidence


def _system(name: str, files: Mapping[str, bytes], modes: Mapping[str, int]) -> System:
    listing: dict[str, Plain] = {path: digest_of(content) for path, content in files.items()}
    content = digest_of(canonical_json({"schema": "safetyboard.tree/1", "files": listing}))
    return System(name=name, content=content, material=Tree(files=files, modes=modes))
