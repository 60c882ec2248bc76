# SPDX-License-Identifier: Apache-2.0
"""Figures of runs and of routes say in words what they show, and repeat byte for byte."""

import xml.etree.ElementTree as ElementTree

from safetyboard.laboratory.figures.causal_graph import Arrow, Node, causal_graph
from safetyboard.laboratory.figures.course_of_runs import MOST, Mark, Run, course_of_runs
from safetyboard.laboratory.figures.routes import routes_and_remedies

RUN = Run(label="run <1>", chain="test-tampering", marks=(Mark(step=3, shows="attempt"), Mark(step=9, shows="failure")))


def described(svg: str) -> str:
    root = ElementTree.fromstring(svg)
    return next(each.text or "" for each in root.iter() if each.tag.endswith("desc"))


def test_every_mark_is_told_in_words_and_names_are_inert() -> None:
    svg = course_of_runs([RUN])
    assert described(svg) == "run <1>, test-tampering: attempt at step 3, failure at step 9"
    assert "run <1>" not in svg
    assert svg == course_of_runs([RUN])


def test_no_more_runs_are_drawn_than_fit() -> None:
    assert described(course_of_runs([RUN] * (MOST + 5))).count("failure") == MOST


def test_a_route_that_got_through_is_told_apart_from_one_that_was_held_or_not_tried() -> None:
    columns = {"as given": {0: "through", 1: "through"}, "rule": {0: "held", 1: "through"}, "mount": {0: "held"}}
    svg = routes_and_remedies(["the edit tool", "redirection"], columns)
    told = "as given: the edit tool, redirection got through; rule: redirection got through; mount: nothing got through"
    assert described(svg) == told
    assert (svg.count("✕"), svg.count("✓")) == (3, 2)
    assert "not tried" in svg


def test_every_link_of_a_causal_graph_is_told_with_its_result() -> None:
    nodes = [Node(name=each, surface="authority", text=f"the text of {each} " * 9) for each in ("a", "b", "c")]
    arrows = [Arrow(cause="a", effect="c", result="necessary"), Arrow(cause="b", effect="c", result="refuted")]
    svg = causal_graph(nodes, arrows, top="c")
    assert described(svg) == "a leads to c (necessary); b leads to c (refuted)"
    assert svg == causal_graph(nodes, arrows, top="c")


def test_a_graph_without_links_is_a_box() -> None:
    assert "alone" in causal_graph([Node(name="x", surface="model", text="alone")], [], top="x")
