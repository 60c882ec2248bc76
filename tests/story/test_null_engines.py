# SPDX-License-Identifier: Apache-2.0
"""Each engine replaced by one that answers nothing, or always the same: verdicts degrade, the rows' tests go red."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from laws import test_attacks as attack_laws
from laws import test_proofs as proof_laws
from safetyboard.evidence.keys import SigningKey, load_key
from safetyboard.investigation.integrity import Check
from safetyboard.surfaces.model.catalog import CATALOG
from safetyboard_check import checker, rules
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import Rejected
from small_case import write_case
from story import doubles, planted
from story import test_the_story as rows
from story import test_what_it_rests_on as trusting
from story import test_what_was_asked as questions
from story.conftest import Case
from story.run import investigated
from unit.safetyboard_check import test_forged_dockets as forgeries

Investigate = Callable[..., Case]
SILENT = "story.doubles:Silent"


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put another engine in the place of some of a verb's instruments, or of all of them."""

    def put(verb: str, double: str, *names: str) -> None:
        entries = {name: double if not names or name in names else path for name, path in CATALOG[verb].items()}
        monkeypatch.setitem(CATALOG, verb, entries)

    return put


@pytest.fixture
def investigate(tmp_path: Path, home: Path) -> Iterator[Investigate]:
    """Investigate the planted network or its clean twin with whatever engines are in place."""

    def run(*words: object, planted_one: bool) -> Case:
        name = "failing" if planted_one else "clean"
        case = planted.folder(tmp_path / name, planted=planted_one)
        return Case(investigated(case, tmp_path / f"{name}-docket", *words), tmp_path / f"{name}-docket")

    return run


def verdict(case: Case) -> str:
    (claim,) = case.answer["claims"]
    return str(claim["verdict"])


def rechecked(case: Case) -> Any:
    return Checker(case.place, Options(leaf_budget=10**6)).run()


def red(test: Callable[..., None], *arguments: Any) -> None:
    """See that a test of a row fails now."""
    with pytest.raises((AssertionError, ValueError, KeyError, IndexError)):
        test(*arguments)


def test_the_real_engines_leave_every_test_green(investigate: Investigate) -> None:
    """Without this, a red test would show nothing."""
    failing, clean = investigate(planted_one=True), investigate(planted_one=False)
    rows.test_the_planted_failure_is_found_and_shown(failing)
    rows.test_the_clean_twin_is_proved_and_nothing_is_found(clean)
    rows.test_the_planted_cause_is_established_and_the_decoy_rejected(failing)
    rows.test_the_repair_held_and_its_cost_is_printed(failing)
    rows.test_a_second_program_accepts_both_dockets(failing, clean)
    for name in CATALOG["attack"]:
        attack_laws.test_a_catastrophe_on_a_thousandth_of_the_box_is_found_and_shown(name, attack_laws.PLACES[0])
    for name in CATALOG["prove"]:
        proof_laws.test_a_planted_counterexample_is_never_proved_and_the_clean_twin_is(name, 0.01)


@pytest.mark.parametrize("name", sorted(CATALOG["attack"]))
def test_a_silent_attack_turns_its_law_red(replaced: Any, name: str) -> None:
    replaced("attack", SILENT, name)
    red(attack_laws.test_a_catastrophe_on_a_thousandth_of_the_box_is_found_and_shown, name, attack_laws.PLACES[0])
    red(attack_laws.test_the_clean_twin_stays_silent, name, attack_laws.PLACES[0])


@pytest.mark.parametrize("name", sorted(CATALOG["attack"]))
def test_an_attack_that_always_finds_turns_its_law_red(replaced: Any, name: str) -> None:
    replaced("attack", "story.doubles:AlwaysFound", name)
    red(attack_laws.test_a_catastrophe_on_a_thousandth_of_the_box_is_found_and_shown, name, attack_laws.PLACES[0])
    red(attack_laws.test_the_clean_twin_stays_silent, name, attack_laws.PLACES[0])


def test_silent_attacks_leave_the_refutation_to_the_proof(replaced: Any, investigate: Investigate) -> None:
    replaced("attack", SILENT)
    case = investigate("--no-repair", planted_one=True)
    assert verdict(case) == "REFUTED"
    assert {w["recipe"]["instrument"] for w in case.of_kind("witness")} == {"input-split"}
    assert rechecked(case).witnesses > 0


def test_silent_attacks_and_proofs_refute_nothing_and_say_so(replaced: Any, investigate: Investigate) -> None:
    replaced("attack", SILENT)
    replaced("prove", SILENT)
    for planted_one in (True, False):
        case = investigate(planted_one=planted_one)
        assert (verdict(case), case.ran.code) == ("UNKNOWN", 3)
        assert case.answer["claims"][0]["obstruction"]
        assert case.answer["findings"] == case.answer["remedies"] == case.answer["lessons"] == []
        assert rechecked(case).verdicts == {"UNKNOWN": 1}
        red(rows.test_the_planted_failure_is_found_and_shown, case)
        red(rows.test_the_clean_twin_is_proved_and_nothing_is_found, case)
        red(rows.test_a_refuted_claim_names_its_counter_model, case)


def test_an_attack_that_always_finds_makes_the_run_unsound_and_refutes_nothing(
    replaced: Any, investigate: Investigate
) -> None:
    replaced("attack", "story.doubles:AlwaysFound")
    case = investigate("--no-repair", planted_one=False)
    assert case.ran.code == 70
    assert "always-found calls an input of cell 0 a failure; it is none" in case.answer["unsound"][0]
    assert case.of_kind("witness") == []
    assert verdict(case) != "REFUTED"
    red(rows.test_the_clean_twin_is_proved_and_nothing_is_found, case)


@pytest.mark.parametrize("name", sorted(CATALOG["prove"]))
def test_a_silent_proof_turns_its_laws_red(replaced: Any, name: str) -> None:
    replaced("prove", SILENT, name)
    red(proof_laws.test_a_planted_counterexample_is_never_proved_and_the_clean_twin_is, name, 0.01)
    red(proof_laws.test_a_bound_is_never_below_a_witness_and_both_methods_agree, name)


ALWAYS = {"input-split": "story.doubles:AlwaysProved", "relu-split": "story.doubles:AlwaysProvedByNeurons"}


@pytest.mark.parametrize("name", sorted(CATALOG["prove"]))
def test_a_proof_that_always_proves_turns_its_laws_red(replaced: Any, name: str) -> None:
    replaced("prove", ALWAYS[name], name)
    red(proof_laws.test_a_planted_counterexample_is_never_proved_and_the_clean_twin_is, name, 0.01)
    red(proof_laws.test_a_bound_is_never_below_a_witness_and_both_methods_agree, name)


def test_silent_proofs_prove_nothing(replaced: Any, investigate: Investigate) -> None:
    replaced("prove", SILENT)
    clean = investigate(planted_one=False)
    assert (verdict(clean), clean.ran.code) == ("UNKNOWN", 3)
    assert "Nothing was tried." in clean.answer["claims"][0]["obstruction"]
    red(rows.test_the_clean_twin_is_proved_and_nothing_is_found, clean)
    failing = investigate(planted_one=True)
    assert verdict(failing) == "REFUTED"
    assert {remedy["verdict"] for remedy in failing.answer["remedies"]} == {"UNKNOWN"}
    red(rows.test_the_repair_held_and_its_cost_is_printed, failing)
    red(rows.test_proof_and_experiment_leave_the_same_kind_of_record, failing)


@pytest.mark.parametrize("name", sorted(CATALOG["prove"]))
def test_a_false_proof_is_rejected_by_the_second_program(replaced: Any, investigate: Investigate, name: str) -> None:
    replaced("attack", SILENT)
    replaced("prove", ALWAYS[name])
    case = investigate("--no-repair", planted_one=True)
    with pytest.raises(Rejected, match="certificate"):
        rechecked(case)
    red(rows.test_the_planted_failure_is_found_and_shown, case)
    red(rows.test_a_second_program_accepts_both_dockets, case, case)


def test_a_proof_below_what_an_attack_reached_makes_the_run_unsound(replaced: Any, investigate: Investigate) -> None:
    replaced("prove", "story.doubles:AlmostProved")
    case = investigate("--no-repair", planted_one=False)
    assert case.ran.code == 70
    assert "above" in case.answer["unsound"][0]
    assert next(iter(case.of_kind("case")))["unsound"] is True
    red(rows.test_the_clean_twin_is_proved_and_nothing_is_found, case)


def test_a_silent_explanation_leaves_the_cause_unknown(replaced: Any, investigate: Investigate) -> None:
    replaced("explain", SILENT)
    case = investigate("--no-repair", planted_one=True)
    (finding,) = case.answer["findings"]
    assert (finding["cause"], finding["grade"]) == ("unknown", "unknown")
    assert "Nothing was tried." in finding["weakest_link"]
    red(rows.test_the_planted_cause_is_established_and_the_decoy_rejected, case)
    assert rechecked(case).verdicts == {"REFUTED": 1}


def test_an_explanation_without_experiments_establishes_nothing(replaced: Any, investigate: Investigate) -> None:
    replaced("explain", "story.doubles:BlamesTheFirst")
    case = investigate("--no-repair", planted_one=True)
    (finding,) = case.answer["findings"]
    assert finding["grade"] == "unknown"
    assert finding["weakest_link"] == "no experiment was made"
    red(rows.test_the_planted_cause_is_established_and_the_decoy_rejected, case)


def test_silent_repairs_leave_no_remedy(replaced: Any, investigate: Investigate) -> None:
    replaced("repair", SILENT)
    case = investigate(planted_one=True)
    assert case.ran.code == 1
    assert case.answer["remedies"] == []
    red(rows.test_the_repair_held_and_its_cost_is_printed, case)
    assert rechecked(case).verdicts == {"REFUTED": 1}


@pytest.mark.parametrize("name", sorted(CATALOG["repair"]))
def test_a_repair_that_changes_nothing_is_shown_as_defeated(replaced: Any, investigate: Investigate, name: str) -> None:
    replaced("repair", SILENT)
    replaced("repair", "story.doubles:ChangesNothing", name)
    case = investigate(planted_one=True)
    (remedy,) = case.answer["remedies"]
    assert (remedy["held"], remedy["verdict"]) == (False, "REFUTED")
    red(rows.test_the_repair_held_and_its_cost_is_printed, case)
    assert rechecked(case).verdicts == {"REFUTED": 2}


@pytest.mark.parametrize("weakness", questions.WEAK)
def test_a_linter_without_remarks_turns_the_test_of_weak_questions_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, weakness: str
) -> None:
    monkeypatch.setattr("safetyboard.investigation.examination.lint", doubles.no_lint)
    red(questions.test_a_weak_question_is_named_and_a_sound_one_passes_without_remark, tmp_path, weakness)


def test_a_runtime_check_that_always_holds_turns_the_test_of_trust_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, investigate: Investigate
) -> None:
    monkeypatch.setattr(
        "safetyboard.investigation.service.runtime_check",
        lambda network, content, name, points: Check(assumption=f"runtime: {name}", check="none", outcome="held"),
    )
    clean = investigate(planted_one=False)
    red(
        trusting.test_a_runtime_in_half_precision_breaks_the_float32_assumption_and_takes_the_proof_with_it,
        tmp_path, monkeypatch, clean,
    )  # fmt: skip


def nothing(*_: Any, **__: Any) -> None:
    """A check that finds nothing wrong."""


class Unlooked:
    """A tree of which no leaf is looked at."""

    leaves = 0

    def __init__(self, _: Any) -> None:
        pass

    def check(self, _: Any) -> None:
        pass


BLIND: dict[str, tuple[Any, str, Any, str]] = {
    "witness replay": (checker, "replay", nothing, "witness_output"),
    "verdict table": (rules, "check_verdict", nothing, "verdict_word"),
    "custody count": (rules, "check_custody", lambda *_: "", "custody_count"),
    "trials": (rules, "check_trials", nothing, "interval"),
    "findings": (rules, "check_findings", nothing, "grade_up"),
    "case": (rules, "check_case", nothing, "loss_account"),
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, home: Path) -> tuple[Path, SigningKey]:
    """A real docket of a small case, and the key that signed it."""
    folder = tmp_path_factory.mktemp("sealed")
    assert investigated(write_case(folder / "case"), folder / "docket").code == 1
    return folder / "docket", load_key()[0]


@pytest.mark.parametrize("part", BLIND)
def test_a_checker_blind_in_one_part_turns_the_test_of_that_part_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sealed: tuple[Path, SigningKey], part: str
) -> None:
    place, name, double, forgery = BLIND[part]
    change = getattr(forgeries, forgery)
    monkeypatch.setattr(forgeries, "MUTATIONS", 3 * len(forgeries.CHANGES))
    forgeries.test_a_change_is_rejected_although_everything_was_signed_again(sealed, tmp_path, change)
    monkeypatch.setattr(place, name, double)
    red(forgeries.test_a_change_is_rejected_although_everything_was_signed_again, sealed, tmp_path, change)


def test_a_checker_that_looks_at_no_tree_turns_the_test_of_proofs_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sealed: tuple[Path, SigningKey]
) -> None:
    forgeries.test_a_damaged_proof_tree_is_rejected_although_signed_again(sealed, tmp_path, 0)
    monkeypatch.setattr(checker, "TREES", dict.fromkeys(checker.TREES, Unlooked))
    with pytest.raises(pytest.fail.Exception):
        forgeries.test_a_damaged_proof_tree_is_rejected_although_signed_again(sealed, tmp_path, 0)
