# SPDX-License-Identifier: Apache-2.0
"""A run on a terminal: pages of numbered steps, one step opened, and words found, every line marked as the run's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safetyboard.overseers.queue.item import ShownStep

PAGE = 12
"""Steps a page."""
OPENED = 60
"""Lines of an opened step at a time."""
CLIP = 6
WIDTH = 150
MOST_FOUND = 30


@dataclass(frozen=True, kw_only=True)
class Page:
    """Hold lines to print, how many characters of the run are in them, and where the next page begins, if any."""

    lines: tuple[str, ...]
    characters: int
    following: int | None = None


def page(steps: Sequence[ShownStep], start: int) -> Page:
    """Show steps from the given place on, each by its first lines."""
    lines: list[str] = []
    count = 0
    for step in steps[start : start + PAGE]:
        rows = list(_rows(step))
        lines += (_marked(step, row) for row in rows[:CLIP])
        count += sum(map(len, rows[:CLIP]))
        if len(rows) > CLIP:
            lines.append(f"[{step.index}] … {len(rows) - CLIP} more lines: o {step.index}")
    after = start + PAGE
    return Page(lines=tuple(lines), characters=count, following=after if after < len(steps) else None)


def opened(steps: Sequence[ShownStep], index: int, start: int = 0) -> Page | None:
    """Show one step whole, from a line on; None where there is no such step."""
    step = next((each for each in steps if each.index == index), None)
    if step is None:
        return None
    rows = list(_rows(step))
    chosen = rows[start : start + OPENED]
    after = start + OPENED
    return Page(
        lines=tuple(_marked(step, row) for row in chosen),
        characters=sum(map(len, chosen)),
        following=after if after < len(rows) else None,
    )


def found(steps: Sequence[ShownStep], words: str) -> Page:
    """Show where these words stand, whatever their case; how many lines there are beyond the limit is said."""
    wanted = words.casefold()
    hits = [(step, line) for step in steps for line in step.lines if wanted and wanted in line.casefold()]
    shown = [(step, _around(line, wanted)) for step, line in hits[:MOST_FOUND]]
    lines = [_marked(step, part) for step, part in shown]
    lines.append(f"{len(hits)} lines found" + (f", {MOST_FOUND} shown" if len(hits) > MOST_FOUND else ""))
    return Page(lines=tuple(lines), characters=sum(len(part) for _, part in shown))


def own_acts(steps: Sequence[ShownStep]) -> tuple[ShownStep, ...]:
    """Keep what the agent did and said."""
    return tuple(step for step in steps if step.actor == "agent" and step.kind in ("act", "say"))


def _rows(step: ShownStep) -> Iterator[str]:
    for line in step.lines:
        for start in range(0, max(1, len(line)), WIDTH):
            yield line[start : start + WIDTH]


def _around(line: str, wanted: str) -> str:
    start = max(0, line.casefold().find(wanted) - WIDTH // 3)
    return line[start : start + max(WIDTH, len(wanted) + WIDTH // 2)]


def _marked(step: ShownStep, row: str) -> str:
    """Begin each line with its step, so that no text of a run can pass for the program's."""
    return f"[{step.index}] {step.actor} {step.kind} | {row}"
