# SPDX-License-Identifier: Apache-2.0
"""Judges: a small model on held-out stories beside its baselines, and how many errors of evaluators a review finds.

python bench/judges.py [--seeds N] [--out FILE]     SAFETYBOARD_DATA names the data; needs no network

No language model is measured here: whoever uses one measures it with `measure_judge`. In place of a human audit of
tool-agent runs stands the recorded reward of tau-bench; that of people is NOT_RUN. Methods were looked at on tasks with
even numbers; the figures are of the odd ones.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))

from judge_measurement import MADE_OF, baselines, of_small_model  # noqa: E402
from safetyboard.overseers.calibration import Calibration  # noqa: E402
from safetyboard.overseers.claim_and_truth import beside_reference  # noqa: E402
from safetyboard.overseers.disagreement.agreement import agreement, pairwise  # noqa: E402
from safetyboard.overseers.disagreement.opinion import Opinion, derived_opinions  # noqa: E402
from safetyboard.overseers.disagreement.ranking import found_within, likely_errors, review  # noqa: E402
from safetyboard.stats.binomial import clopper_pearson  # noqa: E402
from tau_bench_runs import TALLIER, flipped, runs, tool_tallies, truths  # noqa: E402

METHODS = ("dawid-skene", "crossed", "majority")


def rate(events: int, trials: int) -> str:
    low, high = clopper_pearson(events, trials)
    return f"{events} of {trials} ({low:.2f} to {high:.2f})"


def row(record: Calibration) -> str:
    return f"found {rate(record.hits, record.needles)}, accused {rate(record.false_alarms, record.twins)}"


def audit(verdicts: list[tuple[str, dict[str, bool]]], truth: dict[str, bool], others: list[Opinion]) -> dict[str, Any]:
    """Review a third of each evaluator's verdicts, at once by the first ranking, and ranking anew with what was found.

    Counts are pooled over the seeds. The intervals take planted errors as independent, though the runs are the same.
    """
    found: Counter[str] = Counter()
    wrong = looked = cases = 0
    for name, said in verdicts:
        errors = frozenset(case for case, good in said.items() if good is not truth[case])
        opinions = [*others, *(Opinion(case=case, by=name, good=good) for case, good in said.items())]
        for method in METHODS:
            hits, seen = found_within(likely_errors(opinions, name, method=method), errors, 1 / 3)
            found[f"{method}, ranked once"] += hits
            found[method] += len(errors & review(opinions, name, truth.__getitem__, most=seen, method=method).keys())
        wrong, looked, cases = wrong + len(errors), looked + seen, cases + len(said)
    ways = {method: rate(found[method], wrong) for method in sorted(found)}
    return {**ways, "at random (expected)": f"{looked / cases:.2f}"}


def of_evaluators(data: Path, seeds: int) -> dict[str, Any]:
    _, episodes = runs(data)
    odd = [each for each in episodes if int(str(each.condition["task_id"])) % 2]
    names, truth, tallied = [each.name for each in odd], truths(odd), tool_tallies(odd)
    weak = derived_opinions(odd, names)
    informed = [*weak, *(Opinion(case=case, by=TALLIER, good=good) for case, good in tallied.items())]
    planted = [("reward", flipped(truth, seed)) for seed in range(seeds)]
    shown = {
        "its own errors, weak raters": audit([(TALLIER, tallied)], truth, weak),
        "planted in the reward, weak raters": audit(planted, truth, weak),
        "planted in the reward, with a second program": audit(planted, truth, informed),
    }
    flat = {f"{question}: {method}": figure for question, told in shown.items() for method, figure in told.items()}
    recorded = [Opinion(case=case, by="reward", good=good) for case, good in truth.items()]
    every = [*informed, *recorded]
    return {
        **flat,
        "agreement of all raters with the reward among them": agreement(every).sentence(),
        "agreements_of_pairs": [each.sentence() for each in pairwise(every)],
        "human audit of tool-agent runs": "NOT_RUN: needs verdicts of people on such runs, which are not in the data",
    }


def of_claims(data: Path) -> dict[str, Any]:
    _, episodes = runs(data)
    found = [beside_reference(each) for each in episodes]
    standings = Counter(each.standing for each in found)
    cited = sum(bool(each.differences) for each in found if each.standing == "claimed, not done")
    return {
        **{f"runs standing as {name}": f"{count} of {len(found)}" for name, count in sorted(standings.items())},
        "claimed, not done, with the difference cited": f"{cited} of {standings['claimed, not done']}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "judges.json")
    given = parser.parse_args()
    data = Path(os.environ["SAFETYBOARD_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        small, served = of_small_model(Path(folder) / "ledger.jsonl")
    result: dict[str, Any] = {
        "question": "Judges: a small model beside its baselines, and errors of evaluators found in a third of a review",
        "command": "python bench/judges.py",
        "machine": {"python": platform.python_version()},
        "cases": MADE_OF,
        "small model as a judge": row(small.calibration),
        "the same, ordered to report nothing: findings turned": rate(small.soothed.turned, small.soothed.asked),
        "the same, ordered to report the worst: clean cases turned": rate(small.alarmed.turned, small.alarmed.asked),
        "queries, tokens": f"{len(served.asked)}, {small.tokens}",
        **{f"baseline, {name}": row(record) for name, record in baselines().items()},
        "a language model as a judge": "NOT_RUN: needs a model; its user measures it with measure_judge",
        **of_evaluators(data, given.seeds),
        **of_claims(data),
    }
    given.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
