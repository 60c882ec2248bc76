# SPDX-License-Identifier: Apache-2.0
"""Whatever a docket holds, the stranger's checker ends with one of its own faults, within memory and time."""

import base64
import json
import random
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docket_forgery import Blobs, Records, attacker_key, of_kind, reissue
from oracle.made_up_networks import onnx_bytes, random_weights
from safetyboard.investigation.order import Order
from safetyboard.investigation.service import investigate
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard_check.__main__ import check as command
from safetyboard_check.certificate import Cell
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import NotADocket, Rejected
from safetyboard_check.input_tree import InputTree
from safetyboard_check.normal_form import read
from safetyboard_check.onnx import graph
from safetyboard_check.relu_tree import ReluTree
from safetyboard_check.unsafe import read_unsafe
from small_case import write_case
from unit.readers.hostile_networks import changed, drawn, scrambled

MANY, SOME, FEW = settings(max_examples=300), settings(max_examples=60), settings(max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)
ODD: list[Any] = [
    None, True, -1, 0, 1, 2**53, -(2**60), "", "x", "0x1p+0", "1/0", "1/3", "nan", "9" * 9000, "0x1p+9999", [], [[]],
    {}, {"a": 1}, "sha256:" + "0" * 64, "\ud800", "\x00",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real docket of a small case."""
    folder = tmp_path_factory.mktemp("case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFETYBOARD_HOME", str(folder / "home"))
        investigate(Order(path=write_case(folder / "case"), out=folder / "docket", repair=False, budget=100_000))
        yield folder / "docket"


def checked(docket: Path) -> str:
    """Check all of it; returns how it ended. Anything but a fault of the checker's own comes out as it is."""
    try:
        Checker(docket, Options(leaf_budget=5)).run()
    except NotADocket:
        return "no docket"
    except Rejected as error:
        assert str(error)
        return "rejected"
    return "accepted"


def test_the_docket_itself_is_accepted(made: Path) -> None:
    assert checked(made) == "accepted"


# --- its ONNX reader ------------------------------------------------------------------------------------------------


@MANY
@given(st.integers(0, 60), SEEDS)
def test_a_hostile_network_is_read_or_rejected(network: int, seed: int) -> None:
    content = drawn(network)
    for hostile in (changed(content, seed), scrambled(content, seed)):
        try:
            assert read(graph(hostile))
        except Rejected as error:
            assert str(error)


@MANY
@given(st.binary(max_size=300))
def test_bytes_that_are_no_network_are_rejected(content: bytes) -> None:
    with pytest.raises(Rejected):
        read(graph(content))


# --- certificate trees ----------------------------------------------------------------------------------------------

LAYERS = read(graph(onnx_bytes(random_weights(np.random.default_rng(3), [2, 3, 2, 1]))))
UNSAFE = read_unsafe([[{"coefficients": [[0, "1"]], "constant": "1000"}]], 1, "cell")


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def tree_of(kind: Callable[[Cell], Any], entry: dict[str, Any]) -> None:
    """Read and recheck a tree; only a rejection may come out."""
    try:
        made = kind(Cell(LAYERS, UNSAFE, entry, "cell 0"))
        assert 0 < made.leaves < 10_000
        made.check(range(min(made.leaves, 20)))
    except Rejected as error:
        assert str(error)


ROOT = {"lower": [(-1.0).hex()] * 2, "upper": [(1.0).hex()] * 2}
NODES = st.lists(st.sampled_from([255, 255, 255, 0, 1, 2, 126, 127, 128, 191, 192, 254]), max_size=30).map(bytes)
REALS = st.lists(st.floats(-2, 2) | st.floats(), max_size=30)


@MANY
@given(NODES, REALS, st.integers(-1, 12))
def test_any_tree_of_input_splits_is_checked_or_rejected(nodes: bytes, values: list[float], leaves: int) -> None:
    entry = {"root": ROOT, "nodes": packed(nodes), "values": packed(struct.pack(f"<{len(values)}d", *values))}
    tree_of(InputTree, {**entry, "leaves": leaves})
    tree_of(InputTree, {**entry, "leaves": nodes.count(255)})
    tree_of(InputTree, {**entry, "leaves": sum(code >= 127 for code in nodes)})


@MANY
@given(
    st.integers(0, 6),
    st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 6), max_size=6),
    st.binary(max_size=200),
    SEEDS,
)
def test_any_tree_of_relu_splits_is_checked_or_rejected(
    splits: int, neurons: list[int], data: bytes, seed: int
) -> None:
    codes = [0] * splits + [255] * (splits + 1)
    random.Random(seed).shuffle(codes)
    size = sum(8 + 5 + 8 * depth for depth in _depths(codes))
    named = [neurons[i % len(neurons)] if neurons else i for i in range(splits)]
    entry = {"root": ROOT, "nodes": packed(bytes(codes)), "leaves": splits + 1}
    entry["splits"] = packed(struct.pack(f"<{splits}I", *named))
    tree_of(ReluTree, {**entry, "leaf_data": packed(data)})
    tree_of(
        ReluTree,
        {**entry, "leaf_data": packed((data * (size // max(1, len(data)) + 1) if data else bytes(size))[:size])},
    )


def _depths(codes: list[int]) -> list[int]:
    """Depths of the leaves in preorder, as far as the codes are a tree."""
    found, waiting = [], [0]
    for code in codes:
        if not waiting:
            break
        depth = waiting.pop()
        if code == 255:
            found.append(depth)
        else:
            waiting += [depth + 1, depth + 1]
    return found


@MANY
@given(st.sampled_from(["nodes", "values", "leaves", "root", "splits", "leaf_data"]), st.sampled_from(ODD))
def test_any_value_in_a_cell_is_checked_or_rejected(key: str, value: Any) -> None:
    entry = {"root": ROOT, "nodes": packed(b"\xff"), "values": packed(b""), "splits": packed(b""), "leaves": 1}
    entry["leaf_data"] = packed(struct.pack("<d", 1.0) + bytes(5))
    for changed_entry in ({**entry, key: value}, {**entry, "root": {**ROOT, "lower": value}}):
        tree_of(InputTree, changed_entry)
        tree_of(ReluTree, changed_entry)


def test_a_compressed_bomb_in_a_cell_is_rejected() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20), 9)).decode()
    tree_of(InputTree, {"root": ROOT, "nodes": bomb, "values": packed(b""), "leaves": 1})


# --- whole dockets --------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain data."""
    found = [path]
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        found += places(item, (*path, key))
    return found


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    if path:
        value[path[-1]] = new


@FEW
@given(SEEDS)
def test_a_resigned_docket_with_any_value_anywhere_is_judged(made: Path, tmp_path_factory: Any, seed: int) -> None:
    chance = random.Random(seed)
    target = tmp_path_factory.mktemp("forged") / "docket"

    def change(records: Records, blobs: Blobs) -> None:
        record = chance.choice(records)
        place = chance.choice([path for path in places(record) if path and path != ("kind",)])
        put(record, place, chance.choice([odd for odd in ODD if _canonical(odd)]))

    try:
        forged = reissue(made, target, change, attacker_key())
    except (KeyError, TypeError, ValueError, AttributeError):
        return
    checked(forged)
    shutil.rmtree(target, ignore_errors=True)


def _canonical(value: Any) -> bool:
    try:
        canonical_json(value)
    except Exception:
        return False
    return True


@FEW
@given(SEEDS)
def test_a_resigned_docket_with_a_changed_certificate_is_judged(made: Path, tmp_path_factory: Any, seed: int) -> None:
    chance = random.Random(seed)
    target = tmp_path_factory.mktemp("forged") / "docket"

    def change(records: Records, blobs: Blobs) -> None:
        record = of_kind(records, "certificate")[0]
        body = json.loads(blobs.pop(record["body"]))
        before, place = canonical_json(body), chance.choice([path for path in places(body) if path])
        while (content := canonical_json(body)) == before:
            put(body, place, chance.choice([odd for odd in ODD if _canonical(odd)]))
        record["body"] = digest_of(content)
        blobs[record["body"]] = content

    assert checked(reissue(made, target, change, attacker_key())) == "rejected"
    shutil.rmtree(target, ignore_errors=True)


@SOME
@given(SEEDS)
def test_a_docket_with_any_file_scrambled_is_rejected(made: Path, tmp_path_factory: Any, seed: int) -> None:
    chance = random.Random(seed)
    copy = tmp_path_factory.mktemp("copy") / "docket"
    shutil.copytree(made, copy)
    path = chance.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
    before = path.read_bytes()
    path.write_bytes(scrambled(before, seed))
    if path.read_bytes() != before:
        assert checked(copy) != "accepted"
    shutil.rmtree(copy)


@SOME
@given(SEEDS, st.binary(max_size=100))
def test_any_zip_is_judged(made: Path, tmp_path_factory: Any, seed: int, noise: bytes) -> None:
    chance, path = random.Random(seed), tmp_path_factory.mktemp("zip") / "docket.zip"
    names = [
        "docket.json",
        "log/statements.jsonl",
        "log/checkpoint",
        "keys/signer.pub",
        "../x",
        "/etc/passwd",
        "a\\b",
        "blobs/",
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed_file:
        for name in chance.sample(names, chance.randrange(1, len(names))):
            source = made / name
            packed_file.writestr(name, source.read_bytes() if chance.random() < 0.7 and source.is_file() else noise)
    if chance.random() < 0.7:
        path.write_bytes(scrambled(path.read_bytes(), seed))
    assert checked(path) in ("rejected", "no docket")
    path.unlink()


def test_the_command_says_one_line_and_one_object(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for target, code in ((tmp_path / "none", 2), (tmp_path, 2), (made / "docket.json", 2)):
        assert command([str(target)]) == code
        said = capsys.readouterr()
        assert said.out.count("\n") == 1
        assert said.err == ""
        assert command([str(target), "--json"]) == code
        assert json.loads(capsys.readouterr().out)["exit"] == code


BOMBS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from safetyboard_check.__main__ import check
sys.exit(check([sys.argv[1]]))
"""


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("docket.json", "w") as inside:
        for _ in range(300):
            inside.write(bytes(1 << 20))


def nested(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("docket.json", b"[" * 2_000_000)


def countless(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(20_000):
            file.writestr(f"blobs/sha256/00/{number:064x}", b"")


@pytest.mark.parametrize("write", [bomb, nested, countless])
def test_a_hostile_zip_is_refused_within_three_gigabytes(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "d.zip")
    script = [sys.executable, "-c", BOMBS, str(tmp_path / "d.zip")]
    answer = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode in (1, 2), answer.stderr[-2000:]
    assert answer.stderr == ""
    assert answer.stdout.count("\n") == 1
    assert len(answer.stdout) < 1000
