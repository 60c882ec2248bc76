# SPDX-License-Identifier: Apache-2.0
"""VS Code: every command of a line must be approved by name or regular expression, and by none be taken back."""

import re

from safetyboard.surfaces.authority.attack.reach.act import Act, cut
from safetyboard.surfaces.authority.attack.reach.patterns import path_matches
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks, together
from safetyboard.terms.grant import Grant, Rule


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the documented matching does with one call; the program's own defaults are not counted on.

    Source:  https://code.visualstudio.com/docs/agents/approvals, as stored in 2026.
    """
    every = next((rule for rule in grant.rules if rule.tool == "*"), None)
    if every is not None:
        return allowed(every)
    if act.kind == "read":
        return allowed(why="reading in the workspace") if not act.text.startswith(("~", "/", "..")) else asks()
    tool = {"shell": "terminal", "write": "edit", "fetch": "fetch"}[act.kind]
    mine = [rule for rule in grant.rules if rule.tool == tool]
    if act.kind == "fetch":
        hit = next((rule for rule in mine if rule.effect == "allow" and act.text.startswith(rule.pattern)), None)
        return allowed(hit) if hit else asks()
    if act.kind == "write":
        hits = [rule for rule in mine if path_matches(rule.pattern, act.text)]
        return allowed(hits[-1]) if hits and hits[-1].effect == "allow" else asks(*hits[-1:])
    seen = cut(act.text)
    if seen.dynamic or seen.redirected:
        return asks(why="a substitution or redirection")
    return together(_part(mine, part) for part in seen.parts)


def _part(rules: list[Rule], part: str) -> Ruled:
    hits = [rule for rule in rules if _approves(rule.pattern, part)]
    back = next((rule for rule in hits if rule.effect == "ask"), None)
    if back is not None:
        return asks(back, why="approval taken back")
    return allowed(hits[0]) if hits else asks()


def _approves(pattern: str, part: str) -> bool:
    match = re.fullmatch(r"/(.*)/([a-z]*)", pattern, re.S)
    if match is None:
        return not pattern or part == pattern or part.startswith(pattern + " ")
    try:
        return bool(re.search(match[1], part, re.I if "i" in match[2] else 0))
    except re.error:
        return False
