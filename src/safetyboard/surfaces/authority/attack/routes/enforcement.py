# SPDX-License-Identifier: Apache-2.0
"""What stands between an agent and the verdict on its work."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safetyboard.surfaces.authority.scene import Tool


@dataclass(frozen=True, kw_only=True)
class Enforcement:
    """Say what an agent's place is, what leaves it, and how the work is judged.

    Args:    tools: with the rules that hold for them. command: what judges, run in the tree; green is exit code 0.
             readonly: paths mounted read-only where the agent works. persists: beginnings of the paths that leave its
             place (nothing else of the tree is written there, only what is read-only is shown beside); None where the
             very place is judged in which it acted. sealed: the judge sees everything read-only. hook: a script that
             is asked before each act (JSON on standard input; exit code 2 means "ask first"). watched: paths
             of which `git status` must show no change before anything is judged. grader: a script
             that judges `agent/` against `base/` in a place of its own. base: the tree that it restores from.
    """

    tools: tuple[Tool, ...]
    command: tuple[str, ...]
    readonly: tuple[str, ...] = ()
    persists: tuple[str, ...] | None = None
    sealed: bool = False
    hook: str = ""
    watched: tuple[str, ...] = ()
    grader: str = ""
    base: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def apart(self) -> bool:
        """Tell whether the work is judged in another place than it was done in."""
        return self.persists is not None or bool(self.grader)
