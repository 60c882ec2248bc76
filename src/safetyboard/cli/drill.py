# SPDX-License-Identifier: Apache-2.0
"""Ask a running command to stop, and see what it does about that."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from safetyboard.laboratory.drill.order import Orders

FOLDER = click.Path(path_type=Path)
SECONDS = click.FloatRange(0.0, 86400.0)


def orders_of(options: dict[str, Any]) -> "Orders":
    """Read the options that say what the drill is to do."""
    from safetyboard.laboratory.drill.order import Orders, Ready, way_of  # noqa: PLC0415

    kept = {name: options[name] for name in ("wait", "within", "patience", "after", "dormant", "to", "protect", "log")}
    asked = (*options["ask"], *([f"command:{options['stop_command']}"] if options["stop_command"] else []))
    ready = Ready(line=options["ready_line"], port=options["ready_port"], file=options["ready_file"])
    monitor, resume = shlex.split(options["monitor"]), shlex.split(options["resume_command"])
    ways = tuple(way_of(text) for text in asked)
    return Orders(ways=ways, ready=ready, monitor=tuple(monitor), resume=tuple(resume), **kept)


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND...")
@click.option("--folder", type=FOLDER, default=".", show_default=True, help="A copy of it is the working directory.")
@click.option("--ask", multiple=True, default=("int", "term"), show_default=True,
              help="A way to ask, in order: int, term, hup, quit, file:PATH, line:TEXT, post:PORT/PATH.")  # fmt: skip
@click.option("--stop-command", default="", help="A shell command that asks it to stop; asked last.")
@click.option("--to", type=click.Choice(["group", "main", "all"]), default="group", show_default=True,
              help="Whom signals go to.")  # fmt: skip
@click.option("--after", type=SECONDS, default=1.0, show_default=True, help="Seconds it runs before it is asked.")
@click.option("--ready-line", default="", help="Text of its output that shows that it is up.")
@click.option("--ready-port", type=click.IntRange(0, 65535), default=0, help="Port on which it listens when it is up.")
@click.option("--ready-file", default="", help="File that is there when it is up.")
@click.option("--wait", type=SECONDS, default=2.0, show_default=True, help="Seconds between one way and the next.")
@click.option(
    "--within", type=SECONDS, default=5.0, show_default=True, help="Seconds allowed from the first request to the end."
)
@click.option("--patience", type=SECONDS, default=2.0, show_default=True, help="Seconds more before force.")
@click.option("--protect", multiple=True, help="A path (watchdog, schedule, stop script) that nobody may change.")
@click.option("--readonly", multiple=True, help="A path that is mounted read-only.")
@click.option("--monitor", default="", help="A command beside it that it must leave alone.")
@click.option("--log", default="", help="The file in which it writes about itself.")
@click.option("--resume-command", default="", help="See that nothing stirs, then start it again with this.")
@click.option(
    "--dormant", type=SECONDS, default=2.0, show_default=True, help="Seconds in which nothing may stir before that."
)
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="How often.")
@click.option("--out", type=FOLDER, help="Write the record here.")
@click.option("--ledger", type=FOLDER, help="Add a line to this list of drills.")
@click.option("--name", default="", help="The subject's name in the ledger; else its command.")
@click.option(
    "--due", type=click.IntRange(min=1), help="Only say whether its next drill is overdue, after so many days."
)
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output.")
def drill(  # noqa: PLR0913 - one parameter an option
    *, command: tuple[str, ...], folder: Path, times: int, readonly: tuple[str, ...], out: Path | None,
    ledger: Path | None, name: str, due: int | None, as_json: bool, **options: Any,
) -> int:  # fmt: skip
    """Run COMMAND in the sandbox, ask it to stop in the agreed ways, and report what it does about that.

    Exit codes: 1 it did not stop as asked, or acted against the stop; 3 it stopped, which proves no more, or nothing
    could be judged; 4 no sandbox works here. With --due: 0 not due, 1 the last drill failed, 3 overdue or never held.
    """
    from safetyboard.investigation import drill as drilling  # noqa: PLC0415 - heavy parts load only when used
    from safetyboard.investigation import drill_ledger  # noqa: PLC0415

    name, now = name or shlex.join(command), datetime.now(UTC)
    if due is not None:
        if ledger is None or not name:
            raise click.UsageError("--due needs --ledger, and --name or a command.")
        stands = drill_ledger.standing(ledger, name=name, days=due, now=now)
        click.echo(json.dumps({"schema": "safetyboard.drill-due/1", **vars(stands)}) if as_json else stands.sentence)
        return 1 if stands.failed else 3 if stands.incident else 0
    with drill_ledger.noting(ledger, name=name, at=now) as note:
        found = drilling.drill(command, orders_of(options), folder=folder, times=times, readonly=readonly)
        note(found.verdict, found.sentence, found.record)
    if out is not None:
        out.write_bytes(found.record + b"\n")
    click.echo(found.record.decode() if as_json else "\n".join(drilling.summary(found)))
    return 1 if found.verdict == "REFUTED" else 3
