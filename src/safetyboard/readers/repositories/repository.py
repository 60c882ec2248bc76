# SPDX-License-Identifier: Apache-2.0
"""A repository's branches, tags, commits and trees, from a bundle or from the files of a ``.git`` folder."""

import heapq
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safetyboard.readers.account import Discrepancy
from safetyboard.readers.repositories.commit import Commit, commit_of, tagged
from safetyboard.readers.repositories.objects import Objects
from safetyboard.readers.repositories.pack_entries import HINT
from safetyboard.readers.repositories.packs import LARGEST_PACK, Pack, indexed
from safetyboard.readers.repositories.references import LARGEST_TEXT, References, named_refs
from safetyboard.readers.repositories.tree import Tree, tree_of
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import Plain, content_id
from safetyboard.terms.errors import TooLarge, UnreadableInput

BUNDLE = b"# v"
DEEPEST_TAG = 10
MOST_HEADER = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Hold a history: nothing of it was run, and every object is verified when it is read.

    A name is a SHA-1 digest: whoever can make two objects of one digest can lie here as in git itself.

    Args:    source: digest of the bundle, or of the list of the digests of the files it was read from. head: the
             branch that HEAD names, or the commit it names itself; empty where it is not recorded. heads, tags: name
             -> commit (tags followed to what they name). discrepancies: what is missing, borrowed or contradictory.
    """

    name: str
    source: str
    head: str
    heads: Mapping[str, str]
    tags: Mapping[str, str]
    objects: Objects
    discrepancies: tuple[Discrepancy, ...] = ()

    def commit(self, name: str) -> Commit | None:
        """Read one commit; None where it is not in the repository.

        Raises:  UnreadableInput: damaged. EnvironmentFault: dulwich is missing.
        """
        content = self.objects.of_kind(name, "commit")
        return None if content is None else commit_of(name, content)

    def commits(self, most: int, *starts: str) -> tuple[Commit, ...]:
        """List commits, the latest by their own clocks first, from some commits or from every branch and tag.

        Parents that are missing (a shallow copy) end the list on their side.
        """
        waiting: list[tuple[int, str, Commit]] = []
        seen = set[str]()

        def meet(name: str) -> None:
            if name not in seen:
                seen.add(name)
                found = self.commit(name)
                if found is not None:
                    heapq.heappush(waiting, (-found.committed, name, found))

        for start in starts or (*self.heads.values(), *self.tags.values()):
            meet(start)
        listed: list[Commit] = []
        while waiting and len(listed) < most:
            listed.append(heapq.heappop(waiting)[2])
            for parent in listed[-1].parents:
                meet(parent)
        return tuple(listed)

    def tree(self, commit: str) -> Tree:
        """Read the files of a commit.

        Raises:  UnreadableInput: there is no such commit, or an object is damaged. TooLarge.
        """
        found = self.commit(commit)
        if found is None:
            raise UnreadableInput(f"{self.name}: there is no commit {printable(commit)}.", hint="Fetch it whole.")
        return tree_of(self.objects, found.tree)


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file is a git bundle."""
    return head.startswith((b"# v2 git bundle\n", b"# v3 git bundle\n"))


def bundle_of(stored: Stored) -> Repository:
    """Read a git bundle of version 2 or 3.

    Raises:  UnreadableInput, TooLarge: damaged, of another kind, or too large.
    Source:  gitformat-bundle(5).
    """
    if stored.size > LARGEST_PACK:
        raise TooLarge(f"{stored.name}: {stored.size} bytes, more than {LARGEST_PACK}.", hint="Bundle fewer commits.")
    content = stored.load()
    header, found, pack = content[:MOST_HEADER].partition(b"\n\n")[0], list[Discrepancy](), content.find(b"\n\n")
    if not sniff(stored.name, content[:16]) or not 0 < pack < MOST_HEADER:
        raise UnreadableInput(f"{stored.name}: is not a git bundle of version 2 or 3.", hint=HINT)
    refs: dict[str, str] = {}
    for number, line in enumerate(header.split(b"\n")[1:], 2):
        if line.startswith(b"@"):
            if line.startswith(b"@object-format=") and line != b"@object-format=sha1":
                raise UnreadableInput(f"{stored.name}: only names of SHA-1 are read.", hint="Give a SHA-1 history.")
            if line.startswith(b"@filter="):
                found.append(_lacking("filter", "left out", f"by {printable(line)}"))
            continue
        match = re.fullmatch(rb"(-?)([0-9a-f]{40})(?: (.*))?", line, re.DOTALL)
        if match is None:
            raise UnreadableInput(f"{stored.name}, line {number}: is no line of a bundle's header.", hint=HINT)
        if match[1]:
            found.append(_lacking(match[2].decode(), "missing", "the bundle builds on it and does not hold it"))
        else:
            refs[printable(match[3] or b"", 400)] = match[2].decode()
    packed = Pack(name=stored.name, content=content[pack + 2 :])
    found += [_lacking(base, "missing", "objects in the pack are differences from it") for base in packed.walk()]
    objects = Objects(loose={}, packs=(packed,))
    heads = [name for name in refs if name.startswith("refs/heads/")]
    same = [name for name in heads if refs[name] == refs.get("HEAD")]
    head = same[0].removeprefix("refs/heads/") if len(same) == 1 else refs.get("HEAD", "")
    head = head or (heads[0].removeprefix("refs/heads/") if len(heads) == 1 else "")
    return _made(
        stored.name, stored.digest or content_id(_sums({"bundle": stored})), References(head, refs), objects, found
    )


def repository_of(name: str, held: Mapping[str, Stored]) -> Repository:
    """Read what custody holds of a ``.git`` folder.

    Settings, hooks and filters are not read. An index beside a pack only says where to look; where it is missing or
    damaged, the pack is read whole.

    Args:    name: how a person calls the repository. held: path inside the folder -> the stored file.
    Raises:  UnreadableInput, TooLarge: not one readable object or branch, or over a limit.
    """
    found: list[Discrepancy] = []
    loose, packs = dict[str, Stored](), list[Pack]()
    for path, stored in sorted(held.items()):
        if match := re.fullmatch(r"objects/([0-9a-f]{2})/([0-9a-f]{38})", path):
            loose[match[1] + match[2]] = stored
        elif re.fullmatch(r"objects/pack/[^/]+\.pack", path):
            packs += _pack(path, held, found)
        elif re.fullmatch(r"objects/pack/[^/]+\.promisor", path):
            found.append(_lacking(path, "missing", "a partial copy: what nobody asked for was not fetched"))
        elif path == "objects/info/alternates":
            found.append(_lacking(path, "missing", "objects are borrowed from another folder; not followed"))
        elif path == "shallow":
            names = _text(stored).split()
            found += [_lacking(each, "missing", "its parents were not fetched (shallow)") for each in names[:1000]]
    texts = {
        path: _text(stored) for path, stored in held.items() if path in ("HEAD", "packed-refs") or path[:5] == "refs/"
    }
    refs = named_refs(texts, found)
    return _made(name, content_id(_sums(held)), refs, Objects(loose=loose, packs=tuple(packs)), found)


def _made(name: str, source: str, refs: References, objects: Objects, found: list[Discrepancy]) -> Repository:
    """Follow every branch and tag to a commit; what leads to none is named."""
    ends: dict[str, dict[str, str]] = {"refs/heads/": {}, "refs/tags/": {}}
    for ref, target in refs.names.items():
        kind = next((beginning for beginning in ends if ref.startswith(beginning)), None)
        if kind is not None:
            commit = _commit_behind(objects, target, found, ref)
            if commit:
                ends[kind][ref.removeprefix(kind)] = commit
    if not any(ends.values()) and not re.fullmatch(r"[0-9a-f]{40}", refs.head):
        why = f" ({found[0].name}: {found[0].where})" if found else ""
        raise UnreadableInput(f"{name}: no branch or tag leads to a commit{why}.", hint=HINT)
    return Repository(
        name=name,
        source=source,
        head=refs.head,
        heads=ends["refs/heads/"],
        tags=ends["refs/tags/"],
        objects=objects,
        discrepancies=tuple(found),
    )


def _commit_behind(objects: Objects, target: str, found: list[Discrepancy], ref: str) -> str:
    try:
        for _ in range(DEEPEST_TAG):
            raw = objects.find(target)
            if raw is None:
                found.append(_lacking(ref, "missing", f"object {target} is not in the repository"))
                return ""
            if raw.kind == "commit":
                return target
            if raw.kind != "tag":
                break
            _, target = tagged(target, raw.content)
    except UnreadableInput as error:
        found.append(_lacking(ref, "damaged", error.message))
        return ""
    found.append(_lacking(ref, "left out", "does not lead to a commit"))
    return ""


def _pack(path: str, held: Mapping[str, Stored], found: list[Discrepancy]) -> list[Pack]:
    """Open one pack; a damaged one is named and the others are read."""
    stored, index = held[path], held.get(path.removesuffix(".pack") + ".idx")
    try:
        if stored.size > LARGEST_PACK:
            raise TooLarge(f"{path}: {stored.size} bytes, more than {LARGEST_PACK}.")
        pack = Pack(name=stored.name, content=stored.load())
        if not (index is not None and _hinted(pack, index, found)):
            found += [_lacking(base, "missing", f"differences in {path} build on it") for base in pack.walk()]
    except UnreadableInput as error:
        found.append(_lacking(path, "damaged", error.message))
        return []
    return [pack]


def _hinted(pack: Pack, index: Stored, found: list[Discrepancy]) -> bool:
    try:
        pack.offsets.update(indexed(index.load(), index.name))
    except UnreadableInput as error:
        found.append(_lacking(index.name, "damaged", error.message))
        return False
    if len(pack.offsets) != pack.stated:
        where = f"lists {len(pack.offsets)} objects, the pack states {pack.stated}"
        found.append(Discrepancy(between="index, pack", name=index.name, what="extra", where=where))
        pack.offsets.clear()
        return False
    return True


def _text(stored: Stored) -> str:
    load: Callable[[], bytes] = stored.load
    return "" if stored.size > LARGEST_TEXT else load().decode("utf-8", "replace")


def _sums(held: Mapping[str, Stored]) -> Plain:
    return {path: stored.digest or f"{stored.size} bytes" for path, stored in held.items()}


def _lacking(name: str, what: str, where: str) -> Discrepancy:
    return Discrepancy(between="references, objects", name=printable(name, 400), what=what, where=where)
