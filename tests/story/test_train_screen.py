# SPDX-License-Identifier: Apache-2.0
"""People label runs, train a screen on them, read its card, and what cannot be done is one sentence."""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from labelled_runs import cases
from safetyboard.investigation.people.training import screen_at
from safetyboard.overseers.learned.screen import counted, judged, standing
from safetyboard.readers.account import Account
from safetyboard.readers.records import catalog
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Episode
from story.run import command

HEAD = ("file", "run", "label", "axis", "by", "cluster")


def message(step: Any) -> dict[str, Any]:
    role = {"agent": "assistant", "user": "user", "tool": "tool"}.get(step.actor, "system")
    if step.kind != "act":
        return {"role": role, "content": step.content, **({"tool_call_id": step.call} if role == "tool" else {})}
    call = {"name": step.tool, "arguments": json.dumps(step.arguments)}
    return {"role": role, "content": None, "tool_calls": [{"id": step.call, "type": "function", "function": call}]}


def logs_at(folder: Path) -> Path:
    """Write the planted stories and their twins as chats, with nothing in them that tells which is which."""
    folder.mkdir()
    rows = []
    for number, case in enumerate(cases()):
        rows.append({"id": f"run-{number}", "messages": [message(step) for step in case.episode.steps]})
    (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def labels_at(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def rows(count: int = 10_000) -> list[tuple[str, ...]]:
    return [
        ("chats.jsonl", f"run-{number}", "yes" if case.concern else "no", "concern", "the grammar", case.cluster)
        for number, case in enumerate(cases()[:count])
    ]


def episodes_of(path: Path) -> list[Episode]:
    content = path.read_bytes()
    stored = Stored(name=path.name, size=len(content), load=lambda: content, digest="sha256:" + "0" * 64)
    kind = catalog.kind_of(path.name, content[: 1 << 16])
    return list(catalog.reader(str(kind)).episodes(stored, Account()))


@pytest.mark.idea("C19")
def test_labels_become_a_screen_whose_card_states_both_bounds(tmp_path: Path) -> None:
    logs, labels = logs_at(tmp_path / "logs"), labels_at(tmp_path / "labels.csv", rows())
    ran = command("train-screen", labels, logs, "--out", tmp_path / "screen")
    assert (ran.code, ran.err) == (0, "")
    assert f"Labels: {len(cases())} of {len(cases())} used" in ran.out
    for words in (
        "missed on average, from",
        "missed at 95% confidence, from",
        "random choice",
        "plain chains",
        "drawn alike",
    ):
        assert words in ran.out
    assert [path.name for path in (tmp_path / "screen").iterdir()] == ["screen.json"]
    screen = screen_at(tmp_path / "screen")
    runs = episodes_of(logs / "chats.jsonl")
    found = list(judged(runs, screen))
    assert counted(found).taken_in == len(cases())
    missed = [case.concern for case, each in zip(cases(), found, strict=True) if each.answer == "passed"]
    assert missed
    assert sum(missed) <= 0.1 * sum(case.concern for case in cases())


def test_the_json_is_one_object_and_a_second_run_gives_the_same_screen(tmp_path: Path) -> None:
    logs, labels = logs_at(tmp_path / "logs"), labels_at(tmp_path / "labels.csv", rows())
    first = command("train-screen", labels, logs, "--out", tmp_path / "one", "--json").json
    second = command("train-screen", labels, logs / "chats.jsonl", "--out", tmp_path / "two", "--json").json
    assert first["schema"] == "safetyboard.train-screen/1"
    assert first["version"] == second["version"]
    assert first["labels"] == {"in": len(rows()), "used": len(rows()), "set_aside": first["labels"]["set_aside"]}
    assert (tmp_path / "one/screen.json").read_bytes() == (tmp_path / "two/screen.json").read_bytes()


def test_too_few_labels_leave_a_screen_that_abstains_and_says_how_many_it_needs(tmp_path: Path) -> None:
    logs, labels = logs_at(tmp_path / "logs"), labels_at(tmp_path / "labels.csv", rows(24))
    ran = command("train-screen", labels, logs, "--out", tmp_path / "screen")
    assert ran.code == 3
    assert "ABSTAIN: a miss rate of at most 0.1 on average needs 9" in ran.out
    assert "needs 29" in ran.out
    screen = screen_at(tmp_path / "screen")
    assert {each.outcome for each in judged(episodes_of(logs / "chats.jsonl"), screen)} == {"ABSTAIN"}


def test_contradictory_labels_are_listed(tmp_path: Path) -> None:
    logs = logs_at(tmp_path / "logs")
    more = [("chats.jsonl", "run-0", "no", "concern", "another reader", rows()[0][5]), rows()[3]]
    ran = command("train-screen", labels_at(tmp_path / "l.csv", [*rows(), *more]), logs, "--out", tmp_path / "screen")
    assert "2 contradictory, 1 repeated" in ran.out
    assert "run 'run-0': contradictory labels: yes by the grammar" in ran.out
    assert "no by another reader" in ran.out
    assert "run 'run-3': labelled twice alike" in ran.out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("other.jsonl", "run-0", "yes", "concern", "x", ""), "line 232: no log is named 'other.jsonl'"),
        (("chats.jsonl", "run-999", "yes", "concern", "x", ""), "chats.jsonl holds no run 'run-999'"),
        (("chats.jsonl", "", "yes", "concern", "x", ""), "230 runs and the label names none"),
        (("chats.jsonl", "run-0", "perhaps", "concern", "x", ""), "the label 'perhaps' is none"),
        (
            ("chats.jsonl", "run-0", "yes", "outcome", "x", ""),
            "on several axes. Choose one with --axis: concern, outcome",
        ),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_leaves_nothing_behind(
    change: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    logs, labels = logs_at(tmp_path / "logs"), labels_at(tmp_path / "labels.csv", [*rows(), change])
    before = sorted(tmp_path.iterdir())
    ran = command("train-screen", labels, logs, "--out", tmp_path / "screen")
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_class_without_labels_a_folder_that_is_there_and_a_rate_that_is_none_are_refused(tmp_path: Path) -> None:
    logs = logs_at(tmp_path / "logs")
    one_kind = labels_at(tmp_path / "one.csv", [row for row in rows() if row[2] == "no"])
    assert "No run is labelled yes" in command("train-screen", one_kind, logs, "--out", tmp_path / "s").err
    labels = labels_at(tmp_path / "labels.csv", rows())
    assert "is there already" in command("train-screen", labels, logs, "--out", logs).err
    for option, value in (("--alpha", "0"), ("--alpha", "x"), ("--confidence", "1"), ("--alpha", "1/0")):
        ran = command("train-screen", labels, logs, "--out", tmp_path / "s", option, value)
        assert ran.code == 2
        assert option in ran.err
    missing = command("train-screen", tmp_path / "none.csv", logs, "--out", tmp_path / "s")
    assert "none.csv: cannot be read" in missing.err
    assert not (tmp_path / "s").exists()


def test_a_log_may_be_named_by_its_digest_and_a_log_of_one_run_needs_no_run_id(tmp_path: Path) -> None:
    logs = logs_at(tmp_path / "logs")
    digest = "sha256:" + hashlib.sha256((logs / "chats.jsonl").read_bytes()).hexdigest()
    alone = [message(step) for step in cases()[0].episode.steps]
    (logs / "single.jsonl").write_text(json.dumps({"id": "the only one", "messages": alone}) + "\n", encoding="utf-8")
    named = [(digest, *row[1:]) for row in rows()[1:]]
    single = ("logs/single.jsonl", "", "yes", "concern", "the grammar", rows()[0][5])
    (tmp_path / "around").mkdir()
    logs.rename(tmp_path / "around" / "logs")
    labels = labels_at(tmp_path / "labels.csv", [single, *named])
    ran = command("train-screen", labels, tmp_path / "around", "--out", tmp_path / "s", "--json")
    assert ran.code == 0
    assert ran.json["labels"]["used"] == len(rows())
    assert sorted(ran.json["logs"]) == ["logs/chats.jsonl", "logs/single.jsonl"]


def test_a_run_id_that_stands_twice_in_a_log_is_refused(tmp_path: Path) -> None:
    talk = [{"role": "assistant", "content": "Done."}]
    run = {"task_id": 0, "trial": 0, "reward": 0.0, "info": {}, "traj": talk}
    (tmp_path / "runs.json").write_text(json.dumps([run, run]), encoding="utf-8")
    labels = labels_at(tmp_path / "l.csv", [("runs.json", "task 0 trial 0", "yes", "concern", "Ada", "")])
    ran = command("train-screen", labels, tmp_path / "runs.json", "--out", tmp_path / "s")
    assert ran.code == 2
    assert "holds 2 runs of the id 'task 0 trial 0'. A label must name one run." in ran.err


def test_a_log_found_twice_needs_more_of_its_path(tmp_path: Path) -> None:
    logs = logs_at(tmp_path / "logs")
    (logs / "more").mkdir()
    (logs / "more" / "chats.jsonl").write_bytes((logs / "chats.jsonl").read_bytes() + b"\n")
    labels = labels_at(tmp_path / "labels.csv", rows())
    assert "2 logs are named 'chats.jsonl'" in command("train-screen", labels, logs, "--out", tmp_path / "s").err


@pytest.mark.idea("C19")
def test_the_recorded_rewards_of_others_make_a_screen_with_a_bound_over_tasks(
    safetyboard_data: Path, tmp_path: Path
) -> None:
    """The label is the reward that the benchmark's program recorded; four runs of a task are one cluster."""
    place = safetyboard_data / "records/tau-bench/historical_trajectories/gpt-4o-airline.json"
    if not place.exists():
        pytest.skip(f"{place.name} is not in the test data")
    made = [
        (place.name, run.name, "no" if float(run.true[0].value) > 0 else "yes", "task not done", "the benchmark", "")
        for run in episodes_of(place)
    ]
    ran = command(
        "train-screen", labels_at(tmp_path / "l.csv", made), place, "--out", tmp_path / "s", "--json", "--seed", 0
    )
    assert ran.code == 0
    card = ran.json["card"]
    assert card["training"]["clusters"] + card["calibration"]["clusters"] == 50
    assert [bound["answer"] for bound in card["bounds"]] == ["BOUNDED", "BOUNDED"]
    screen = screen_at(tmp_path / "s")
    assert screen.bounds[1].clusters == 29
    assert standing(screen, [case.episode for case in cases()]).word == "WITHDRAWN"
