# SPDX-License-Identifier: Apache-2.0
"""Investigate a path: preserve, find the worst, explain, repair, prove, and leave a docket."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safetyboard.cli.door import verdict_code
from safetyboard.readers.stored import printable
from safetyboard.terms.errors import WrongUse

if TYPE_CHECKING:
    from safetyboard.investigation.outcome import Outcome


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the docket goes: a folder, or a file ending in .zip."
)
@click.option("--property", "chosen", type=click.Path(path_type=Path), help="A VNN-LIB file to put to every network.")
@click.option("--pack", type=click.Path(path_type=Path), help="A pack of prohibitions (.toml) besides the default one.")
@click.option("--screen", type=click.Path(path_type=Path), help="A learned screen that also judges recorded runs.")
@click.option("--trust", multiple=True, metavar="FINGERPRINT", help="A key that may begin a chain of delegations.")
@click.option("--endpoint", default="", metavar="URL", help="Ask the agent's model again, at an OpenAI-like URL.")
@click.option("--model", default="", help="Name of the model at the endpoint.")
@click.option("--key-variable", default="", metavar="NAME", help="Environment variable that holds the endpoint's key.")
@click.option("--samples", type=click.IntRange(6, 1000), default=24, show_default=True, help="Answers to a question.")
@click.option("--ledger", type=click.Path(path_type=Path), help="Keep the model's answers; none is asked for twice.")
@click.option("--agents", is_flag=True, help="Preserve the sessions of coding agents on this machine, and take them.")
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
    *, path: Path | None, out: Path | None, chosen: Path | None, pack: Path | None, screen: Path | None,
    trust: tuple[str, ...], endpoint: str, model: str, key_variable: str, samples: int, ledger: Path | None,
    agents: bool, budget: int | None, seconds: float | None, seed: int, workers: int | None, no_repair: bool,
    weightless: bool, as_json: bool, quiet: bool, resume: bool, replace: bool, sarif: Path | None, junit: Path | None,
) -> int:  # fmt: skip
    """Investigate PATH: a network (.onnx, .onnx.gz) with its properties, what agents left behind, or a folder of them.

    Pairs come from instances.csv, from equal names (net.onnx with net.vnnlib), from --property, or from claims.toml.
    """
    from safetyboard.cli.live import display  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.investigation.order import Asking, Order  # noqa: PLC0415
    from safetyboard.investigation.service import investigate as run  # noqa: PLC0415

    named = out if out is not None else _named(path)
    if (endpoint or ledger) and not model:
        raise WrongUse("An endpoint or ledger was given, but no model.", hint="Name it with --model.")
    asking = Asking(model=model, url=endpoint, key_variable=key_variable, samples=samples, ledger=ledger)
    with _taken(path, named, resume=resume, quiet=quiet or as_json, agents=agents) as taken:
        order = Order(
            path=taken,
            out=named,
            chosen=chosen,
            budget=budget,
            seconds=seconds,
            seed=seed,
            workers=workers if workers is not None else min(8, os.cpu_count() or 1),
            repair=not no_repair,
            weightless=weightless,
            resume=resume,
            replace=replace,
            pack=pack,
            screen=screen,
            trusted=trust,
            asking=asking if model else None,
        )
        with display(quiet=quiet, seconds=seconds) as watch:
            outcome = run(order, watch=watch)
    _tell(outcome, sarif=sarif, junit=junit, as_json=as_json)
    return verdict_code(outcome.words, unsound=bool(outcome.unsound), interrupted=outcome.interrupted)


def _tell(outcome: "Outcome", *, sarif: Path | None, junit: Path | None, as_json: bool) -> None:
    """Write the files that were asked for, and print what came of it."""
    from safetyboard.cli.exports import junit_xml, sarif_json  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.cli.summary import summary  # noqa: PLC0415

    for target, write in ((sarif, sarif_json), (junit, junit_xml)):
        if target is not None:
            target.write_bytes(write(outcome))
    click.echo(json.dumps(outcome.plain(), indent=1) if as_json else summary(outcome))


def _named(path: Path | None) -> Path:
    return Path(f"{path.resolve().name or 'case' if path is not None else 'agents'}-docket")


@contextlib.contextmanager
def _taken(path: Path | None, out: Path, *, resume: bool, quiet: bool, agents: bool) -> Iterator[Path]:
    """Give what is investigated: the path, or a copy of what was preserved first of it and of agents' sessions."""
    if path is None and not agents:
        raise WrongUse("No PATH was given.", hint="Give a file or folder, or --agents.")
    if path is not None and not agents:
        yield path
        return
    from safetyboard.cli.preserve import Lines  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.investigation import preservation  # noqa: PLC0415

    work = out.parent / f".{out.name}.agents"
    copy = work / "agent-sessions"
    if not (resume and copy.is_dir()):
        shutil.rmtree(work, ignore_errors=True)
        store = out.parent / f"{out.name}-preserved"
        roots = preservation.paths_wanted([path] if path is not None else [], agents=True)
        done = preservation.preserve(roots, store, told=Lines(True, False))
        preservation.copied(store, roots, copy)
        if not quiet:
            click.echo("\n".join(printable(line, 4096) for line in (*done.open_points, done.sentence)), err=True)
    try:
        yield copy
    finally:
        # What an interrupted run took is kept, so that it can be resumed on the same bytes.
        if not (out.parent / f".{out.name}.work").exists():
            shutil.rmtree(work, ignore_errors=True)
