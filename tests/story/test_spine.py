# SPDX-License-Identifier: Apache-2.0
"""A history, a judge's verdict and a permission file make one case with one graph; a second board's gate fires."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from safetyboard.laboratory.sandbox.running import available
from story.conftest import Case
from story.run import command, investigated

pytestmark = pytest.mark.skipif(available() is not None, reason=f"no sandbox works here: {available()}")


@pytest.fixture(scope="module")
def spine(project_root: Path, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Case:
    folder = tmp_path_factory.mktemp("spine")
    shutil.copytree(project_root / "examples" / "repair_agent" / "history", folder / "case")
    shutil.copytree(project_root / "examples" / "spine", folder / "case", dirs_exist_ok=True)
    ran = investigated(folder / "case", folder / "docket", "--budget", 20_000_000, "--workers", 2)
    return Case(ran, folder / "docket")


def test_the_verdict_is_what_the_judge_says(project_root: Path) -> None:
    judge = project_root / "examples" / "spine" / "judge.py"
    log = project_root / "examples" / "repair_agent" / "history" / "session.jsonl"
    said = subprocess.run([sys.executable, judge, log], capture_output=True, text=True, check=True).stdout
    assert said == (project_root / "examples" / "spine" / "verdicts.csv").read_text()


@pytest.mark.slow
def test_one_graph_joins_three_surfaces_and_says_of_every_link_what_its_test_showed(spine: Case) -> None:
    assert spine.ran.code == 1
    (graph,) = spine.of_kind("graph")
    assert {factor["surface"] for factor in graph["factors"]} == {"authority", "objective", "oversight"}
    results = {(link["cause"], link["effect"]): (link["test"], link["result"]) for link in graph["links"]}
    assert results[("reach", "changed")] == ("replay", "necessary")
    assert results[("changed", "quiet")] == ("replay", "necessary")
    assert results[("grant 1", "reach")] == ("argument", "undetermined")
    assert results[("quiet", "passed")] == ("none", "not testable")
    assert graph["top"] == "passed"


@pytest.mark.slow
@pytest.mark.idea("C19")
def test_the_judge_that_passed_it_is_a_finding_with_its_words_quoted(spine: Case) -> None:
    words = {(claim["subject"], claim["name"]): claim["verdict"] for claim in spine.answer["claims"]}
    assert words[("verdicts.csv", "verdicts on record")] == "REFUTED"
    quoted = [record for record in spine.of_kind("observation") if record.get("wrong")]
    assert [record["by"] for record in quoted] == ["last-measurement judge"]
    assert quoted[0]["quotation"].startswith("session.jsonl,writable-seed-2,no")
    assert command("check", spine.place).code == 3


@pytest.mark.slow
def test_one_recommendation_closes_on_a_lesson_that_fires_elsewhere(spine: Case, project_root: Path) -> None:
    (recommended,) = spine.of_kind("recommendation")
    lessons = {lesson["test"]: name for name, lesson in spine.docket.of_kind("lesson").items()}
    assert recommended["verification"] == lessons["judged-files-out-of-reach"]
    path = next(
        path
        for path in (spine.place / "lessons").glob("*.json")
        if json.loads(path.read_text())["test"] == "judged-files-out-of-reach"
    )
    plain = json.loads(path.read_text())
    plain["parameters"]["routes"] = ["another writing tool", "tests deleted"]
    path = spine.place.parent / "lesson.json"
    path.write_text(json.dumps(plain))
    ran = command("gate", project_root / "examples" / "repair_agent" / "second_repository", "--lessons", path)
    assert ran.code == 1


@pytest.mark.slow
def test_the_chain_it_leaves_finds_the_same_words_in_the_log_and_nothing_in_another(
    spine: Case, tmp_path: Path
) -> None:
    path = next(path for path in (spine.place / "lessons").glob("chain-*.json"))
    assert command("gate", spine.place.parent / "case" / "session.jsonl", "--lessons", path).code == 1
    other = tmp_path / "other.jsonl"
    talk = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Good day."}]
    other.write_text(json.dumps({"id": "one", "messages": talk}) + "\n")
    ran = command("gate", other, "--lessons", path, "--json")
    assert ran.json["answers"][0]["answer"] == "not affected"
    assert "these runs alone" in ran.json["answers"][0]["reason"]
