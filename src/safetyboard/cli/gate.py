# SPDX-License-Identifier: Apache-2.0
"""Run lessons on a system of one's own and answer affected, not affected or untestable."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from safetyboard.cli.door import gate_code


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--lessons", "lessons", required=True, type=click.Path(path_type=Path), help="A lesson file, or a folder."
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Accepted findings, each with owner and expiry date.")
@click.option("--budget", type=click.IntRange(min=1000), default=20_000_000, show_default=True, help="Work units each.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of every search.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def gate(*, path: Path, lessons: Path, baseline: Path | None, budget: int, seed: int, as_json: bool) -> int:
    """Put the lessons of other organisations to PATH: networks, repositories, recorded runs.

    Exit codes: 1 affected, 3 something was untestable, 0 not affected.
    """
    from safetyboard.board.baseline import read_baseline  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.board.lesson_file import lessons_at  # noqa: PLC0415
    from safetyboard.investigation.gate import SCHEMA, systems_at  # noqa: PLC0415
    from safetyboard.investigation.gate import gate as run  # noqa: PLC0415

    accepted = read_baseline(baseline.read_bytes(), str(baseline)) if baseline is not None else ()
    held = lessons_at(lessons)
    today = datetime.now(UTC).date()
    with systems_at(path, held) as systems:
        answers = run(systems, held, accepted=accepted, today=today, units=budget, seed=seed)
    code = gate_code([answer.counted for answer in answers])
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "answers": [a.plain() for a in answers], "exit": code}, indent=1))
        return code
    for answer in answers:
        click.echo(f"{answer.answer:12} {answer.subject} · {answer.lesson}: {answer.reason}")
        if answer.accepted is not None:
            click.echo(f"{'':12} accepted by {answer.accepted.owner} until {answer.accepted.expires}")
        if answer.lapsed is not None:
            click.echo(f"{'':12} the acceptance by {answer.lapsed.owner} expired on {answer.lapsed.expires}")
    return code
