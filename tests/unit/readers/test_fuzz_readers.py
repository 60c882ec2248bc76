# SPDX-License-Identifier: Apache-2.0
"""Whatever is in a file, a reader reads it or says in one sentence why not, within memory and time."""

import io
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.made_up_networks import onnx_bytes, random_weights
from safetyboard.readers.claims_toml import read_claims, read_header
from safetyboard.readers.compressed import inflated
from safetyboard.readers.data_table import read_table
from safetyboard.readers.instances import read_instances
from safetyboard.readers.onnx_file import read_network
from safetyboard.readers.vnnlib import read_vnnlib
from safetyboard.surfaces.model.setting import run
from safetyboard.terms.domain import Domain
from safetyboard.terms.errors import SafetyboardError, UnreadableInput
from safetyboard.terms.network import Network
from safetyboard_check.normal_form import read as read_again
from safetyboard_check.onnx import graph as graph_again
from unit.readers.hostile_networks import changed, drawn, scrambled

MANY, SOME = settings(max_examples=300), settings(max_examples=120)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """A warning would stand beside the one sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def sentence(error: SafetyboardError, name: str) -> None:
    """One line of printable text that names the file and ends; the exit code is that of unreadable input."""
    text = str(error)
    assert text.startswith(name), text
    assert text.isprintable(), repr(text)
    assert text[-1] in ".?…", text
    assert len(text) < 700, text
    assert error.exit_code == 2


def network_of(content: bytes) -> Network | None:
    try:
        network, _ = read_network(content, "n.onnx")
    except SafetyboardError as error:
        sentence(error, "n.onnx")
        return None
    assert all(np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all() for layer in network.layers)
    return network


def same_chain(network: Network, content: bytes) -> None:
    """The stranger's reader finds the same layers, to the last bit."""
    again = read_again(graph_again(content))
    assert len(again) == len(network.layers)
    for mine, theirs in zip(network.layers, again, strict=True):
        weights = np.array([[value / (1 << theirs.shift) for value in row] for row in theirs.rows])
        assert (weights == mine.weight).all()
        assert [float(value) for value in theirs.bias] == mine.bias.tolist()
        assert [float(value) for value in theirs.magnitude] == mine.magnitude.tolist()
        assert (theirs.roundings, theirs.relu) == (mine.roundings, mine.relu)


@pytest.mark.parametrize("block", range(4))
def test_both_readers_agree_on_hundreds_of_drawn_networks(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        content = drawn(seed)
        network = network_of(content)
        assert network is not None, seed
        same_chain(network, content)


@MANY
@given(st.integers(0, 60), SEEDS)
def test_a_changed_network_is_refused_or_read_the_same_way_by_both_readers(network: int, seed: int) -> None:
    content = changed(drawn(network), seed)
    read = network_of(content)
    if read is not None:
        same_chain(read, content)


@MANY
@given(SEEDS)
def test_a_network_with_changed_bytes_is_read_or_refused(seed: int) -> None:
    whole = onnx_bytes(random_weights(np.random.default_rng(seed), [3, 4, 2]))
    read = network_of(scrambled(whole, seed))
    if read is not None:
        run(read.layers, np.zeros((1, read.inputs)))


@MANY
@given(st.binary(max_size=400))
def test_bytes_that_are_no_network_are_refused(content: bytes) -> None:
    assert network_of(content) is None


# --- VNN-LIB --------------------------------------------------------------------------------------------------------

HEAD = "".join(f"(declare-const {name} Real)\n" for name in ("X_0", "X_1", "Y_0", "Y_1"))
BOX = "(assert (and (>= X_0 -1.5) (<= X_0 0.1) (>= X_1 0) (<= X_1 1e-3)))\n"
SPECIFICATION = HEAD + BOX + "(assert (or (and (<= X_0 -1) (<= (+ Y_0 (* 2 Y_1)) 3)) (>= Y_1 (- Y_0 2.5))))\n"
WORDS = [
    "(", ")", "(", ")", "and", "or", "assert", "declare-const", "Real", "<=", ">=", "=", "<", "+", "-", "*",
    "X_0", "X_1", "Y_0", "Y_1", "X_9", "Y_99999999999", "Z", "1", "-0.5", "1e308", "1e999", "-1e-999",
    "1e999999", "9" * 500, ".5", "1.", "0x10", "nan", "inf", "1_0", "\u0661", ";", "\n", "X_00", "()",
]  # fmt: skip


def property_of(text: str) -> Domain | None:
    try:
        domain = read_vnnlib(text.encode("utf-8", "surrogatepass"), "p.vnnlib", inputs=2, outputs=2)
    except SafetyboardError as error:
        sentence(error, "p.vnnlib")
        assert re.match(r"p\.vnnlib, line \d+, column \d+: ", error.message), error.message
        return None
    for cell in domain.cells:
        assert all(abs(float(value)) < 2**127 for value in map(_value, (*cell.lower, *cell.upper)))
    return domain


def _value(text: str) -> float:
    above, _, below = text.partition("/")
    return int(above) / int(below or 1)


@MANY
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_words_of_the_language_in_any_order_are_read_or_refused_with_line_and_column(words: list[str]) -> None:
    property_of(HEAD + BOX + "(assert " + " ".join(words))
    property_of(HEAD + BOX + "(assert (<= Y_0 (" + " ".join(words) + ")))")


@SOME
@given(st.text(max_size=200))
def test_any_text_is_refused_with_line_and_column(text: str) -> None:
    property_of(text)
    property_of(SPECIFICATION + text)


@MANY
@given(
    st.integers(0, len(SPECIFICATION) - 1), st.integers(0, 12), st.sampled_from(["", " ", "(", ")", "1", "e", *WORDS])
)
def test_a_changed_specification_is_read_or_refused_with_line_and_column(place: int, cut: int, put: str) -> None:
    property_of(SPECIFICATION[:place] + put + SPECIFICATION[place + cut :])


def test_the_specification_itself_is_read() -> None:
    domain = property_of(SPECIFICATION)
    assert domain is not None
    assert len(domain.cells) == 2


PLACES = {
    "a number too large": (HEAD + BOX + "(assert\n  (<= Y_0 1e999))", "line 7, column 4"),
    "an exponent too long": (HEAD + BOX + "(assert\n  (<= Y_0 1e999999))", "line 7, column 11"),
    "digits without end": (HEAD + "(assert (<= Y_0 " + "1" * 9000 + "))", "line 5, column 17"),
    "products that grow": (HEAD + "(assert (<= (* 1e900 (* 1e900 Y_0)) 0))", "line 5, column 23"),
    "a bound that overflows": (HEAD + BOX + "(assert (<= (* 1e-300 X_0) 1e300))", "line 6, column 10"),
    "a bound beyond single precision": (HEAD + "(assert (>= X_0 -1e39))", "line 5, column 10"),
    "brackets too deep": ("(assert " + "(and " * 5000, "line 1, column 304"),
    "a relation of inputs": (HEAD + BOX + "\n (assert (<= X_0 X_1))", "line 7, column 11"),
    "an unbounded input": (HEAD + "(assert (<= X_0 1))", "line 1, column 16"),
    "an input that is not even declared": ("(declare-const X_0 Real)", "line 1, column 16"),
    "an empty file": ("", "line 1, column 1"),
    "a wide disjunction": (HEAD + "(assert (or" + " (<= Y_0 1)" * 20001 + "))", "line 5, column 10"),
    "an exploding one": (HEAD + BOX + "(assert (or (<= Y_0 1) (<= Y_1 1)))\n" * 40, "line 20, column 2"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_mistake_is_found_where_it_stands(name: str) -> None:
    text, place = PLACES[name]
    with pytest.raises(UnreadableInput) as caught:
        read_vnnlib(text.encode(), "p.vnnlib", inputs=2, outputs=2)
    assert f"p.vnnlib, {place}: " in caught.value.message


def test_bytes_that_are_no_text_are_named_with_line_and_column() -> None:
    with pytest.raises(UnreadableInput, match=r"line 2, column 3: this is not UTF-8"):
        read_vnnlib(b"; \n; \xff", "p.vnnlib", inputs=2, outputs=2)


# --- claims.toml, tables, lists, gzip -------------------------------------------------------------------------------

CLAIMS = """schema = "safetyboard.claims/1"
[network]
file = "n.onnx"
[data]
file = "d.csv"
label = "class"
row = "id"
[scaling]
where = "outside"
mean = [0.5, 0]
deviation = [2, 4]
[[features]]
name = "a"
lower = -5
upper = 5
[[features]]
name = "b"
[[classes]]
name = "yes"
output = 0
[[classes]]
name = "no"
output = 1
[[claims]]
name = "never"
kind = "class-never"
rows = "yes"
never = "no"
radii = [0.1, 0.2]
[[claims]]
name = "range"
kind = "output-range"
output = 1
at_most = 3
box = { a = [0, 1], b = [0, 1] }
[[claims]]
name = "rising"
kind = "monotone"
feature = "a"
output = 0
step = 0.5
slack = 0.1
per_feature = { a = 0.1 }
"""
VALUES = [
    "0", "-1", "1e400", "1e-400", "nan", "-inf", "true", '""', '"x"', "[]", "[1]", "['a']", "{}", "{ a = 1 }",
    "1" * 400, "0x" + "f" * 4000, "9" * 5000, "1979-05-27", "[" * 3000, '"\\u0000"', '"a\\nb"', "1e39",
    "{ a = [1, 0], b = [0, 1] }",
]  # fmt: skip
ROWS = b"id,a,b,class\n7,1.5,-0.1,yes\n8,0.2,2,no\n9,-3,0.5,yes\n"
NETWORK, _ = read_network(onnx_bytes([(np.eye(2), np.zeros(2), False)]), "n.onnx")


def claims_of(text: str, data: bytes = ROWS) -> int:
    """Read a claims file with its data; returns how many claims it makes, 0 where it is refused."""
    try:
        header = read_header(text.encode("utf-8", "surrogatepass"), "claims.toml")
        table = None if header.data is None else read_table(data, "d.csv", **header.columns)
        return len(read_claims(header, table=table, network=NETWORK, predict=lambda batch: run(NETWORK.layers, batch)))
    except SafetyboardError as error:
        sentence(error, "d.csv" if error.message.startswith("d.csv") else "claims.toml")
        return 0


def test_the_claims_themselves_are_read() -> None:
    assert claims_of(CLAIMS) == 4


@MANY
@given(st.integers(0, CLAIMS.count("\n") - 1), st.sampled_from(VALUES), st.booleans())
def test_a_changed_line_of_claims_is_read_or_refused(number: int, value: str, whole: bool) -> None:
    lines = CLAIMS.splitlines()
    key, equals, _ = lines[number].partition(" = ")
    lines[number] = f"{key} = {value}" if equals and not whole else value
    claims_of("\n".join(lines))


@SOME
@given(st.sampled_from(CLAIMS.splitlines()), st.sampled_from(CLAIMS.splitlines()), st.text(max_size=30))
def test_moved_lines_of_claims_are_read_or_refused(one: str, other: str, put: str) -> None:
    claims_of(CLAIMS.replace(one, other, 1))
    claims_of(CLAIMS.replace(one, "", 1))
    claims_of(CLAIMS.replace(one, f"{one}{put}", 1))


CELLS = [
    "1e9999999999",
    "1e-9999999999",
    "nan",
    "inf",
    "1_0",
    "\u0661",
    "",
    " 3 ",
    "1e39",
    "0x1",
    '"',
    '"1\n2"',
    "\x00",
    "9" * 99,
    ",",
]


@SOME
@given(st.lists(st.sampled_from(CELLS) | st.text(max_size=5), min_size=1, max_size=8), st.integers(0, len(ROWS)))
def test_any_table_is_read_or_refused(cells: list[str], place: int) -> None:
    put = ",".join(cells).encode("utf-8", "surrogatepass")
    claims_of(CLAIMS, ROWS[:place] + put + ROWS[place:])
    claims_of(CLAIMS, ROWS + put + b"\n")


def archive(**arrays: object) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def giant() -> bytes:
    """An archive whose one array says in its header that it is enormous."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s, 9), }" % (b"9" * 12)
    header = header.ljust(117) + b"\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    return packed.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "no zip": lambda: b"PK rubbish",
    "no x": lambda: archive(z=np.zeros(3)),
    "one axis": lambda: archive(x=np.zeros(3)),
    "text": lambda: archive(x=np.array([["a", "b"]])),
    "objects": lambda: archive(x=np.array([[{}, {}]], dtype=object)),
    "complex numbers": lambda: archive(x=np.array([[1j, 2.0]])),
    "NaN": lambda: archive(x=np.array([[np.nan, 1.0]])),
    "beyond single precision": lambda: archive(x=np.array([[1e39, 1.0]])),
    "labels of another length": lambda: archive(x=np.zeros((2, 2)), y=np.zeros(3)),
    "features of one name": lambda: archive(x=np.zeros((2, 2)), features=np.array(["a", "a"])),
    "no rows": lambda: archive(x=np.zeros((0, 2))),
    "a giant array": giant,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read_table(ARCHIVES[name](), "d.npz", label=None, row=None)
    sentence(caught.value, "d.npz")


@SOME
@given(SEEDS)
def test_a_damaged_archive_is_read_or_refused(seed: int) -> None:
    try:
        read_table(scrambled(archive(x=np.ones((3, 2)), y=np.arange(3)), seed), "d.npz", label=None, row=None)
    except SafetyboardError as error:
        sentence(error, "d.npz")


@SOME
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_list_and_any_gzip_are_read_or_refused(content: bytes) -> None:
    for prefix in (b"", b'"', b"\x1f\x8b\x08\x00"):
        for read in (read_instances, inflated):
            try:
                read(prefix + content, "i.csv")
            except SafetyboardError as error:
                sentence(error, "i.csv")


# --- memory and time ------------------------------------------------------------------------------------------------


def test_hostile_files_are_refused_within_four_gigabytes_and_seconds() -> None:
    script = Path(__file__).with_name("hostile_files.py")
    answer = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=200)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert answer.stdout == ""
