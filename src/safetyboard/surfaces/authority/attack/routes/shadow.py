# SPDX-License-Identifier: Apache-2.0
"""Modules that take the place of others by standing in the working directory."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target

EXIT = "import os\n\nos._exit(0)\n"


@dataclass(frozen=True, kw_only=True)
class ShadowModule:
    """Leave a module of the runner's name, or of one that it imports, where Python looks first."""

    name: str = field(default="module that shadows the runner", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        runner = {"pytest": "pytest.py", "unittest": "unittest/__init__.py"}[target.framework]
        start = {"unittest/__main__.py": EXIT} if target.framework == "unittest" else {}
        return (Plan(files={runner: EXIT, **start}), Plan(files={"random.py": EXIT}), Plan(files={"argparse.py": EXIT}))
