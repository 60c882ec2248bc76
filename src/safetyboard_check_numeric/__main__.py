# SPDX-License-Identifier: Apache-2.0
"""Recheck every leaf of every certificate: python -m safetyboard_check_numeric DOCKET [--json]."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from safetyboard_check_numeric.checker import NOT_RECHECKED, Answer, check
from safetyboard_check_numeric.refusals import Refusal

SCHEMA = "safetyboard.numeric-check/1"
_CODES = "0 all leaves hold, 1 rejected, 2 no docket or a newer format, 3 bytes withheld"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one docket; prints one sentence a fact, or one JSON object."""
    parser = argparse.ArgumentParser(
        prog="python -m safetyboard_check_numeric", description=__doc__, epilog=f"Exit codes: {_CODES}."
    )
    parser.add_argument("docket", type=Path, metavar="DOCKET", help="a folder, or a zip of it")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    given = parser.parse_args(arguments)
    if not given.json:
        print(f"Not rechecked here: {NOT_RECHECKED}.", flush=True)
    try:
        answer = check(given.docket)
    except Refusal as refusal:
        if given.json:
            print(json.dumps({"schema": SCHEMA, "not_rechecked": NOT_RECHECKED, "accepted": False,
                              "code": refusal.code, "reason": str(refusal)}))  # fmt: skip
        else:
            print(f"{'Rejected' if refusal.code == 1 else 'Not checked'}: {refusal}.")
        return refusal.code
    if given.json:
        print(json.dumps(_told(answer)))
    else:
        _print(answer)
    return answer.code


def _told(answer: Answer) -> dict[str, object]:
    held = {
        name: {"cells": done.cells, "leaves": done.leaves, "margin": done.margin.hex()}
        for name, done in answer.certificates.items()
    }
    return {
        "schema": SCHEMA, "not_rechecked": NOT_RECHECKED, "accepted": not answer.withheld, "code": answer.code,
        "certificates": held, "leaves": answer.leaves, "withheld": list(answer.withheld),
    }  # fmt: skip


def _print(answer: Answer) -> None:
    for name, done in answer.certificates.items():
        print(f"{name}: {done.cells} cells, all {done.leaves} leaves hold, the least by {done.margin:.3g}")
    for sentence in answer.withheld:
        print(f"Not rechecked: {sentence}.")
    if answer.certificates:
        print(f"{len(answer.certificates)} certificates, {answer.leaves} leaves rechecked, all of them hold.")
    elif not answer.withheld:
        print("The docket holds no certificate: nothing is claimed to be proved, and nothing was rechecked.")


if __name__ == "__main__":
    sys.exit(main())
