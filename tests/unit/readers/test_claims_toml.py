# SPDX-License-Identifier: Apache-2.0
"""Claims over a data file become cells; every mistake is named with table, key and remedy."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.made_up_networks import onnx_bytes
from safetyboard.readers.claims_toml import ClaimDraft, read_claims, read_header
from safetyboard.readers.data_table import read_table
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.setting import load_settings, run
from safetyboard.terms.claim import Claim
from safetyboard.terms.errors import SafetyboardError, SyntaxFault

HEAD = """schema = "safetyboard.claims/1"
[network]
file = "n.onnx"
[data]
file = "d.csv"
label = "class"
row = "id"
[[classes]]
name = "yes"
output = 0
[[classes]]
name = "no"
output = 1
"""
DATA = b"id,a,b,class\n7,1.5,-0.1,yes\n8,0.2,2,no\n9,-3,0.5,yes\n"
WEIGHTS = [(np.eye(2), np.zeros(2), False)]
CONTENT = onnx_bytes(WEIGHTS)
NETWORK, _ = read_network(CONTENT, "n.onnx")


def drafts(text: str, data: bytes | None = DATA) -> tuple[ClaimDraft, ...]:
    header = read_header(text.encode(), "claims.toml")
    table = None if data is None or header.data is None else read_table(data, header.data, **header.columns)
    return read_claims(header, table=table, network=NETWORK, predict=lambda batch: run(NETWORK.layers, batch))


NEVER = HEAD + '[[claims]]\nname = "c"\nkind = "class-never"\nrows = "yes"\nnever = "no"\n'


def test_each_row_of_the_class_is_a_box_around_its_decimals_and_wrong_rows_are_counted_apart() -> None:
    (draft,) = drafts(NEVER + "radius = 0.1\n")
    (cell,) = draft.domain.cells
    assert cell.label == "row 7"
    assert Fraction(cell.lower[0]) == Fraction("1.35")
    assert Fraction(cell.upper[1]) == Fraction("-0.09")
    assert Fraction(cell.centre[1]) == Fraction(float(np.float32(-0.1)))
    assert [(e.label, e.reason) for e in draft.domain.excluded] == [("row 9", "wrong before any change")]
    assert draft.counts == {"rows": 2, "excluded": 1}


def test_every_radius_is_a_claim_of_its_own_and_boxes_grow() -> None:
    made = drafts(NEVER + 'radii = [0.005, 0.1]\nstatement = "within {radius}"\n')
    assert [draft.name for draft in made] == ["c@0.5%", "c@10%"]
    assert made[0].statement == "within 0.5%"
    assert Fraction(made[0].domain.cells[0].lower[0]) > Fraction(made[1].domain.cells[0].lower[0])


def test_the_row_itself_is_inside_its_box_even_with_no_radius() -> None:
    (draft,) = drafts(NEVER)
    for cell in draft.domain.cells:
        for low, middle, high in zip(cell.lower, cell.centre, cell.upper, strict=True):
            assert Fraction(low) <= Fraction(middle) <= Fraction(high)


def test_absolute_and_per_feature_tolerances() -> None:
    (draft,) = drafts(NEVER + 'tolerance = "absolute"\nradius = 1\nper_feature = { b = 0.25 }\n')
    cell = draft.domain.cells[0]
    assert (cell.lower[0], cell.upper[0]) == ("1/2", "5/2")
    assert Fraction(cell.upper[1]) == Fraction("0.15")


def test_a_robust_class_is_unsafe_wherever_another_class_reaches_it() -> None:
    (draft,) = drafts(HEAD + '[[claims]]\nname = "r"\nkind = "robust-class"\nradius = 0.1\n')
    assert [cell.label for cell in draft.domain.cells] == ["row 7", "row 8"]
    assert len(draft.domain.unsafe_sets) == 2


def test_scaling_outside_the_network_is_applied_exactly() -> None:
    text = NEVER + 'radius = 0.1\n[scaling]\nwhere = "outside"\nmean = [0.5, 0]\ndeviation = [2, 4]\n'
    (draft,) = drafts(text)
    assert Fraction(draft.domain.cells[0].lower[0]) == (Fraction("1.35") - Fraction("0.5")) / 2


def test_a_monotone_claim_compares_two_runs() -> None:
    text = HEAD + (
        '[[claims]]\nname = "m"\nkind = "monotone"\nfeature = "a"\noutput = 0\nstep = 0.5\n'
        "slack = 0.25\n"
        "box = { a = [-1, 1], b = [0, 1] }\n"
    )
    (draft,) = drafts(text)
    assert draft.domain.lift == {"kind": "twin", "feature": 0}
    claim = Claim(
        surface="model", subject="s", property="p", statement="", overseer="", domain="d", cells=len(draft.domain.cells)
    )
    (setting,) = load_settings(claim, draft.domain, NETWORK, CONTENT)
    points = np.array([[0.25, 0.5, 0.5], [0.25, 0.5, 0.0]])
    assert setting.harm(setting.forward(points)).tolist() == [-0.75, -0.25]
    assert setting.deployed(points.astype(np.float32))[0].tolist() == [0.25, 0.5, 0.75, 0.5]


def test_a_monotone_claim_without_slack_is_refused_as_it_could_never_be_proved() -> None:
    text = HEAD + (
        '[[claims]]\nname = "m"\nkind = "monotone"\nfeature = "a"\noutput = 0\nstep = 0.5\n'
        "box = { a = [-1, 1], b = [0, 1] }\n"
    )
    with pytest.raises(SyntaxFault, match="slack above zero"):
        drafts(text)


def test_an_output_range_over_a_box_has_two_ways_to_fail() -> None:
    text = HEAD + (
        '[[claims]]\nname = "o"\nkind = "output-range"\noutput = 1\nat_least = -1\nat_most = 2\n'
        "box = { a = [0, 1], b = [0, 1] }\n"
    )
    (draft,) = drafts(text)
    assert len(draft.domain.unsafe_sets[0]) == 2


def test_a_threshold_class_needs_one_output_only() -> None:
    text = NEVER.replace('name = "yes"\noutput = 0', 'name = "yes"\noutput = 0\nbelow = 0.0').replace(
        'name = "no"\noutput = 1', 'name = "no"\noutput = 0\nabove = 0.0'
    )
    (draft,) = drafts(text)
    assert [cell.label for cell in draft.domain.cells] == ["row 9"]


WRONG: dict[str, tuple[str, bytes | None, str]] = {
    "an unknown key": (NEVER + "radus = 1\n", DATA, "Did you mean 'radius'"),
    "no TOML": ("a = ", DATA, "not TOML"),
    "a missing schema": (NEVER.replace("claims/1", "claims/9"), DATA, "schema"),
    "an unknown kind": (NEVER.replace("class-never", "class-ever"), DATA, "known: class-never"),
    "an unknown class": (NEVER.replace('never = "no"', 'never = "maybe"'), DATA, "Known: yes, no"),
    "rows of no class": (NEVER.replace('rows = "yes"', 'rows = "perhaps"'), DATA, "no row is labelled"),
    "a missing column": (NEVER, DATA.replace(b"class", b"klass"), "there is no column 'class'"),
    "text among numbers": (NEVER, DATA.replace(b"0.2", b"n/a"), "line 3, column 'a'"),
    "a short line": (NEVER, DATA + b"1,2\n", "line 5"),
    "an infinite number": (NEVER, DATA.replace(b"0.2", b"inf"), "not a finite number"),
    "too many features": (NEVER, DATA.replace(b"b,", b"b,c,").replace(b",yes", b",1,yes").replace(b",no", b",1,no"),
                          "3 features for a network of 2 inputs"),
    "no claims": (HEAD, DATA, "no [[claims]]"),
    "two of a name": (NEVER + NEVER[len(HEAD):], DATA, "two claims"),
    "no data": (NEVER, None, "data file"),
    "a wrong tier": (NEVER + 'tier = "excellent"\n', DATA, "tier"),
    "a wrong tolerance": (NEVER + 'tolerance = "roughly"\n', DATA, "known: relative"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named(name: str) -> None:
    text, data, words = WRONG[name]
    with pytest.raises(SafetyboardError) as caught:
        drafts(text, data)
    assert words in str(caught.value)
    assert "\n" not in caught.value.message


@given(st.text(max_size=120), st.binary(max_size=80))
def test_any_text_and_data_are_read_or_refused(text: str, data: bytes) -> None:
    for claims, table in ((text, DATA), (NEVER + text, DATA), (NEVER, data)):
        try:
            drafts(claims, table)
        except SafetyboardError as error:
            assert error.message


def test_values_of_a_wrong_type_are_refused_and_not_guessed() -> None:
    for line in ("radii = 3", "radii = ['a']", "box = 3", "rows = 4", "per_feature = 1", "output = 'x'"):
        wrong: Any = NEVER + line + "\n"
        try:
            drafts(wrong)
        except SafetyboardError as error:
            assert error.message.startswith("claims.toml")
