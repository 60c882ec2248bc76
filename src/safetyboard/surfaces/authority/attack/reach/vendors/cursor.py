# SPDX-License-Identifier: Apache-2.0
"""Cursor CLI: denials before permissions; a command by its first word."""

from collections.abc import Callable
from functools import partial

from safetyboard.surfaces.authority.attack.reach.act import Act, cut, words_of
from safetyboard.surfaces.authority.attack.reach.patterns import globbed, path_matches
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks, denied, together
from safetyboard.terms.grant import Grant, Rule

_NAMES = {"shell": "Shell", "write": "Write", "read": "Read", "fetch": "WebFetch"}


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the matching does with one call, as far as its description was at hand: source to be confirmed."""
    mine = [rule for rule in grant.rules if rule.tool == _NAMES[act.kind]]
    if act.kind != "shell":
        return _first(mine, lambda rule: path_matches(rule.pattern, act.text))
    seen = cut(act.text)
    found = together(_first(mine, partial(_command, part=part)) for part in seen.parts)
    everything = any(rule.effect == "allow" and rule.pattern in ("", "*", "**") for rule in mine)
    unseen = (seen.dynamic or seen.redirected) and not everything
    return asks(why="a substitution or redirection") if unseen and found.effect == "allow" else found


def _first(rules: list[Rule], matches: Callable[[Rule], bool]) -> Ruled:
    for effect, answer in (("deny", denied), ("allow", allowed)):
        hit = next((rule for rule in rules if rule.effect == effect and matches(rule)), None)
        if hit is not None:
            return answer(hit)
    return asks()


def _command(rule: Rule, *, part: str) -> bool:
    base, _, arguments = rule.pattern.partition(":")
    words = words_of(part)
    named = base in ("", "**") or globbed(base, words[0])
    return named and (not arguments or globbed(arguments, part[len(words[0]) :].strip()))
