# SPDX-License-Identifier: Apache-2.0
"""The files of one commit as bytes by path; what a path could trick somebody with is named and left out."""

import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from safetyboard.readers.account import Discrepancy
from safetyboard.readers.repositories.objects import Objects
from safetyboard.readers.repositories.pack_entries import HINT
from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import TooLarge, UnreadableInput

MOST_ENTRIES = 100_000
MOST_BYTES = 1 << 29
DEEPEST = 100
LONGEST = 4096
FOLDER, LINK, MODULE = 0o40000, 0o120000, 0o160000
_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Hold the files of one commit.

    Args:    files: ordinary files. modes: 0o644, or 0o755 where executable. links: path -> where it points, never
             followed. submodules: path -> commit. discrepancies: what was left out, and why.
    """

    name: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    submodules: Mapping[str, str] = field(default_factory=dict)
    discrepancies: tuple[Discrepancy, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """Say how one path differs: added, removed, edited, mode, or link; digests are empty where there is no file."""

    path: str
    kind: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class _Met:
    """One entry of a tree object."""

    path: str
    mode: int
    target: str


def tree_of(objects: Objects, name: str) -> Tree:
    """Read a tree whole.

    Raises:  TooLarge: more entries, bytes or depth than the limits above. UnreadableInput: an object is damaged.
    """
    left: list[Discrepancy] = []
    met = [each for each in _walk(objects, name, left)]
    taken = _without_twins(met, left)
    files: dict[str, bytes] = {}
    modes, links, submodules = dict[str, int](), dict[str, str](), dict[str, str]()
    size = 0
    for each in taken:
        if each.mode == MODULE:
            submodules[each.path] = each.target
            continue
        content = objects.of_kind(each.target, "blob")
        if content is None:
            left.append(_odd(each.path, "missing", f"object {each.target} is not in the repository"))
            continue
        size += len(content)
        if size > MOST_BYTES:
            raise TooLarge(f"Tree {name} holds more than {MOST_BYTES} bytes.", hint="Investigate a smaller history.")
        if each.mode == LINK:
            links[each.path] = printable(content, LONGEST)
            continue
        files[each.path], modes[each.path] = content, 0o755 if each.mode & 0o100 else 0o644
        if content.startswith(_POINTER):
            left.append(_odd(each.path, "pointer", "a pointer to a large file that is kept elsewhere; kept as it is"))
    return Tree(name=name, files=files, modes=modes, links=links, submodules=submodules, discrepancies=tuple(left))


def changes(base: Tree, final: Tree) -> tuple[Change, ...]:
    """List how two trees differ, by path."""
    made = []
    for path in sorted({*base.files, *final.files, *base.links, *final.links}):
        before, after = base.files.get(path), final.files.get(path)
        digests = (digest_of(before) if before is not None else "", digest_of(after) if after is not None else "")
        if base.links.get(path) != final.links.get(path):
            kind = "link"
        elif digests[0] != digests[1]:
            kind = "added" if before is None else "removed" if after is None else "edited"
        elif base.modes.get(path) != final.modes.get(path):
            kind = "mode"
        else:
            continue
        made.append(Change(path=path, kind=kind, before=digests[0], after=digests[1]))
    return tuple(made)


def _walk(objects: Objects, name: str, left: list[Discrepancy]) -> Iterator[_Met]:
    waiting, count = [("", name, 0)], 0
    while waiting:
        folder, tree, depth = waiting.pop()
        content = objects.of_kind(tree, "tree")
        if content is None:
            left.append(_odd(folder or "/", "missing", f"object {tree} is not in the repository"))
            continue
        entries = list(_entries(tree, content))
        count += len(entries)
        if count > MOST_ENTRIES or depth > DEEPEST:
            raise TooLarge(
                f"Tree {name} holds more than {MOST_ENTRIES} entries, or is deeper than {DEEPEST}.",
                hint="Investigate a smaller history.",
            )
        names = Counter(entry for _, entry, _ in entries)
        for mode, entry, target in entries:
            shown = folder + entry.decode("utf-8", "backslashreplace")
            why = _trick(entry, shown) or ("twice in one folder" if names[entry] > 1 else "")
            kind = stat.S_IFMT(mode)
            if not why and mode not in (FOLDER, LINK, MODULE) and kind != stat.S_IFREG:
                why = f"of the unknown mode {mode:o}"
            if why:
                left.append(_odd(shown, "left out", why))
            elif mode == FOLDER:
                waiting.append((shown + "/", target, depth + 1))
            else:
                yield _Met(path=shown, mode=mode, target=target)


def _entries(name: str, content: bytes) -> Iterator[tuple[int, bytes, str]]:
    """Part a tree object: mode, name, object.

    Source:  Git Internals, "Tree Objects": ``mode SP name NUL 20 bytes``, repeated.
    """
    at = 0
    while at < len(content):
        space = content.find(b" ", at, at + 8)
        end = content.find(b"\0", space, space + LONGEST) if space > 0 else -1
        digits = content[at:space]
        if end < 0 or end + 21 > len(content) or not re.fullmatch(rb"[0-7]{5,6}", digits):
            raise UnreadableInput(f"Tree {name} is damaged at byte {at}.", hint=HINT)
        yield int(digits, 8), content[space + 1 : end], content[end + 1 : end + 21].hex()
        at = end + 21


def _trick(entry: bytes, path: str) -> str:
    """Say what is wrong with a name; empty where nothing is.

    Source:  git's own verify_path, and CVE-2014-9390 (names that file systems take for ``.git``).
    """
    try:
        text = entry.decode("utf-8")
    except UnicodeDecodeError:
        return "a name that is not UTF-8"
    plain = unicodedata.normalize("NFKC", text.translate(_IGNORED)).casefold().rstrip(". ")
    if not text or text in (".", "..") or "/" in text or "\\" in text:
        return "a name that leads elsewhere"
    if plain in (".git", "git~1") or plain.startswith((".git:", "git~1:")):
        return "a name that stands for version control"
    if any(unicodedata.category(letter) in ("Cc", "Cf") for letter in text):
        return "a name with letters that are not seen"
    return "a path too long" if len(path) > LONGEST else ""


def _without_twins(met: list[_Met], left: list[Discrepancy]) -> list[_Met]:
    """Leave out paths that some file systems take for one another: which would win is not in the record."""

    def seen(path: str) -> str:
        return unicodedata.normalize("NFC", path).casefold()

    folders: dict[str, set[str]] = {}
    for each in met:
        parts = each.path.split("/")
        for end in range(1, len(parts) + 1):
            folders.setdefault(seen("/".join(parts[:end])), set()).add("/".join(parts[:end]))
    twins = {path for paths in folders.values() if len(paths) > 1 for path in paths}
    kept = []
    for each in met:
        parts = each.path.split("/")
        if any("/".join(parts[:end]) in twins for end in range(1, len(parts) + 1)):
            left.append(_odd(each.path, "left out", "another path differs from it by case or accents only"))
        else:
            kept.append(each)
    return sorted(kept, key=lambda each: each.path)


def _odd(path: str, what: str, where: str) -> Discrepancy:
    return Discrepancy(between="tree, files", name=printable(path, LONGEST), what=what, where=where)
