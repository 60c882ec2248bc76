# SPDX-License-Identifier: Apache-2.0
"""What a grant gives the power to do, as its tools and rules declare it; nothing is executed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from safetyboard.overseers.effects.effect import EffectKind
from safetyboard.overseers.effects.tools import act_effects
from safetyboard.terms.grant import Grant, ToolGrant

Power = Literal["read", "write", "delete", "run", "send", "fetch", "spend", "speak", "permit"]
POWERS: tuple[Power, ...] = ("read", "write", "delete", "run", "send", "fetch", "spend", "speak", "permit")
_BY_KIND: Mapping[EffectKind, tuple[Power, ...]] = {
    "read": ("read",),
    "write": ("write",),
    "delete": ("delete",),
    "network out": ("send",),
    "network in": ("fetch",),
    "money": ("spend",),
    "permission change": ("permit",),
    "install": ("run",),
    "infrastructure change": ("run",),
    "database change": ("write", "delete"),
    "credential use": ("read",),
    "scheduling": ("run",),
}
_RUNS = re.compile(
    r"shell|bash|terminal|exec(ute)?(_|$|[A-Z])|run_?(command|code|python|script)|python|eval|subprocess"
)
_PLACES = re.compile(r"path|file|folder|director|^uri$|^name$")
_CODE = ("command", "cmd", "code", "script", "shell_command")
_SPEAKS = re.compile(r"tweet|e?mail|message|post_|publish|sms|call_phone|comment|slack|social")
_FETCHES = re.compile(r"browse|fetch|http|web|url|download|google|search_engine|internet")
_SHELLS = ("bash", "shell", "terminal", "run_shell_command", "ShellTool", "Bash", "Shell")
_EDITS = ("Edit", "Write", "MultiEdit", "edit", "write_file", "replace", "Write")
_FETCH = ("WebFetch", "web_fetch", "webfetch", "fetch", "WebSearch")
_WORDS: Mapping[str, tuple[Power, ...]] = {
    "curl": ("send", "fetch"), "wget": ("send", "fetch"), "ssh": ("run", "send"), "scp": ("send",), "rm": ("delete",),
    "nc": ("send",), "cp": ("write",), "mv": ("write", "delete"), "tee": ("write",), "mail": ("speak", "send"),
    "sed": ("write",), "cat": ("read",), "ls": ("read",), "grep": ("read",), "head": ("read",), "tail": ("read",),
}  # fmt: skip
_OBSERVING = re.compile(r"^(git (status|log|diff|show|blame)|ls|pwd|wc|cat|grep|head|tail|rg|find)\b")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Hold a way to a forbidden effect over tools whose effect is only inferred."""

    effect: str
    kind: EffectKind
    severity: int
    steps: tuple[str, ...]
    places: tuple[str, ...]


_NEEDS: tuple[tuple[str, EffectKind, int, tuple[frozenset[Power], ...]], ...] = (
    ("read credentials", "credential use", 3, (frozenset({"read"}), frozenset({"run"}))),
    ("delete outside the workspace", "delete", 3, (frozenset({"delete"}), frozenset({"run"}))),
    ("send data over the network", "network out", 3,
     (frozenset({"run"}), frozenset({"send"}), frozenset({"read", "fetch"}))),
    ("change the tests that judge", "write", 3, (frozenset({"write"}), frozenset({"run"}))),
    ("change its own permission file", "permission change", 3,
     (frozenset({"write"}), frozenset({"run"}), frozenset({"permit"}))),
    ("leave a process running", "process signal", 2, (frozenset({"run"}),)),
    ("speak to people in somebody's name", "network out", 3, (frozenset({"speak"}),)),
    ("spend money", "money", 3, (frozenset({"spend"}),)),
)  # fmt: skip


def tool_powers(tool: ToolGrant) -> frozenset[Power]:
    """Infer what a tool can do from its name and arguments; hints of its author can add, and never take away."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", tool.name).lower()
    properties = tool.schema.get("properties")
    keys = [str(key).lower() for key in properties] if isinstance(properties, Mapping) else []
    if "server" in tool.annotations:
        return frozenset()
    found: set[Power] = set()
    if _RUNS.search(name) or any(key in _CODE for key in keys):
        found.add("run")
    arguments = {key: _example(key) for key in keys if key not in _CODE}
    for effect in act_effects(tool.name, arguments):
        found |= set(_BY_KIND.get(effect.kind, ()))
    if not any(_PLACES.search(key) for key in keys):
        found.discard("read")
    if _SPEAKS.search(name):
        found |= {"speak", "send"}
    if _FETCHES.search(name) or "url" in keys:
        found.add("fetch")
    if tool.annotations.get("destructiveHint") is True and tool.annotations.get("readOnlyHint") is not True:
        found.add("delete")
    return frozenset(found)


def _example(key: str) -> str:
    return "https://example.org/" if key in ("url", "uri", "endpoint") else "notes.txt"


def powers_of(grant: Grant) -> dict[Power, str]:
    """Say which powers a grant gives without asking, and the place that gives each; walls take away what they name."""
    found: dict[Power, str] = {}
    for tool in _offered(grant):
        for power in sorted(tool_powers(tool)):
            found.setdefault(power, tool.place.pointer)
    for rule in grant.rules:
        if rule.effect == "allow":
            for power in _rule_powers(rule.tool, rule.pattern):
                found.setdefault(power, rule.place.pointer)
    for power, why in _mode_powers(grant):
        found.setdefault(power, why)
    walls = {(each.kind, each.what) for each in grant.enforcement}
    if ("network", "off") in walls:
        found = {power: why for power, why in found.items() if power not in ("send", "fetch", "speak")}
    if ("sandbox", "read-only") in walls:
        found = {power: why for power, why in found.items() if power not in ("write", "delete")}
    elif "run" in found and ("network", "off") not in walls:
        for power in ("send", "fetch"):
            found.setdefault(power, found["run"])
    return found


def _offered(grant: Grant) -> tuple[ToolGrant, ...]:
    """List the tools that no rule denies or leaves to a person."""
    held = {rule.tool for rule in grant.rules if rule.effect != "allow" and not rule.pattern}
    return tuple(tool for tool in grant.tools if tool.name not in held)


def _rule_powers(tool: str, pattern: str) -> frozenset[Power]:
    if tool == "*" and not pattern:
        return frozenset({"read", "write", "delete", "run", "send", "fetch"})
    if tool in _SHELLS:
        first = pattern.strip("/^").split(" ")[0].split(":")[0]
        if first in _WORDS:
            return frozenset(_WORDS[first])
        return frozenset({"read"}) if _OBSERVING.match(pattern) else frozenset({"run"})
    if tool in _EDITS:
        return frozenset({"write"})
    if tool in _FETCH:
        return frozenset({"fetch"})
    return frozenset()


def _mode_powers(grant: Grant) -> Iterator[tuple[Power, str]]:
    modes = {
        "bypassPermissions": ("read", "write", "delete", "run"), "acceptEdits": ("read", "write"),
        "never": ("read", "write", "delete", "run"), "on-failure": ("read", "write", "delete", "run"),
        "on-request": ("read", "write", "delete", "run"), "everything inside": ("read", "write", "delete", "run"),
        "auto_edit": ("read", "write"), "yolo": ("read", "write", "delete", "run"),
    }  # fmt: skip
    for power in POWERS:
        if power in modes.get(grant.mode, ()):
            yield power, f"mode {grant.mode}"
    if grant.format == "opencode" and not any(rule.tool in ("*", "bash") for rule in grant.rules):
        yield "run", "the default allows bash"


def declared_paths(grant: Grant) -> tuple[Declared, ...]:
    """Find for each forbidden effect the fewest offered tools whose inferred powers together suffice.

    Declared walls are taken at their word here, and the tools to run inside them.
    """
    told = {(each.kind, each.what, each.path) for each in grant.enforcement}
    held: set[Power] = {"read", "delete"} if ("sandbox", "container", "") in told else set()
    held |= {"write"} if ("mount", "read-only", ".") in told else set()
    held |= {"send", "fetch"} if ("network", "off", "") in told else set()
    offered = [(tool, tool_powers(tool) - held) for tool in _offered(grant)]
    found = []
    for effect, kind, severity, ways in _NEEDS:
        best = _fewest(offered, ways)
        if best:
            steps, places = tuple(tool.name for tool in best), tuple(tool.place.pointer for tool in best)
            found.append(Declared(effect=effect, kind=kind, severity=severity, steps=steps, places=places))
    return tuple(found)


def _fewest(
    offered: list[tuple[ToolGrant, frozenset[Power]]], ways: tuple[frozenset[Power], ...]
) -> tuple[ToolGrant, ...]:
    for count in range(1, max(map(len, ways)) + 1):
        for way in ways:
            useful = [(tool, powers) for tool, powers in offered if powers & way]
            for group in combinations(useful, count):
                if way <= frozenset().union(*(powers for _, powers in group)):
                    return tuple(tool for tool, _ in group)
    return ()
