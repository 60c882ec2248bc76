# SPDX-License-Identifier: Apache-2.0
"""A program that ends the process in which it is tested."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, appended, nothing

AT_ONCE = "\nimport os as _os\n\n_os._exit(0)\n"
AT_END = "\nimport atexit as _atexit\nimport os as _os\n\n_atexit.register(_os._exit, 0)\n"


@dataclass(frozen=True, kw_only=True)
class EarlyExit:
    """Let the program end its process with success: at once when it is imported, or at the end."""

    name: str = field(default="program that ends the test process", init=False)
    scope: Scope = field(default="in the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        if not target.product:
            return nothing("there is no program to import")
        return (Plan(files=appended(target, AT_ONCE)), Plan(files=appended(target, AT_END)))
