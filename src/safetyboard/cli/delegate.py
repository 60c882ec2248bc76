# SPDX-License-Identifier: Apache-2.0
"""Sign who answers for what an agent may do."""

from pathlib import Path

import click


@click.command()
@click.argument("statement", required=False, type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default="delegations.json",
    show_default=True,
    help="File of delegations to add it to; made where it is missing.",
)
def delegate(*, statement: Path | None, into: Path) -> int:
    """Sign STATEMENT, a delegation or revocation in JSON, with this installation's key.

    Without STATEMENT, show the public key that another principal may delegate to. Exit codes: 0 signed, 2 the
    statement is of another form.
    """
    from safetyboard.investigation import delegating  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    click.echo(printable(delegating.delegate(statement, into).sentence, 4096))
    return 0
