# SPDX-License-Identifier: Apache-2.0
"""Claude Code: denials, then questions, then permissions; commands cut at operators; paths as in gitignore."""

from safetyboard.surfaces.authority.attack.reach.act import Act, cut, outside, unwrapped, words_of
from safetyboard.surfaces.authority.attack.reach.patterns import command_matches, path_matches
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks, denied, together
from safetyboard.terms.grant import Grant, Rule

_READS = ("Read", "Grep", "Glob", "LS")
_WRITES = ("Edit", "Write", "MultiEdit", "NotebookEdit")
_PROTECTED = (".git", ".claude", ".vscode", ".idea")
_OBSERVES = ("ls", "cat", "head", "tail", "grep", "wc", "diff", "stat", "du")
_MOVES = ("mkdir", "touch", "mv", "cp")


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the documented matching does with one call; where sources differ, the stricter reading.

    Source:  https://code.claude.com/docs/en/permissions and /sandboxing, as stored in 2026.
    """
    for effect, answer in (("deny", denied), ("ask", asks)):
        hit = next((rule for rule in grant.rules if rule.effect == effect and _matches(rule, act)), None)
        if hit is not None:
            return answer(hit, why="")
    if grant.mode == "bypassPermissions":
        guarded = act.kind == "write" and act.text.split("/")[0] in _PROTECTED
        return asks(why="a protected folder") if guarded else allowed(why="mode bypassPermissions asks nothing")
    if grant.mode == "plan":
        inside = act.kind == "read" and not outside(act.text)
        return allowed(why="reading in the workspace") if inside else denied(why="mode plan changes nothing")
    found = {"shell": _shell, "read": _read, "write": _write, "fetch": _fetch}[act.kind](grant, act)
    return denied(why="mode dontAsk") if found.effect == "ask" and grant.mode == "dontAsk" else found


def _matches(rule: Rule, act: Act) -> bool:
    """Tell whether a denial or question speaks of a call; one that names a path binds shell words too."""
    if act.kind == "shell":
        parts = cut(act.text).parts
        if rule.tool == "Bash":
            return any(command_matches(rule.pattern, each) for part in parts for each in (part, unwrapped(part)))
        named = rule.tool in (*_READS, *_WRITES) and rule.pattern
        return bool(named) and any(path_matches(rule.pattern, word) for part in parts for word in words_of(part))
    tools = {"read": _READS, "write": (*_WRITES, "Read") if rule.pattern else _WRITES, "fetch": ("WebFetch",)}[act.kind]
    if rule.tool not in tools:
        return False
    return _addressed(rule, act) if act.kind == "fetch" else path_matches(rule.pattern, act.text)


def _addressed(rule: Rule, act: Act) -> bool:
    host = act.text.split("://", 1)[-1].split("/")[0].split(":")[0]
    return rule.pattern in ("", "*") or rule.pattern == f"domain:{host}"


def _allowing(grant: Grant, *tools: str) -> list[Rule]:
    return [rule for rule in grant.rules if rule.effect == "allow" and rule.tool in tools]


def _shell(grant: Grant, act: Act) -> Ruled:
    rules = _allowing(grant, "Bash")
    every = next((rule for rule in rules if rule.pattern in ("", "*")), None)
    if every is not None:
        return allowed(every)
    boxed = {each.what for each in grant.enforcement if each.kind == "sandbox"}
    if "workspace-write" in boxed and "shell asks" not in boxed:
        return allowed(why="the sandbox runs commands without asking")
    seen = cut(act.text)
    if seen.dynamic or seen.redirected:
        return asks(why="a substitution, setting or redirection")
    return together(_part(grant, rules, part) for part in seen.parts)


def _part(grant: Grant, rules: list[Rule], part: str) -> Ruled:
    bare = unwrapped(part)
    hit = next((rule for rule in rules if command_matches(rule.pattern, bare)), None)
    if hit is not None:
        return allowed(hit)
    words = words_of(bare)
    inside = not any(outside(word) for word in words)
    if words[0] in _OBSERVES and inside:
        return allowed(why=f"{words[0]} only reads")
    if grant.mode == "acceptEdits" and words[0] in _MOVES and inside:
        guarded = any(word.split("/")[0] in _PROTECTED for word in words)
        return asks(why="a protected folder") if guarded else allowed(why=f"mode acceptEdits runs {words[0]}")
    return asks()


def _read(grant: Grant, act: Act) -> Ruled:
    if not outside(act.text):
        return allowed(why="reading in the workspace")
    hit = next((rule for rule in _allowing(grant, "Read") if path_matches(rule.pattern, act.text)), None)
    return allowed(hit) if hit else asks()


def _write(grant: Grant, act: Act) -> Ruled:
    guarded = act.text.split("/")[0] in _PROTECTED
    for rule in _allowing(grant, *_WRITES):
        bare = not rule.pattern
        if (bare and not guarded) or (not bare and rule.tool == "Edit" and path_matches(rule.pattern, act.text)):
            return allowed(rule)
    if grant.mode == "acceptEdits" and not guarded and not outside(act.text):
        return allowed(why="mode acceptEdits writes in the workspace")
    return asks()


def _fetch(grant: Grant, act: Act) -> Ruled:
    hit = next((rule for rule in _allowing(grant, "WebFetch") if _addressed(rule, act)), None)
    return allowed(hit) if hit else asks()
