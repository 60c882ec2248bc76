# SPDX-License-Identifier: Apache-2.0
"""Find words in what is preserved, each match with its digest and pointer."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("text")
@click.option(
    "--store", type=click.Path(path_type=Path), default="preserved", show_default=True, help="What preserve wrote."
)
@click.option("--substring", is_flag=True, help="Find these very characters, also inside words.")
@click.option("--most", type=click.IntRange(min=1), default=50, show_default=True, help="Matches to show.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def search(*, text: str, store: Path, substring: bool, most: int, as_json: bool) -> int:
    """Find TEXT in the steps of every preserved session, log and trace.

    Every word of TEXT must occur in a step, without regard to case and accents. Exit codes: 0 found or not, 3 some
    preserved file is not in the index, because no reader knows it or it is damaged.
    """
    from safetyboard.investigation import search as searching  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.readers.stored import printable  # noqa: PLC0415

    found = searching.search(store, text, substring=substring, most=most)
    if as_json:
        click.echo(json.dumps(found.plain(), indent=1))
        return 3 if found.unread else 0
    for match in found.matches:
        place = f"{match.source.member}:" * bool(match.source.member) + f"{match.source.line}{match.source.pointer}"
        click.echo(printable(f"{match.source.file} {place}  {match.name}", 4096))
        click.echo(f"    {match.actor} {match.kind}: {found.shown(match)}")
    for path, why in sorted(found.unread.items()):
        click.echo(printable(f"not in the index: {path}: {why}", 4096))
    click.echo(found.sentence)
    return 3 if found.unread else 0
