# SPDX-License-Identifier: Apache-2.0
"""The whole story on a network whose failure and cause are known, and on its clean twin."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.keys import load_key
from story import planted
from story.run import command, investigated


def check(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "safetyboard_check", str(place), "--all-leaves", *words]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


@pytest.mark.idea("E1", "A4", "A13")
def test_the_planted_failure_is_found_and_shown(failing: Any) -> None:
    assert failing.ran.code == 1
    (claim,) = failing.answer["claims"]
    assert claim["verdict"] == "REFUTED"
    assert (claim["subject"], claim["property"]) == ("net.onnx", "net.vnnlib")
    (witness, *_) = failing.of_kind("witness")
    point = [float.fromhex(text) for text in witness["point"]]
    assert point[2] + point[3] > 1.8


@pytest.mark.idea("E1", "A13")
def test_the_clean_twin_is_proved_and_nothing_is_found(clean: Any) -> None:
    assert clean.ran.code == 0
    assert [claim["verdict"] for claim in clean.answer["claims"]] == ["PROVED"]
    assert clean.answer["findings"] == clean.answer["remedies"] == clean.answer["lessons"] == []
    (certificate,) = clean.of_kind("certificate")
    assert certificate["cells"] == [0]


@pytest.mark.idea("C5", "C6")
def test_the_planted_cause_is_established_and_the_decoy_rejected(failing: Any) -> None:
    (finding, *_) = failing.of_kind("finding")
    assert set(finding["detail"]["inputs"]) == set(planted.CULPRITS)
    assert finding["grade"] == "established"
    assert finding["rivals"]
    assert {rival["status"] for rival in finding["rivals"]} == {"rejected"}
    roles = {ablation["role"]: ablation["outcome"] for ablation in failing.of_kind("ablation")}
    assert roles["necessity"] == roles["sufficiency"] == roles["specificity"] == "for"


def test_findings_are_ordered_by_severity(failing: Any) -> None:
    severities = [finding["severity"] for finding in failing.answer["findings"]]
    assert severities
    assert severities == sorted(severities, reverse=True)


def test_the_repair_held_and_its_cost_is_printed(failing: Any) -> None:
    (remedy,) = failing.answer["remedies"]
    assert remedy["held"] is True
    assert remedy["verdict"] == "PROVED"
    assert remedy["cost"]["reference_inputs"] > 0
    assert "decisions_changed_upper" in remedy["cost"]
    subjects = {subject["origin"] for subject in failing.of_kind("subject") if "origin" in subject}
    assert "repaired" in subjects


def test_the_second_attack_is_another_family_with_another_seed_and_more_effort(failing: Any) -> None:
    repaired = {remedy["repaired_claim"] for remedy in failing.of_kind("remedy")}
    first = [w["recipe"] for w in failing.of_kind("witness") if w["claim"] not in repaired]
    nulls = [n["recipe"] for n in failing.of_kind("null") if n["claim"] in repaired]
    assert {recipe["instrument"] for recipe in nulls} - {recipe["instrument"] for recipe in first}
    assert not {recipe["seed"] for recipe in nulls} & {recipe["seed"] for recipe in first}
    assert max(recipe["allotted"] for recipe in nulls) >= 4 * max(recipe["allotted"] for recipe in first) // 2


@pytest.mark.idea("C8", "O6")
def test_a_second_program_accepts_both_dockets(failing: Any, clean: Any) -> None:
    key = load_key()[0].fingerprint
    for case in (failing, clean):
        answer = check(case.place, "--key", key)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert check(case.place).returncode == 3
        assert command("check", case.place, "--key", key).code == 0


@pytest.mark.idea("O6")
def test_proof_and_experiment_leave_the_same_kind_of_record(failing: Any) -> None:
    verdicts = {record["claim"]: record for record in failing.of_kind("verdict")}
    kinds = {failing.docket.records[name]["kind"] for record in verdicts.values() for name in record["evidence"]}
    assert {"witness", "certificate", "ablation"} <= kinds


@pytest.mark.idea("C4")
def test_every_item_is_accounted_for(failing: Any) -> None:
    (custody,) = failing.of_kind("custody")
    assert {item["path"]: item["state"] for item in custody["items"]} == {"net.onnx": "used", "net.vnnlib": "used"}
    assert custody["used"] + custody["irrelevant"] + custody["unread"] == len(custody["items"])
    assert "0 % unread" in command("show", failing.place).out


def test_the_loss_account_adds_up(failing: Any, clean: Any) -> None:
    for case in (failing, clean):
        loss = dict(case.answer["loss"])
        assert loss.pop("claims") == sum(loss.values()) == len(case.answer["claims"])


@pytest.mark.idea("E15")
def test_the_best_bound_is_never_below_the_best_attack(failing: Any, clean: Any) -> None:
    for case in (failing, clean):
        for verdict in case.of_kind("verdict"):
            assert float.fromhex(verdict["best_bound"]) >= float.fromhex(verdict["best_attack"])


@pytest.mark.idea("K21")
def test_a_refuted_claim_names_its_counter_model(failing: Any) -> None:
    (claim,) = failing.answer["claims"]
    assert "counter-model" in claim["obstruction"]


@pytest.mark.idea("A17")
def test_what_was_not_measured_is_said_to_be_unmeasured(failing: Any) -> None:
    subject = next(s for s in failing.of_kind("subject") if s.get("origin", "given") == "given")
    assert subject["tasks"] == ["net.vnnlib"]
    assert "every other capability: unmeasured" in command("show", failing.place).out


def test_the_same_seed_gives_the_same_result_digest_with_one_worker_and_with_two(tmp_path: Path) -> None:
    case = planted.many(tmp_path / "case")
    digests = set()
    for workers in (1, 2):
        ran = investigated(case, tmp_path / f"d{workers}", "--workers", workers, "--no-repair")
        assert ran.code == 1
        assert [c["verdict"] for c in ran.json["claims"]] == ["REFUTED", "PROVED"] * 3
        digests.add(ran.json["result_digest"])
    assert len(digests) == 1


def test_an_export_for_ci_says_the_same(tmp_path: Path) -> None:
    sarif, junit = tmp_path / "s.json", tmp_path / "j.xml"
    case = planted.many(tmp_path / "case", 2)
    investigated(case, tmp_path / "d", "--no-repair", "--sarif", sarif, "--junit", junit)
    (result,) = json.loads(sarif.read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("REFUTED", "error")
    assert 'tests="2" failures="1" errors="0" skipped="0"' in junit.read_text()


def test_a_weightless_docket_keeps_digests_and_the_checker_says_what_it_could_not_do(tmp_path: Path) -> None:
    ran = investigated(planted.folder(tmp_path / "case", planted=True), tmp_path / "d", "--weightless", "--no-repair")
    assert ran.code == 1
    held = {path.name for path in (tmp_path / "d" / "blobs").rglob("*") if path.is_file()}
    manifest = json.loads((tmp_path / "d" / "docket.json").read_text())
    assert manifest["withheld"]
    assert not held & {digest.removeprefix("sha256:") for digest in manifest["withheld"]}
    answer = check(tmp_path / "d", "--key", load_key()[0].fingerprint)
    assert answer.returncode == 3
    assert "withheld" in answer.stdout


def test_a_zip_docket_is_accepted_too(tmp_path: Path) -> None:
    ran = investigated(planted.folder(tmp_path / "case", planted=False), tmp_path / "d.zip")
    assert ran.code == 0
    assert check(tmp_path / "d.zip", "--key", load_key()[0].fingerprint).returncode == 0
    assert "PROVED" in command("show", tmp_path / "d.zip").out


def test_two_dockets_are_compared_by_claim(failing: Any, clean: Any) -> None:
    found = command("diff", clean.place, failing.place, "--json").json
    (changed, *_) = found["changed"]
    assert changed["verdict"] == {"before": "PROVED", "after": "REFUTED"}
    assert changed["evidence_added"]
    assert changed["evidence_removed"]
    assert found["added"][0]["claim"].startswith("net.repaired-1.onnx")
    same = command("diff", clean.place, clean.place, "--json").json
    assert same["same_result"] is True
    assert same["changed"] == []


def test_a_network_with_many_inputs_is_split_on_neurons(tmp_path: Path) -> None:
    ran = investigated(planted.folder(tmp_path / "a", planted=True, inputs=12), tmp_path / "da")
    assert ran.code == 1
    assert ran.json["remedies"][0]["held"]
    ran = investigated(planted.folder(tmp_path / "b", planted=False, inputs=12), tmp_path / "db")
    assert ran.code == 0
    assert "unstable neurons" in ran.json["claims"][0]["estimate"]
