# SPDX-License-Identifier: Apache-2.0
"""Run a docket's executions again."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("docket", type=click.Path(path_type=Path))
@click.option("--execution", "chosen", default="", metavar="ID", help="Only the execution whose id begins so.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def replay(*, docket: Path, chosen: str, as_json: bool) -> int:
    """Run again, in the sandbox, every command that DOCKET says was run, and compare.

    Witnesses of networks are replayed by the docket's own replay.py.

    Exit codes: 0 everything ended as recorded, 1 something did not, 3 something could not be run.
    """
    from safetyboard.cli.door import OPEN, REFUTED  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.investigation.replaying import SCHEMA, replayed  # noqa: PLC0415

    found = []
    for each in replayed(docket, chosen=chosen):
        found.append(each)
        if not as_json:
            said = f" ({each.differs})" if each.differs else ""
            click.echo(f"{each.outcome:14} {each.execution[:19]}  {each.meaning}{said}")
    outcomes = [each.outcome for each in found]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "executions": [each.plain() for each in found]}, indent=1))
    else:
        click.echo(f"{outcomes.count('as recorded')} of {len(outcomes)} ended as recorded")
    return REFUTED if "another result" in outcomes else OPEN if "not run" in outcomes else 0
