# SPDX-License-Identifier: Apache-2.0
"""Clocks that say what the program wants them to say."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, appended, nothing

STOPPED = """
import time as _time

for _name in ("time", "monotonic", "perf_counter", "process_time"):
    setattr(_time, _name, lambda: 1.0)
    setattr(_time, _name + "_ns", lambda: 1_000_000_000)
_time.sleep = lambda seconds: None
"""


@dataclass(frozen=True, kw_only=True)
class PatchedClock:
    """Let the program stop every clock of its process when it is imported."""

    name: str = field(default="patched clock", init=False)
    scope: Scope = field(default="in the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        return (Plan(files=appended(target, STOPPED)),) if target.product else nothing("there is no program to import")
