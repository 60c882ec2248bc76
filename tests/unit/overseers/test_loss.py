# SPDX-License-Identifier: Apache-2.0
"""What was not judged is counted to the unit and never makes a system look better."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from needles.episodes import told
from safetyboard.overseers.loss import Tally, concern, mean_harm_bounds, tallies, tally
from safetyboard.readers.account import Account
from safetyboard.readers.records import garak, promptfoo
from safetyboard.readers.stored import Stored
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import WrongUse
from safetyboard.terms.judgement import Judgement

REFUSAL = Judgement(outcome="REFUSED", by="a judge", made_by="learned")
SCALE = (-5.0, 5.0)


def valued(harm: float) -> Judgement:
    return Judgement(outcome="VALUE", by="a judge", harm=harm, made_by="learned")


def test_a_judge_that_refuses_the_three_worst_of_twenty_never_lowers_the_reported_concern() -> None:
    harms = [5.0, 5.0, 4.0, 2.0, 1.0, *([-5.0] * 15)]
    whole = [valued(harm) for harm in harms]
    refused = [REFUSAL] * 3 + whole[3:]
    before, after = (concern(tally(each, taken_in=20)) for each in (whole, refused))
    assert before.worst == before.best == 5 / 20
    assert after.observed is not None
    assert before.observed is not None
    # The plain rate among the judged would have fallen: that is the fault of others.
    assert after.observed < before.observed
    assert after.worst >= before.worst
    assert after.high >= before.high
    assert after.best <= before.best <= after.worst
    assert "3 refused" in after.sentence()
    worst_mean, mean = (mean_harm_bounds(each, taken_in=20, scale=SCALE)[1] for each in (refused, whole))
    assert worst_mean >= mean
    low, high = mean_harm_bounds(whole, taken_in=20, scale=SCALE)
    assert low == high == pytest.approx(sum(harms) / 20)


ENDS = st.sampled_from(["VALUE", "ABSTAIN", "REFUSED", "ERROR", "WITHHELD"])


@given(st.lists(st.tuples(st.floats(-5, 5), ENDS), min_size=1, max_size=40))
def test_no_way_of_not_answering_ever_lowers_the_reported_concern(cases: list[tuple[float, Any]]) -> None:
    whole = [valued(harm) for harm, _ in cases]
    partly = [
        valued(harm) if end == "VALUE" else replace(REFUSAL, outcome=end) for harm, end in cases if end != "WITHHELD"
    ]
    full, part = (concern(tally(each, taken_in=len(cases))) for each in (whole, partly))
    assert part.worst >= full.worst
    assert part.high >= full.high
    assert part.low <= full.low
    assert part.best <= full.best
    low, high = mean_harm_bounds(partly, taken_in=len(cases), scale=SCALE)
    mean = sum(harm for harm, _ in cases) / len(cases)
    assert low - 1e-9 <= mean <= high + 1e-9
    counted = part.tally
    assert counted.taken_in == len(cases) == counted.judged + counted.missing


def test_the_interval_holds_the_true_rate_however_the_missing_are_chosen() -> None:
    chance, missed, rate = random.Random(7), 0, 0.2
    for _ in range(400):
        truth = [chance.random() < rate for _ in range(40)]
        # The worst choice: the judge refuses cases of concern, then as many fine ones.
        refusing = [at for at, bad in enumerate(truth) if bad][: chance.randrange(6)]
        told_of = [REFUSAL if at in refusing else valued(1.0 if bad else -1.0) for at, bad in enumerate(truth)]
        found = concern(tally(told_of, taken_in=40))
        missed += not found.low <= rate <= found.high
    assert missed <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


def test_without_missing_answers_it_is_the_plain_exact_interval() -> None:
    found = concern(tally([valued(1.0)] * 3 + [valued(-1.0)] * 7, taken_in=10))
    assert (found.low, found.high) == clopper_pearson(3, 10)
    assert found.observed == found.best == found.worst == 0.3


def test_a_value_without_a_number_is_an_error_and_nothing_judged_is_no_rate() -> None:
    counted = tally([valued(float("nan")), replace(REFUSAL, outcome="VALUE")], taken_in=2)
    assert (counted.judged, counted.errored) == (0, 2)
    found = concern(counted)
    assert (found.observed, found.best, found.worst, found.low, found.high) == (None, 0.0, 1.0, 0.0, 1.0)
    assert "nothing was judged" in found.sentence()


def test_what_does_not_add_up_is_refused() -> None:
    with pytest.raises(WrongUse):
        tally([REFUSAL, REFUSAL], taken_in=1)
    with pytest.raises(WrongUse):
        Tally(taken_in=2, judged=1, abstained=0, refused=0, errored=0, withheld=0, concerned=0)
    with pytest.raises(WrongUse):
        concern(tally([], taken_in=0))
    with pytest.raises(WrongUse):
        mean_harm_bounds([valued(9.0)], taken_in=1, scale=SCALE)


def read(reader: Any, content: bytes) -> list[Episode]:
    stored = Stored(name="x.jsonl", size=len(content), load=lambda: content, digest="sha256:" + "0" * 64)
    return list(reader.episodes(stored, Account()))


def raw_scores(content: bytes) -> Counter[str]:
    """Every score of every evaluated attempt, counted from the bytes without the reader."""
    counted: Counter[str] = Counter()
    for line in content.splitlines():
        entry = json.loads(line)
        if entry.get("entry_type") == "attempt" and entry.get("status") == 2:
            for scores in (entry.get("detector_results") or {}).values():
                counted.update("null" if score is None else "number" for score in scores)
    return counted


def test_in_is_out_on_every_garak_report_and_on_the_same_with_nulls(safetyboard_data: Path) -> None:
    reports = sorted((safetyboard_data / "records" / "garak").rglob("*.report.jsonl"))
    assert len(reports) >= 5
    nulls = 0
    for report in reports:
        content = report.read_bytes()
        for turn, bytes_of in enumerate((content, with_nulls(content))):
            episodes, raw = read(garak, bytes_of), raw_scores(bytes_of)
            counted = tallies(episodes)
            assert sum(each.judged for each in counted.values()) == raw["number"], report.name
            assert sum(each.abstained for each in counted.values()) == raw["null"], report.name
            assert all(each.taken_in == len(episodes) for each in counted.values())
            nulls += raw["null"] if turn else 0
    assert nulls >= 10


def with_nulls(content: bytes) -> bytes:
    """Make every second score null, as a detector that could not judge does."""
    lines, number = [], 0
    for line in content.splitlines():
        entry = json.loads(line)
        for scores in (entry.get("detector_results") or {}).values():
            for at in range(len(scores)):
                number += 1
                scores[at] = None if number % 2 else scores[at]
        lines.append(json.dumps(entry).encode())
    return b"\n".join(lines)


def test_in_is_out_on_promptfoo_errors() -> None:
    verdicts = ["pass", "fail", "error", "pass", "error"]
    results = [
        {
            "promptIdx": 0,
            "testIdx": at,
            "vars": {},
            "success": verdict == "pass",
            "failureReason": {"pass": 0, "fail": 1, "error": 2}[verdict],
            "error": "API error: 503" if verdict == "error" else None,
            "response": {"output": "hello"},
            "testCase": {},
            **(
                {}
                if verdict == "error"
                else {
                    "gradingResult": {
                        "pass": verdict == "pass",
                        "score": float(verdict == "pass"),
                        "componentResults": [
                            {
                                "pass": verdict == "pass",
                                "score": float(verdict == "pass"),
                                "assertion": {"type": "llm-rubric", "value": "polite"},
                            }
                        ],
                    }
                }
            ),
        }
        for at, verdict in enumerate(verdicts)
    ]
    episodes = read(promptfoo, json.dumps({"evalId": "e", "results": {"results": results}}).encode())
    counted = tallies(episodes)
    assert len(episodes) == 5
    for each in counted.values():
        assert each.taken_in == 5 == each.judged + each.missing
    [judge] = [each for (by, _), each in counted.items() if "llm-rubric" in by]
    assert (judge.judged, judge.missing, judge.concerned) == (3, 2, 1)
    assert sum(each.errored for each in counted.values()) == 2


def test_an_overseer_that_says_two_things_counts_once_by_the_gravest() -> None:
    run = told((("say", "x"),))
    speaks = replace(run, judgements=(valued(-1.0), valued(2.0), REFUSAL))
    unsure = replace(run, judgements=(valued(-1.0), REFUSAL))
    counted = tallies([speaks, unsure, run])["a judge", "outcome"]
    assert (counted.taken_in, counted.concerned, counted.judged, counted.refused, counted.withheld) == (3, 1, 1, 1, 1)
