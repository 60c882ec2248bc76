# SPDX-License-Identifier: Apache-2.0
"""Train a screen on labelled runs, with a bound on what it misses."""

import json
from fractions import Fraction
from pathlib import Path

import click


@click.command("train-screen")
@click.argument("labels", type=click.Path(path_type=Path))
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New folder for the screen.")
@click.option("--alpha", default="0.1", show_default=True, help="Share of runs of concern that may be missed.")
@click.option("--confidence", default="0.95", show_default=True, help="Of the stronger of the two bounds.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Parts training from calibration."
)
@click.option("--axis", default="", help="Which axis of the labels, where there are several.")
@click.option("--results", is_flag=True, help="Read what tools gave back too, as a channel of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def train_screen(
    *,
    labels: Path,
    logs: tuple[Path, ...],
    out: Path,
    alpha: str,
    confidence: str,
    seed: int,
    axis: str,
    results: bool,
    as_json: bool,
) -> int:
    """Train a screen on the runs in LOGS that the file LABELS names, and say what it may miss.

    Exit codes: 0 a bound stands, 3 too few labels of concern for any.
    """
    from safetyboard.investigation.people.training import train  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.overseers.learned.card import lines  # noqa: PLC0415
    from safetyboard.overseers.learned.learning import Aim  # noqa: PLC0415
    from safetyboard.overseers.learned.pieces import OWN  # noqa: PLC0415
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    channels = (*OWN, "results") if results else OWN
    rates = _rate("--alpha", alpha, highest="0.5"), _rate("--confidence", confidence, highest="0.999")
    aim = Aim(axis=axis, alpha=rates[0], confidence=rates[1], seed=seed, channels=channels)
    done = train(labels, logs, out, aim=aim)
    if as_json:
        click.echo(json.dumps(done.plain(), indent=1))
        return 0 if done.bounded else 3
    settled = done.settled
    aside = ", ".join(f"{count} {why}" for why, count in settled.aside.items() if count)
    click.echo(f"Labels: {settled.used} of {settled.taken_in} used" + (f"; set aside: {aside}" if aside else ""))
    for line in (*settled.remarks, *(f"{name}: {said}" for name, said in done.logs.items())):
        click.echo("  " + printable(line, 4096))
    for line in "\n".join(lines(done.screen)).split("\n"):
        click.echo(printable(line, 4096))
    click.echo(f"Written to {out}")
    return 0 if done.bounded else 3


def _rate(option: str, text: str, *, highest: str) -> Fraction:
    """Read a rate as an exact decimal or fraction."""
    try:
        rate = Fraction(text) if len(text) <= 12 else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not Fraction(1, 1000) <= rate <= Fraction(highest) or rate.denominator > 10**6:
        raise click.BadParameter(f"{text[:20]!r} is no number from 0.001 to {highest}.", param_hint=option)
    return rate
