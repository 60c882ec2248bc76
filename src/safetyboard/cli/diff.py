# SPDX-License-Identifier: Apache-2.0
"""Compare two dockets."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def diff(*, before: Path, after: Path, as_json: bool) -> int:
    """Say what changed between two dockets: claims, verdicts, and the evidence they rest on.

    Exit codes: 0 the comparison was made, whatever it found.
    """
    from safetyboard.investigation.comparison import compared  # noqa: PLC0415 - heavy parts load only when used

    found = compared(before, after)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return 0
    click.echo("Same result." if found["same_result"] else "The results differ.")
    for word in ("added", "removed"):
        for entry in found[word]:
            click.echo(f"{word:8} {entry['verdict']:8} {entry['claim']}")
    for entry in found["changed"]:
        verdict = entry.get("verdict")
        said = f"{verdict['before']} → {verdict['after']}" if verdict else "same verdict"
        count = (
            f"{len(entry.get('evidence_added', []))} evidence added, {len(entry.get('evidence_removed', []))} removed"
        )
        other = "".join(f", another {key}" for key in ("subject", "domain") if key in entry)
        click.echo(f"changed  {said}: {entry['claim']} ({count}{other})")
    return 0
