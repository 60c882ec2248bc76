# SPDX-License-Identifier: Apache-2.0
"""A proved claim comes with the largest slack that could be proved, and the checker holds the proof to it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from docket_forgery import attacker_key, of_kind, reissue
from oracle.activation_patterns import greatest_harm
from oracle.made_up_networks import onnx_bytes, random_weights
from safetyboard.evidence.docket import Docket
from safetyboard.investigation import prove
from safetyboard.investigation.report.wording import number
from safetyboard.readers.onnx_file import read_network
from safetyboard.terms.numbers import float_text
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import Rejected
from story import planted
from story.run import investigated

SEEDS = (1, 2, 3)


def one_below(where: Path, seed: int) -> Path:
    """Write a random network and a property it keeps with a slack of one exactly, by enumeration of its patterns."""
    content = onnx_bytes(random_weights(np.random.default_rng([seed, 6]), [3, 5, 4, 1]))
    network, _ = read_network(content, "net.onnx")
    row = [[([(0, Fraction(-1))], Fraction(0))]]
    worst, _ = greatest_harm(network.layers, [Fraction(0)] * 3, [Fraction(1)] * 3, row)
    limit = Fraction(round((worst + 1) * 10**9), 10**9)
    where.mkdir()
    (where / "net.onnx").write_bytes(content)
    text = planted.property_text(3).replace("(assert (>= Y_0 0.0))", f"(assert (>= Y_0 {float(limit):.9f}))")
    (where / "net.vnnlib").write_text(text)
    return where


def slack_of(place: Path) -> float:
    (certificate,) = Docket(place).of_kind("certificate").values()
    return float.fromhex(certificate["slack"])


@pytest.mark.idea("E6")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_slack_of_a_proof_meets_the_worst_case(tmp_path: Path, home: Path, seed: int) -> None:
    ran = investigated(one_below(tmp_path / "case", seed), tmp_path / "docket")
    (claim,) = ran.json["claims"]
    assert claim["verdict"] == "PROVED"
    slack = slack_of(tmp_path / "docket")
    assert -1.000001 <= slack <= -0.97
    assert claim["best_attack"] <= claim["best_bound"] == slack
    assert number(slack) in (tmp_path / "docket" / "report.html").read_text(encoding="utf-8")
    assert Checker(tmp_path / "docket", Options(leaf_budget=10**6)).run().verdicts == {"PROVED": 1}


@pytest.mark.idea("E6")
def test_more_slack_than_there_is_is_rejected(tmp_path: Path, home: Path) -> None:
    investigated(one_below(tmp_path / "case", 1), tmp_path / "docket")

    def more(records: list[dict[str, object]], blobs: dict[str, bytes]) -> None:
        of_kind(records, "certificate")[0]["slack"] = float_text(-1.01)

    forged = reissue(tmp_path / "docket", tmp_path / "forged", more, attacker_key())
    with pytest.raises(Rejected):
        Checker(forged, Options(leaf_budget=10**6)).run()


def test_without_the_search_for_slack_the_test_of_it_turns_red(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "sharpened", lambda settings, attempt, **_: attempt)
    slacks = []
    for seed in SEEDS:
        investigated(one_below(tmp_path / f"case-{seed}", seed), tmp_path / f"docket-{seed}")
        slacks.append(slack_of(tmp_path / f"docket-{seed}"))
    assert max(slacks) > -0.97
    assert all(-1.000001 <= slack < 0 for slack in slacks)
