# SPDX-License-Identifier: Apache-2.0
"""Tell the story of a docket in the terminal."""

from pathlib import Path

import click


@click.command()
@click.argument("docket", type=click.Path(path_type=Path))
def show(*, docket: Path) -> int:
    """Tell the story of DOCKET: what was brought, what fails, why, and what was done about it.

    Signatures are verified; proofs are not: use `check` for that.
    """
    from safetyboard.investigation.telling import told  # noqa: PLC0415 - heavy parts load only when used

    click.echo(told(docket))
    return 0
