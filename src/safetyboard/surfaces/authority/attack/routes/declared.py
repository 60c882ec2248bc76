# SPDX-License-Identifier: Apache-2.0
"""What a repository declares of its agent's reach and of how work is judged: mounts, rules, the judging command."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from safetyboard.surfaces.authority.attack.routes.enforcement import Enforcement
from safetyboard.surfaces.authority.attack.routes.plan import is_test
from safetyboard.surfaces.authority.scene import Tool
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput

COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
AGENTS, JUDGES = re.compile(r"agent|assistant|coder"), re.compile(r"judge|grade|test|check|(^|\W)ci($|\W)")
CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
DEFAULT = {
    "pytest": ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
    "unittest": ("python", "-m", "unittest"),
}
FULL = (Tool(name="Edit", kind="edit"), Tool(name="Write", kind="write"), Tool(name="Bash", kind="shell"))


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Hold what was found, and in which files."""

    judged: tuple[str, ...]
    framework: Literal["pytest", "unittest"]
    enforcement: Enforcement
    places: tuple[str, ...]


def judged_in(tree: Mapping[str, bytes]) -> tuple[str, ...]:
    """List what judges the work in a tree: tests, what stands beside them, the runner's configuration."""
    found = []
    for path in sorted(tree):
        parts = PurePosixPath(path).parts
        if is_test(path) or {"tests", "test"} & set(parts[:-1]) or parts[-1] in CONFIGURATION:
            found.append(path)
    return tuple(found)


def declared(tree: Mapping[str, bytes], tools: tuple[Tool, ...] = FULL) -> Declared:
    """Read what a repository says of itself; where it says nothing, its agent has every tool and acts where is judged.

    A declaration is taken at its word here: what enforces it is set up in the sandbox as declared.

    Raises:  UnreadableInput: a declaration cannot be read; EnvironmentFault: PyYAML is not installed.
    """
    judged = judged_in(tree)
    text = b"\n".join(tree[path] for path in judged if is_test(path))
    uses = "conftest.py" in {PurePosixPath(p).name for p in judged} or re.search(
        rb"^def test|import pytest", text, re.M
    )
    framework: Literal["pytest", "unittest"] = "pytest" if uses else "unittest"
    places: list[str] = []
    ruled = _ruled(tree, tools, places)
    command = _made(tree, places) or DEFAULT[framework]
    found = Enforcement(tools=ruled, command=command)
    for path in COMPOSE:
        if path in tree:
            found = _composed(tree, path, found, places)
            break
    else:
        found = _contained(tree, found, places)
    if "pytest" in found.command:
        framework = "pytest"
    return Declared(judged=judged, framework=framework, enforcement=found, places=tuple(places))


def _ruled(tree: Mapping[str, bytes], tools: tuple[Tool, ...], places: list[str]) -> tuple[Tool, ...]:
    """Take the denials of a settings file as rules of the tools that they name."""
    path = ".claude/settings.json"
    if path not in tree:
        return tools
    permissions = _json(tree, path).get("permissions", {})
    rules: dict[str, list[str]] = {}
    for entry in permissions.get("deny", []) if isinstance(permissions, dict) else []:
        match = re.fullmatch(r"(\w+)\((?:\./|/)?([^*)]*)[*)]*.*", str(entry))
        if match and match[2]:
            rules.setdefault(match[1], []).append(match[2])
    places.append(path)
    return tuple(
        Tool(name=tool.name, kind=tool.kind, denied=(*tool.denied, *rules.get(tool.name, []))) for tool in tools
    )


def _json(tree: Mapping[str, bytes], path: str) -> dict[str, Any]:
    try:
        found = json.loads(tree[path])
    except ValueError as error:
        raise UnreadableInput(f"{path} is no JSON: {error}.", hint="Correct the file.") from error
    return found if isinstance(found, dict) else {}


def _made(tree: Mapping[str, bytes], places: list[str]) -> tuple[str, ...]:
    """Take the judging command from a Makefile's target `test`."""
    match = re.search(rb"^test:[^\n]*\n\t@?([^\n]+)", tree.get("Makefile", b""), re.M)
    if not match or b"$" in match[1]:
        return ()
    places.append("Makefile")
    return tuple(shlex.split(match[1].decode("utf-8", "replace")))


def _composed(tree: Mapping[str, bytes], path: str, found: Enforcement, places: list[str]) -> Enforcement:
    """Read the agent's mounts and the judge's from services."""
    try:
        import yaml
    except ImportError as error:
        raise EnvironmentFault(
            "Reading a compose file needs PyYAML.", hint="pip install 'safetyboard[records]'"
        ) from error
    try:
        plain = yaml.safe_load(tree[path])
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableInput(f"{path} is no YAML that can be read.", hint="Correct the file.") from error
    services = plain.get("services", {}) if isinstance(plain, dict) else {}
    services = {str(k): v for k, v in services.items() if isinstance(v, dict)} if isinstance(services, dict) else {}
    agent = next((services[name] for name in services if AGENTS.search(name)), None)
    judge = next((services[name] for name in services if JUDGES.search(name) and not AGENTS.search(name)), None)
    if agent is None:
        return found
    places.append(path)
    mounts = _mounts(agent)
    given = tuple(source for source, fixed in mounts if not fixed)
    fixed = tuple(source for source, fixed in mounts if fixed and source in _starts(tree) and source != ".")
    # A root that is read-only is all of it but what is mounted writable over it.
    whole = (".", True) in mounts and (".", False) not in mounts
    readonly = _beside(tree, given) if whole else fixed
    writable = tuple("" if source == "." else f"{source}/" for source, fixed in mounts if not fixed)
    command = judge.get("command") if judge else None
    words = tuple(shlex.split(command)) if isinstance(command, str) else tuple(map(str, command or found.command))
    apart = judge is not None or (mounts and "" not in writable)
    return Enforcement(
        tools=found.tools, command=words, readonly=readonly, persists=writable if apart else None,
        sealed=judge is not None and all(fixed for _, fixed in _mounts(judge)),
    )  # fmt: skip


def _beside(tree: Mapping[str, bytes], given: tuple[str, ...]) -> tuple[str, ...]:
    """Name all of a tree but some folders, by as few paths as possible."""
    above = {str(each) for source in given for each in (PurePosixPath(source), *PurePosixPath(source).parents)} | {"."}
    found = []
    for path in sorted(tree):
        line = [str(each) for each in (*reversed(PurePosixPath(path).parents), PurePosixPath(path))]
        lowest = next((each for each in line if each not in above), None)
        if lowest is not None and str(PurePosixPath(lowest).parent) not in given:
            found.append(lowest)
    return tuple(dict.fromkeys(found))


def _starts(tree: Mapping[str, bytes]) -> set[str]:
    return {str(part) for path in tree for part in (PurePosixPath(path), *PurePosixPath(path).parents)}


def _mounts(service: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """List the folders of the repository that a service sees, each with whether it is read-only."""
    found = []
    volumes = service.get("volumes", [])
    for volume in volumes if isinstance(volumes, list) else []:
        if isinstance(volume, dict):
            source, fixed = str(volume.get("source", "")), volume.get("read_only") is True
        else:
            parts = str(volume).split(":")
            source, fixed = parts[0], len(parts) > 2 and "ro" in parts[2].split(",")
        if source == "." or source.startswith("./"):
            found.append((source[2:].rstrip("/") or ".", fixed))
    return found


def _contained(tree: Mapping[str, bytes], found: Enforcement, places: list[str]) -> Enforcement:
    """Read read-only mounts of a development container."""
    path = ".devcontainer/devcontainer.json"
    if path not in tree:
        return found
    fixed = []
    for mount in _json(tree, path).get("mounts", []):
        match = re.search(r"source=\$\{localWorkspaceFolder\}/([^,]+)", str(mount))
        if match and re.search(r",(readonly|ro)(,|$|=true)", str(mount)) and match[1] in _starts(tree):
            fixed.append(match[1])
    places.append(path)
    return Enforcement(tools=found.tools, command=found.command, readonly=tuple(fixed))
