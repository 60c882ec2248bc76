# SPDX-License-Identifier: Apache-2.0
"""Which two commits of a history are before and after the work, by a rule that is said in words."""

import re
from dataclasses import dataclass

from safetyboard.readers.repositories.commit import Commit
from safetyboard.readers.repositories.repository import Repository
from safetyboard.readers.stored import printable
from safetyboard.terms.errors import WrongUse

MOST_WALKED = 20_000
BASE = "base"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Hold the commits before and after the work, and in words why these; None where the history does not tell."""

    base: str | None
    final: str | None
    why: str


def chosen_commits(repository: Repository, *, base: str = "", final: str = "") -> Chosen:
    """Choose the commits before and after the work.

    What the caller names goes first. Else after is what HEAD names, or the only branch; before is the tag or branch
    `base`, else where the two branches part, else the only parent of what comes after.

    Raises:  WrongUse: a name that the repository does not have.
    """
    ends = (final and _named(repository, final)) or _tip(repository)
    named = base and _named(repository, base)
    said = f"after: {'as named' if final else 'what HEAD names, or the only branch'}"
    if named:
        return _pair(named, ends, f"before: as named; {said}", "HEAD names no branch here, and there are several")
    marked = {repository.tags.get(BASE), repository.heads.get(BASE)} - {None}
    if len(marked) > 1:
        return Chosen(base=None, final=ends, why="a tag and a branch named base differ; name the commits")
    if marked:
        if ends is None or (ends in marked and not final):
            others = {tip for name, tip in repository.heads.items() if name != BASE}
            ends = others.pop() if len(others) == 1 else ends
        return _pair(next(iter(marked)), ends, f"before: the tag or branch named base; {said}", "several branches")
    if len(repository.heads) == 2 and not final:
        return _parted(repository, ends)
    if ends is None:
        return Chosen(base=None, final=None, why="HEAD names no branch here, and there are none or several")
    found = repository.commit(ends)
    parents = found.parents if found else ()
    if len(parents) == 1 and repository.commit(parents[0]) is not None:
        return Chosen(base=parents[0], final=ends, why=f"before: the only parent of what comes after; {said}")
    count = "its parent is not in the repository" if len(parents) == 1 else f"it has {len(parents)} parents"
    return Chosen(base=None, final=ends, why=f"nothing is named base, and of what comes after {count}")


def _pair(base: str | None, final: str | None, why: str, lacking: str) -> Chosen:
    if final is None:
        return Chosen(base=base, final=None, why=f"what comes after is not told: {lacking}")
    if base == final:
        return Chosen(base=base, final=final, why=f"{why}; both are the same commit")
    return Chosen(base=base, final=final, why=why)


def _tip(repository: Repository) -> str | None:
    if repository.head in repository.heads:
        return repository.heads[repository.head]
    if re.fullmatch(r"[0-9a-f]{40}", repository.head):
        return repository.head
    return next(iter(repository.heads.values())) if len(repository.heads) == 1 else None


def _named(repository: Repository, name: str) -> str:
    """Find a commit by a branch, a tag, HEAD, or at least seven letters of its name."""
    if name == "HEAD" and (tip := _tip(repository)) is not None:
        return tip
    both = {each for each in (repository.tags.get(name), repository.heads.get(name)) if each}
    if len(both) == 1:
        return both.pop()
    if not both and re.fullmatch(r"[0-9a-f]{7,40}", name):
        both = {each.name for each in repository.commits(MOST_WALKED) if each.name.startswith(name)}
        if len(both) == 1:
            return both.pop()
    what = "several commits are" if both else "no branch, tag or commit is"
    raise WrongUse(
        f"{repository.name}: {what} named {printable(name)!r}.", hint="Name a branch, a tag, or a whole commit."
    )


def _parted(repository: Repository, tip: str | None) -> Chosen:
    """Choose by two branches: one may be behind the other, or they part somewhere."""
    (first, one), (second, two) = sorted(repository.heads.items())
    behind = [_reached(repository, one), _reached(repository, two)]
    pair = f"two branches, {printable(first)} and {printable(second)}"
    if one == two:
        return Chosen(base=None, final=one, why=f"{pair}, name the same commit")
    if one in behind[1] or two in behind[0]:
        base, final = (one, two) if one in behind[1] else (two, one)
        return Chosen(base=base, final=final, why=f"{pair}: one is behind the other; before: the one behind")
    shared = behind[0].keys() & behind[1].keys()
    older = {parent for name in shared for parent in behind[0][name].parents}
    best = sorted(shared - older)
    if len(best) != 1 or tip is None:
        why = "HEAD names neither" if len(best) == 1 else f"they part at {len(best)} commits"
        return Chosen(base=None, final=tip, why=f"{pair}: {why}")
    return Chosen(base=best[0], final=tip, why=f"{pair}: before is where they part, after is what HEAD names")


def _reached(repository: Repository, start: str) -> dict[str, Commit]:
    return {each.name: each for each in repository.commits(MOST_WALKED, start)}
