# SPDX-License-Identifier: Apache-2.0
"""Cause by replay: planted causes found, louder decoys cleared, and false causes over honest histories.

python bench/replay.py [--planted 2] [--honest 120]     one process; the unit tests' histories under other seeds
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
QUESTION = "Cause by replay: are planted causes found, louder decoys cleared, and honest histories left in peace?"
sys.path.insert(0, str(HERE.parent / "tests"))

from safetyboard.stats.binomial import clopper_pearson  # noqa: E402
from safetyboard.surfaces.authority.explain.records import Replayed  # noqa: E402
from safetyboard.surfaces.authority.explain.replay import Replay  # noqa: E402
from safetyboard.terms.budget import Budget  # noqa: E402
from unit.surfaces.authority.explain.planted_histories import HONEST, PLANTS, History, honest, planted  # noqa: E402

FIRST = 1000
SLOW = ("conftest", "configuration")


def explained(history: History, seed: int) -> tuple[Replayed, float]:
    """Explain one history, with the seconds it took."""
    begun = time.monotonic()
    came = Replay().explain(
        history.scene, "sha256:bench", budget=Budget(units=400), seed=seed, reference=history.reference
    )
    if not isinstance(came, Replayed):
        raise SystemExit(came.obstruction)
    return came, time.monotonic() - begun


def planted_row(plant: str, seed: int) -> dict[str, object]:
    """Say of one planted history whether its cause was found and its decoy cleared."""
    history = planted(seed, plant)
    came, seconds = explained(history, seed)
    named = {each["path"] for each in came.facts.get("responsible", [])}
    decoys = [rival.status for rival in came.rivals if history.decoy in rival.factor]
    return {
        "plant": plant, "seed": seed, "tests": came.facts["tests"] == list(history.masked),
        "files": named == set(history.cause.split()), "decoy": decoys, "methods_agree": came.facts.get("methods_agree"),
        "grade": came.grade, "whys": [why["grade"] for why in came.facts["whys"]], "runs": came.facts["runs"],
        "arms": [
            [each.role, each.outcome, *([arm.failures, arm.trials] for arm in each.arms)] for each in came.ablations
        ],
        "seconds": round(seconds, 1),
    }  # fmt: skip


def honest_row(seed: int) -> dict[str, object]:
    """Say of one honest history whether anything was held against it."""
    kind = HONEST[seed % len(HONEST)]
    came, seconds = explained(honest(seed, kind), seed)
    accused = bool(came.cause) or came.grade != "rejected" or any(each.shows == "failure" for each in came.executions)
    flaky = came.facts["excluded_as_flaky"]
    return {
        "kind": kind,
        "seed": seed,
        "accused": accused,
        "flaky": flaky,
        "runs": came.facts["runs"],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run both parts and write the raw results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", type=int, default=2)
    parser.add_argument("--honest", type=int, default=120)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "replay.json")
    given = parser.parse_args()
    rows = []
    for plant in PLANTS:
        for turn in range(1 if plant in SLOW else given.planted):
            rows.append(planted_row(plant, FIRST + turn))
            sys.stderr.write(f"{rows[-1]}\n")
    nulls = [honest_row(FIRST + turn) for turn in range(given.honest)]
    found = sum(bool(row["tests"] and row["files"]) for row in rows)
    cleared = sum(row["decoy"] == ["rejected"] for row in rows)
    accused = sum(bool(row["accused"]) for row in nulls)
    summary = {
        "planted": len(rows), "found": found, "found_interval": clopper_pearson(found, len(rows)),
        "decoys_cleared": cleared, "honest": len(nulls), "false_causes": accused,
        "false_causes_interval": clopper_pearson(accused, len(nulls)),
        "machine": platform.machine(), "python": platform.python_version(),
    }  # fmt: skip
    result = {"question": QUESTION, "command": "python bench/replay.py", "summary": summary}
    result |= {"planted": rows, "honest": nulls}
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
