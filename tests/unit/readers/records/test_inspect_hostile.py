# SPDX-License-Identifier: Apache-2.0
"""Inspect logs that are hostile, damaged or huge: one reason each, and the rest is read in little memory."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.readers.account import Discrepancy
from safetyboard.readers.records import inspect_archive
from safetyboard.terms.errors import SafetyboardError, UnreadableInput
from unit.readers.records.archives import (
    DEFLATED,
    STORED,
    ZSTANDARD,
    Entry,
    entry,
    found_again,
    log_of,
    pooled,
    read,
    sample_of,
    stored,
    zip_of,
)

BAD = "samples/b_epoch_1.json"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([Entry(name=BAD, content=b"[" + b" " * (300 << 20) + b"]")], "members over the limit"),
        ([Entry(name=BAD, content=b" " * (4 << 20), method=ZSTANDARD)], "members over the limit"),
        ([Entry(name=BAD, content=b" " * (4 << 20), method=ZSTANDARD, claimed=9)], "damaged members"),
        ([Entry(name=BAD, content=b" " * (4 << 20), claimed=9)], "damaged members"),
        ([Entry(name=BAD, content=b"{}", claimed=9)], "damaged members"),
        ([Entry(name="samples/../b_epoch_1.json", content=b"{}")], "members with path tricks"),
        ([Entry(name="/samples/b_epoch_1.json", content=b"{}")], "unknown types"),
        ([Entry(name="samples/a\\b_epoch_1.json", content=b"{}")], "members with path tricks"),
        ([Entry(name=BAD, content=b"{}", flags=1)], "encrypted members"),
        ([Entry(name=BAD, content=b"{}", method=14)], "members packed in an unknown way"),
        ([Entry(name=BAD, content=b"{", method=STORED)], "truncated"),
        ([Entry(name=BAD, content=b"[" * 100_000, method=STORED)], "nested over 200 deep"),
        ([Entry(name=BAD, content=b'"\xff"', method=STORED)], "not UTF-8"),
        ([Entry(name=BAD, content=b"7", method=STORED)], "samples that are no object"),
    ],
)  # fmt: skip
def test_a_hostile_member_is_left_by_name_of_the_reason_and_the_rest_is_read(members: list[Entry], reason: str) -> None:
    pytest.importorskip("zstandard")
    honest = log_of([sample_of(1), sample_of(2)])
    episodes, account = read(zip_of([*members, *honest]))
    assert [episode.name for episode in episodes] == ["1_epoch_1", "2_epoch_1"]
    assert account.left.total() == 1
    assert reason in account.left or (reason == "truncated" and "not JSON" in account.left), account.left
    assert account.balanced


@pytest.mark.parametrize("spot", ["metadata", "scores", "arguments", "content", "id", "epoch"])
def test_a_sample_nested_too_deep_is_left_whole_and_the_rest_is_read(spot: str) -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    bad = sample_of(1)
    if spot == "scores":
        bad["scores"] = {"match": {"value": deep}}
    elif spot == "arguments":
        bad["messages"][2]["tool_calls"][0]["arguments"] = {"x": deep}
    elif spot == "content":
        bad["messages"][1]["content"] = deep
    else:
        bad[spot] = deep
    members = log_of([sample_of(1), sample_of(2)])
    members[1] = entry("samples/1_epoch_1.json", bad)
    episodes, account = read(zip_of(members))
    assert [episode.name for episode in episodes] == ["2_epoch_1"]
    assert account.left == {"nested over 200 deep": 1}
    assert account.balanced


def test_members_that_overlap_are_left() -> None:
    honest = log_of([sample_of(1)])
    again = [Entry(name=f"samples/{n}_epoch_2.json", content=honest[1].content, at=1) for n in range(3)]
    episodes, account = read(zip_of([*honest, *again]))
    assert len(episodes) + account.left["members that overlap"] == 4
    assert account.left["members that overlap"] == 3


def test_of_two_members_of_one_name_the_later_is_read_and_the_other_named() -> None:
    honest = log_of([sample_of(1)])
    earlier = entry("samples/1_epoch_1.json", sample_of(1, text="another story"))
    episodes, account = read(zip_of([earlier, *honest]))
    assert [episode.steps[2].content for episode in episodes] == ["done"]
    assert account.left == {"superseded members": 1}
    assert account.discrepancies == [Discrepancy(between="samples", name="1", what="duplicate", where="samples")]


@pytest.mark.parametrize("cut", [1, 10, 22, 200, 1000])
def test_a_truncated_archive_is_refused_in_one_sentence(cut: int) -> None:
    content = zip_of(log_of([sample_of(1), sample_of(2)]))[:-cut]
    with pytest.raises(UnreadableInput) as caught:
        read(content)
    assert "made.eval" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_of_something_else_is_refused() -> None:
    with pytest.raises(UnreadableInput, match="Inspect"):
        read(zip_of([Entry(name="photo.jpg", content=b"x")]))


def test_too_many_members_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_archive, "MOST_MEMBERS", 5)
    with pytest.raises(UnreadableInput, match="over 5 members"):
        read(zip_of(log_of([sample_of(number) for number in range(9)])))


def test_a_truncated_json_log_gives_the_samples_before_the_cut() -> None:
    log = {"version": 2, "status": "success", "eval": {"task": "t"}, "samples": [sample_of(n) for n in range(1, 5)]}
    content = json.dumps(log).encode()
    episodes, account = read(content[:-300], "cut.json")
    assert 1 <= len(episodes) < 4
    assert account.left == {"truncated": 1}
    assert account.balanced


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=9,
)


@given(data=st.data())
def test_no_damage_to_a_sample_ends_in_a_traceback(data: st.DataObject) -> None:
    sample = pooled(data.draw(st.sampled_from(["message_pool", "events_data"])))
    sample["events"].append(
        {"event": "tool", "id": "c1", "function": "bash", "arguments": {}, "result": [{"type": "text"}]}
    )
    for _ in range(data.draw(st.integers(1, 4))):
        spot: Any = sample
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            key = data.draw(st.sampled_from(keys))
            if not (isinstance(spot[key], dict | list) and spot[key]) or data.draw(st.booleans()):
                spot[key] = data.draw(junk)
                break
            spot = spot[key]
    members = log_of([sample_of(1)])
    members[1] = Entry(name="samples/1_epoch_1.json", content=json.dumps(sample).encode(), method=DEFLATED)
    content = zip_of(members)
    try:
        episodes, account = read(content)
    except SafetyboardError:
        return
    assert account.balanced
    for episode in episodes:
        for step in episode.steps:
            assert found_again(stored("f.eval", content), step), step


MEASURE = """
import resource, sys
from pathlib import Path
from safetyboard.readers.account import Account
from safetyboard.readers.records import inspect_log
from safetyboard.readers.stored import Stored
resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
path = Path(sys.argv[1])
account = Account()
stored = Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes, stream=lambda: path.open("rb"))
count = sum(len(episode.steps) > 0 for episode in inspect_log.episodes(stored, account))
# The kernel's high-water mark of this program alone; ru_maxrss would count that of the one which started it.
most = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(count, most, account.balanced, len(account.discrepancies))
"""


def measured(path: Path) -> list[str]:
    run = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-500:]
    return run.stdout.split()


def large_sample(number: int) -> dict[str, Any]:
    sample = sample_of(number)
    sample["messages"][3]["content"] = f"{number:08d} lines of output\n" * 1500
    return sample


@pytest.mark.slow
def test_a_log_of_five_thousand_samples_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.eval"
    members = log_of([sample_of(number) for number in range(5000)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            name, _, _ = member.name.rpartition("_epoch_")
            number = name.removeprefix("samples/")
            content = json.dumps(large_sample(int(number))).encode() if number.isdecimal() else member.content
            archive.writestr(member.name, content)
    assert path.stat().st_size > 188_000_000
    count, kilobytes, balanced, discrepancies = measured(path)
    assert (count, balanced, discrepancies) == ("5000", "True", "0")
    assert int(kilobytes) < 150_000
    os.unlink(path)


def test_a_large_json_log_is_streamed_too(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("w") as stream:
        stream.write('{"version": 2, "status": "started", "eval": {"task": "t"}, "samples": [')
        stream.write(",".join(json.dumps(large_sample(number)) for number in range(1200)))
        stream.write("]}")
    assert path.stat().st_size > 40_000_000
    count, kilobytes, balanced, _ = measured(path)
    assert (count, balanced) == ("1200", "True")
    assert int(kilobytes) < 100_000
