# SPDX-License-Identifier: Apache-2.0
"""Show an investigation while it runs: a table on a terminal, plain lines elsewhere, always on standard error."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

COLOURS = {"REFUTED": "red", "PROVED": "green", "UNKNOWN": "yellow", "NOT_RUN": "dim", "held": "green"}
ROWS_SHOWN = 12


@dataclass(kw_only=True)
class Lines:
    """Write a line for a stage and for each verdict; for logs and pipes."""

    console: Console
    begun: float = field(default_factory=time.monotonic)
    labels: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is left open."""

    def stage(self, name: str, detail: str = "") -> None:
        """Begin a stage of the story."""
        self._say(f"{name}{': ' + detail if detail else ''}")

    def plan(self, units: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Learn what the keys are called."""
        self.labels.update(labels)

    def advance(self, key: str, units: int) -> None:
        """Counts are for terminals."""

    def done(self, key: str, word: str, note: str = "") -> None:
        """Say how a piece of work ended."""
        self._say(f"  {word:8} {self.labels.get(key, key)}{' (' + note + ')' if note else ''}")

    def note(self, text: str) -> None:
        """Say something in passing."""
        self._say(text)

    def _say(self, text: str) -> None:
        self.console.print(
            f"[{time.monotonic() - self.begun:7.1f} s] {text}", markup=False, highlight=False, soft_wrap=True
        )


@dataclass(kw_only=True)
class Board:
    """Show stages, verdicts as they fall, effort, and the time left as far as it can be told."""

    console: Console
    deadline: float | None = None
    begun: float = field(default_factory=time.monotonic)
    stages: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    allotted: dict[str, int] = field(default_factory=dict)
    spent: Counter[str] = field(default_factory=Counter)
    ended: dict[str, str] = field(default_factory=dict)
    stage_begun: float = 0.0
    last: float = 0.0

    def __enter__(self) -> "Board":
        self.live = Live(self._view(), console=self.console, refresh_per_second=4, transient=False)
        self.live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.update(self._view(), refresh=True)
        self.live.__exit__(None, None, None)

    def stage(self, name: str, detail: str = "") -> None:
        """Begin a stage of the story."""
        self.stages.append(f"{name}{': ' + detail if detail else ''}")
        self.stage_begun = time.monotonic()
        self._show(at_once=True)

    def plan(self, units: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Begin a list of work."""
        self.labels, self.allotted = dict(labels), dict(units)
        self.spent.clear()
        self.ended.clear()

    def advance(self, key: str, units: int) -> None:
        """Count work units done."""
        self.spent[key] += units
        self._show()

    def done(self, key: str, word: str, note: str = "") -> None:
        """Mark a piece of work as ended."""
        self.ended[key] = f"{word}{' (' + note + ')' if note else ''}"
        self._show(at_once=True)

    def note(self, text: str) -> None:
        """Say something in passing, above the table."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now - self.last > 0.2:
            self.last = now
            self.live.update(self._view())

    def _view(self) -> Group:
        now = time.monotonic()
        head = Text(f"{now - self.begun:.0f} s", style="bold")
        head.append(f"  {' → '.join(stage.partition(':')[0] for stage in self.stages)}")
        table = Table(box=None, pad_edge=False)
        for name in ("claim", "verdict", "effort"):
            table.add_column(name, overflow="ellipsis", no_wrap=True)
        running = [key for key in self.labels if key not in self.ended and self.spent[key]]
        recent = list(self.ended)[-max(1, ROWS_SHOWN - len(running)) :]
        for key in [*recent, *running][-ROWS_SHOWN:]:
            word = self.ended.get(key, "…")
            style = COLOURS.get(word.split()[0], "")
            effort = f"{self.spent[key]:,}" if self.spent[key] else ""
            table.add_row(self.labels.get(key, key), Text(word, style=style), effort)
        return Group(head, table, Text(self._left(now), style="dim"))

    def _left(self, now: float) -> str:
        """Guess from the share of work done; a safety stop is an upper limit."""
        total, done = len(self.labels), len(self.ended)
        words = [f"{done} of {total} done"] if total else []
        if 0 < done < total:
            words.append(f"about {(now - self.stage_begun) / done * (total - done):.0f} s left in this stage")
        if self.deadline is not None:
            words.append(f"stops in {max(0.0, self.deadline - now):.0f} s at the latest")
        return " · ".join(words)


@dataclass(kw_only=True)
class Quiet:
    """Say only what must be said."""

    console: Console

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is left open."""

    def stage(self, name: str, detail: str = "") -> None:
        """Keep silent."""

    def plan(self, units: Mapping[str, int], labels: Mapping[str, str]) -> None:
        """Keep silent."""

    def advance(self, key: str, units: int) -> None:
        """Keep silent."""

    def done(self, key: str, word: str, note: str = "") -> None:
        """Keep silent."""

    def note(self, text: str) -> None:
        """Say something in passing."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def display(*, quiet: bool, seconds: float | None) -> Lines | Board | Quiet:
    """Choose how to show progress: a live table on a terminal, lines elsewhere."""
    console = Console(stderr=True)
    if quiet:
        return Quiet(console=console)
    if not console.is_terminal:
        return Lines(console=console)
    return Board(console=console, deadline=None if seconds is None else time.monotonic() + seconds)
