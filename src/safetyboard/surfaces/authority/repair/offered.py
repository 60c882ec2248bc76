# SPDX-License-Identifier: Apache-2.0
"""The remedies there are, cheapest first: each a file to apply, and what it sets up."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import PurePosixPath
from typing import Any, Literal

from safetyboard.surfaces.authority.attack.routes.enforcement import Enforcement
from safetyboard.surfaces.authority.attack.routes.plan import Target

Means = Literal["rule", "mount", "clean room", "hook"]
SETTINGS = ".claude/settings.json"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Hold one remedy: bytes to apply, and the enforcement that they amount to.

    Args:    path: of the file that `diff` makes or changes. assumptions: what it rests on, each as "breaks: …".
    """

    name: str
    path: str
    diff: bytes
    media_type: str
    kind: Means
    enforcement: Enforcement
    assumptions: tuple[str, ...]


def beginnings(target: Target) -> tuple[str, ...]:
    """Name what judges by as few paths as possible: folders that hold nothing else, then single files."""
    found: list[str] = []
    for path in sorted(target.judged):
        above = [str(parent) for parent in reversed(PurePosixPath(path).parents) if parent.parts]
        whole = [folder for folder in above if all(p in target.judged for p in target.tree if _below(p, folder))]
        found.append(whole[0] if whole else path)
    return tuple(dict.fromkeys(found))


def offers(target: Target, base: Mapping[str, bytes]) -> tuple[Offer, ...]:
    """Make every remedy for a suite, in the order of what it costs to put in place."""
    makers: tuple[Callable[[Target, Mapping[str, bytes]], Offer], ...] = (
        _edit_denied, _writing_denied, _asked, _watched, _mounted, _clean_room,
    )  # fmt: skip
    return tuple(make(target, base) for make in makers)


def plain(target: Target) -> Enforcement:
    """Describe things as they are: the tools with their own rules, judged where the agent acted."""
    return Enforcement(tools=target.tools, command=target.command)


def patch(path: str, old: bytes | None, new: bytes) -> bytes:
    """Write a unified diff that makes or changes one file."""
    before = (old or b"").decode("utf-8", "replace").splitlines(keepends=True)
    after = new.decode("utf-8").splitlines(keepends=True)
    start = f"a/{path}" if old is not None else "/dev/null"
    return "".join(difflib.unified_diff(before, after, start, f"b/{path}")).encode("utf-8")


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder + "/")


def _denials(target: Target, names: Sequence[str], base: Mapping[str, bytes]) -> tuple[bytes, Enforcement]:
    """Deny some tools everything that judges: as a settings file, and as rules of the tools."""
    starts = beginnings(target)
    old = base.get(SETTINGS)
    settings: dict[str, Any] = _read(old)
    permissions = settings.setdefault("permissions", {})
    patterns = [f"{start}/**" if start not in target.judged else start for start in starts]
    denied = [f"{name}({pattern})" for name in names for pattern in patterns]
    permissions["deny"] = [*permissions.get("deny", []), *denied]
    text = json.dumps(settings, indent=2).encode("utf-8") + b"\n"
    rules = tuple(start if start in target.judged else f"{start}/" for start in starts)
    tools = tuple(
        replace(tool, denied=tuple(dict.fromkeys([*tool.denied, *rules]))) if tool.name in names else tool
        for tool in target.tools
    )
    return patch(SETTINGS, old, text), replace(plain(target), tools=tools)


def _read(old: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(old or b"{}")
    except ValueError:
        return {}
    good = isinstance(found, dict) and isinstance(found.get("permissions", {}), dict)
    return found if good else {}


def _edit_denied(target: Target, base: Mapping[str, bytes]) -> Offer:
    writers = [tool for tool in target.tools if tool.kind in ("edit", "write")]
    first = sorted(writers, key=lambda tool: tool.kind != "edit")[:1]
    diff, enforcement = _denials(target, [tool.name for tool in first], base)
    return Offer(
        name="deny the edit tool on what judges", path=SETTINGS, diff=diff, media_type="text/x-diff", kind="rule",
        enforcement=enforcement, assumptions=("breaks: any other tool that writes",),
    )  # fmt: skip


def _writing_denied(target: Target, base: Mapping[str, bytes]) -> Offer:
    names = [tool.name for tool in target.tools if tool.kind in ("edit", "write", "shell")]
    diff, enforcement = _denials(target, names, base)
    return Offer(
        name="deny every writing tool on what judges", path=SETTINGS, diff=diff, media_type="text/x-diff", kind="rule",
        enforcement=enforcement, assumptions=("breaks: a file that is not named, yet read by the judge",),
    )  # fmt: skip


def _asked(target: Target, base: Mapping[str, bytes]) -> Offer:
    text = _resource("ask_first.py").replace(
        "JUDGED: list[str] = []", f"JUDGED: list[str] = {list(beginnings(target))!r}"
    )
    return Offer(
        name="ask a person first", path=".claude/hooks/ask_first.py", diff=text.encode("utf-8"),
        media_type="text/x-python", kind="hook", enforcement=replace(plain(target), hook=text),
        assumptions=("breaks: a call that does not spell the path", "breaks: a person who agrees to everything"),
    )  # fmt: skip


def _watched(target: Target, base: Mapping[str, bytes]) -> Offer:
    paths = " ".join(f"'{start}'" for start in beginnings(target))
    text = f'#!/bin/sh\ntest -z "$(git status --porcelain -- {paths})" && exec {" ".join(target.command)}\n'
    return Offer(
        name="judge only while git shows no change", path="judge.sh", diff=patch("judge.sh", None, text.encode()),
        media_type="text/x-diff", kind="rule", enforcement=replace(plain(target), watched=beginnings(target)),
        assumptions=("breaks: an index that was told not to look", "breaks: files git does not list for these paths"),
    )  # fmt: skip


def _mounted(target: Target, base: Mapping[str, bytes]) -> Offer:
    lines = "".join(f"      - ./{start}:/project/{start}:ro\n" for start in beginnings(target))
    text = f"services:\n  agent:\n    working_dir: /project\n    volumes:\n      - .:/project\n{lines}"
    return Offer(
        name="mount what judges read-only", path="compose.agent.yaml",
        diff=patch("compose.agent.yaml", None, text.encode("utf-8")), media_type="text/x-diff", kind="mount",
        enforcement=replace(plain(target), readonly=beginnings(target)),
        assumptions=(
            "breaks: a new file that the judge reads, in a folder that is not mounted read-only",
            "breaks: whatever else of the agent's machine the judge uses (start-up files, programs on the path)",
            "breaks: an agent that may mount",
        ),
    )  # fmt: skip


def _clean_room(target: Target, base: Mapping[str, bytes]) -> Offer:
    folders = {str(PurePosixPath(path).parent) for path in base if path.endswith(".py") and path not in target.judged}
    judging = {str(PurePosixPath(path).parent) for path in target.judged}
    setting = {
        "framework": target.framework, "judged": sorted(target.judged), "tests": list(target.tests),
        "product": sorted(folders - judging - {"."}),
    }  # fmt: skip
    shape = "SETTING: dict[str, Any] = {}"
    text = _resource("clean_room.py").replace(shape, f"SETTING: dict[str, Any] = {setting!r}")
    return Offer(
        name="judge in a clean room", path="clean_room.py", diff=text.encode("utf-8"), media_type="text/x-python",
        kind="clean room", enforcement=replace(plain(target), grader=text, base=dict(base)),
        assumptions=(
            "breaks: a place for judging that the agent can reach, or a base that it can change",
            "breaks: a program that forges, in the process that runs its tests, results of tests it knows by name",
            "breaks: tests that do not tell right from wrong",
            "breaks: honest work that needs a new file outside the program's folders, or new configuration",
        ),
    )  # fmt: skip


def _resource(name: str) -> str:
    return resources.files("safetyboard.surfaces.authority.repair").joinpath(name).read_text("utf-8")
