# SPDX-License-Identifier: Apache-2.0
"""A command that was run in a sandbox and what it did: the witness where a failure is an act and not a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from safetyboard.terms.canonical import Plain
from safetyboard.terms.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Hold one command, the folder it was given, and what came of it; run at least twice with the same result.

    Args:    folder: digest of the manifest of the copy it worked on (JSON: path -> [content digest, mode]).
             command: as it was run. setting: what the sandbox gave and refused (readonly, hidden, environment, limits).
             code: exit code, or minus the signal. changed: path -> [digest before, digest after], null for absent.
             output: digest of what it wrote, both streams. criterion: when the result is a failure, checked on the
             fields above and nothing else: {"changed": [path beginnings]}, {"code": [codes]} or {"line": text of a
             whole line of the output}; several keys must all hold. shows: failure, control (the same without the
             factor), or empty. runs: how often it was run with this very result.
    """

    KIND: ClassVar[str] = "execution"
    claim: str
    cell: int
    folder: str
    command: tuple[str, ...]
    code: int
    output: str
    criterion: Mapping[str, Plain]
    shows: Literal["", "failure", "control"]
    meaning: str
    recipe: Recipe
    runs: int = 2
    changed: Mapping[str, Plain] = field(default_factory=dict)
    setting: Mapping[str, Plain] = field(default_factory=dict)
    extra: Mapping[str, Plain] = field(default_factory=dict)
