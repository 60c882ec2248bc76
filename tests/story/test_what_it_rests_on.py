# SPDX-License-Identifier: Apache-2.0
"""What a verdict rests on: argument or observation, assumptions that can be broken, and machines that are checked."""

import html
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docket_forgery import attacker_key, reissue
from oracle.made_up_networks import onnx_bytes, random_weights
from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.docket import Docket
from safetyboard.investigation import integrity
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.surfaces.model.setting import run as forward
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.numbers import parse_rational
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import Rejected
from story import claims_on, planted
from story.run import Ran, command, investigated

MARK = "rests on observation only"


def report_of(place: Path) -> str:
    return html.unescape((place / "report.html").read_text(encoding="utf-8"))


def decided(page: str) -> list[str]:
    """The sentences of the conclusions."""
    section = page[page.index('id="conclusions"') : page.index('id="assumptions"')]
    return re.findall(r'<li class="sentence">.*?</li>', section, re.DOTALL)


@pytest.mark.idea("K2")
def test_a_conclusion_that_rests_on_observation_alone_is_marked_and_a_proved_one_is_not(
    clean: Any, failing: Any, tmp_path: Path
) -> None:
    (tmp_path / "net.onnx").write_bytes(planted.network(planted=False))
    investigated(tmp_path / "net.onnx", tmp_path / "alone")
    (alone,) = decided(report_of(tmp_path / "alone"))
    assert MARK in alone
    for case, kinds in ((clean, {"certificate"}), (failing, {"witness", "ablation", "certificate"})):
        page = report_of(case.place)
        assert MARK not in "".join(decided(page))
        linked = {link for sentence in decided(page) for link in re.findall(r'href="#([^"]+)"', sentence)}
        for kind in kinds:
            names = [name for name, record in case.docket.records.items() if record["kind"] == kind]
            assert any(any(link in name or name.removeprefix("sha256:")[:12] in link for link in linked)
                       for name in names), kind  # fmt: skip
        for assumption in next(iter(case.of_kind("claim")))["assumptions"]:
            assert assumption.partition(" (breaks")[0] in page


@pytest.mark.idea("K2")
def test_a_search_that_found_nothing_is_observation_and_no_proof(tmp_path: Path) -> None:
    ran = hard_question(tmp_path, 40, budget=2000)
    assert ran.json["claims"][0]["verdict"] == "UNKNOWN"
    (sentence,) = decided(report_of(tmp_path / "docket-40"))
    assert MARK in sentence


def hard_question(tmp_path: Path, width: int, *, budget: int = 20_000, inputs: int = 14) -> Ran:
    """Ask whether a random network of some width stays below a bound it does keep, though not by much."""
    generator = np.random.default_rng([width, 9])
    weights = random_weights(generator, [inputs, width, width, 1])
    content = onnx_bytes(weights)
    network, _ = read_network(content, "net.onnx")
    draws = forward(network.layers, generator.random((20_000, inputs)))
    limit = float(draws.max() + 3 * (draws.max() - draws.mean()))
    case = tmp_path / f"case-{width}"
    case.mkdir()
    (case / "net.onnx").write_bytes(content)
    text = planted.property_text(inputs).replace("(assert (>= Y_0 0.0))", f"(assert (>= Y_0 {limit:.6f}))")
    (case / "net.vnnlib").write_text(text)
    return investigated(case, tmp_path / f"docket-{width}", "--no-repair", "--budget", budget)


@pytest.mark.idea("E4", "K21")
def test_effort_and_gap_are_printed_against_size_and_a_stopped_proof_still_gives_a_bound(tmp_path: Path) -> None:
    gaps, unstable = [], []
    for width in (4, 20, 40):
        ran = hard_question(tmp_path, width)
        (claim,) = ran.json["claims"]
        assert claim["best_bound"] >= claim["best_attack"]
        assert f"at most {claim['best_bound']:.6g}" in command("show", tmp_path / f"docket-{width}").out
        gaps.append(claim["best_bound"] - claim["best_attack"])
        unstable.append(int(re.search(r"(\d+) unstable neurons", claim["estimate"])[1]))  # type: ignore[index]
        assert (claim["verdict"] == "PROVED") == (width == 4)
        assert bool(claim["obstruction"]) == (width != 4)
    assert gaps == sorted(gaps)
    assert unstable == sorted(unstable)
    assert unstable[0] < unstable[-1]


def half(self: Deployed, row: Any) -> Any:
    """Run a network as half-precision hardware would round its outputs."""
    return REAL_RUN(self, row).astype(np.float16).astype(np.float32)


REAL_RUN = Deployed._run


@pytest.mark.idea("K3", "K18")
def test_a_runtime_in_half_precision_breaks_the_float32_assumption_and_takes_the_proof_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean: Any
) -> None:
    assert [claim["verdict"] for claim in clean.answer["claims"]] == ["PROVED"]
    assert trust(clean.docket, "runtime: net.onnx")["outcome"] == "held"
    case = planted.folder(tmp_path / "case", planted=False)
    monkeypatch.setattr(Deployed, "_run", half)
    ran = investigated(case, tmp_path / "docket", "--no-repair")
    (claim,) = ran.json["claims"]
    assert (claim["verdict"], ran.code) == ("UNKNOWN", 3)
    assert "runtime left the error bound" in claim["obstruction"]
    assert trust(Docket(tmp_path / "docket"), "runtime: net.onnx")["outcome"] == "broken"
    assert "Trust: broken" in command("show", tmp_path / "docket").out
    assert Checker(tmp_path / "docket", Options()).run().verdicts == {"UNKNOWN": 1}


def trust(docket: Docket, start: str) -> dict[str, Any]:
    (case,) = docket.of_kind("case").values()
    (entry,) = (entry for entry in case["trust_assumptions"] if entry["assumption"].startswith(start))
    return dict(entry)


@pytest.mark.idea("K18")
@pytest.mark.parametrize(("part", "double", "start"), [
    ("_rounded_right", lambda *_: False, "hardware: float64"),
    ("compiled", lambda first, second: float(first @ second) * (1 + 2.0**-30) + 1e-30, "compiler"),
])  # fmt: skip
def test_a_machine_that_computes_wrongly_proves_nothing_of_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, double: Any, start: str
) -> None:
    monkeypatch.setattr(integrity, part, double)
    for name, word, code in (("clean", "UNKNOWN", 3), ("failing", "REFUTED", 1)):
        case = planted.folder(tmp_path / name, planted=name == "failing")
        ran = investigated(case, tmp_path / f"{name}-docket")
        (claim,) = ran.json["claims"]
        assert (claim["verdict"], ran.code) == (word, code)
        docket = Docket(tmp_path / f"{name}-docket")
        assert trust(docket, start)["outcome"] == "broken"
        assert not docket.of_kind("certificate")
        assert {remedy["verdict"] for remedy in ran.json["remedies"]} <= {"UNKNOWN"}
    assert "the arithmetic of this machine failed its check" in str(docket.records)


@pytest.mark.idea("K18")
def test_data_changed_after_they_were_taken_into_custody_stop_the_investigation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    genuine = CustodyBook.take

    def tampered(self: CustodyBook, path: Path) -> tuple[str, ...]:
        names = genuine(self, path)
        for stored in (tmp_path / ".docket.work" / "blobs").rglob("*"):
            if stored.is_file() and stored.read_bytes() == (case / "net.vnnlib").read_bytes():
                stored.chmod(0o600)
                stored.write_bytes(stored.read_bytes().replace(b"(>= Y_0 0.0)", b"(>= Y_0 9.0)"))
        return names

    monkeypatch.setattr(CustodyBook, "take", tampered)
    ran = investigated(case, tmp_path / "docket")
    assert ran.code not in (0, 1, 3)
    assert not (tmp_path / "docket").exists()


@pytest.mark.idea("K18")
def test_every_kind_of_trust_is_listed_with_a_check_or_said_to_have_none(tmp_path: Path, clean: Any) -> None:
    rows = [[0.2, 0.2, 0.2, 0.2]]
    claims = [claims_on.entry("calm", "class-never", rows='"calm"', never='"alarm"', radius="0.01")]
    investigated(claims_on.folder(tmp_path / "case", planted.network(planted=False), claims, rows), tmp_path / "d")
    docket = Docket(tmp_path / "d")
    for start in ("hardware: float64", "compiler", "runtime", "training process", "hardware in use", "data: rows.csv"):
        entry = trust(docket, start)
        assert entry["outcome"] in ("held", "unchecked")
        assert entry["check"]
        assert entry["outcome"] == "held" or "none" in entry["check"]
    assert trust(docket, "data: rows.csv")["detail"] == digest_of((tmp_path / "case" / "rows.csv").read_bytes())


@pytest.mark.idea("K3")
def test_every_assumption_says_what_breaks_it(clean: Any, tmp_path: Path) -> None:
    page = report_of(clean.place)
    for claim in clean.of_kind("claim"):
        assert len(claim["assumptions"]) >= 3
        for text in claim["assumptions"]:
            said, _, breaks = text.rstrip(")").partition(" (breaks: ")
            assert breaks
            assert said in page
            assert breaks.partition("; tested by")[0] in page


@pytest.mark.idea("K3")
def test_an_input_outside_the_box_breaks_what_was_proved_inside(clean: Any) -> None:
    """Breaks "in the box": the proved network does what the property forbids, one step outside."""
    network, _ = read_network(planted.network(planted=False), "net.onnx")
    assert [claim["verdict"] for claim in clean.answer["claims"]] == ["PROVED"]
    inside, outside = np.array([[1.0, 1.0, 1.0, 1.0]]), np.array([[3.0, 1.0, 1.0, 1.0]])
    assert forward(network.layers, inside)[0, 0] < 0 < forward(network.layers, outside)[0, 0]


@pytest.mark.idea("K3")
def test_one_changed_weight_breaks_what_was_proved_of_other_bytes(clean: Any, tmp_path: Path) -> None:
    """Breaks "same bytes": the certificate is rejected for a network that differs in one weight."""
    genuine = planted.network(planted=False)
    changed = genuine.replace(np.float32(0.3).tobytes(), np.float32(1.3).tobytes(), 1)
    assert len(changed) == len(genuine)
    assert changed != genuine

    def swap(records: Any, blobs: dict[str, bytes]) -> None:
        blobs[digest_of(genuine)] = changed

    forged = reissue(clean.place, tmp_path / "forged", swap, attacker_key())
    with pytest.raises(Rejected):
        Checker(forged, Options(leaf_budget=10**6)).run()
    assert Checker(clean.place, Options(leaf_budget=10**6)).run().verdicts == {"PROVED": 1}


@pytest.mark.idea("K3")
def test_linked_inputs_break_what_was_refuted_of_independent_ones(tmp_path: Path) -> None:
    """Breaks "independent inputs": the failure needs two inputs apart that the world always moves together."""
    content = onnx_bytes([(np.array([[1.0, -1.0]]), np.array([-0.05]), False)])
    claims = [claims_on.entry("calm", "class-never", rows='"calm"', never='"alarm"', radius="0.1")]
    case = claims_on.folder(tmp_path / "case", content, claims, [[0.5, 0.5]])
    ran = investigated(case, tmp_path / "docket", "--no-repair")
    assert [claim["verdict"] for claim in ran.json["claims"]] == ["REFUTED"]
    docket = Docket(tmp_path / "docket")
    (claim,) = docket.of_kind("claim").values()
    assert any(text.startswith("independent inputs") for text in claim["assumptions"])
    (domain,) = docket.of_kind("domain").values()
    low, high = (Fraction(parse_rational(domain["cells"][0][end][0])) for end in ("lower", "upper"))
    together = np.linspace(float(low), float(high), 1001)[:, None].repeat(2, axis=1)
    network, _ = read_network(content, "net.onnx")
    assert forward(network.layers, together).max() < 0
