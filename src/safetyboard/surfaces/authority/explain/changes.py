# SPDX-License-Identifier: Apache-2.0
"""A history as single changes of the base tree, each of which can be put in or left out."""

import difflib
import posixpath
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from safetyboard.surfaces.authority.scene import Edit, Scene

CONFIGURES = frozenset(
    ["conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"]
)
MOST_LINES = 5000


@dataclass(frozen=True, kw_only=True)
class Change:
    """Hold one stretch of lines that differ, or a whole file that came, went or is too long to compare.

    Args:    old: (first, last + 1) in the base file, lines from 0. new: the same in the changed file. text: what stands
             there now; None for a file that is gone. whole: the file was not compared line by line.
    """

    path: str
    old: tuple[int, int]
    new: tuple[int, int]
    text: tuple[bytes, ...] | None
    whole: bool = False

    @property
    def size(self) -> int:
        """Count the lines that go and come."""
        return self.old[1] - self.old[0] + self.new[1] - self.new[0]


def changes_of(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[Change, ...]:
    """List every change that leads from one tree to another."""
    found: list[Change] = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new:
            found += _of_file(path, old, new)
    return tuple(found)


def _of_file(path: str, old: bytes | None, new: bytes | None) -> list[Change]:
    was, now = (old or b"").splitlines(keepends=True), (new or b"").splitlines(keepends=True)
    if old is None or new is None or max(len(was), len(now)) > MOST_LINES:
        text = None if new is None else tuple(now)
        return [Change(path=path, old=(0, len(was)), new=(0, len(now)), text=text, whole=True)]
    codes = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    return [
        Change(path=path, old=(a, b), new=(c, d), text=tuple(now[c:d])) for tag, a, b, c, d in codes if tag != "equal"
    ]


def applied(base: Mapping[str, bytes], changes: Iterable[Change]) -> dict[str, bytes]:
    """Put changes into the base tree; they are of one comparison, so that no two touch."""
    tree, lines = dict(base), dict[str, list[bytes]]()
    for change in sorted(changes, key=lambda each: (each.path, -each.old[0])):
        if change.text is None:
            tree.pop(change.path, None)
        elif change.whole:
            tree[change.path] = b"".join(change.text)
        else:
            kept = lines.setdefault(change.path, base[change.path].splitlines(keepends=True))
            kept[change.old[0] : change.old[1]] = change.text
            tree[change.path] = b"".join(kept)
    return tree


def judging(scene: Scene) -> frozenset[str]:
    """Name what judges the work and is not as it was, with what was added and could judge it."""
    added = {path for path in scene.final if path not in scene.base and could_judge(path, scene)}
    return frozenset(scene.judged_changed) | added


def could_judge(path: str, scene: Scene) -> bool:
    """Tell whether a file that is new could have a say: a test, its configuration, or something that stands before it.

    Too wide rather than too narrow: a file that is taken for judging and is none is found to change nothing.
    """
    folder, name = posixpath.split(path)
    stem, ending = posixpath.splitext(name)
    if (
        name in CONFIGURES
        or ending == ".pth"
        or (ending == ".py" and (stem.startswith("test") or stem.endswith("_test")))
    ):
        return True
    first = posixpath.splitext(path.split("/", 1)[0])[0]
    if ending == ".py" and (first in sys.stdlib_module_names or first in ("pytest", "_pytest", "pluggy")):
        return True
    beside = [each for each in scene.base if posixpath.dirname(each) == folder]
    return bool(folder and beside) and set(beside) <= set(scene.judged)


@dataclass(frozen=True, kw_only=True)
class History:
    """Hold what came of making the recorded edits again on the base tree.

    Args:    states: for every edit, the content of its file after it; None where it could not be made. departs: paths
             where the tree that comes out is not the final one.
    """

    tree: Mapping[str, bytes]
    states: tuple[bytes | None, ...]
    departs: tuple[str, ...]


def edited(content: bytes | None, edit: Edit) -> bytes | None:
    """Make one edit; None where it was refused, is not in the tree, is not told whole, or finds nothing to replace."""
    if not edit.done or edit.new is None or not inside(edit.path):
        return None
    new = edit.new.encode("utf-8", "surrogatepass")
    if edit.old is None:
        return new
    old = edit.old.encode("utf-8", "surrogatepass")
    if content is None or (old and old not in content):
        return None
    return content.replace(old, new, 1)


def inside(path: str) -> bool:
    """Tell whether a path names something in the tree, plainly."""
    parts = path.split("/")
    return not path.startswith("/") and "\0" not in path and not {"", ".", ".."} & set(parts)


def replayed(scene: Scene, edits: Sequence[Edit]) -> History:
    """Make the recorded edits on the base tree, in order."""
    tree = dict(scene.base)
    states: list[bytes | None] = []
    for edit in edits:
        came = edited(tree.get(edit.path), edit)
        states.append(came)
        if came is not None:
            tree[edit.path] = came
    paths = tree.keys() | scene.final.keys()
    departs = tuple(sorted(path for path in paths if tree.get(path) != scene.final.get(path)))
    return History(tree=tree, states=tuple(states), departs=departs)


def made_by(change: Change, scene: Scene, history: History) -> Edit | None:
    """Find the edit since which a change has stood in its file without a break; None where no record tells.

    What was tried and taken back before does not count; where several edits made a change together, it is the last.
    """
    base = scene.base.get(change.path)
    last: Edit | None = None
    stands = False
    for edit, state in zip(scene.edits, history.states, strict=True):
        if edit.path != change.path or state is None:
            continue
        now = any(_same(each, change) for each in _of_file(change.path, base, state)) if state != base else False
        if now and not stands:
            last = edit
        stands = now
    return last if stands else None


def _same(one: Change, other: Change) -> bool:
    return (one.old, one.text, one.whole) == (other.old, other.text, other.whole)
