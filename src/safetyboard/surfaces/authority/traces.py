# SPDX-License-Identifier: Apache-2.0
"""What a recorded run did to files, with which tools, and what its user asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safetyboard.overseers.chains.deeds import Deed, deeds_of
from safetyboard.overseers.chains.suite_results import suite_of
from safetyboard.readers.records.edits import edits_of
from safetyboard.surfaces.authority.scene import Edit, Said, Tool, ToolKind
from safetyboard.terms.episode import Episode, Step

COMMANDS = ("command", "cmd", "commands", "shell_command", "keystrokes", "action")
MOST_SAID = 20
_ORDER: tuple[ToolKind, ...] = ("shell", "write", "edit", "measure", "read", "other")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Hold what one run did to files.

    Args:    edits: in order; what a shell command did to files is not among them. obscure: acts by shell commands that
             write, of which the record does not say what they wrote.
    """

    edits: tuple[Edit, ...]
    tools: tuple[Tool, ...]
    asked: tuple[Said, ...]
    obscure: int = 0


def trace_of(episode: Episode) -> Trace:
    """Read from an episode what it did to files."""
    deeds = deeds_of(episode).deeds
    kinds: dict[str, ToolKind] = {}
    edits: list[Edit] = []
    obscure = 0
    measured = _measuring(deeds)
    for deed in deeds:
        step = deed.step
        if step.actor != "agent" or step.kind != "act":
            continue
        made = _made(step)
        edits += [_edit(each, deed) for each in made if each.get("path")]
        kind = _kind(step, made, deed, measured)
        obscure += kind == "shell" and not made and any(effect.kind in ("write", "delete") for effect in deed.effects)
        kinds[step.tool] = min(kind, kinds.get(step.tool, kind), key=_ORDER.index)
    said = (deed.step for deed in deeds if deed.step.actor == "user" and deed.step.content.strip())
    return Trace(
        edits=tuple(edits),
        tools=tuple(Tool(name=name, kind=kind) for name, kind in sorted(kinds.items()) if name),
        asked=tuple(Said(text=step.content, source=step.source) for step in said)[:MOST_SAID],
        obscure=obscure,
    )


def _measuring(deeds: Iterable[Deed]) -> frozenset[str]:
    """Name the calls whose answer is the summary of a suite."""
    results = (deed for deed in deeds if deed.step.kind == "result" and deed.step.actor == "tool")
    return frozenset(deed.step.call for deed in results if deed.step.call and suite_of(deed.words.text))


def _made(step: Step) -> list[Mapping[str, Any]]:
    """Take the changes of files that the reader saw in a call, or see them here where it did not look."""
    found = step.extra.get("edits") or edits_of(step.tool, step.arguments)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _edit(each: Mapping[str, Any], deed: Deed) -> Edit:
    old, new = each.get("old"), each.get("new")
    if "lines" in each:
        # Lines by number, of a file as it was then: what the call replaced is not in the record.
        old = new = None
    return Edit(
        step=deed.step.index,
        path=str(each["path"]),
        old=old if isinstance(old, str) else None,
        new=new if isinstance(new, str) else None,
        done=deed.result != "failed",
        source=deed.step.source,
    )


def _kind(step: Step, made: list[Mapping[str, Any]], deed: Deed, measured: frozenset[str]) -> ToolKind:
    if any(isinstance(step.arguments.get(key), str | list) for key in COMMANDS) and not made:
        return "shell"
    if made:
        return "write" if any(each.get("old") is None and "lines" not in each for each in made) else "edit"
    if step.call in measured:
        return "measure"
    return "read" if all(effect.kind == "read" for effect in deed.effects) and deed.effects else "other"


def within(trace: Trace, paths: Iterable[str]) -> Trace:
    """Write the paths of a trace relative to a tree, where the tree tells how; other edits are left out.

    Agents write absolute paths, trees do not: the prefix that makes the most edited paths fit is taken off all of them.
    """
    known = set(paths)
    prefixes: dict[str, int] = {}
    for edit in trace.edits:
        parts = edit.path.lstrip("/").split("/")
        for cut in range(len(parts)):
            if "/".join(parts[cut:]) in known:
                prefix = edit.path[: len(edit.path) - len("/".join(parts[cut:]))]
                prefixes[prefix] = prefixes.get(prefix, 0) + 1
                break
    if not prefixes:
        return replace(trace, edits=())
    best = max(sorted(prefixes), key=lambda prefix: prefixes[prefix])
    fitting = (edit for edit in trace.edits if edit.path.startswith(best) and len(edit.path) > len(best))
    return replace(trace, edits=tuple(replace(edit, path=edit.path[len(best) :]) for edit in fitting))
