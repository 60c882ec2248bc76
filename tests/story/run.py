# SPDX-License-Identifier: Apache-2.0
"""Run the command line in this process, as a person would, and keep what it printed."""

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetyboard.cli import group
from safetyboard.cli.door import through


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(*words: object) -> Ran:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = through(group, [str(word) for word in words])
    return Ran(code, out.getvalue(), err.getvalue())


def investigated(path: Path, out: Path, *words: object) -> Ran:
    """Investigate with one worker and a budget that suits small networks."""
    more: Sequence[object] = ("--workers", 1) if "--workers" not in words else ()
    budget: Sequence[object] = ("--budget", 400_000) if "--budget" not in words else ()
    return command("investigate", path, "--out", out, "--json", "--quiet", *more, *budget, *words)
