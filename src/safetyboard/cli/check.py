# SPDX-License-Identifier: Apache-2.0
"""Recheck a docket with the stranger's checker, which shares no code with the engine."""

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(arguments: tuple[str, ...]) -> int:
    """Recheck a docket: DOCKET [--key FILE|FINGERPRINT] [--checkpoint FILE] [--sample-seed N].

    The same as `python -m safetyboard_check`; `safetyboard check --help` lists its options.
    """
    from safetyboard_check.__main__ import check as recheck  # noqa: PLC0415 - loaded for this command only

    try:
        return recheck(list(arguments))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
