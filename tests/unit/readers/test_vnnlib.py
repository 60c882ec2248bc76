# SPDX-License-Identifier: Apache-2.0
"""Properties are read exactly; mistakes are named with line and column."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.readers.instances import read_instances
from safetyboard.readers.vnnlib import read_vnnlib
from safetyboard.terms.domain import Domain, Row
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, TooLarge

HEAD = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
BOX = "(assert (>= X_0 -1.5))(assert (<= X_0 0.1))(assert (>= X_1 0))(assert (<= X_1 1e-3))\n"


def read(text: str) -> Domain:
    return read_vnnlib(text.encode(), "p.vnnlib", inputs=2, outputs=2)


def test_decimals_are_kept_exactly() -> None:
    domain = read(HEAD + BOX + "(assert (<= Y_0 Y_1))")
    assert domain.cells[0].lower == ("-3/2", "0")
    assert domain.cells[0].upper == ("1/10", "1/1000")
    assert domain.unsafe_sets == (((Row(coefficients=((0, "1"), (1, "-1"))),),),)


def test_a_disjunction_over_inputs_gives_cells_and_one_over_outputs_conjunctions() -> None:
    text = HEAD + BOX + "(assert (or (and (<= X_0 -1) (<= Y_0 3)) (and (>= X_0 0) (or (>= Y_1 2) (<= Y_1 -2)))))"
    domain = read(text)
    assert [cell.upper[0] for cell in domain.cells] == ["-1", "1/10"]
    assert [len(domain.unsafe_sets[cell.unsafe]) for cell in domain.cells] == [1, 2]


def test_sums_differences_products_and_equality_are_linear_arithmetic() -> None:
    domain = read(HEAD + BOX + "(assert (<= (+ (* 2 Y_0) (- Y_1) 3) (- Y_0 4)))(assert (= Y_0 1))")
    rows = domain.unsafe_sets[0][0]
    assert rows[0] == Row(coefficients=((0, "1"), (1, "-1")), constant="7")
    assert len(rows) == 3


def test_an_empty_box_is_excluded_and_said_so() -> None:
    domain = read(HEAD + BOX + "(assert (>= X_0 5))(assert (<= Y_0 0))")
    assert domain.cells == ()
    assert domain.excluded[0].reason == "empty box"


WRONG = {
    "an unclosed bracket": (HEAD + "(assert (<= X_0 1)", "line 5, column 1"),
    "a bracket too many": (HEAD + "(assert (<= X_0 1)))", "line 5, column 20"),
    "an unknown command": ("(check-sat)", "line 1, column 2"),
    "an undeclared variable": ("(declare-const X_0 Real)\n(assert (<= X_1 1))", "line 2, column 13"),
    "more inputs than the network has": ("(declare-const X_7 Real)", "the network has 2 inputs"),
    "more outputs than the network has": ("(declare-const Y_2 Real)", "the network has 2 outputs"),
    "an unbounded input": (HEAD + "(assert (<= X_0 1))", "X_0 is not bounded"),
    "a strict comparison": (HEAD + "(assert (< X_0 1))", "line 5, column 10"),
    "a product of variables": (HEAD + "(assert (<= (* Y_0 Y_1) 1))", "not linear"),
    "a relation between inputs": (HEAD + BOX + "(assert (<= X_0 X_1))", "joins several inputs"),
    "words outside any command": ("hello", "line 1, column 1"),
    "nothing": ("", "no variable"),
    "no number": (HEAD + "(assert (<= X_0 1.2.3))", "line 5, column 17: '1.2.3' is not a number"),
    "another sort": ("(declare-const X_0 Int)", "line 1, column 20"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_with_its_place(name: str) -> None:
    text, words = WRONG[name]
    with pytest.raises(SyntaxFault) as caught:
        read(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith("p.vnnlib")


def test_an_exploding_disjunction_is_refused() -> None:
    text = HEAD + BOX + "(assert (or (<= Y_0 1) (<= Y_1 1)))" * 40
    with pytest.raises(TooLarge, match="disjuncts"):
        read(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SyntaxFault, match="deep"):
        read("(assert " + "(and " * 5000)


@given(st.text(max_size=200) | st.text(alphabet="()<>=+-* XY_01. andorsert", max_size=300))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        read(HEAD + text)
    except SafetyboardError as error:
        assert error.message.startswith("p.vnnlib")


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(SafetyboardError):
        read_vnnlib(content, "p.vnnlib", inputs=2, outputs=2)


def test_instances_are_read_and_a_short_line_is_named() -> None:
    assert [i.network for i in read_instances(b"./a.onnx.gz,b.vnnlib,3\n\nc.onnx,d.vnnlib\n", "i.csv")] == [
        "a.onnx",
        "c.onnx",
    ]
    with pytest.raises(SyntaxFault, match="line 2"):
        read_instances(b"a,b\nc\n", "i.csv")


def test_every_competition_property_is_read(safetyboard_data: Path) -> None:
    sizes = {"acasxu": (5, 5), "mnist_fc": (784, 10)}
    for name, (inputs, outputs) in sizes.items():
        for path in sorted((safetyboard_data / "networks" / name / "vnnlib").glob("*.gz")):
            domain = read_vnnlib(gzip.decompress(path.read_bytes()), path.name, inputs=inputs, outputs=outputs)
            assert domain.cells
            assert all(domain.unsafe_sets)
    listed = (safetyboard_data / "networks" / "acasxu" / "instances.csv").read_bytes()
    assert len(read_instances(listed, "instances.csv")) == 186
