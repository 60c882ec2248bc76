# SPDX-License-Identifier: Apache-2.0
"""What a finding on records rests on can be opened, and a byte, a record or an order that was changed is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.docket import Docket
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.episode import Source
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import Rejected
from story.run import Ran, command
from story.test_recorded_runs import REPAIRED, TAMPERED, session
from unit.readers.records.archives import Entry, entry, log_of, sample_of, zip_of


def looked(folder: Path, out: Path) -> Ran:
    return command("investigate", folder, "--out", out, "--json", "--no-repair", "--workers", 1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "home"))


@pytest.fixture
def docket(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    lines = "".join(json.dumps(message) + "\n" for message in session(TAMPERED))
    (tmp_path / "logs" / "session.jsonl").write_text(lines)
    assert looked(tmp_path / "logs", tmp_path / "docket").code == 1
    return tmp_path / "docket"


def damaged(members: list[Entry]) -> list[Entry]:
    """Strike one id from the header, edit one sample's score, drop one, write one twice."""
    made = []
    for each in members:
        value = json.loads(each.content)
        if each.name == "header.json":
            value["eval"]["dataset"]["sample_ids"].remove(1)
        if each.name == "samples/2_epoch_1.json":
            value["scores"]["match"]["value"] = "I"
        if each.name != "samples/3_epoch_1.json":
            made.append(entry(each.name, value))
        if each.name == "samples/4_epoch_1.json":
            made.append(entry(each.name, value))
    return made


def discrepancies(place: Path) -> list[str]:
    [subject] = Docket(place).of_kind("subject").values()
    return subject["interface"]["discrepancies"]


def test_one_struck_one_dropped_one_edited_one_doubled_are_four_discrepancies_by_id(tmp_path: Path) -> None:
    members = log_of([sample_of(number) for number in range(1, 7)])
    for name, content in (("clean", zip_of(members)), ("damaged", zip_of(damaged(members)))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.eval").write_bytes(content)
        looked(tmp_path / name, tmp_path / f"{name}-docket")
    assert discrepancies(tmp_path / "clean-docket") == []
    named = sorted(each.partition(" in ")[0] for each in discrepancies(tmp_path / "damaged-docket"))
    assert named == ["1: missing", "2: edited", "3: missing", "4: duplicate"]
    report = (tmp_path / "damaged-docket" / "report.html").read_text(encoding="utf-8")
    assert "4 discrepancies" in report


def test_all_discrepancies_are_in_the_record_however_many(tmp_path: Path) -> None:
    members = log_of([sample_of(number) for number in range(1, 61)])
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.eval").write_bytes(
        zip_of([each for each in members if not each.name.startswith("samples/1") or "/1_" in each.name])
    )
    looked(tmp_path / "logs", tmp_path / "docket")
    assert [each.partition(":")[0] for each in discrepancies(tmp_path / "docket")] == [str(n) for n in range(10, 20)]


def test_every_sentence_of_a_finding_leads_to_words_in_the_stored_bytes(docket: Path) -> None:
    opened = Docket(docket)
    observations = opened.of_kind("observation")
    findings = list(opened.of_kind("finding").values())
    assert findings
    for finding in findings:
        assert finding["evidence"]
        for name in finding["evidence"]:
            quoted = observations[name]
            place = quoted["place"]
            content = opened.blob(place["file"])
            stored = Stored(name="it", size=len(content), load=lambda content=content: content)
            source = Source(**{key: place[key] for key in ("file", "member", "line", "pointer") if key in place})
            there = resolve(stored, source)
            text = there if isinstance(there, str) else json.dumps(there, ensure_ascii=False)
            plain = text.replace('\\"', '"')
            assert all(line in text or line in plain for line in quoted["quotation"].split("\n")), quoted


def rewritten(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        log = place / "log" / "statements.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(change(lines)))

    return apply


def one_byte(place: Path) -> None:
    digest = next(each["digest"] for each in Docket(place).of_kind("subject").values()).removeprefix("sha256:")
    blob = place / "blobs" / "sha256" / digest[:2] / digest
    content = bytearray(blob.read_bytes())
    content[10] ^= 1
    blob.write_bytes(content)


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "one byte": (one_byte, "blob"),
    "a dropped record": (rewritten(lambda lines: lines[:5] + lines[6:]), "log"),
    "reordered records": (rewritten(lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]]), "log"),
    "a torn record": (rewritten(lambda lines: [*lines[:-1], lines[-1][:-20]]), "log"),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_to_the_evidence_is_named(docket: Path, tmp_path: Path, name: str) -> None:
    assert Checker(docket, Options()).run().quotations
    shutil.copytree(docket, tmp_path / "changed")
    change, word = CHANGES[name]
    change(tmp_path / "changed")
    ran = command("check", tmp_path / "changed")
    assert ran.code not in (0, 3), ran.out
    assert word in (ran.out + ran.err).lower()
    with pytest.raises(Rejected):
        Checker(tmp_path / "changed", Options()).run()


def changed_log(messages: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.mark.parametrize("what", ["byte", "dropped", "reordered"])
def test_a_preserved_log_that_is_changed_afterwards_is_a_named_discrepancy(tmp_path: Path, what: str) -> None:
    (tmp_path / "logs").mkdir()
    log, messages = tmp_path / "logs" / "session.jsonl", session(REPAIRED)
    log.write_text(changed_log(messages))
    assert command("preserve", log.parent, "--out", tmp_path / "store").code == 0
    text = log.read_text()
    log.write_text({
        "byte": text.replace("ok", "no", 1),
        "dropped": changed_log(messages[:3] + messages[4:]),
        "reordered": changed_log([messages[1], messages[0], *messages[2:]]),
    }[what])  # fmt: skip
    again = command("preserve", log.parent, "--out", tmp_path / "store")
    assert again.code == 3
    assert "discrepancy" in again.out
    assert "session.jsonl" in again.out


def test_a_redacted_file_shows_as_withheld_to_the_checker_and_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    token = "ghp_" + "aB3" * 12
    lines = changed_log([*session(TAMPERED), {"role": "user", "content": f"use {token}"}])
    (tmp_path / "logs" / "session.jsonl").write_text(lines)
    assert looked(tmp_path / "logs", tmp_path / "docket").code == 1
    opened = Docket(tmp_path / "docket")
    [subject] = opened.of_kind("subject").values()
    assert opened.withheld == {subject["digest"]: "holds secrets: 1 GitHub token"}
    assert "holds secrets" in (tmp_path / "docket" / "report.html").read_text(encoding="utf-8")
    answer = Checker(tmp_path / "docket", Options()).run()
    assert answer.quotations == 0
    assert "withheld" in json.dumps(answer, default=vars)
    assert canonical_json(subject["interface"]).find(token.encode()) < 0
