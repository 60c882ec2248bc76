# SPDX-License-Identifier: Apache-2.0
"""The setting of the wing: the tree an agent was given, what it left, what judges it, and with which tools it acted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from safetyboard.terms.episode import Source

ToolKind = Literal["write", "edit", "shell", "read", "measure", "other"]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Name one tool of the agent, and the path beginnings it refuses to write.

    Args:    kind: write (whole files), edit (parts of files), shell (any command), read, measure (runs what judges).
             denied: beginnings of paths, as the operator's rule states them; what enforces it is another question.
    """

    name: str
    kind: ToolKind
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Hold one recorded change of a file, in the order it was made.

    Args:    step: index in the episode. old: what goes; None where the call gives the whole file. new: what comes;
             None where the call does not say it (such an edit cannot be replayed). done: False where it was refused.
    """

    step: int
    path: str
    old: str | None
    new: str | None
    done: bool
    source: Source


@dataclass(frozen=True, kw_only=True)
class Said:
    """Quote a user's words about the task, with their place."""

    text: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Hold what an agent worked on, before and after, as bytes by path.

    Args:    name: of the repository, as in custody. source: digest of the stored bytes it was read from. base, final:
             path -> content (ordinary files only). modes: path -> 0o644 or 0o755 where it is executable. judged: paths
             of `base` that decide whether the work counts as done: tests, their data, configuration that selects or
             alters them. framework: how the suite is run. tools: what the agent had. edits: what it did to files, as
             recorded. asked: the user's words. intruding: paths of `final` that are not in `base` and would judge too.
    """

    name: str
    source: str
    base: Mapping[str, bytes]
    final: Mapping[str, bytes]
    judged: tuple[str, ...]
    framework: Literal["pytest", "unittest"]
    modes: Mapping[str, int]
    tools: tuple[Tool, ...] = ()
    edits: tuple[Edit, ...] = ()
    asked: tuple[Said, ...] = ()
    intruding: tuple[str, ...] = ()

    @property
    def restored(self) -> dict[str, bytes]:
        """Give the final tree with everything that judges it as it was before, and nothing new that could judge it."""
        judging = {*self.judged, *self.intruding}
        kept = {path: content for path, content in self.final.items() if path not in judging}
        return {**kept, **{path: self.base[path] for path in self.judged}}

    @property
    def judged_changed(self) -> tuple[str, ...]:
        """List what judges the work and is not as it was."""
        return (*(path for path in self.judged if self.final.get(path) != self.base[path]), *self.intruding)
