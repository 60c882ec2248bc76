# SPDX-License-Identifier: Apache-2.0
"""The commands, one file each, listed in the order of the story; no decision is taken here."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from safetyboard import __version__
from safetyboard.cli.door import through

COMMANDS = {
    "preserve": "safetyboard.cli.preserve:preserve",
    "search": "safetyboard.cli.search:search",
    "investigate": "safetyboard.cli.investigate:investigate",
    "train-screen": "safetyboard.cli.train_screen:train_screen",
    "judge": "safetyboard.cli.judge:judge",
    "review": "safetyboard.cli.review:review",
    "show": "safetyboard.cli.show:show",
    "check": "safetyboard.cli.check:check",
    "replay": "safetyboard.cli.replay:replay",
    "diff": "safetyboard.cli.diff:diff",
    "drill": "safetyboard.cli.drill:drill",
    "gate": "safetyboard.cli.gate:gate",
    "components": "safetyboard.cli.components:components",
    "delegate": "safetyboard.cli.delegate:delegate",
    "keygen": "safetyboard.cli.keygen:keygen",
    "doctor": "safetyboard.cli.doctor:doctor",
}


class Lazy(click.Group):
    """Load a command only when it is named, so that help costs next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the story."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="safetyboard")
def group() -> None:
    """Investigate how an AI system fails, and leave a docket that a stranger can recheck.

    Exit codes: 0 all proved or bounded, 1 a subject as given is refuted, 2 wrong use or unreadable
    input, 3 something is open, 4 internal or environment error, 70 unsound, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(through(group, list(sys.argv[1:] if arguments is None else arguments)))
