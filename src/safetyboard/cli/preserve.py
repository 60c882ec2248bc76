# SPDX-License-Identifier: Apache-2.0
"""Store perishable logs before anything else, and follow what grows."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from safetyboard.readers.stored import printable

WIDEST = 4096


@dataclass(frozen=True)
class Lines:
    """Say each acknowledged entry in one line."""

    quiet: bool
    as_json: bool

    def entry(self, number: int, batch: Any) -> None:
        """Say what an entry holds: text, or one JSON object a line."""
        if self.as_json:
            click.echo(json.dumps({"entry": number, "items": [item.path for item in batch.items]}))
        elif not self.quiet and (batch.items or batch.remarks or batch.unread):
            said = [f"{len(batch.items)} held", *(f"{each.what}: {each.path}" for each in batch.remarks[:3])]
            click.echo(printable(f"entry {number}: {'; '.join(said)}", WIDEST))

    def note(self, sentence: str) -> None:
        """Say one sentence."""
        if not self.quiet:
            click.echo(sentence, err=True)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--follow", is_flag=True, help="Go on looking every second for what grows, until interrupted.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="preserved", show_default=True, help="Where to keep it."
)
@click.option("--agents", is_flag=True, help="Take the session folders of the coding agents on this machine too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; with --follow, also one an entry.")
@click.option("--quiet", is_flag=True, help="Print the last line only.")
def preserve(*, paths: tuple[Path, ...], follow: bool, out: Path, agents: bool, as_json: bool, quiet: bool) -> int:
    """Store the bytes under each PATH unchanged, soonest deleted and newest logs first, with a signed entry a batch.

    A second run adds what is new or grown. Exit codes: 0 all held, 3 something could not be read, or a log no
    longer begins with what was held of it.
    """
    from safetyboard.investigation import preservation  # noqa: PLC0415 - heavy parts load only when used

    told, wanted = Lines(quiet or as_json, as_json and follow), preservation.paths_wanted(paths, agents=agents)
    done = preservation.preserve(wanted, out, told=told, follow=follow)
    lines = [printable(line, WIDEST) for line in (*done.open_points, done.sentence)]
    click.echo(json.dumps(done.plain(), indent=None if follow else 1) if as_json else "\n".join(lines))
    return done.exit_code
