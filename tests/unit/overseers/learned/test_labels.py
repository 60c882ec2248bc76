# SPDX-License-Identifier: Apache-2.0
"""Labels are read as they stand; what repeats or contradicts is named, what cannot be used is one sentence."""

import json
from dataclasses import replace

import pytest

from needles.episodes import told
from safetyboard.overseers.learned.label_file import Label, read_labels
from safetyboard.overseers.learned.settling import Key, axis_of, settle
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, WrongUse

HEAD = "file,run,label,axis,by,cluster,weight\n"


def label(run: str, answer: str, by: str = "Ada", **more: str) -> tuple[Label, Key]:
    row = {"file": "log.jsonl", "run": run, "label": answer, "axis": "concern", "by": by, **more}
    [read] = read_labels(json.dumps(row).encode(), "labels.jsonl")
    return read, ("log.jsonl", run)


RUNS = {("log.jsonl", run): told((("say", run),)) for run in "abcdef"}


def test_a_table_and_json_lines_say_the_same() -> None:
    table = read_labels(
        (HEAD + "log.jsonl, a ,YES,concern,Ada,c1,2\n\nlog.jsonl,b,unsure,concern,Ada,,\n").encode(), "l"
    )
    rows = [
        {"file": "log.jsonl", "run": "a", "label": "yes", "axis": "concern", "by": "Ada", "cluster": "c1", "weight": 2},
        {"file": "log.jsonl", "run": "b", "label": "unsure", "axis": "concern", "by": "Ada", "note": None},
    ]
    lines = read_labels("\n".join(map(json.dumps, rows)).encode(), "l")
    assert [(each.run, each.label, each.cluster, each.weight) for each in table] == [
        ("a", "yes", "c1", 2.0),
        ("b", "unsure", "", 1.0),
    ]
    nowhere = {"place": "", "line": 0}
    assert [vars(each) | nowhere for each in table] == [vars(each) | nowhere for each in lines]
    assert (table[1].place, table[1].line) == ("l, line 4", 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no label"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"{not json}", "line 1: not JSON"),
        (b'{"file": "f"}\n', "line 1: label is missing"),
        (b'{"file": ["f"]}\n', "neither text nor a number"),
        (b"file,label,axis,by,verdict\nf,yes,a,b,c\n", "no such column: 'verdict'"),
        (b"file,label,axis,by\nf,maybe,a,b\n", "the label 'maybe' is none"),
        (b"file,label,axis,by\nf,yes,a\n", "line 2: 3 cells under 4 columns"),
        (b"file,file\nf,f\n", "stands there twice"),
        (b'file,label,axis,by\n"f"x,yes,a,b\n', "not CSV"),
        (b"file,label,axis,by,weight\nf,yes,a,b,nan\n", "the weight 'nan' is no number above zero"),
        (b"file,label,axis,by,weight\nf,yes,a,b,-1\n", "the weight '-1'"),
    ],
)
def test_a_file_that_is_no_labels_is_refused_in_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(SyntaxFault, match=r"^labels\.csv") as caught:
        read_labels(content, "labels.csv")
    assert said in str(caught.value)


def test_contradictions_are_listed_and_set_aside_repeats_listed_and_counted_once() -> None:
    labels = [
        label("a", "yes"), label("b", "no"),
        label("c", "yes"), label("c", "no", "Ben"),
        label("d", "yes"), label("d", "yes"),
        label("e", "unsure"), label("e", "no", "Ben"),
        label("f", "unsure"),
    ]  # fmt: skip
    found = settle(labels, RUNS, "concern")
    assert [(case.name[-2], case.concern) for case in found.cases] == [
        ("a", True),
        ("b", False),
        ("d", True),
        ("e", False),
    ]
    assert found.aside == {"on another axis": 0, "unsure": 2, "contradictory": 2, "repeated": 1}
    assert found.taken_in == len(labels) == found.used + sum(found.aside.values())
    assert any("'c': contradictory labels: yes by Ada" in each and "no by Ben" in each for each in found.remarks)
    assert any("'d': labelled twice alike by Ada" in each for each in found.remarks)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([label("a", "yes"), label("b", "yes")], "No run is labelled no"),
        ([label("a", "no"), label("b", "unsure")], "No run is labelled yes on the axis 'concern'; 1 labels"),
        ([label("a", "yes", cluster="x"), label("a", "yes", "Ben", cluster="y"), label("b", "no")], "several clusters"),
    ],
)
def test_an_empty_class_or_two_clusters_of_one_run_are_refused(labels: list[tuple[Label, Key]], said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        settle(labels, RUNS, "concern")
    assert said in str(caught.value)


def test_the_axis_is_the_only_one_or_the_one_asked_for() -> None:
    one, other = label("a", "yes")[0], label("b", "no", axis="outcome")[0]
    assert axis_of([one], "") == "concern"
    assert axis_of([one, other], "outcome") == "outcome"
    for wanted in ("", "malign"):
        with pytest.raises(SafetyboardError, match="--axis: concern, outcome"):
            axis_of([one, other], wanted)


def test_runs_of_one_task_are_one_cluster_unless_the_labels_say_otherwise() -> None:
    runs = {key: replace(run, task="add two numbers") for key, run in RUNS.items()}
    found = settle([label("a", "yes"), label("b", "no"), label("c", "no", cluster="own")], runs, "concern")
    assert [case.cluster for case in found.cases] == ["task add two numbers", "task add two numbers", "named own"]
