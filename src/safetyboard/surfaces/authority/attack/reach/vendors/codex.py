# SPDX-License-Identifier: Apache-2.0
"""Codex CLI: no patterns; what the sandbox holds back is refused by it, not by rules."""

from safetyboard.surfaces.authority.attack.reach.act import Act, cut, outside, words_of
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks
from safetyboard.terms.grant import Grant

_TRUSTED = ("ls", "cat", "head", "tail", "grep", "wc", "pwd")


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the approval policy does with one call inside the sandbox; leaving the sandbox is never assumed.

    Source:  https://developers.openai.com/codex/agent-approvals-security, as stored in 2026.
    """
    free = any(each.what == "no sandbox" for each in grant.enforcement)
    readonly = any(each.kind == "sandbox" and each.what == "read-only" for each in grant.enforcement)
    if act.kind == "fetch":
        return asks(why="no tool fetches addresses")
    if act.kind == "write" and (readonly or (outside(act.text) and not free)):
        return asks(why="the sandbox would have to be left")
    if grant.mode == "untrusted":
        seen = cut(act.text)
        trusted = not (seen.dynamic or seen.redirected) and all(words_of(part)[0] in _TRUSTED for part in seen.parts)
        if act.kind == "write" or (act.kind == "shell" and not trusted):
            return asks(why="only trusted commands run")
    if free and grant.mode not in ("never", "on-failure"):
        return (
            asks(why="commands outside a sandbox are left to the model to ask for") if act.kind != "read" else allowed()
        )
    return allowed(why=f"approval policy {grant.mode}, inside the sandbox" if not free else f"policy {grant.mode}")
