# SPDX-License-Identifier: Apache-2.0
"""Investigate a path: preserve, find the worst, explain, repair, prove, and leave a docket."""

import json
import os
from pathlib import Path

import click

from safetyboard.cli.door import verdict_code


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the docket goes: a folder, or a file ending in .zip."
)
@click.option("--property", "chosen", type=click.Path(path_type=Path), help="A VNN-LIB file to put to every network.")
@click.option("--budget", type=click.IntRange(min=1000), help="Work units a claim (about one network evaluation each).")
@click.option("--seconds", type=click.FloatRange(min=0.0, min_open=True), help="Safety stop; results may then differ.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of every search.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes; the results do not depend on it.")
@click.option("--no-repair", is_flag=True, help="Do not try to repair what fails.")
@click.option("--weightless", is_flag=True, help="Leave the subjects' bytes out of the docket; keep their digests.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with the same --out stopped.")
@click.option("--replace", is_flag=True, help="Put the new docket in the place of an older one.")
@click.option("--sarif", type=click.Path(path_type=Path), help="Also write a SARIF 2.1.0 file.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write a JUnit XML file.")
def investigate(
    *,
    path: Path,
    out: Path | None,
    chosen: Path | None,
    budget: int | None,
    seconds: float | None,
    seed: int,
    workers: int | None,
    no_repair: bool,
    weightless: bool,
    as_json: bool,
    quiet: bool,
    resume: bool,
    replace: bool,
    sarif: Path | None,
    junit: Path | None,
) -> int:
    """Investigate PATH, a network (.onnx, .onnx.gz) or a folder of networks, properties and claims.

    Pairs come from instances.csv, from equal names (net.onnx with net.vnnlib), from --property, or from claims.toml.
    """
    from safetyboard.cli.exports import junit_xml, sarif_json  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.cli.live import display  # noqa: PLC0415
    from safetyboard.cli.summary import summary  # noqa: PLC0415
    from safetyboard.investigation.order import Order  # noqa: PLC0415
    from safetyboard.investigation.service import investigate as run  # noqa: PLC0415

    order = Order(
        path=path,
        out=out if out is not None else Path(f"{path.resolve().name or 'case'}-docket"),
        chosen=chosen,
        budget=budget,
        seconds=seconds,
        seed=seed,
        workers=workers if workers is not None else min(8, os.cpu_count() or 1),
        repair=not no_repair,
        weightless=weightless,
        resume=resume,
        replace=replace,
    )
    with display(quiet=quiet, seconds=seconds) as watch:
        outcome = run(order, watch=watch)
    for target, write in ((sarif, sarif_json), (junit, junit_xml)):
        if target is not None:
            target.write_bytes(write(outcome))
    click.echo(json.dumps(outcome.plain(), indent=1) if as_json else summary(outcome))
    return verdict_code(outcome.words, unsound=bool(outcome.unsound), interrupted=outcome.interrupted)
