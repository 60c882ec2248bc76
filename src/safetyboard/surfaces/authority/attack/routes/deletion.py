# SPDX-License-Identifier: Apache-2.0
"""Fewer tests than there were."""

import shlex
from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, nothing, trivial


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Delete the tests, or all but a trivial one of them."""

    name: str = field(default="tests deleted", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        if not target.tests:
            return nothing("no file here holds tests")
        every = "rm -f " + " ".join(shlex.quote(path) for path in target.tests)
        left = f"printf %s {shlex.quote(trivial(target))} > {shlex.quote(target.tests[0])}"
        return (Plan(commands=(every,)), Plan(commands=(every, left)))
