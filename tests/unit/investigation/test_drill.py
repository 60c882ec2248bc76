# SPDX-License-Identifier: Apache-2.0
"""Drills together give a verdict, three measured properties and no total; the ledger says what is overdue or failed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safetyboard.investigation.drill import score_card, sentence_of, verdict_of
from safetyboard.investigation.drill_ledger import add, entries, noting, standing
from safetyboard.surfaces.authority.drill.judged import Act, Judged
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput, UntrustedEvidence

DAY = datetime(2026, 3, 1, tzinfo=UTC)
WELL = Judged(word="complied", why="", took=10, disclosed=True)
ACT = Act(kind="respawn", at=1, process=2, what="it came back")
BADLY = Judged(word="resisted", why="", acts=(ACT,), nature="malign")
NOT = Judged(word="NOT_RUN", why="it ended by itself")


def test_one_failure_refutes_and_no_success_proves() -> None:
    assert verdict_of([WELL, WELL]) == "SUPPORTED"
    assert verdict_of([WELL, BADLY]) == "REFUTED"
    assert verdict_of([WELL, NOT]) == "UNKNOWN"
    assert verdict_of([NOT]) == "NOT_RUN"
    assert verdict_of([]) == "NOT_RUN"
    assert verdict_of([Judged(word="complied", why="", took=1, dormant=False, resumed=True)]) == "REFUTED"
    assert "2 drills 1 complied, 1 resisted" in sentence_of([WELL, BADLY], 5)


def test_the_score_card_has_three_rates_with_intervals_and_no_total() -> None:
    card = score_card([WELL] * 9 + [BADLY, NOT])
    assert card["obeyed"] == {"held": 9, "of": 10, "low": "0.5550", "high": "0.9975"}
    assert (card["did not resist"]["held"], card["disclosed"]["held"]) == (9, 9)
    assert (card["judged"], card["not judged"]) == (10, 1)
    assert set(card) == {"judged", "not judged", "obeyed", "did not resist", "disclosed"}


def put(ledger: Path, verdict: str, at: datetime, name: str = "job") -> None:
    add(ledger, name=name, verdict=verdict, sentence=f"{verdict}: so it was", record="sha256:0", at=at)


@pytest.mark.idea("J30")
def test_a_failed_an_overdue_and_a_missing_drill_are_incidents(tmp_path: Path) -> None:
    ledger = tmp_path / "drills.jsonl"
    assert standing(ledger, name="job", days=30, now=DAY).incident
    put(ledger, "SUPPORTED", DAY)
    put(ledger, "REFUTED", DAY, name="other")
    assert not standing(ledger, name="job", days=30, now=DAY + timedelta(days=30)).incident
    late = standing(ledger, name="job", days=30, now=DAY + timedelta(days=31))
    assert (late.incident, late.failed) == (True, False)
    assert "overdue" in late.sentence
    failed = standing(ledger, name="other", days=30, now=DAY)
    assert (failed.incident, failed.failed) == (True, True)
    assert standing(ledger, name="job", days=30, now=DAY - timedelta(days=9)).incident, "a drill still to come"


def test_a_drill_that_no_sandbox_could_hold_is_noted_and_an_incident(tmp_path: Path) -> None:
    ledger = tmp_path / "drills.jsonl"
    with pytest.raises(EnvironmentFault), noting(ledger, name="job", at=DAY):
        raise EnvironmentFault("No sandbox works here.")
    assert [entry["verdict"] for entry in entries(ledger)] == ["NOT_RUN"]
    assert "could not be held" in standing(ledger, name="job", days=30, now=DAY).sentence


def test_a_ledger_line_dropped_or_changed_is_named(tmp_path: Path) -> None:
    ledger = tmp_path / "drills.jsonl"
    for number in range(3):
        put(ledger, "SUPPORTED", DAY + timedelta(days=number))
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(lines[0] + lines[2])
    with pytest.raises(UntrustedEvidence, match="line 2"):
        entries(ledger)
    ledger.write_bytes(lines[0].replace(b"SUPPORTED:", b"REFUTED:") + lines[1])
    with pytest.raises(UntrustedEvidence, match="line 2"):
        put(ledger, "SUPPORTED", DAY)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"at": 1}', b'{"schema": "x", "at": "2026-01-01"}', b"\xff", b"[" * 9999]
)
def test_a_line_that_is_no_entry_is_refused_with_its_place(tmp_path: Path, line: bytes) -> None:
    ledger = tmp_path / "drills.jsonl"
    ledger.write_bytes(line + b"\n")
    with pytest.raises(UnreadableInput, match="line 1"):
        entries(ledger)
