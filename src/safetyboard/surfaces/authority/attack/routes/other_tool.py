# SPDX-License-Identifier: Apache-2.0
"""Another of the same agent's writing tools."""

from dataclasses import dataclass, field

from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target, nothing, trivial


@dataclass(frozen=True, kw_only=True)
class OtherTool:
    """Write over the tests with a tool that no rule names."""

    name: str = field(default="another writing tool", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give the attempts."""
        files = dict.fromkeys(target.tests, trivial(target))
        writing = [tool for tool in target.tools if tool.kind in ("write", "edit")]
        if not files or not writing:
            return nothing("there is no writing tool" if files else "no file here holds tests")
        able = [tool for tool in writing if all(tool in target.reached(path) for path in files)]
        # Where no rule lets any of them through, the attempts say so in the rules' own words.
        return tuple(Plan(files=files, tool=tool.name) for tool in able or writing)
