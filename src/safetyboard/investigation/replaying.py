# SPDX-License-Identifier: Apache-2.0
"""Replay: run a docket's executions again in the sandbox, and say whether they end as recorded."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
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
    except SafetyboardError as error:
        return Again(execution=name, meaning=meaning, outcome="not run", differs=printable(str(error), 300))
    differs = [
        word
        for word, same in (
            ("exit code", ran.code == record["code"]),
            ("changed files", {k: list(v) for k, v in ran.changed.items()} == dict(record.get("changed", {}))),
            ("output", digest_of(ran.output + ran.error) == record["output"]),
        )
        if not same
    ]
    outcome: Literal["as recorded", "another result"] = "another result" if differs else "as recorded"
    return Again(execution=name, meaning=meaning, outcome=outcome, differs=", ".join(differs))


def _run(docket: Docket, record: Mapping[str, Any]) -> Ran:
    listed = json.loads(docket.blob(record["folder"]))["files"]
    tree = {path: docket.blob(entry[0]) for path, entry in listed.items()}
    modes = {path: entry[1] if entry[1] in MODES else MODES[0] for path, entry in listed.items()}
    setting = record.get("setting", {})
    with tempfile.TemporaryDirectory() as folder:
        lay_out(tree, Path(folder), modes)
        cell = Cell(
            folder=Path(folder),
            writable=bool(setting.get("writable", True)),
            readonly=tuple(path for path in setting.get("readonly", ()) if (Path(folder) / path).exists()),
            hidden=tuple(setting.get("hidden", ())),
            environment=dict(setting.get("environment", {})),
            limits=_limits(setting.get("limits", {})),
        )
        return run(cell, record["command"])


def _limits(asked: Mapping[str, Any]) -> Limits:
    """Take limits from the record, no wider than our own."""
    found: dict[str, Any] = {}
    for field in fields(Limits):
        most, value = getattr(MOST, field.name), asked.get(field.name)
        if isinstance(value, str):
            value = float.fromhex(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            found[field.name] = type(most)(min(value, most))
    return Limits(**{**{field.name: getattr(MOST, field.name) for field in fields(Limits)}, **found})
