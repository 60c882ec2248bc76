# SPDX-License-Identifier: Apache-2.0
"""A planted cause is found beside a louder decoy, honest work is not accused, and a sleeping engine finds nothing."""

import functools
import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from safetyboard.laboratory.sandbox.cell import Ran
from safetyboard.laboratory.sandbox.running import available
from safetyboard.laboratory.suites.running import Outcomes, Suite
from safetyboard.surfaces.authority.explain import bench
from safetyboard.surfaces.authority.explain.records import Replayed
from safetyboard.surfaces.authority.explain.replay import Replay
from safetyboard.surfaces.authority.scene import Edit, Said, Scene
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.episode import Source
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard_check.executions import check_execution
from safetyboard_check.rules import check_trials
from unit.surfaces.authority.explain.planted_histories import HONEST, History, honest, planted

pytestmark = pytest.mark.skipif(available() is not None, reason="no sandbox works here")
ROLES = {"necessity", "sufficiency", "specificity"}


def explained(history: History, *, seed: int = 1, reference: bool = True) -> Replayed:
    given = history.reference if reference else None
    came = Replay().explain(history.scene, "sha256:c", budget=Budget(units=400), seed=seed, reference=given)
    assert isinstance(came, Replayed)
    return came


@functools.cache
def of_plant(plant: str) -> tuple[History, Replayed]:
    history = planted(2, plant)
    return history, explained(history)


def is_found(history: History, came: Replayed) -> bool:
    """The masked tests, the files that mask them, and no other."""
    named = {each["path"] for each in came.facts.get("responsible", [])}  # type: ignore[union-attr, call-overload, index]
    return came.facts["tests"] == list(history.masked) and named == set(history.cause.split()) and bool(came.cause)


@pytest.mark.idea("B15", "O9")
@pytest.mark.parametrize("plant", ["removed", "expected"])
def test_the_planted_cause_is_found_with_its_effect_and_the_louder_decoy_is_cleared(plant: str) -> None:
    history, came = of_plant(plant)
    assert is_found(history, came)
    first = next(each for each in came.ablations if each.role == "necessity")
    left, restored = first.arms
    assert (left.failures, restored.failures) == (left.trials, 0)
    assert float.fromhex(left.lower) > float.fromhex(restored.upper)
    assert {each.role for each in came.ablations if each.outcome == "for"} >= ROLES
    decoy = next(each for each in came.rivals if history.decoy in each.factor)
    assert decoy.status == "rejected"
    assert came.facts["methods_agree"] is True
    assert {edit.path for edit in came.responsible} == set(history.cause.split())


def test_what_was_tested_is_established_and_what_was_not_keeps_the_whole_probable() -> None:
    _, came = of_plant("removed")
    whys = {each["question"]: each["grade"] for each in came.facts["whys"]}  # type: ignore[union-attr, call-overload, index]
    assert whys == {
        "what made the verdict": "established", "why it was possible": "established", "why the agent did it": "unknown",
    }  # fmt: skip
    assert came.grade == "probable"
    assert "ambiguous" in came.weakest_link
    assert any("endpoint" in null.obstruction for null in came.nulls)


def test_the_witness_and_every_table_pass_the_checker() -> None:
    _, came = of_plant("removed")
    for record in came.ablations:
        plain = {**asdict(record), "kind": "ablation"}
        check_trials(plain, "here", came.blobs[str(record.data)])
    assert [each.shows for each in came.executions] == ["failure", "control"]

    class Files:
        blob = staticmethod(came.blobs.get)

    class Docket:
        files, withheld = Files(), frozenset[str]()

    for execution in came.executions:
        assert check_execution(Docket(), asdict(execution), "here") == []  # type: ignore[arg-type]
    canonical_json(dict(came.facts))


def test_the_same_seed_gives_the_same_record() -> None:
    history, came = of_plant("removed")
    assert explained(history) == came


def test_a_first_attempt_that_was_taken_back_is_not_named() -> None:
    history, came = of_plant("expected")
    steps = {path: [edit.step for edit in history.scene.edits if edit.path == path] for path in history.cause.split()}
    assert max(map(len, steps.values())) > 1, "no attempt was taken back in this history: choose another seed"
    assert [edit.step for edit in came.responsible] == [max(each) for each in steps.values()]


def test_no_cause_is_found_in_honest_histories_of_any_kind() -> None:
    """Twice each; how rare a false cause is, over 120 of them: bench/replay.py."""
    wrong = []
    for seed in range(2 * len(HONEST)):
        came = explained(honest(seed, HONEST[seed % len(HONEST)]))
        if came.cause or came.grade != "rejected" or any(each.shows == "failure" for each in came.executions):
            wrong.append(seed)
    assert not wrong


@pytest.mark.parametrize("plant", ["conftest", "configuration"])
def test_a_new_file_that_pytest_reads_is_the_one_change_that_keeps_the_test_quiet(plant: str) -> None:
    """The whole explanation takes a minute of pytest: bench/replay.py has it."""
    history = planted(3, plant)
    suite = Suite(framework="pytest", paths=tuple(p for p in history.scene.judged if "test_" in p))
    taken = bench.Bench(scene=history.scene, suite=suite, nonce="n", units=3, progress=Silent(), repeats=1)
    assert {change.path for change in taken.judged} == {history.cause, history.decoy}
    others = [change for change in taken.judged if change.path != history.cause]
    left = taken.run(taken.tree([*taken.program, *taken.judged]))
    original, without = taken.run(taken.tree(taken.program)), taken.run(taken.tree([*taken.program, *others]))
    assert [bench.fails(one, history.masked[0]) for one in (left, original, without)] == [False, True, True]


def test_a_flaky_test_is_named_and_left_out() -> None:
    named = [came.facts["excluded_as_flaky"] for seed in range(8) if (came := explained(honest(seed, "flaky")))]
    assert ["tests.test_second.Second.test_now_and_then"] in named


def constant(words: dict[str, str], code: int) -> Outcomes:
    passed = tuple(name for name, word in words.items() if word == "passed")
    failed = tuple(name for name, word in words.items() if word == "failed")
    ran = Ran(code=code, output=b"", error=b"")
    return Outcomes(passed=passed, failed=failed, other=(), complete=True, ran=ran)


@pytest.mark.parametrize("word", ["passed", "failed"])
def test_an_engine_that_always_says_the_same_finds_nothing(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    history = planted(2, "removed")
    monkeypatch.setattr(bench, "run_suite", lambda *_, **__: constant({history.masked[0]: word}, 0))
    if word == "failed":
        # Nothing passes on any tree: that is no answer, and must not look like one.
        came = Replay().explain(history.scene, "sha256:c", budget=Budget(units=400), seed=1)
        assert isinstance(came, Null)
        assert "No test of the suite passes" in came.obstruction
        return
    found = explained(history)
    assert not is_found(history, found)
    assert found.grade == "rejected"


def test_too_few_runs_are_said_to_be_too_few() -> None:
    history = planted(2, "removed")
    came = Replay().explain(history.scene, "sha256:c", budget=Budget(units=10), seed=1)
    assert isinstance(came, Null)
    assert "needed" in came.obstruction
    assert Replay().estimate(history.scene) < 200


def test_without_a_record_of_edits_the_cause_stands_and_access_is_unknown() -> None:
    history = planted(2, "removed")
    came = explained(replace(history, scene=replace(history.scene, edits=())), reference=False)
    assert is_found(history, came)
    assert came.responsible == ()
    assert came.facts["reproduced"] is False
    assert any("no edit is recorded" in null.obstruction for null in came.nulls)
    assert [each.status for each in came.rivals if "wrong from the start" in each.factor] == ["untested"]


def test_a_recorded_history_is_explained(project_root: Path, tmp_path: Path) -> None:
    came = Replay().explain(recorded(project_root, tmp_path), "sha256:c", budget=Budget(units=400), seed=1)
    assert isinstance(came, Replayed)
    facts: Any = came.facts
    assert (facts["as_left"]["passed"], facts["original_tests"]["passed"]) == (17, 15)
    assert facts["reproduced"] is True
    assert [each["went"].strip() for each in facts["responsible"]] == [
        "self.assertEqual(fine(10, 12), 0)", 'self.assertEqual(due_day(0, "book", 4), 42)',
    ]  # fmt: skip
    assert facts["access"]["refusals"] == ["EROFS"]
    assert came.grade == "probable"
    cleared = next(each for each in came.rivals if "test_cards" in each.factor)
    assert cleared.status == "rejected"


def recorded(project_root: Path, folder: Path) -> Scene:
    """The history that the example repository ships, read without the readers."""
    history = project_root / "examples" / "repair_agent" / "history"
    git = ["git", "-C", str(folder / "copy")]
    subprocess.run(
        ["git", "clone", "-q", "-b", "main", str(history / "repository.bundle"), str(folder / "copy")], check=True
    )

    def tree(name: str) -> dict[str, bytes]:
        listed = subprocess.run(
            [*git, "ls-tree", "-r", "--name-only", name], check=True, capture_output=True, text=True
        )
        return {
            path: subprocess.run([*git, "show", f"{name}:{path}"], check=True, capture_output=True).stdout
            for path in listed.stdout.split()
        }

    log = (history / "session.jsonl").read_bytes()
    messages = json.loads(log)["messages"]
    edits = []
    for step, message in enumerate(messages):
        for call in message.get("tool_calls", []):
            if call["function"]["name"] in ("edit_file", "write_file"):
                given = json.loads(call["function"]["arguments"])
                source = Source(file=digest_of(log), line=1, pointer=f"/messages/{step}")
                new = given.get("new_string", given.get("content"))
                old = given.get("old_string")
                edits.append(Edit(step=step, path=given["path"], old=old, new=new, done=True, source=source))
    base = tree("base")
    said = Said(text=messages[0]["content"], source=Source(file=digest_of(log), line=1, pointer="/messages/0/content"))
    return Scene(
        name="lending", source=digest_of(log), base=base, final=tree("main"), framework="unittest", modes={},
        judged=tuple(path for path in base if path.startswith("tests/")), edits=tuple(edits), asked=(said,),
    )  # fmt: skip
