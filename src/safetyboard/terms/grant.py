# SPDX-License-Identifier: Apache-2.0
"""What an agent was permitted: rules, tools and what is said to enforce them, each with the place where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Source

Ruling = Literal["allow", "deny", "ask"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Hold one rule as its file states it.

    Args:    tool: as the vendor names it. pattern: what of the tool it speaks of, as written; empty for all of it.
             place: where it stands; in TOML and YAML the pointer leads into the parsed document.
    """

    effect: Ruling
    tool: str
    pattern: str
    place: Source

    @property
    def text(self) -> str:
        """Write the rule in one line."""
        return f"{self.effect} {self.tool}({self.pattern})" if self.pattern else f"{self.effect} {self.tool}"


@dataclass(frozen=True, kw_only=True)
class ToolGrant:
    """Hold one tool that is offered; what it says of itself is a declaration and nothing more.

    Args:    schema: of its arguments, as JSON Schema. annotations: hints of whoever wrote the tool.
    """

    name: str
    place: Source
    description: str = ""
    schema: Mapping[str, Plain] = field(default_factory=dict)
    annotations: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Enforcement:
    """Hold one declared enforcement, or a declared hole in one.

    Args:    kind: sandbox, mount, network, or none (a hole). what: read-only, writable, hidden, off, on, privileged,
             docker socket, ... path: what it is about: relative to the workspace, absolute, or beginning with ``~/``.
    """

    kind: Literal["sandbox", "mount", "network", "none"]
    what: str
    place: Source
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Hold everything one file permits one agent.

    Args:    source: digest of the stored bytes. format: the reader's name. subject: the agent it speaks of. mode: what
             happens where no rule matches, as the vendor names it; empty for the vendor's default. unknown: fields
             that were met and not understood, counted by name. notes: what the reader cannot settle, such as disputed
             precedence.
    """

    KIND: ClassVar[str] = "grant"
    name: str
    source: str
    format: str
    subject: str
    rules: tuple[Rule, ...] = ()
    tools: tuple[ToolGrant, ...] = ()
    enforcement: tuple[Enforcement, ...] = ()
    mode: str = ""
    unknown: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
