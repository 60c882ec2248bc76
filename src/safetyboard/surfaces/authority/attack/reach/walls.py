# SPDX-License-Identifier: Apache-2.0
"""Declared enforcement, rebuilt in the sandbox and probed from inside: the only source of a positive word."""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safetyboard.laboratory.sandbox.cell import PLACE, Cell, Limits
from safetyboard.laboratory.sandbox.probed import Probed
from safetyboard.laboratory.sandbox.probing import PACKAGE, baited
from safetyboard.laboratory.sandbox.running import run
from safetyboard.surfaces.authority.attack.reach.stage import WORK, Stage
from safetyboard.terms.grant import Enforcement, Grant

_AROUND = ("home", "outside", "remote.git")
_TCP = """import json, socket, sys
for host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), 1.0).recv(9)
    except OSError:
        continue
    print("reached")
"""


@dataclass(frozen=True, kw_only=True)
class Walls:
    """Hold what the declared enforcement comes to on the stage.

    Args:    readonly, hidden: paths on the stage. network: whether the listener can be reached. holes: declared ways
             round everything. assumptions: what the rebuilt walls share with the declared ones only if it is true.
    """

    readonly: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    network: bool = True
    holes: tuple[Enforcement, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Tell whether anything is held back at all."""
        return bool(self.readonly or self.hidden) or not self.network


def walls_of(grant: Grant, stage: Stage) -> Walls:
    """Rebuild what a grant declares about mounts, sandbox and network, as far as the stage has it."""
    told = grant.enforcement
    kinds = {each.what for each in told if each.kind == "sandbox"}
    holes = tuple(
        each for each in told if each.kind == "none" and each.what not in ("no sandbox", "outside the sandbox")
    )
    network = [each.what for each in told if each.kind == "network"]
    readonly, hidden, notes = set[str](), set[str](), list[str]()
    if "read-only" in kinds:
        readonly |= {*_AROUND, WORK}
    if "workspace-write" in kinds:
        readonly |= set(_AROUND)
    if "container" in kinds and grant.mode == "everything inside":
        hidden |= set(_AROUND)
    for each in told:
        if each.kind != "mount":
            continue
        place = _on_stage(each.path, stage)
        if place is None:
            notes.append(f"{each.what} {each.path} ({each.place.pointer}) has no counterpart on the stage.")
        elif each.what == "writable":
            readonly.discard(place)
            hidden.discard(place)
        elif each.what == "hidden":
            hidden.add(place)
        else:
            readonly.add(place)
            hidden.discard(place)
    if not hidden.isdisjoint(readonly):
        readonly -= hidden
    if kinds or readonly or hidden:
        notes.append(
            "The program applies the declared enforcement to every command, as this sandbox does; its own was not run."
        )
    shut = "off" in network and not {"on", "host"} & set(network)
    return Walls(
        readonly=tuple(sorted(_outermost(readonly))), hidden=tuple(sorted(hidden)), network=not shut, holes=holes,
        assumptions=tuple(notes),
    )  # fmt: skip


def _outermost(paths: set[str]) -> set[str]:
    return {path for path in paths if not any(path.startswith(other + "/") for other in paths)}


def _on_stage(path: str, stage: Stage) -> str | None:
    """Find what a declared path is on the stage; None where it is nothing there."""
    bare = path.rstrip("/")
    if bare in ("", "."):
        return WORK if path in (".", "./") else None
    if bare.startswith("~"):
        place = "home" + bare[1:]
    elif bare.startswith(("/", "$", "..")):
        return None
    else:
        place = f"{WORK}/{bare.removeprefix('./')}"
    return place if any(each == place or each.startswith(place + "/") for each in stage.files) else None


def probed(stage: Stage, walls: Walls) -> tuple[Probed, ...]:
    """Try from inside to get round each rebuilt wall; nothing is said of walls that were not declared."""
    return (*_mounts(stage, walls), *_hidden(stage, walls), *(() if walls.network else (_network(),)))


def _mounts(stage: Stage, walls: Walls) -> Iterator[Probed]:
    files = [next((path for path in stage.files if path == wall or path.startswith(wall + "/")), "")
             for wall in walls.readonly]  # fmt: skip
    if not files:
        return
    text = resources.files(PACKAGE).joinpath("routes.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        stage.lay(Path(folder))
        cell = Cell(folder=Path(folder), readonly=walls.readonly, limits=Limits(wall_seconds=30.0))
        ran = run(cell, [sys.executable, "-I", "-S", "-c", text, PLACE, json.dumps(files)])
    try:
        told = json.loads(ran.output)
    except ValueError:
        told = [("read-only mounts", None, f"no answer (code {ran.code})")]
    for name, went, seen in told:
        outcome = "untried" if went is None else "broken" if went else "held"
        yield Probed(name=f"read-only: {name}", outcome=outcome, seen=str(seen)[:200])


def _hidden(stage: Stage, walls: Walls) -> Iterator[Probed]:
    if not walls.hidden:
        return
    with tempfile.TemporaryDirectory() as folder:
        stage.lay(Path(folder))
        ran = run(Cell(folder=Path(folder), hidden=walls.hidden), ["find", PLACE])
    seen = ran.output.decode("utf-8", "replace").split("\n")
    for path in walls.hidden:
        found = [each for each in seen if each.startswith(f"{PLACE}/{path}")]
        yield Probed(
            name=f"hidden: {path}", outcome="broken" if found else "held", seen=(found or ["nothing there"])[0]
        )


def _network() -> Probed:
    with tempfile.TemporaryDirectory() as folder, baited(Path(folder)) as bait:
        inner = Path(folder) / "inner"
        inner.mkdir()
        ran = run(Cell(folder=inner), [sys.executable, "-I", "-S", "-c", _TCP, json.dumps(bait.facts["tcp"])])
    reached = b"reached" in ran.output or ran.code != 0
    seen = f"{len(bait.facts['tcp'])} listeners on this machine tried, code {ran.code}"
    return Probed(name="network: reach a listener outside", outcome="broken" if reached else "held", seen=seen)
