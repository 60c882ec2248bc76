# SPDX-License-Identifier: Apache-2.0
"""Work for the tests of the crew; in a module of its own, so that worker processes can import it."""

import os
import time

from safetyboard.terms.canonical import Plain
from safetyboard.terms.progress import Progress


def square(argument: int, progress: Progress) -> dict[str, Plain]:
    progress.advance(argument)
    return {"square": argument * argument}


def patient(argument: float, progress: Progress) -> dict[str, Plain]:
    until = time.monotonic() + argument
    while time.monotonic() < until and not progress.stopped():
        time.sleep(0.01)
    return {"slept": int(1000 * argument)}


def fatal(argument: int, progress: Progress) -> dict[str, Plain]:
    os._exit(9)


def faulty(argument: int, progress: Progress) -> dict[str, Plain]:
    raise ZeroDivisionError("planted")


def threads(argument: int, progress: Progress) -> dict[str, Plain]:
    return {"threads": os.environ.get("OMP_NUM_THREADS", "")}
