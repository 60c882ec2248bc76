# SPDX-License-Identifier: Apache-2.0
"""List the models a code base depends on, and what falls with each."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
@click.option("--bom", type=click.Path(path_type=Path), help="Write a bill of materials there (CycloneDX 1.6, JSON).")
def components(*, path: Path, as_json: bool, bom: Path | None) -> int:
    """Find what in the code under PATH is or calls a model, and what falls if one is subverted.

    Nothing is run, unpickled or asked over the network. Exit codes: 0 all was read, 3 something was not.
    """
    from safetyboard.investigation import model_components  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    found = model_components.components(path, bom)
    lines = [printable(line, 4096) for line in (*found.lines, found.sentence)]
    click.echo(json.dumps(found.plain(), indent=1) if as_json else "\n".join(lines))
    return 3 if found.inventory.faults else 0
