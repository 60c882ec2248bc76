# SPDX-License-Identifier: Apache-2.0
"""Run the checker: ``python -m safetyboard_check DOCKET``."""

import argparse
import json
import os
import sys
from pathlib import Path

from safetyboard_check.canonical import digest
from safetyboard_check.checker import Answer, Checker, Options
from safetyboard_check.faults import NotADocket, Rejected


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="safetyboard_check", description="Recheck a docket without trusting anybody.")
    parser.add_argument("docket", type=Path)
    parser.add_argument("--key", help="the signer's public key file, or its fingerprint sha256:...")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint kept from an earlier time")
    parser.add_argument("--leaf-budget", type=int, default=200, help="leaves rechecked in rationals (default 200)")
    parser.add_argument("--all-leaves", action="store_true", help="recheck every leaf, however long it takes")
    parser.add_argument("--sample-seed", type=int, help="seed for the sample of leaves (default: drawn and printed)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(words)


def fingerprint(text: str) -> str:
    """Take a fingerprint, or a public key file and name it."""
    path = Path(text)
    if text.startswith("sha256:") and len(text) == 71:
        return text
    try:
        return digest(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as error:
        raise NotADocket(f"{text}: neither a key file nor a fingerprint") from error


def check(words: list[str] | None = None) -> int:
    """Check as the command line says; prints the answer and returns the exit code."""
    given = _arguments(words)
    seed = given.sample_seed if given.sample_seed is not None else int.from_bytes(os.urandom(4), "big")
    try:
        options = Options(
            key=fingerprint(given.key) if given.key else None,
            checkpoint=given.checkpoint.read_bytes() if given.checkpoint else None,
            leaf_budget=(1 << 62) if given.all_leaves else max(1, given.leaf_budget),
            seed=seed,
        )
        answer = Checker(given.docket, options).run()
    except Rejected as error:
        word = "not checked" if isinstance(error, NotADocket) else "rejected"
        _say({"answer": word, "reason": str(error), "exit": error.code}, f"{word}: {error}", as_json=given.json)
        return error.code
    except OSError as error:
        _say({"answer": "not checked", "reason": str(error), "exit": 2}, f"not checked: {error}", as_json=given.json)
        return 2
    except (MemoryError, RecursionError) as error:
        _say({"answer": "rejected", "reason": repr(error), "exit": 1}, f"rejected: {error!r}", as_json=given.json)
        return 1
    _say(_plain(answer, seed), _text(answer, seed), as_json=given.json)
    return answer.code


def _plain(answer: Answer, seed: int) -> dict[str, object]:
    return {
        "answer": "accepted",
        "signer": answer.signer,
        "signer_verified": answer.known_signer,
        "witnesses_replayed": answer.witnesses,
        "quotations_found_again": answer.quotations,
        "leaves": answer.leaves,
        "leaves_rechecked": answer.rechecked,
        "sample_seed": seed,
        "not_rechecked": answer.missing,
        "verdicts": dict(answer.verdicts),
        "exit": answer.code,
    }


def _text(answer: Answer, seed: int) -> str:
    lines = [answer.first_line()]
    if answer.known_signer:
        lines.append(f"signer verified: {answer.signer}")
    else:
        lines.append(f"internally consistent; signer not verified (signed by {answer.signer}; give --key)")
    quoted = f"; {answer.quotations} quotations found again" if answer.quotations else ""
    verdicts = ", ".join(f"{count} {word}" for word, count in sorted(answer.verdicts.items()))
    lines.append(
        f"{answer.statements} signed statements; {answer.witnesses} witnesses replayed{quoted}; verdicts: {verdicts}"
    )
    lines.append(f"custody: {answer.custody}")
    if answer.rechecked < answer.leaves:
        lines.append(f"sample seed {seed}; every leaf: --all-leaves, or safetyboard_check_numeric")
    lines += [f"not rechecked: {item}" for item in answer.missing]
    return "\n".join(lines)


def _say(plain: dict[str, object], text: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(plain, sort_keys=True) if as_json else text) + "\n")


if __name__ == "__main__":
    sys.exit(check())
