# SPDX-License-Identifier: Apache-2.0
"""Opencode: the last matching rule wins, most tools are allowed by default, paths outside ask."""

from safetyboard.surfaces.authority.attack.reach.act import Act, cut, outside, words_of
from safetyboard.surfaces.authority.attack.reach.patterns import globbed
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks, denied, together
from safetyboard.terms.grant import Grant, Rule

_NAMES = {"shell": "bash", "write": "edit", "read": "read", "fetch": "webfetch"}


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the documented matching does with one call.

    Source:  https://opencode.ai/docs/permissions (v1), as stored in 2026: actions, wildcards, external_directory, and
             that `.env` files are refused to the reading tool by default.
    """
    name = _NAMES[act.kind]
    if act.kind != "shell":
        paths = [act.text] if outside(act.text) and act.kind != "fetch" else []
        return together([_tool(grant, name, act.text), *(_outside(grant, path) for path in paths)])
    seen = cut(act.text)
    parts = [_tool(grant, name, part) for part in seen.parts]
    paths = [word for part in seen.parts for word in words_of(part) if outside(word)]
    unseen = [asks(why="a substitution or redirection")] if seen.dynamic or seen.redirected else []
    whole = _last(grant, name, "*")
    return together([*parts, *(_outside(grant, path) for path in paths), *(unseen if whole is None else [])])


def _last(grant: Grant, tool: str, text: str) -> Rule | None:
    found = None
    for rule in grant.rules:
        if rule.tool in (tool, "*") and globbed(rule.pattern or "*", text):
            found = rule
    return found


def _by(rule: Rule) -> Ruled:
    return {"allow": allowed, "ask": asks, "deny": denied}[rule.effect](rule, why="")


def _tool(grant: Grant, tool: str, text: str) -> Ruled:
    rule = _last(grant, tool, text)
    # "git *" also stands for a bare git.
    rule = rule or _last(grant, tool, text + " ")
    if rule is not None:
        return _by(rule)
    if tool == "read" and text.rsplit("/", 1)[-1].startswith(".env"):
        return denied(why="the default refuses .env to the reading tool")
    return allowed(why=f"{tool} is allowed by default")


def _outside(grant: Grant, path: str) -> Ruled:
    rule = _last(grant, "external_directory", path)
    return _by(rule) if rule is not None else asks(why="paths outside the workspace ask by default")
