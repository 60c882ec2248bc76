# SPDX-License-Identifier: Apache-2.0
"""What was asked: the goal and the gap, tiers, weak questions, relaxed questions, the average and the worst case."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle.made_up_networks import onnx_bytes
from safetyboard.cli.investigate import investigate
from safetyboard.evidence.docket import Docket
from story import claims_on, planted
from story.run import command, investigated

UNIT = {f"X_{index}": (0.0, 1.0) for index in range(4)}
GOAL = "the output stays below zero on the unit box"


def asked(tmp_path: Path, text: str, name: str = "case", *, network: bytes = b"") -> tuple[Any, Docket, str]:
    """Put a property text to the clean network; returns the run, its docket and its report."""
    case = tmp_path / name
    case.mkdir()
    (case / "net.onnx").write_bytes(network or planted.network(planted=False))
    (case / "net.vnnlib").write_text(text)
    ran = investigated(case, tmp_path / f"{name}-docket", "--no-repair")
    place = tmp_path / f"{name}-docket"
    return ran, Docket(place), (place / "report.html").read_text(encoding="utf-8")


def remarks(docket: Docket) -> list[str]:
    return [record["meaning"] for record in docket.of_kind("observation").values()]


@pytest.mark.idea("A1")
def test_goal_measurement_and_gap_are_printed_and_a_gap_free_twin_has_none(tmp_path: Path) -> None:
    _, whole, page = asked(tmp_path, planted.property_text())
    (claim,) = whole.of_kind("claim").values()
    assert claim["intended"] == GOAL
    assert "1 box of 4 inputs" in claim["measured"]
    assert "gap" not in claim
    assert "gap between goal and measurement: none on record" in command("show", tmp_path / "case-docket").out
    assert f"<dt>Intended goal</dt><dd>{GOAL}</dd>" in page
    assert "<dt>Gap</dt><dd>none was recorded</dd>" in page

    _, silent, page = asked(tmp_path, planted.property_text(comment=""), "silent")
    (claim,) = silent.of_kind("claim").values()
    assert claim["gap"] == ["the creator's goal is not written down, so it cannot be compared"]
    assert claim["gap"][0] in command("show", tmp_path / "silent-docket").out
    assert "<dt>Gap</dt><dd>the creator" in page


@pytest.mark.idea("A1")
def test_cells_that_nobody_judges_are_part_of_the_gap(tmp_path: Path) -> None:
    network = planted.network(planted=True)
    claims = [claims_on.entry("calm-stays-calm", "class-never", rows='"calm"', never='"alarm"', radius="0.01",
                              tolerance='"absolute"', intended='"Calm stays calm."')]  # fmt: skip
    calm, alarmed = [0.2, 0.2, 0.2, 0.2], [0.5, 0.5, 1.0, 1.0]
    gaps = []
    for name, rows in (("whole", [calm, calm]), ("partial", [calm, alarmed])):
        case = claims_on.folder(tmp_path / name, network, claims, rows)
        ran = investigated(case, tmp_path / f"{name}-docket", "--no-repair")
        assert ran.code == 0, ran.err
        (claim,) = Docket(tmp_path / f"{name}-docket").of_kind("claim").values()
        gaps.append(claim.get("gap"))
    assert gaps == [None, ["1 of 2 cells are not judged"]]


@pytest.mark.idea("A2")
def test_a_subject_that_meets_the_intended_tier_and_breaks_the_lowest_is_refuted(tmp_path: Path) -> None:
    corner = {**UNIT, "X_2": (0.0, 0.5)}
    claims = [
        claims_on.entry("useful", "output-range", output="0", at_most="0.0", box=claims_on.box_of(corner),
                        tier='"intended"'),
        claims_on.entry("no-disaster", "output-range", output="0", at_most="0.0", box=claims_on.box_of(UNIT),
                        tier='"non-disastrous"'),
    ]  # fmt: skip
    for name, code, words in (("failing", 1, ["PROVED", "REFUTED"]), ("clean", 0, ["PROVED", "PROVED"])):
        case = claims_on.folder(tmp_path / name, planted.network(planted=name == "failing"), claims)
        ran = investigated(case, tmp_path / f"{name}-docket", "--no-repair")
        assert ran.code == code, ran.err
        assert [(c["tier"], c["verdict"]) for c in ran.json["claims"]] == [
            ("intended", words[0]),
            ("non-disastrous", words[1]),
        ]
        page = (tmp_path / f"{name}-docket" / "report.html").read_text(encoding="utf-8")
        table = page[page.index("Verdict by tier") : page.index('id="tests"')]
        rows = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
        for tier, word in (("intended", words[0]), ("non-disastrous", words[1])):
            (row,) = (row for row in rows if f" {tier} " in row)
            assert word in row


@pytest.mark.idea("A4")
def test_one_catastrophe_among_a_thousand_rows_is_refuted_and_shown_beside_the_average(tmp_path: Path) -> None:
    draws = np.round(np.random.default_rng(4).uniform(0.1, 0.6, (1000, 4)), 4)
    worst = [0.5, 0.5, 0.89, 0.89]
    claims = [claims_on.entry("calm-stays-calm", "class-never", rows='"calm"', never='"alarm"', radius="0.03",
                              tolerance='"absolute"')]  # fmt: skip
    for name, rows, code in (("failing", [*draws.tolist()[1:], worst], 1), ("clean", draws.tolist(), 0)):
        case = claims_on.folder(tmp_path / name, planted.network(planted=True), claims, rows)
        ran = investigated(case, tmp_path / f"{name}-docket", "--no-repair", "--budget", 8_000_000)
        assert ran.code == code, ran.err
        (claim,) = ran.json["claims"]
        assert claim["cells"] == {"refuted": code, "proved": 1000 - code, "open": 0, "excluded": 0}
        page = (tmp_path / f"{name}-docket" / "report.html").read_text(encoding="utf-8")
        table = page[page.index("Worst case beside the average") :]
        assert re.search(r"wrong on 0 of 1\W?000 .*?95 % interval", table)
    docket = Docket(tmp_path / "failing-docket")
    (witness,) = docket.of_kind("witness").values()
    (domain,) = docket.of_kind("domain").values()
    assert domain["cells"][witness["cell"]]["label"].endswith("row-999")
    point = [float.fromhex(text) for text in witness["point"]]
    assert np.abs(np.array(point) - worst).max() <= 0.03


WEAK = {
    "a box nothing is in": (
        "(assert (or (and (>= X_0 0.5) (<= X_0 0.4) (>= Y_0 0.0)) (and (>= X_0 0.0) (<= X_0 1.0) (>= Y_0 0.0))))",
        "contradictory: no input",
    ),
    "an output nothing can be": ("(assert (>= Y_0 1.0))\n(assert (<= Y_0 -1.0))", "contradictory: no output"),
    "a condition that asks nothing": ("(assert (>= Y_0 0.0))\n(assert (<= Y_0 Y_0))", "always true"),
    "a bound nothing comes near": ("(assert (>= Y_0 1000000.0))", "no mutation of the network"),
}


@pytest.mark.idea("E7")
@pytest.mark.parametrize("weakness", WEAK)
def test_a_weak_question_is_named_and_a_sound_one_passes_without_remark(tmp_path: Path, weakness: str) -> None:
    clauses, said = WEAK[weakness]
    text = planted.property_text().replace("(assert (>= Y_0 0.0))", clauses)
    if "X_0 0.5" in clauses:
        text = text.replace("(assert (>= X_0 0.0))\n(assert (<= X_0 1.0))\n", "")
    _, docket, page = asked(tmp_path, text)
    assert any(remark.startswith(said) for remark in remarks(docket)), remarks(docket)
    assert said in page
    _, sound, _ = asked(tmp_path, planted.property_text(), "sound")
    assert remarks(sound) == []


@pytest.mark.idea("E7")
def test_a_network_that_ignores_its_inputs_and_a_box_nothing_is_in_are_named(tmp_path: Path) -> None:
    constant = onnx_bytes([(np.zeros((1, 4)), np.array([-1.0]), False)])
    _, docket, _ = asked(tmp_path, planted.property_text(), network=constant)
    assert any("the same output for every sample" in remark for remark in remarks(docket))
    empty = planted.property_text().replace("(assert (<= X_2 1.0))", "(assert (<= X_2 -1.0))")
    ran, _, _ = asked(tmp_path, empty, "empty")
    (claim,) = ran.json["claims"]
    assert (claim["verdict"], claim["obstruction"]) == ("NOT_RUN", "vacuous: empty box")


RELAXES = {
    "budget": ("--budget", 1000),
    "seconds": ("--seconds", 600),
    "no_repair": ("--no-repair",),
    "weightless": ("--weightless",),
}
ASKS_MORE = {"pack", "screen", "trust", "agents", "endpoint", "model", "key_variable", "samples", "ledger"}
SAYS_THE_SAME = {"path", "out", "chosen", "seed", "workers", "as_json", "quiet", "resume", "replace", "sarif", "junit"}


@pytest.mark.idea("K22")
def test_every_option_changes_nothing_that_is_said_or_asks_more_or_leaves_a_weaker_statement() -> None:
    assert {parameter.name for parameter in investigate.params} == RELAXES.keys() | SAYS_THE_SAME | ASKS_MORE


@pytest.mark.idea("K22")
@pytest.mark.parametrize("option", RELAXES)
def test_what_is_relaxed_is_on_record_as_a_weaker_statement(tmp_path: Path, option: str) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    ran = command("investigate", case, "--out", tmp_path / "docket", "--json", "--quiet", "--workers", 1,
                  *RELAXES[option])  # fmt: skip
    assert ran.code in (0, 3), ran.err
    (record,) = Docket(tmp_path / "docket").of_kind("case").values()
    (weaker,) = record["options"]["relaxed"]
    assert weaker.startswith(str(RELAXES[option][0]))
    assert f"Weaker: {weaker}" in command("show", tmp_path / "docket").out
    assert weaker.partition(":")[0] in (tmp_path / "docket" / "report.html").read_text(encoding="utf-8")


@pytest.mark.idea("K22")
def test_nothing_is_called_weaker_where_nothing_was_relaxed(tmp_path: Path) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    ran = command("investigate", case, "--out", tmp_path / "docket", "--json", "--quiet", "--workers", 2, "--seed", 3)
    assert ran.code == 0
    assert json.loads((tmp_path / "docket" / "docket.json").read_text())["format"].startswith("safetyboard.docket/")
    (record,) = Docket(tmp_path / "docket").of_kind("case").values()
    assert record["options"]["relaxed"] == []
    assert "Weaker:" not in command("show", tmp_path / "docket").out
