# SPDX-License-Identifier: Apache-2.0
"""The demonstration on real measurements, by the commands a reader of the README types."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from oracle.made_up_networks import onnx_bytes
from safetyboard.evidence.docket import Docket
from safetyboard.evidence.keys import load_key
from safetyboard.terms.numbers import parse_rational

RADII = ["1/200", "1/100", "1/50", "1/20", "1/10"]
pytestmark = pytest.mark.slow


def typed(*words: object, module: str = "safetyboard") -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-m", module, *map(str, words)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment)


class Told:
    """The finished demonstration: what was printed, the files beside it, and the docket."""

    def __init__(self, base: Path, ran: subprocess.CompletedProcess[str]) -> None:
        self.base, self.ran, self.place = base, ran, base / "docket"
        self.answer: Any = json.loads(ran.stdout)
        self.docket = Docket(self.place)

    def subject(self, origin: str) -> dict[str, Any]:
        (found,) = (s for s in self.docket.of_kind("subject").values() if s.get("origin", "given") == origin)
        return dict(found)

    def network(self, origin: str, folder: Path) -> Path:
        """Write the network as given, or as repaired, out of the docket."""
        place = folder / f"{origin}.onnx"
        place.write_bytes(self.docket.blob(self.subject(origin)["content"]))
        return place

    def lesson(self, name: str) -> Path:
        return self.place / "lessons" / f"malignant-never-benign-{name}-percent.json"


@pytest.fixture(scope="module")
def tumour(tmp_path_factory: pytest.TempPathFactory, project_root: Path, home: Path) -> Told:
    """Investigate the example as the README does, with files for a CI system beside the docket."""
    base = tmp_path_factory.mktemp("tumour")
    files = ("--sarif", base / "out.sarif", "--junit", base / "junit.xml")
    example = project_root / "examples" / "tumour"
    return Told(base, typed("investigate", example, "--out", base / "docket", "--json", "--workers", 2, *files))


@pytest.fixture(scope="module")
def weightless(tmp_path_factory: pytest.TempPathFactory, project_root: Path, home: Path) -> Path:
    """The same in one file, without the network's bytes."""
    place = tmp_path_factory.mktemp("weightless") / "docket.zip"
    words = ("--weightless", "--no-repair", "--json", "--quiet")
    assert typed("investigate", project_root / "examples" / "tumour", "--out", place, *words).returncode == 1
    return place


def test_the_demonstration_ends_refuted_with_five_claims_and_a_monotone_curve(tumour: Told) -> None:
    assert tumour.ran.returncode == 1, tumour.ran.stderr
    claims = tumour.answer["claims"]
    assert [tumour.docket.records[claim["id"]]["radius"] for claim in claims] == RADII
    assert {(claim["subject"], claim["property"]) for claim in claims} == {("tumour.onnx", "claims.toml")}
    assert {claim["verdict"] for claim in claims} == {"PROVED", "REFUTED"}
    for kind, order in (("refuted", 1), ("proved", -1)):
        counts = [order * claim["cells"][kind] for claim in claims]
        assert counts == sorted(counts)
    refuted = [claim["verdict"] == "REFUTED" for claim in claims]
    assert refuted == sorted(refuted)
    assert len({claim["cells"]["excluded"] for claim in claims}) == 1
    assert all(sum(claim["cells"].values()) == 53 for claim in claims)


def test_a_row_that_flips_within_a_radius_flips_within_every_larger_one(tumour: Told) -> None:
    fallen: dict[str, set[str]] = {radius: set() for radius in RADII}
    asked = {claim["id"] for claim in tumour.answer["claims"]}
    for witness in tumour.docket.of_kind("witness").values():
        claim = tumour.docket.records[witness["claim"]]
        if witness["claim"] in asked:
            cells = tumour.docket.records[claim["domain"]]["cells"]
            fallen[claim["radius"]].add(cells[witness["cell"]]["label"])
    for small, large in zip(RADII, RADII[1:], strict=False):
        assert fallen[small] <= fallen[large]
    assert fallen[RADII[-1]]


def test_findings_name_measurements_and_say_how_sure_they_are(tumour: Told, project_root: Path) -> None:
    findings = list(tumour.docket.of_kind("finding").values())
    assert 1 <= len(findings) < sum(c["cells"]["refuted"] for c in tumour.answer["claims"])
    head = (project_root / "examples" / "tumour" / "held_out.csv").read_text(encoding="utf-8").splitlines()[0]
    for finding in findings:
        assert set(finding["detail"]["inputs"]) <= set(head.split(","))
        assert finding["grade"] in ("established", "probable", "possible")
        assert finding["grade"] == "established" or finding["weakest_link"]
        assert all(rival["status"] != "untested" for rival in finding["rivals"]) or finding["grade"] != "established"
    assert [f["severity"] for f in findings] == sorted((f["severity"] for f in findings), reverse=True)


def test_the_repaired_network_was_attacked_harder_and_then_proved(tumour: Told) -> None:
    remedies = list(tumour.docket.of_kind("remedy").values())
    assert len(remedies) == sum(claim["verdict"] == "REFUTED" for claim in tumour.answer["claims"])
    for remedy in remedies:
        assert remedy["held"] is True
        assert remedy["verdict"] == "PROVED"
        assert remedy["cost"]["reference_inputs"] == 143
        low, high = (float.fromhex(remedy["cost"][f"decisions_changed_{end}"]) for end in ("lower", "upper"))
        assert low <= remedy["cost"]["decisions_changed"] / 143 <= high
        first = _searches(tumour, remedy["claim"])
        fresh = _searches(tumour, remedy["repaired_claim"])
        assert {name for name, _, _ in fresh} - {name for name, _, _ in first}
        assert not {seed for _, seed, _ in fresh} & {seed for _, seed, _ in first}
        assert min(spent for _, _, spent in fresh) >= 3 * max(spent for _, _, spent in first)


def _searches(tumour: Told, claim: str) -> list[tuple[str, int, int]]:
    """The first family's effort on a claim: name, seed and evaluations of each attack that found nothing."""
    recipes = [null["recipe"] for null in tumour.docket.of_kind("null").values() if null["claim"] == claim]
    searches = [recipe for recipe in recipes if recipe["unit"] == "evaluations" and recipe["instrument"] != "repair"]
    first = min(recipe["seed"] for recipe in searches)
    return [(r["instrument"], r["seed"], r["spent"]) for r in searches if r["seed"] == first]


def test_a_stranger_accepts_the_docket_with_the_key_and_asks_for_one_without(tumour: Told) -> None:
    key = load_key()[0].fingerprint
    answer = typed(tumour.place, "--key", key, module="safetyboard_check")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert typed("check", tumour.place, "--key", key).returncode == 0
    alone = typed(tumour.place, module="safetyboard_check")
    assert alone.returncode == 3
    assert "signer not verified" in alone.stdout
    assert typed(tumour.place, "--key", "sha256:" + "0" * 64, module="safetyboard_check").returncode == 1


@pytest.mark.idea("C7")
def test_every_claim_of_the_report_leads_to_evidence_that_opens_offline(tumour: Told) -> None:
    page = (tumour.place / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|@import|src\s*=\s*[\"'](?!data:|#)", page)
    for target in re.findall(r"href\s*=\s*[\"']([^\"']+)[\"']", page):
        if target.startswith("#"):
            assert f'id="{target[1:]}"' in page, target
        elif "://" not in target:
            assert (tumour.place / target).is_file(), target
    for claim in tumour.answer["claims"]:
        assert claim["statement"] in page
        for name in (claim["id"], *claim["evidence"]):
            assert name in page or name.removeprefix("sha256:")[:12] in page, name
    assert "no clinical statement" in page


def test_the_lesson_affects_the_original_and_not_the_repaired_network(tumour: Told, tmp_path: Path) -> None:
    lesson = tumour.lesson("2")
    original = typed("gate", tumour.network("given", tmp_path), "--lessons", lesson, "--json")
    repaired = typed("gate", tumour.network("repaired", tmp_path), "--lessons", lesson, "--json")
    assert (original.returncode, repaired.returncode) == (1, 0)
    (affected,), (unaffected,) = (json.loads(each.stdout)["answers"] for each in (original, repaired))
    assert affected["answer"] == "affected"
    assert affected["evidence"]["kind"] == "witness"
    assert unaffected["answer"] == "not affected"
    assert unaffected["evidence"]["kind"] == "certificate"
    assert unaffected["evidence"]["cells"] == 49


def test_the_lesson_cannot_be_put_to_a_network_of_another_signature(tumour: Told, tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(onnx_bytes([(np.ones((1, 29)), np.zeros(1), False)]))
    ran = typed("gate", tmp_path / "other.onnx", "--lessons", tumour.place / "lessons")
    assert ran.returncode == 3
    assert ran.stdout.count("untestable") == len(tumour.answer["lessons"])
    assert "30 inputs" in ran.stdout


def test_a_lesson_finds_its_measurements_by_name_where_they_are_declared(
    tumour: Told, tmp_path: Path, project_root: Path
) -> None:
    shutil.copytree(project_root / "examples" / "tumour", tmp_path / "case")
    ran = typed("gate", tmp_path / "case", "--lessons", tumour.lesson("2"))
    assert ran.returncode == 1
    assert "by position" not in ran.stdout
    table = tmp_path / "case" / "held_out.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("mean radius", "average radius", 1), encoding="utf-8")
    ran = typed("gate", tmp_path / "case", "--lessons", tumour.lesson("2"))
    assert ran.returncode == 3
    assert "no input called 'mean radius'" in ran.stdout


def test_show_tells_the_story_and_diff_finds_it_the_same(tumour: Told, weightless: Path) -> None:
    told = typed("show", tumour.place)
    assert told.returncode == 0
    for words in ("REFUTED  tumour.onnx", "Finding:", "Remedy by", "Lesson", "0 % unread"):
        assert words in told.stdout
    found = json.loads(typed("diff", weightless, tumour.place, "--json").stdout)
    assert found["changed"] == [] or all("verdict" not in entry for entry in found["changed"])
    assert {entry["claim"].split(" ")[0] for entry in found["added"]} == {"tumour.repaired-1.onnx"}
    assert found["removed"] == []


def test_files_for_ci_systems_say_the_same_as_the_answer(tumour: Told) -> None:
    words = [claim["verdict"] for claim in tumour.answer["claims"]]
    log = json.loads((tumour.base / "out.sarif").read_text(encoding="utf-8"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["tool"]["driver"]["name"] == "safetyboard"
    assert [result["level"] for result in run["results"]] == ["error"] * words.count("REFUTED")
    for result in run["results"]:
        assert result["ruleId"] in known
        assert result["message"]["text"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tumour.onnx"
    suite = ElementTree.parse(tumour.base / "junit.xml").getroot()
    assert suite.tag == "testsuite"
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) == 5
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == words.count("REFUTED")
    assert {case.attrib["name"] for case in cases} == {claim["name"] for claim in tumour.answer["claims"]}


def test_a_weightless_docket_is_accepted_and_says_what_could_not_be_done(weightless: Path, tumour: Told) -> None:
    answer = typed(weightless, "--key", load_key()[0].fingerprint, "--json", module="safetyboard_check")
    assert answer.returncode == 3, answer.stdout + answer.stderr
    said = json.loads(answer.stdout)
    assert said["answer"] == "accepted"
    assert said["signer_verified"] is True
    assert said["witnesses_replayed"] == said["leaves_rechecked"] == 0
    digest = tumour.subject("given")["content"]
    assert any(entry.startswith(f"{digest}: withheld") for entry in said["not_rechecked"])
    docket = Docket(weightless)
    left = len(docket.of_kind("witness")) + len(docket.of_kind("certificate"))
    assert sum("the network is withheld" in entry for entry in said["not_rechecked"]) == left > 0
    with zipfile.ZipFile(weightless) as held:
        assert not any(digest.removeprefix("sha256:") in name for name in held.namelist())


def test_a_larger_radius_is_a_larger_box(tumour: Told) -> None:
    domains = [tumour.docket.records[tumour.docket.records[c["id"]]["domain"]] for c in tumour.answer["claims"]]
    for small, large in zip(domains, domains[1:], strict=False):
        for inner, outer in zip(small["cells"], large["cells"], strict=True):
            assert inner["label"] == outer["label"]
            assert all(parse_rational(b) <= parse_rational(a) for a, b in zip(inner["lower"], outer["lower"]))
            assert all(parse_rational(a) <= parse_rational(b) for a, b in zip(inner["upper"], outer["upper"]))


def test_the_doctor_says_what_runs_here() -> None:
    ran = typed("doctor", "--json")
    parts = json.loads(ran.stdout)["entries"]
    runs = {part["part"]: part["runs"] for part in parts}
    assert runs["reading networks"]
    assert runs["running networks, replaying witnesses"]
    assert all(part["remedy"] for part in parts if not part["runs"])
