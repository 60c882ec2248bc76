# SPDX-License-Identifier: Apache-2.0
"""Make the recorded edits again inside a sandbox in which what judges the work cannot be written."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetyboard.laboratory.sandbox.cell import Cell
from safetyboard.laboratory.sandbox.running import run
from safetyboard.laboratory.suites.running import LIMITS, lay_out
from safetyboard.surfaces.authority.explain.changes import edited, inside
from safetyboard.surfaces.authority.scene import Edit, Scene

PAYLOAD = "recorded-edits-to-replay.json"
SCRIPT = """import errno, json, os
with open("recorded-edits-to-replay.json", "rb") as file:
    edits = json.loads(file.read())
os.unlink("recorded-edits-to-replay.json")
said = []
for edit in edits:
    path, old, new = edit["path"], edit["old"], edit["new"]
    new = new.encode("utf-8", "surrogatepass")
    try:
        if old is not None:
            with open(path, "rb") as file:
                content = file.read()
            old = old.encode("utf-8", "surrogatepass")
            if old not in content:
                said.append("not there")
                continue
            new = content.replace(old, new, 1)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(new)
        said.append("done")
    except OSError as error:
        said.append(errno.errorcode.get(error.errno, "OSError"))
print(json.dumps(said))
"""


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """Hold what came of the edits in the sandbox.

    Args:    said: for every edit: done, the kernel's refusal (EROFS), or that what it replaces is not there.
             tree: what is left, checked against the digests of the sandbox. agrees: that check.
    """

    said: tuple[str, ...]
    tree: dict[str, bytes]
    agrees: bool


def attempted(scene: Scene, edits: Sequence[Edit], readonly: Sequence[str]) -> Attempted:
    """Really attempt every edit on a copy of the base tree, some of it mounted read-only."""
    made = [edit for edit in edits if edit.done and edit.new is not None and inside(edit.path)]
    wish = [{"path": edit.path, "old": edit.old, "new": edit.new} for edit in made]
    with tempfile.TemporaryDirectory() as name:
        lay_out({**scene.base, PAYLOAD: json.dumps(wish).encode("ascii")}, Path(name), scene.modes)
        ran = run(Cell(folder=Path(name), readonly=tuple(readonly), limits=LIMITS), ["python3", "-I", "-c", SCRIPT])
    said = json.loads(ran.output) if ran.code == 0 else []
    tree = dict(scene.base)
    for edit, word in zip(made, said):
        came = edited(tree.get(edit.path), edit)
        if word == "done" and came is not None:
            tree[edit.path] = came
    differing = {path for path in tree.keys() | scene.base.keys() if tree.get(path) != scene.base.get(path)}
    ends = {path: after for path, (_, after) in ran.changed.items() if path != PAYLOAD}
    agrees = len(said) == len(made) and ends == {path: _digest(tree[path]) for path in differing}
    return Attempted(said=tuple(said), tree=tree, agrees=agrees)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
