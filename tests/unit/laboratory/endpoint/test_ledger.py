# SPDX-License-Identifier: Apache-2.0
"""A ledger saves what was paid for, replays it without a network, and notices what was changed."""

from pathlib import Path

import pytest

from chat_server import MODEL, Answer, completion, serving
from safetyboard.laboratory.endpoint.client import Endpoint, Limits
from safetyboard.laboratory.endpoint.exchange import ChatRequest, Turn
from safetyboard.laboratory.endpoint.ledger import Ledger, Recorded, Replay
from safetyboard.terms.errors import EnvironmentFault, UntrustedEvidence, WrongUse

ONE_TRY = Limits(attempts=1)


def question(at: int, **more: int) -> ChatRequest:
    return ChatRequest(model=MODEL, turns=(Turn(role="user", content=f"number {at}, my secret plan"),), **more)


def filled(path: Path, count: int = 3) -> None:
    with (
        serving(lambda _, number: completion(f"answer {number}")) as served,
        Endpoint(url=served.url) as endpoint,
        Ledger(path, url="u") as ledger,
    ):
        for at in range(count):
            Recorded(answerer=endpoint, ledger=ledger).ask(question(at))


def test_a_rerun_costs_nothing_and_a_replay_needs_no_server(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with serving(lambda _, number: completion(f"answer {number}")) as served, Endpoint(url=served.url) as endpoint:
        with Ledger(path, url=served.url) as ledger:
            first = [Recorded(answerer=endpoint, ledger=ledger).ask(question(at)) for at in range(3)]
        kept = path.read_bytes()
        with Ledger(path, url=served.url) as ledger:
            again = [Recorded(answerer=endpoint, ledger=ledger).ask(question(at)) for at in range(3)]
    assert len(served.asked) == 3
    assert path.read_bytes() == kept
    replayed = [Replay(path).ask(question(at)) for at in range(3)]
    assert first == again == replayed
    assert Replay(path).url == served.url
    assert b"secret plan" not in kept
    assert path.stat().st_mode & 0o077 == 0


def test_repeated_samples_and_other_seeds_are_other_questions(tmp_path: Path) -> None:
    assert len({question(1, **more).digest for more in ({}, {"sample": 1}, {"seed": 1}, {"longest": 5})}) == 4
    filled(tmp_path / "l")
    reply = Replay(tmp_path / "l").ask(question(0, sample=1))
    assert (reply.ending, reply.attempts) == ("ERROR", 0)
    assert "holds no reply" in reply.reason


def test_errors_are_replayed_as_errors_and_asked_again_when_there_is_a_server(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    answers = [Answer(status=500), completion("well again")]
    with serving(lambda _, number: answers[number]) as served, Endpoint(url=served.url, limits=ONE_TRY) as endpoint:
        with Ledger(path, url=served.url) as ledger:
            failed = Recorded(answerer=endpoint, ledger=ledger).ask(question(0))
        assert Replay(path).ask(question(0)) == failed
        with Ledger(path, url=served.url) as ledger:
            assert Recorded(answerer=endpoint, ledger=ledger).ask(question(0)).text == "well again"
    assert failed.ending == "ERROR"
    assert Replay(path).ask(question(0)).text == "well again"


def test_a_line_torn_by_a_crash_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "l"
    filled(path)
    whole = path.read_bytes()
    for cut in range(len(whole) - 1, whole.rindex(b"\n", 0, -1), -37):
        path.write_bytes(whole[:cut])
        with Ledger(path, url="u") as ledger:
            assert len(ledger) == 2
    path.write_bytes(whole[:20])
    filled(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_changed_or_missing_line_is_named(tmp_path: Path, line: int) -> None:
    path = tmp_path / "l"
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b"".join(
            text.replace(b"answer", b"ANSWER").replace(b'"u"', b'"v"') if at + 1 == line else text
            for at, text in enumerate(lines)
        )
    )
    with pytest.raises(UntrustedEvidence, match=f"line {line}"):
        Replay(path)
    path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(UntrustedEvidence, match="line 1"):
        Ledger(path, url="u")


def test_a_ledger_belongs_to_one_endpoint_and_one_writer(tmp_path: Path) -> None:
    filled(tmp_path / "l")
    with pytest.raises(WrongUse, match="another endpoint"):
        Ledger(tmp_path / "l", url="w")
    with Ledger(tmp_path / "l", url="u"), pytest.raises(EnvironmentFault):
        Ledger(tmp_path / "l", url="u")
    with pytest.raises(EnvironmentFault):
        Replay(tmp_path / "missing")
