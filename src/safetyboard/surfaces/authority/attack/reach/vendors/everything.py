# SPDX-License-Identifier: Apache-2.0
"""Whoever is inside a container: no rule is asked, only its walls hold."""

from safetyboard.surfaces.authority.attack.reach.act import Act
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, allowed, asks
from safetyboard.terms.grant import Grant


def ruled(grant: Grant, act: Act) -> Ruled:
    """Let every shell command through; other tools are not known here."""
    boxed = any(each.kind == "sandbox" for each in grant.enforcement)
    return allowed(why="inside a container any command runs") if act.kind == "shell" and boxed else asks()
