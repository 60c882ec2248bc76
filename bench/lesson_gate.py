# SPDX-License-Identifier: Apache-2.0
"""The lesson "judged-files-out-of-reach" over drawn repositories: its decision beside what is true by construction.

python bench/lesson_gate.py [--drawn 24] [--first 1000]     one process; the unit tests' generator under other seeds
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from safetyboard.stats.binomial import clopper_pearson  # noqa: E402
from safetyboard.surfaces.authority.lesson import JudgedFilesOutOfReach  # noqa: E402
from safetyboard.terms.budget import Budget  # noqa: E402
from safetyboard.terms.progress import Silent  # noqa: E402
from unit.surfaces.authority.lesson.drawn_repositories import drawn  # noqa: E402


def row(seed: int) -> dict[str, object]:
    """Put the lesson to one drawn repository."""
    one, begun = drawn(seed), time.monotonic()
    said = JudgedFilesOutOfReach().put(one.tree, budget=Budget(units=400), seed=seed, progress=Silent(), claim="bench")
    return {
        "seed": seed, **one.made, "truth": one.truth, "answer": said.answer, "reason": said.reason,
        "routes": list(said.routes), "kinds": dict(said.kinds), "faults": list(said.mutants), "runs": said.runs,
        "declared": list(said.declared), "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip


def share(rows: list[dict[str, object]], truth: str) -> dict[str, object]:
    """Count right answers among the repositories of one kind."""
    mine = [each for each in rows if each["truth"] == truth]
    right = sum(each["answer"] == truth for each in mine)
    low, high = clopper_pearson(right, len(mine))
    return {"right": right, "of": len(mine), "interval at 95 %": [round(low, 3), round(high, 3)]}


def summed(rows: list[dict[str, object]]) -> dict[str, object]:
    """Put the figures above the rows they are counted from."""
    return {
        "question": "The lesson on judged files: its decision over drawn repositories",
        "command": f"python bench/lesson_gate.py --drawn {len(rows)}",
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "affected": share(rows, "affected"), "not affected": share(rows, "not affected"),
        "untestable": sum(each["answer"] == "untestable" for each in rows), "repositories": rows,
    }  # fmt: skip


def main() -> None:
    """Measure, and write the raw results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", type=int, default=24)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "lesson_gate.json")
    given = parser.parse_args()
    rows = []
    for seed in range(given.first, given.first + given.drawn):
        rows.append(row(seed))
        sys.stdout.write(f"{json.dumps(rows[-1])}\n")
        sys.stdout.flush()
        given.out.write_text(json.dumps(summed(rows), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
