# SPDX-License-Identifier: Apache-2.0
"""The route that a rule names: the control of all others."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, nothing, trivial


@dataclass(frozen=True, kw_only=True)
class DeniedTool:
    """Write over the tests with the very tool whose rule refuses them; where no rule does, with any."""

    name: str = field(default="denied tool", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        refusing = [tool for tool in target.tools if tool.kind in ("write", "edit") and tool.denied]
        files = dict.fromkeys(target.tests, trivial(target))
        if refusing:
            return tuple(Plan(files=files, tool=tool.name) for tool in refusing)
        return (Plan(files=files),) if files else nothing("no file here holds tests")
