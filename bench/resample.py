# SPDX-License-Identifier: Apache-2.0
"""Cause by asking again: driving sentences found, louder decoys cleared, and false causes where nothing drives.

python bench/resample.py [--planted 40] [--idle 200]     one process, no network; learned agents of the unit tests
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
QUESTION = "Cause by asking again: is the driving sentence found, the louder one cleared, and chance not accused?"
sys.path.insert(0, str(HERE.parent / "tests"))

from safetyboard.stats.binomial import clopper_pearson  # noqa: E402
from safetyboard.surfaces.authority.resample.records import Resampled  # noqa: E402
from safetyboard.surfaces.authority.resample.resample import Resample  # noqa: E402
from safetyboard.terms.budget import Budget  # noqa: E402
from unit.surfaces.authority.resample.learned_agent import (  # noqa: E402
    ASKED,
    DECOY,
    DRIVEN,
    DRIVER,
    INDEPENDENT,
    NAMED,
    OBEDIENT,
    REDUNDANT,
    SECOND,
    Agent,
    World,
    episode,
    scene,
)

FIRST = 1000
WEAK = World(0.35, 0.75)


def asked(world: World, seeds: range, words: str = ASKED) -> list[Resampled]:
    """Ask again under many seeds."""
    instrument = Resample(answerer=Agent(world), model=NAMED, salt=b"bench")
    runs = []
    for seed in seeds:
        came = instrument.resample(episode(words), 7, scene(words), "sha256:b", budget=Budget(units=3000), seed=seed)
        if not isinstance(came, Resampled):
            raise SystemExit(came.obstruction)
        runs.append(came)
    return runs


def counted(hits: int, of: int) -> str:
    """Write a count with its interval."""
    low, high = clopper_pearson(hits, of)
    return f"{hits} of {of} ({low:.2f}–{high:.2f})"


def causes(runs: list[Resampled]) -> list[list[str]]:
    """List what each run named."""
    return [[cause.words for cause in run.causes] for run in runs]


def decoys(runs: list[Resampled]) -> list[str]:
    """List what each run said of the decoy."""
    return [next(each.outcome for each in run.ablations if DECOY in each.factor) for run in runs]


def main() -> None:
    """Ask in five worlds and write the raw results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", type=int, default=40)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "resample.json")
    given = parser.parse_args()
    begun = time.process_time()
    seeds = range(FIRST, FIRST + given.planted)
    driven, weak, plain = asked(DRIVEN, seeds), asked(WEAK, seeds), asked(OBEDIENT, seeds)
    joint = asked(REDUNDANT, seeds, f"{ASKED} {SECOND}")
    idle = asked(INDEPENDENT, range(FIRST, FIRST + given.idle))
    ambiguous = [next(rival.status for rival in run.rivals if "ambiguous" in rival.factor) for run in (*driven, *plain)]
    n, named = len(driven), causes(driven)
    result = {
        "question": QUESTION, "command": "python bench/resample.py",
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "draws_an_arm": 24, "removals_a_run": len(driven[0].facts["tried"]),
        "questions_a_run_at_most": max(int(str(run.facts["questions"])) for run in (*driven, *joint)),
        "strong_driver_found_alone_(0.08_to_0.85)": counted(sum(each == [DRIVER] for each in named), n),
        "strong_driver:_decoy_cleared": counted(sum(each == "against" for each in decoys(driven)), n),
        "strong_driver:_decoy_accused": counted(sum(each == "for" for each in decoys(driven)), n),
        "strong_driver:_graded_established": counted(sum(run.grade == "established" for run in driven), n),
        "weak_driver_found_alone_(0.35_to_0.75)": counted(sum(each == [DRIVER] for each in causes(weak)), n),
        "weak_driver:_anything_else_accused": counted(sum(bool(set(each) - {DRIVER}) for each in causes(weak)), n),
        "two_sentences_of_which_either_suffices,_found_together": counted(
            sum(each == [f"{DRIVER} {SECOND}"] for each in causes(joint)), n
        ),
        "a_clarification_that_is_heeded_keeps_ambiguity_open": counted(
            sum(each == "supported" for each in ambiguous[n:]), n
        ),
        "a_clarification_that_is_ignored_rejects_ambiguity": counted(
            sum(each == "rejected" for each in ambiguous[:n]), n
        ),
        "false_causes_where_the_act_depends_on_no_word": counted(sum(map(bool, causes(idle))), len(idle)),
        "runs": {"driven": named, "weak": causes(weak), "joint": causes(joint), "idle": causes(idle)},
    }  # fmt: skip
    result["processor_seconds"] = round(time.process_time() - begun)
    given.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({k: v for k, v in result.items() if k != "runs"}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
