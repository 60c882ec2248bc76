# SPDX-License-Identifier: Apache-2.0
"""What an AI system did, step by step, as it was recorded; every leaf says where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain
from safetyboard.terms.judgement import Judgement

Actor = Literal["agent", "user", "tool", "environment", "overseer", "unknown"]
Deed = Literal["observe", "think", "say", "act", "result", "monitor", "control"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Say where a leaf stands: in which file, which member of an archive, which line, and where in it.

    Args:    file: digest of the stored bytes. member: path inside an archive, or empty. line: counted from 1 in files
             of one record a line, else 0. pointer: JSON pointer (RFC 6901) in that member or line.
    """

    file: str
    member: str = ""
    line: int = 0
    pointer: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Hold one step: who did what kind of thing, in whose words, with which tool.

    Args:    index: its place in the episode, from 0. kind: observe (input comes in), think, say, act (a tool is
             called), result (what a tool gave back), monitor (a check looked), control (a stop, a limit, an approval).
             at: time as recorded, or empty. call: id that joins an act and its result. visible_to: who could see it.
    """

    index: int
    actor: Actor
    kind: Deed
    source: Source
    at: str = ""
    content: str = ""
    tool: str = ""
    arguments: Mapping[str, Plain] = field(default_factory=dict)
    call: str = ""
    visible_to: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Hold how an episode ended, and who said so; a self-report is the agent's.

    Args:    value: as recorded (a number as text, C, I, passed ...). name: of the measure.
    """

    value: str
    by: Literal["program", "human", "environment", "learned", "agent", "unknown"]
    source: Source
    name: str = ""
    extra: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Episode:
    """Hold one recorded run, from its first step to its last.

    Args:    file: digest of the stored bytes. format: the reader's name. name: its id inside the file. parent, branch:
             the episode it continues, and which of several continuations it is. system: model, version, scaffold,
             parameters as recorded. condition: arm, prompt variant and the like. reported: what the agent said of its
             own success. true: outcomes by a program, a person or the environment; empty where unknown.
    """

    KIND: ClassVar[str] = "episode"
    file: str
    format: str
    name: str
    steps: tuple[Step, ...]
    parent: str = ""
    branch: str = ""
    task: str = ""
    system: Mapping[str, Plain] = field(default_factory=dict)
    organisation: str = ""
    opened: str = ""
    condition: Mapping[str, Plain] = field(default_factory=dict)
    reported: tuple[Outcome, ...] = ()
    true: tuple[Outcome, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
