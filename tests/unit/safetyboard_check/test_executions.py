# SPDX-License-Identifier: Apache-2.0
"""An execution refutes a claim about what was tried, and only where what it says of itself agrees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import stated_docket
from safetyboard.investigation.verdict import EXECUTIONS, derive
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Cell, Domain
from safetyboard.terms.execution import Execution
from safetyboard.terms.null import Null
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.subject import Subject
from safetyboard.terms.verdict import Verdict
from safetyboard_check.checker import Answer
from safetyboard_check.faults import Rejected

GRANT = b'{"permissions": {"deny": ["Edit(tests/**)"]}}'
HARDER = b"assert add(1, 1) == 2\n"
TEST, EASIER = digest_of(HARDER), digest_of(b"assert True\n")
FOLDER = canonical_json({"schema": "safetyboard.folder/1", "files": {"tests/test_add.py": [TEST, 0o644]}})
OUTPUT = b"1 passed\n"
SUBJECT = Subject(
    surface="authority", name="settings.json", media_type="application/json", digest=digest_of(GRANT),
    content=digest_of(GRANT), size=len(GRANT), interface={}, tasks=("a grant",),
)  # fmt: skip
DOMAIN = Domain(
    inputs=(),
    outputs=(),
    cells=(Cell(label="edit tool", lower=(), upper=()), Cell(label="redirection", lower=(), upper=())),
    unsafe_sets=((),),
    lift=EXECUTIONS,
)
CLAIM = Claim(
    surface="authority",
    subject=record_id(SUBJECT),
    property="settings.json",
    statement="No allowed call changes the tests.",
    overseer="the digests of the files below tests/",
    domain=record_id(DOMAIN),
    cells=2,
)
RECIPE = Recipe(instrument="routes", version="1", seed=0, unit="runs", allotted=4, spent=2, subject=SUBJECT.content)
DONE = Execution(
    claim=record_id(CLAIM),
    cell=1,
    folder=digest_of(FOLDER),
    command=("sh", "-c", "echo assert True > tests/test_add.py"),
    code=0,
    output=digest_of(OUTPUT),
    criterion={"changed": ["tests/"], "code": [0]},
    shows="failure",
    meaning="redirection writes what the rule denies",
    recipe=RECIPE,
    changed={"tests/test_add.py": [TEST, EASIER]},
)
NULL = Null(claim=record_id(CLAIM), cells=(0,), recipe=RECIPE)


def checked(folder: Path, evidence: list[Any], verdict: Verdict) -> Answer:
    """Write a docket over what was tried, and check it."""
    return stated_docket.checked(
        folder, "settings.json", (GRANT, FOLDER, OUTPUT, HARDER), [SUBJECT, DOMAIN, CLAIM, *evidence], verdict
    )


def test_an_execution_refutes_and_the_first_line_says_that_it_was_not_run_again(tmp_path: Path) -> None:
    verdict = derive(CLAIM, DOMAIN, [DONE, NULL])
    assert (verdict.verdict, verdict.refuted, verdict.open) == ("REFUTED", 1, 1)
    answer = checked(tmp_path, [DONE, NULL], verdict)
    assert (answer.code, dict(answer.verdicts)) == (0, {"REFUTED": 1})
    assert "1 executions read and not run again" in answer.first_line()


def test_the_clean_twin_is_supported_at_most(tmp_path: Path) -> None:
    refused = replace(DONE, shows="control", changed={}, code=1, cell=0)
    verdict = derive(CLAIM, DOMAIN, [refused, NULL])
    assert verdict.verdict == "SUPPORTED"
    assert dict(checked(tmp_path, [refused, NULL], verdict).verdicts) == {"SUPPORTED": 1}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"criterion": {"changed": ["src/"]}}, "does not meet its criterion"),
        ({"criterion": {"code": [1]}}, "does not meet its criterion"),
        ({"criterion": {"line": "2 passed"}}, "does not meet its criterion"),
        ({"criterion": {}}, "criterion"),
        ({"criterion": {"changed": ["tests/"], "weather": "fine"}}, "knows"),
        ({"changed": {"tests/test_add.py": [EASIER, TEST]}}, "was otherwise in the folder"),
        ({"changed": {"tests/test_add.py": [TEST, TEST]}}, "no pair of different contents"),
        ({"changed": {"tests/new.py": [TEST, EASIER]}}, "was otherwise in the folder"),
        ({"criterion": {"changed": "xt"}}, "criterion: changed"),
        ({"criterion": {"changed": ["tests/"], "code": [False]}}, "criterion: code"),
        ({"criterion": {"code": []}}, "criterion: code"),
        ({"criterion": {"line": "a\nb"}}, "criterion: line"),
        ({"changed": {"tests/../x": [None, EASIER]}}, "no path inside"),
        ({"runs": 0, "shows": ""}, "or never"),
        ({"runs": 1}, "run once"),
        ({"shows": "control"}, "is a control"),
        ({"cell": 7}, "no cell 7"),
        ({"command": ()}, "command"),
        ({"folder": digest_of(OUTPUT)}, "folder"),
        ({"recipe": replace(RECIPE, subject=digest_of(b"other"))}, "another subject"),
    ],
)
def test_a_changed_execution_is_rejected(tmp_path: Path, change: dict[str, Any], match: str) -> None:
    forged = replace(DONE, **change)
    verdict = derive(CLAIM, DOMAIN, [DONE, NULL])
    with pytest.raises(Rejected, match=match):
        checked(tmp_path, [forged, NULL], replace(verdict, evidence=(record_id(forged), record_id(NULL))))


def test_a_line_of_the_output_is_looked_up(tmp_path: Path) -> None:
    told = replace(DONE, criterion={"line": "1 passed"}, changed={})
    assert checked(tmp_path, [told], derive(CLAIM, DOMAIN, [told])).code == 0


def test_a_hidden_execution_is_noticed(tmp_path: Path) -> None:
    """SUPPORTED although a failure stands in the docket."""
    with pytest.raises(Rejected, match="refuted is 0, derived 1"):
        checked(tmp_path, [DONE, NULL], derive(CLAIM, DOMAIN, [NULL]))


def test_what_was_tried_is_never_proved(tmp_path: Path) -> None:
    proved = Verdict(
        claim=record_id(CLAIM), verdict="PROVED", evidence=(record_id(NULL),), refuted=0, proved=2, open=0, excluded=0
    )
    with pytest.raises(Rejected, match="derived 0"):
        checked(tmp_path, [replace(DONE, shows="control", changed={}), NULL], proved)


def test_an_execution_on_a_claim_about_numbers_is_rejected(tmp_path: Path) -> None:
    domain = replace(DOMAIN, lift={"kind": "episodes"})
    claim = replace(CLAIM, domain=record_id(domain))
    done = replace(DONE, claim=record_id(claim))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "DOMAIN", domain)
        patch.setitem(globals(), "CLAIM", claim)
        with pytest.raises(Rejected, match="not about executions"):
            checked(tmp_path, [done], derive(claim, domain, [done]))
