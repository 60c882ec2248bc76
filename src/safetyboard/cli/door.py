# SPDX-License-Identifier: Apache-2.0
"""The one place where verdicts and errors become exit codes, and errors one sentence."""

import contextlib
import errno
import json
import os
import sys
import traceback
from collections.abc import Collection, Sequence

import click

from safetyboard.terms.errors import SafetyboardError

REFUTED, WRONG, OPEN, INTERNAL, UNSOUND, INTERRUPTED = 1, 2, 3, 4, 70, 130
SETTLED = {"PROVED", "BOUNDED"}


def verdict_code(words: Collection[str], *, unsound: bool = False, interrupted: bool = False) -> int:
    """Turn the verdicts on subjects as given into an exit code (docs/explain/verdicts.md).

    Args:    words: BOUNDED stands for a met target; one without a target or with a missed one is given as OPEN.
    """
    if interrupted:
        return INTERRUPTED
    if unsound:
        return UNSOUND
    if "REFUTED" in words:
        return REFUTED
    return 0 if words and set(words) <= SETTLED else OPEN


def gate_code(answers: Collection[str]) -> int:
    """Turn the answers of lessons into an exit code: affected, then untestable, then neither."""
    if "affected" in answers:
        return REFUTED
    return OPEN if "untestable" in answers or not answers else 0


def through(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command; whatever happens inside, leave with one code and at most one sentence of error."""
    try:
        result = command.main(args=list(arguments), prog_name="safetyboard", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        return refused("Interrupted.", INTERRUPTED, arguments)
    except KeyboardInterrupt:
        return refused("Interrupted.", INTERRUPTED, arguments)
    except click.ClickException as error:
        return refused(error.format_message(), WRONG, arguments)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERNAL
    except Exception as error:
        if os.environ.get("SAFETYBOARD_TRACEBACK"):
            traceback.print_exc()
        sentence, code = sentence_of(error)
        return refused(sentence, code, arguments)


def sentence_of(error: BaseException) -> tuple[str, int]:
    """Say what went wrong in one sentence, and which exit code it has."""
    if isinstance(error, SafetyboardError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Give a smaller input, or fewer --workers.", INTERNAL
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The Python package {error.name!r} is missing. Install it with: pip install 'safetyboard[networks]'.",
            INTERNAL,
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "Free some space." if full else "Check the path and its permissions."
        return f"{where}{error.strerror or error}. {hint}", INTERNAL
    text = " ".join(str(error).split())[:300]
    return (
        f"Internal error ({type(error).__name__}: {text}). Set SAFETYBOARD_TRACEBACK=1 to see where, and report it.",
        INTERNAL,
    )


def refused(sentence: str, code: int, arguments: Sequence[str]) -> int:
    """Print one sentence to standard error; with ``--json``, also one object to standard output."""
    # Names out of hostile files must not steer the terminal they are shown on.
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(sentence.split()))
    with contextlib.suppress(OSError):
        click.echo(f"safetyboard: {line}", err=True)
    if "--json" in arguments:
        command = next((word for word in arguments if not word.startswith("-")), "")
        empty = empty_investigation() if command == "investigate" else {"schema": f"safetyboard.{command}/1"}
        with contextlib.suppress(OSError):
            click.echo(json.dumps({**empty, "error": {"sentence": line, "exit": code}}, indent=1))
    return code


def empty_investigation() -> dict[str, object]:
    """Give the object ``investigate --json`` prints, before anything is known."""
    return {
        "schema": "safetyboard.investigation/1",
        "case": None,
        "docket": None,
        "result_digest": None,
        "stopped_by_time": False,
        "claims": [],
        "remedies": [],
        "findings": [],
        "lessons": [],
        "loss": {},
        "not_run": [],
    }
