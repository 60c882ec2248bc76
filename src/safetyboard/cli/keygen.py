# SPDX-License-Identifier: Apache-2.0
"""Make the signing key of this installation, or show which one it is."""

import click

from safetyboard.evidence.keys import FILE, home, load_key, make_key


@click.command()
@click.option("--fingerprint", is_flag=True, help="Print the fingerprint only, making the key if there is none.")
def keygen(*, fingerprint: bool) -> int:
    """Make the ed25519 key that signs your dockets.

    It is kept in your configuration folder (or in $SAFETYBOARD_HOME). Give its fingerprint to whoever checks
    your dockets, by another way than the docket.
    """
    if fingerprint:
        click.echo(load_key()[0].fingerprint)
        return 0
    key = make_key()
    click.echo(f"{home() / FILE}\n{key.fingerprint}")
    return 0
