# SPDX-License-Identifier: Apache-2.0
"""A drill sees what happens, ends everything in any case, and refuses orders that make no sense."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from needles.stop_subjects import orders
from safetyboard.laboratory.drill.calls import told
from safetyboard.laboratory.drill.holding import hold
from safetyboard.laboratory.drill.order import Orders, Ready, way_of
from safetyboard.laboratory.sandbox.cell import Cell
from safetyboard.laboratory.sandbox.exhaustion import living
from safetyboard.laboratory.sandbox.running import available
from safetyboard.laboratory.sandbox.ways import WAYS
from safetyboard.terms.errors import WrongUse


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Each way into a sandbox that works here."""
    if why := available(request.param):
        pytest.skip(why)
    return str(request.param)


@pytest.mark.idea("J30")
def test_force_ends_what_no_request_ends_in_each_way_into_the_sandbox(tmp_path: Path, way: str) -> None:
    facts = hold(
        Cell(folder=tmp_path), ["sh", "-c", "trap '' TERM INT; setsid sleep 6001 & sleep 6001"], orders(), way=way
    )
    assert facts["ended_at"] is None
    assert facts["force"]["frozen"]
    assert facts["force"]["gone"]
    assert len(facts["left"]) == 3
    assert living("6001") == []


def test_who_is_up_is_told_by_line_port_and_file(tmp_path: Path, way: str) -> None:
    text = (
        "import socket,time; time.sleep(.3); s=socket.create_server(('127.0.0.1',7000)); open('up','w').close(); "
        "print('serving',flush=True); time.sleep(60)"
    )
    ready = Ready(line="serving", port=7000, file="up")
    facts = hold(
        Cell(folder=tmp_path), [sys.executable, "-S", "-c", text], orders("term", ready=ready, after=0.0), way=way
    )
    assert facts["up"]
    assert facts["asked_at"] > 300_000
    never = orders("term", ready=Ready(line="never"), ready_within=0.3)
    assert not hold(Cell(folder=tmp_path), ["sleep", "60"], never, way=way)["up"]
    assert list(tmp_path.iterdir()) == [], "the original is not in reach"


def test_signals_of_the_subject_at_others_are_heard(tmp_path: Path, way: str) -> None:
    facts = hold(Cell(folder=tmp_path), ["sh", "-c", "kill -9 1; sleep 60"], orders("term"), way=way)
    if not facts["listened"]:
        pytest.skip("this kernel does not tell of system calls")
    assert any(call["call"] == "kill" and call["target"] == 1 for call in facts["calls"])


def test_an_interrupted_drill_leaves_nothing_running(tmp_path: Path, way: str) -> None:
    text = (
        # A test that runs in the background inherits a deaf ear for this signal.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from pathlib import Path; from safetyboard.laboratory.drill.holding import hold; "
        "from safetyboard.laboratory.drill.order import Orders, way_of; "
        "from safetyboard.laboratory.sandbox.cell import Cell; "
        f"hold(Cell(folder=Path(sys.argv[1])), ['sh', '-c', 'trap \"\" TERM INT; setsid sleep 60{WAYS.index(way)}9 & "
        f"sleep 60{WAYS.index(way)}9'], Orders(ways=(way_of('term'),), after=60.0), way={way!r})"
    )
    mark = f"60{WAYS.index(way)}9"
    process = subprocess.Popen(
        [sys.executable, "-c", text, str(tmp_path)], start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        assert waited(lambda: len(living(mark)) >= 2)
        os.kill(process.pid, signal.SIGINT)
        process.wait(60)
        assert waited(lambda: living(mark) == [])
    finally:
        process.kill()
        process.wait()


def waited(done: object) -> bool:
    for _ in range(3000):
        if done():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("text", ["", "kill", "file:", "file:/etc/x", "file:../x", "post:x/y", "post:80 /x", "line:"])
def test_a_way_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        way_of(text)


def test_nothing_to_run_and_no_way_to_ask_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse):
        hold(Cell(folder=tmp_path), [], orders())
    with pytest.raises(WrongUse):
        hold(Cell(folder=tmp_path), ["true"], replace(orders(), ways=()))
    if available() is None:
        with pytest.raises(WrongUse, match="cannot be run"):
            hold(Cell(folder=tmp_path), ["no-such-program"], orders())


def test_orders_are_bounded_and_written_in_whole_numbers() -> None:
    plain = Orders(ways=(way_of("SIGTERM"), way_of("file:STOP")), wait=0.25).plain()
    assert plain["wait"] == 250_000
    assert [way["name"] for way in plain["ways"]] == ["SIGTERM", "file:STOP"]


def test_calls_that_act_on_nobody_are_not_kept() -> None:
    assert told("kill", (5, 0, 0, 0, 0, 0)) is None
    assert told("kill", (2**64 - 5, 9, 0, 0, 0, 0)) == {"target": -5, "number": 9}
    assert told("prctl", (15, 0, 0, 0, 0, 0)) is None
    assert told("prlimit64", (0, 7, 0, 1, 0, 0)) is None
