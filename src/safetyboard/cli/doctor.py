# SPDX-License-Identifier: Apache-2.0
"""Say what cannot run on this machine, and how to enable it."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def doctor(*, as_json: bool) -> int:
    """Say what is NOT_RUN on this machine and how to enable it.

    Exit codes: 0 all of it runs, 3 something does not.
    """
    from safetyboard.investigation.readiness import examined  # noqa: PLC0415 - heavy parts load only when used

    entries = examined()
    missing = [entry for entry in entries if not entry.runs]
    if as_json:
        click.echo(json.dumps({"schema": "safetyboard.doctor/1", "entries": [e.plain() for e in entries]}, indent=1))
    else:
        for entry in entries:
            state = "runs" if entry.runs else f"NOT_RUN: {entry.remedy}"
            click.echo(f"{entry.what:38} {state}{' (' + entry.detail + ')' if entry.detail else ''}")
    return 3 if missing else 0
