# SPDX-License-Identifier: Apache-2.0
"""Replay: run a docket's executions again in the sandbox, and say whether they end as recorded."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from safetyboard.evidence.docket import Docket
from safetyboard.laboratory.sandbox.cell import Cell, Limits, Ran
from safetyboard.laboratory.sandbox.running import available, run
from safetyboard.laboratory.suites.running import lay_out
from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import EnvironmentFault, SafetyboardError, UnreadableInput

SCHEMA = "safetyboard.replay/1"
MODES = (0o644, 0o755)
PAGE = 4096
MALFORMED = (
    KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError, RecursionError, OSError,
)  # fmt: skip
# A docket may ask for less than this, never for more: whoever wrote it does not own this machine.
MOST = Limits(cpu_seconds=120, wall_seconds=180.0, output_bytes=16 << 20)


@dataclass(frozen=True, kw_only=True)
class Again:
    """Say how one execution ended this time; `differs` names what was otherwise."""

    execution: str
    meaning: str
    outcome: Literal["as recorded", "another result", "not run"]
    differs: str = ""

    def plain(self) -> dict[str, str]:
        """Write it for ``--json``."""
        return {
            "execution": self.execution,
            "meaning": self.meaning,
            "outcome": self.outcome,
            "differs": self.differs,
        }


def replayed(path: Path, *, chosen: str = "") -> Iterator[Again]:
    """Run again what a docket says was run, each in a fresh sandbox.

    Args:    chosen: beginning of an execution's id; empty for all.
    Raises:  UnreadableInput: no docket, or nothing to run in it. EnvironmentFault: no sandbox works here.
    """
    with Docket(path) as docket:
        wanted = {
            name: record
            for name, record in docket.of_kind("execution").items()
            if name.removeprefix("sha256:").startswith(chosen.removeprefix("sha256:"))
        }
        if not wanted:
            named = f" whose id begins with {printable(chosen)}" if chosen else ""
            raise UnreadableInput(f"{path}: holds no execution{named}.", hint="Network witnesses: python replay.py.")
        if reason := available():
            raise EnvironmentFault(f"No sandbox works here. {reason}")
        for name, record in wanted.items():
            yield _again(docket, name, record)


def _again(docket: Docket, name: str, record: Mapping[str, Any]) -> Again:
    meaning = printable(str(record.get("meaning", "")), 300)
    try:
        ran = _run(docket, record)
        differs = [
            word
            for word, same in (
                ("exit code", ran.code == record["code"]),
                ("changed files", {k: list(v) for k, v in ran.changed.items()} == dict(record.get("changed", {}))),
                ("output", digest_of(ran.output + ran.error) == record["output"]),
            )
            if not same
        ]
    except SafetyboardError as error:
        return Again(execution=name, meaning=meaning, outcome="not run", differs=printable(str(error), 300))
    except MALFORMED as error:
        why = f"its record is malformed ({type(error).__name__})"
        return Again(execution=name, meaning=meaning, outcome="not run", differs=why)
    outcome: Literal["as recorded", "another result"] = "another result" if differs else "as recorded"
    return Again(execution=name, meaning=meaning, outcome=outcome, differs=", ".join(differs))


def _run(docket: Docket, record: Mapping[str, Any]) -> Ran:
    listed = json.loads(docket.blob(record["folder"]))["files"]
    tree = _tree(docket, listed)
    command = record["command"]
    if not (isinstance(command, list) and all(isinstance(word, str) and "\0" not in word for word in command)):
        raise UnreadableInput("Its command is no list of words.")
    modes = {path: entry[1] if entry[1] in MODES else MODES[0] for path, entry in listed.items()}
    setting = record.get("setting", {})
    with tempfile.TemporaryDirectory() as folder:
        lay_out(tree, Path(folder), modes)
        _link(record.get("links", []), Path(folder))
        cell = Cell(
            folder=Path(folder),
            writable=bool(setting.get("writable", True)),
            readonly=tuple(path for path in setting.get("readonly", ()) if (Path(folder) / path).exists()),
            hidden=tuple(setting.get("hidden", ())),
            environment=dict(setting.get("environment", {})),
            limits=_limits(setting.get("limits", {})),
        )
        return run(cell, command)


def _tree(docket: Docket, listed: Mapping[str, Any]) -> dict[str, bytes]:
    """Take the files of a folder out of the docket, no more than a sandbox would hold."""
    held: dict[str, bytes] = {}
    size = 0
    for entry in listed.values():
        if entry[0] not in held:
            held[entry[0]] = docket.blob(entry[0])
        size += len(held[entry[0]]) + PAGE
        if size > MOST.disk:
            raise UnreadableInput(f"Its folder is larger than {MOST.disk >> 20} MiB.")
    return {path: held[entry[0]] for path, entry in listed.items()}


def _link(links: Any, folder: Path) -> None:
    """Make the symbolic links a tree was judged with; they are never followed here, only in the sandbox."""
    for path, target in dict(links).items():
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or not isinstance(target, str):
            raise UnreadableInput("A link of its folder leaves the folder.")
        if any((folder / parent).is_symlink() for parent in pure.parents):
            raise UnreadableInput("A link of its folder lies behind another link.")
        (folder / pure).parent.mkdir(parents=True, exist_ok=True)
        (folder / pure).symlink_to(target)


def _limits(asked: Mapping[str, Any]) -> Limits:
    """Take limits from the record, no wider than our own."""
    found: dict[str, Any] = {}
    for field in fields(Limits):
        most, value = getattr(MOST, field.name), asked.get(field.name)
        if isinstance(value, str):
            value = float.fromhex(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1:
            found[field.name] = type(most)(min(value, most))
    return Limits(**{**{field.name: getattr(MOST, field.name) for field in fields(Limits)}, **found})
