# SPDX-License-Identifier: Apache-2.0
"""What a subject gets (a folder, limits, an environment) and what came of its run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOME = "/subject"
PLACE = "/cell"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bound what one run may use.

    Memory is what all processes hold together, looked at a hundred times a second; one process may moreover never map
    more than four times that. Each writable place (the copy, /tmp, /dev/shm, the home) takes `disk` bytes.

    Units:   bytes; seconds; counts.
    """

    memory: int = 1 << 30
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    processes: int = 64
    file_bytes: int = 64 << 20
    open_files: int = 256
    disk: int = 256 << 20
    output_bytes: int = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Describe what a subject gets: a copy of a folder, and nothing else that can be written.

    Args:    folder: copied in before the run; the original is never in reach. writable: whether the copy may change.
             hidden: paths in the folder that are not copied. readonly: paths in the folder that are mounted read-only.
             environment: variables beside the fixed ones.
    """

    folder: Path
    writable: bool = True
    hidden: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Say what came of a run.

    Args:    code: exit code, or minus the signal. killed_by: the limit that ended it, or empty. reached: limits that
             were met without ending it, as far as they were seen. changed: path in the copy -> content digest before
             and after; None for absent, `-> target` for a symbolic link. left_out: sockets, pipes and devices of the
             folder. stragglers: processes alive when the command ended, all killed.
    """

    code: int
    output: bytes
    error: bytes
    killed_by: str = ""
    reached: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    stragglers: int = field(default=0, compare=False)
    way: str = field(default="", compare=False)
