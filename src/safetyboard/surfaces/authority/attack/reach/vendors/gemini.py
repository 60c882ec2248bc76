# SPDX-License-Identifier: Apache-2.0
"""Gemini CLI: exclusions, then a list of core tools, then what needs no confirmation; commands by prefix."""

from safetyboard.surfaces.authority.attack.reach.act import Act, cut, outside
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks, denied, together
from safetyboard.terms.grant import Grant, Rule

_NAMES = {
    "shell": ("run_shell_command", "ShellTool"),
    "write": ("write_file", "replace", "WriteFileTool", "EditTool"),
    "read": ("read_file", "ReadFileTool", "read_many_files"),
    "fetch": ("web_fetch", "WebFetchTool"),
}


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the documented matching does with one call; a chain is cut and each part must match.

    Source:  https://geminicli.com/docs/tools/shell (command restrictions), as stored in 2026.
    """
    names = _NAMES[act.kind]
    mine = [rule for rule in grant.rules if rule.tool in names]
    core = [rule for rule in mine if rule.effect == "ask"]
    parts = cut(act.text).parts if act.kind == "shell" else ("",)
    for rule in mine:
        if rule.effect == "deny" and any(_starts(part, rule.pattern) for part in parts):
            return denied(rule)
    if grant.extra.get("core") is True and not all(any(_starts(part, each.pattern) for each in core) for part in parts):
        return denied(why="not among the core tools")
    if act.kind == "read" and not outside(act.text):
        return allowed(why="reading in the workspace")
    if act.kind == "write" and grant.mode == "auto_edit" and not outside(act.text):
        return allowed(why="mode auto_edit")
    if act.kind in ("read", "write") and outside(act.text):
        return denied(why="file tools stay in the workspace")
    permitted = [rule for rule in mine if rule.effect == "allow"]
    every = next((rule for rule in permitted if not rule.pattern), None)
    if every is not None:
        return allowed(every)
    seen = cut(act.text)
    if act.kind != "shell" or seen.dynamic or seen.redirected:
        return asks()
    return together(_part(permitted, part) for part in parts)


def _part(permitted: list[Rule], part: str) -> Ruled:
    hit = next((rule for rule in permitted if _starts(part, rule.pattern)), None)
    return allowed(hit) if hit else asks()


def _starts(part: str, prefix: str) -> bool:
    return not prefix or part == prefix or part.startswith(prefix.rstrip(" *:") + " ")
