# SPDX-License-Identifier: Apache-2.0
"""Somebody signs for an agent; its recorded acts name who answers, and what nobody signed for is a recorded failure."""

import json
from pathlib import Path

import pytest

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.keys import load_key
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation.runs import attribution
from safetyboard.investigation.runs.recorded import Recorded, recorded
from safetyboard.readers.account import Account
from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.readers.delegations.delegation_file import read
from safetyboard.readers.records.catalog import reader
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Episode
from safetyboard.terms.observation import Observation
from signed_delegations import acted, bash, statement
from story.run import command, investigated


def kept(path: Path) -> Stored:
    content = path.read_bytes()
    return Stored(name=path.name, size=len(content), load=lambda: content, digest=digest_of(content))


@pytest.fixture
def signed(tmp_path: Path) -> Delegations:
    """Sign a delegation with the command, as a principal would, and read the file back."""
    order = tmp_path / "order.json"
    order.write_text(json.dumps(statement()))
    ran = command("delegate", order, "--into", tmp_path / "delegations.json")
    assert ran.code == 0, ran.err
    key, _ = load_key()
    assert key.public.hex() in ran.out
    return read(kept(tmp_path / "delegations.json"), [key.fingerprint])


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the keys of a test to the test."""
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "home"))


def chat(tmp_path: Path, *commands: str) -> tuple[Recorded, list[Episode]]:
    """Write a session as a file of records, and read it as an investigation does."""
    lines = [{"role": "user", "content": "Publish the report."}]
    for number, each in enumerate(commands):
        call = {"id": f"c{number}", "type": "function",
                "function": {"name": "bash", "arguments": json.dumps({"command": each})}}  # fmt: skip
        lines += [{"role": "assistant", "content": "", "tool_calls": [call]},
                  {"role": "tool", "tool_call_id": f"c{number}", "content": "ok"}]  # type: ignore[list-item]  # fmt: skip
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"model": "fixer", "messages": lines}) + "\n")
    book = CustodyBook(BlobStore(tmp_path / "blobs"))
    [found] = recorded(book, book.take(path), [])
    return found, list(reader("chat").episodes(kept(path), Account()))


@pytest.mark.idea("B59")
def test_an_act_that_nobody_signed_for_is_a_failure_quoted_at_its_place(tmp_path: Path) -> None:
    found, episodes = chat(tmp_path, "git push origin main", "ls")
    asked, evidence = attribution.claim_of(found, episodes, Delegations(), 0)
    [shown] = [each for each in evidence if isinstance(each, Observation)]
    assert (shown.shows, shown.cell) == ("failure", 0)
    assert "git push origin main" in shown.quotation
    assert shown.place is not None
    assert "1 external acts: 0 attributed, 1 done and not attributable" in asked.claim.measured
    assert asked.claim.cells == len(found.runs) == 1


def test_acts_that_somebody_signed_for_break_nothing(signed: Delegations, tmp_path: Path) -> None:
    found, _ = chat(tmp_path, "git push origin main")
    asked, evidence = attribution.claim_of(found, [acted(bash("git push origin main"))], signed, 0)
    assert not [each for each in evidence if isinstance(each, Observation)]
    assert "1 external acts: 1 attributed" in asked.claim.measured


def test_a_record_without_times_cannot_be_attributed(signed: Delegations, tmp_path: Path) -> None:
    found, episodes = chat(tmp_path, "git push origin main")
    asked, _ = attribution.claim_of(found, episodes, signed, 0)
    assert "1 no time" in asked.claim.measured


def test_the_command_shows_the_public_key_and_refuses_in_one_sentence(tmp_path: Path) -> None:
    assert load_key()[0].public.hex() in command("delegate").out
    bad = tmp_path / "bad.json"
    for text, says in (("{", "is no JSON"), ("[]", "is no JSON object"), ("{}", "names no principal")):
        bad.write_text(text)
        ran = command("delegate", bad, "--into", tmp_path / "d.json")
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
        assert says in ran.err
    assert not (tmp_path / "d.json").exists()


def test_a_file_of_delegations_beside_the_logs_makes_the_claim_and_the_trusted_key_decides(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "bash", "arguments": '{"command": "git push origin main"}'},
    }
    messages = [
        {"role": "user", "content": "Publish."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]
    (folder / "runs.jsonl").write_text(json.dumps({"model": "fixer", "messages": messages}) + "\n")
    alone = investigated(folder, tmp_path / "alone").json
    assert "attribution" not in {claim["name"] for claim in alone["claims"]}
    order = tmp_path / "order.json"
    order.write_text(json.dumps(statement()))
    assert command("delegate", order, "--into", folder / "delegations.json").code == 0
    ran = investigated(folder, tmp_path / "with", "--trust", load_key()[0].fingerprint)
    claim = next(claim for claim in ran.json["claims"] if claim["name"] == "attribution")
    assert (ran.code, claim["verdict"]) == (1, "REFUTED")  # the log has no times, so nobody answers
    assert command("check", tmp_path / "with").code == 3


@pytest.mark.idea("B42")
def test_the_components_of_a_folder_are_listed_with_what_falls(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "a.py").write_text(
        "import openai\nimport os\n\nif __name__ == '__main__':\n    os.system(openai.ask())\n"
    )
    ran = command("components", folder, "--json", "--bom", tmp_path / "bom.json")
    assert (ran.code, ran.json["schema"]) == (0, "safetyboard.components/1")
    [fall] = ran.json["falls"]
    assert (fall["component"], fall["effects"][0]["kind"]) == ("openai", "program run")
    assert json.loads((tmp_path / "bom.json").read_text())["components"][0]["name"] == "openai"
    assert "program run" in command("components", folder).out
    assert command("components", tmp_path / "nothing").code == 2
