# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one sentence on standard error, the right exit code, and leaves nothing half-written."""

import errno
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from oracle.made_up_networks import onnx_bytes
from safetyboard.evidence import store
from safetyboard.evidence.keys import load_key
from safetyboard.readers.onnx_file import read_network
from story import planted
from story.run import Ran, command, investigated

Prepare = Callable[[Path], object]


def refused(ran: Ran, code: int, *said: str) -> None:
    """One sentence, no traceback, one JSON object that says so."""
    assert ran.code == code, ran.err
    assert ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err + ran.out
    for words in said:
        assert words in ran.err
    answer = ran.json
    assert answer["schema"] == "safetyboard.investigation/1"
    assert answer["error"]["exit"] == code
    assert answer["docket"] is None


def with_property(text: str) -> Prepare:
    def prepare(folder: Path) -> None:
        (folder / "net.onnx").write_bytes(planted.network(planted=True))
        (folder / "net.vnnlib").write_text(text)

    return prepare


def with_network(content: bytes, name: str = "net.onnx") -> Prepare:
    def prepare(folder: Path) -> None:
        (folder / name).write_bytes(content)
        (folder / "net.vnnlib").write_text(planted.property_text())

    return prepare


def altered(change: Callable[[Any], object]) -> bytes:
    """The planted network with one part changed."""
    model = onnx.load_model_from_string(planted.network(planted=True))
    change(model.graph)
    return bytes(model.SerializeToString())


def external(graph: Any) -> None:
    graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


CLAIMS = """schema = "safetyboard.claims/1"
network = { file = "net.onnx" }
[[claims]]
name = "c"
kind = "monotone"
"""
HOSTILE: dict[str, tuple[Callable[[Any], object], str]] = {
    "a cycle": (lambda graph: graph.node[0].input.__setitem__(0, graph.output[0].name), "one computed value"),
    "a giant declared tensor": (lambda graph: graph.initializer[0].dims.__setitem__(0, 1 << 50), "declares shape"),
    "a wrong shape": (lambda graph: graph.initializer[0].dims.__setitem__(slice(0, 2), [2, 8]), "does not fit"),
    "text for weights": (lambda graph: setattr(graph.initializer[0], "data_type", 8), "is STRING"),
    "weights in another file": (external, "another file"),
    "a name that steers terminals": (lambda graph: setattr(graph.node[0], "op_type", "\x1b[2J\nSafe"), "?[2J?Safe"),
    "no fixed size": (lambda g: g.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value"), "no fixed size"),
    "an axis of size zero": (lambda graph: graph.initializer[0].dims.append(0), "declares shape"),
}
NAN = onnx_bytes([(np.array([[np.nan, 1, 1, 1]]), np.zeros(1), False)])
SYNTAX = planted.property_text().replace("(assert (>= X_1 0.0))", "(assert (>= X_1 0.0)")
BAD_CASES: dict[str, tuple[Prepare, str]] = {
    "an empty folder": (lambda folder: None, "nothing recognisable"),
    "a folder of other things": (lambda folder: (folder / "notes.txt").write_text("x"), "nothing recognisable"),
    "a property alone": (lambda folder: (folder / "p.vnnlib").write_text(planted.property_text()), "recognisable"),
    "an empty network": (with_network(b""), "net.onnx"),
    "a truncated network": (with_network(planted.network(planted=True)[:-40]), "net.onnx"),
    "a text called network": (with_network(b"this is no network"), "net.onnx"),
    "weights that are not numbers": (with_network(NAN), "NaN"),
    "damaged gzip": (with_network(b"\x1f\x8b\x08\x00rubbish", "net.onnx.gz"), "net.onnx.gz"),
    "a syntax error": (with_property(SYNTAX), "net.vnnlib, line 9, column 1: this '(' is never closed"),
    "a number beyond all": (with_property(SYNTAX.replace("X_1 0.0)", "X_1 1e999999))")), "line 9, column 17"),
    "a bracket too many": (with_property(planted.property_text() + ")"), "net.vnnlib, line 16, column 1"),
    **{name: (with_network(altered(change)), said) for name, (change, said) in HOSTILE.items()},
    "an unknown variable": (with_property("(declare-const Z_0 Real)\n"), "net.vnnlib, line 1, column"),
    "more inputs than the network has": (with_property(planted.property_text(9)), "X_4"),
    "an unbounded input": (with_property(planted.property_text().replace("(assert (<= X_2 1.0))", "")), "X_2"),
    "a list with one column": (lambda folder: (folder / "instances.csv").write_text("a.onnx\n"), "line 1"),
    "a list of missing files": (lambda f: (f / "instances.csv").write_text("a.onnx,b.vnnlib,1\n"), "a.onnx"),
    "a claims file that does not parse": (lambda folder: (folder / "claims.toml").write_text("[["), "claims.toml"),
    "a claims file nested too deep": (lambda f: (f / "claims.toml").write_text("a = " + "[" * 9000), "claims.toml"),
    "a claims file of a missing network": (
        lambda folder: (folder / "claims.toml").write_text(CLAIMS.replace("net.onnx", "gone.onnx")),
        "gone.onnx",
    ),
    "a claim that means nothing": (
        lambda f: (planted.folder(f, planted=True) / "claims.toml").write_text(CLAIMS + 'never = "x"\n'),
        "claims.toml: [[claims]] 'c': never means nothing to monotone",
    ),
    "a network that is no file": (lambda folder: os.mkfifo(folder / "net.onnx"), "net.onnx: cannot be read"),
    "a network that is a dangling link": (
        lambda f: (f / "net.onnx").symlink_to(f / "gone"),
        "net.onnx: cannot be read",
    ),
}


@pytest.mark.parametrize("name", BAD_CASES)
def test_bad_input_is_one_sentence_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    prepare, said = BAD_CASES[name]
    (tmp_path / "case").mkdir()
    prepare(tmp_path / "case")
    refused(investigated(tmp_path / "case", tmp_path / "docket"), 2, said)
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    refused(investigated(tmp_path / "none", tmp_path / "docket"), 2, "none", "no such")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["net.onnx.gz", "net.vnnlib.gz"])
def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path, name: str) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    (case / name.removesuffix(".gz")).unlink()
    (case / name).write_bytes(gzip.compress(bytes(400 << 20)))
    tracemalloc.start()
    ran = investigated(case, tmp_path / "docket")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    refused(ran, 2, name, "unpacks to more than")
    assert peak < 1 << 30
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def write_large_network(path: Path, inputs: int, outputs: int) -> None:
    """Write a true MatMul network whose weights are a hole in the file: it takes no room on the disk."""
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
        for name, size in (("x", inputs), ("y", outputs))
    ]
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:])
    size = 4 * inputs * outputs
    tensor = onnx.TensorProto(dims=[inputs, outputs], data_type=1, name="w").SerializeToString()
    tensor += b"\x4a" + varint(size)
    body = graph.SerializeToString() + b"\x2a" + varint(len(tensor) + size) + tensor
    opset = onnx.ModelProto(ir_version=8, opset_import=[onnx.helper.make_opsetid("", 13)]).SerializeToString()
    head = opset + b"\x3a" + varint(len(body) + size) + body
    path.write_bytes(head)
    os.truncate(path, len(head) + size)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from safetyboard.cli import main
main(sys.argv[1:])
"""


def test_a_network_of_500_megabytes_is_streamed_and_answered_early(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    write_large_network(tmp_path / "case" / "small.onnx", 3, 2)
    assert read_network((tmp_path / "case" / "small.onnx").read_bytes(), "small.onnx")[0].inputs == 3
    (tmp_path / "case" / "small.onnx").unlink()
    write_large_network(tmp_path / "case" / "net.onnx", 12_500, 10_000)
    assert (tmp_path / "case" / "net.onnx").stat().st_size > 500_000_000
    words = ["investigate", str(tmp_path / "case"), "--out", str(tmp_path / "docket"), "--json", "--quiet"]
    begun = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", LIMITED, *words], capture_output=True, text=True, check=False, timeout=120
    )
    refused(Ran(answer.returncode, answer.stdout, answer.stderr), 2, "net.onnx: 500000", "over the limit of")
    assert time.monotonic() - begun < 60
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


@pytest.mark.parametrize("room", ["64k", "200k"])
def test_a_disk_that_is_full_is_one_sentence_and_leaves_nothing_half_written(tmp_path: Path, room: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(disk)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let a small disk be mounted")
    try:
        case = planted.folder(tmp_path / "case", planted=True)
        (disk / "filler").write_bytes(bytes(40 << 10))
        load_key()
        refused(investigated(case, disk / "docket", "--no-repair"), 4, "No space left", "Free some space")
        assert not (disk / "docket").exists()
        assert [path.name for path in disk.iterdir() if path.name not in ("filler", ".docket.work")] == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_network_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    (case / "net.onnx").chmod(0)
    refused(investigated(case, tmp_path / "docket"), 2, "net.onnx: cannot be read")
    refused(investigated(case / "net.onnx", tmp_path / "docket"), 2, "net.onnx")


def test_an_operator_outside_the_list_is_named_with_its_node(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    node = helper.make_node("Sigmoid", ["x"], ["y"], name="squash")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "case").mkdir()
    with_network(model.SerializeToString())(tmp_path / "case")
    ran = investigated(tmp_path / "case", tmp_path / "docket")
    refused(ran, 2, "unsupported operator Sigmoid at node squash; supported:")


def test_an_empty_box_is_not_run_and_called_vacuous(tmp_path: Path) -> None:
    case = tmp_path / "case"
    case.mkdir()
    with_property(planted.property_text().replace("(assert (<= X_2 1.0))", "(assert (<= X_2 -1.0))"))(case)
    ran = investigated(case, tmp_path / "docket")
    assert ran.code == 3
    (claim,) = ran.json["claims"]
    assert claim["verdict"] == "NOT_RUN"
    assert claim["obstruction"].startswith("vacuous")


def test_a_network_alone_is_not_run_with_the_remedy_and_what_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(planted.network(planted=True))
    ran = investigated(tmp_path / "net.onnx", tmp_path / "docket")
    assert ran.code == 3
    (claim,) = ran.json["claims"]
    assert claim["verdict"] == "NOT_RUN"
    assert claim["obstruction"].startswith("no property")
    assert "--property" in claim["obstruction"]
    assert claim["evidence"]


def test_one_unreadable_network_among_good_ones_is_accounted_for(tmp_path: Path) -> None:
    case = planted.many(tmp_path / "case", 2)
    (case / "net0.onnx").write_bytes(b"rubbish")
    ran = investigated(case, tmp_path / "docket")
    assert ran.code == 3
    assert [claim["verdict"] for claim in ran.json["claims"]] == ["NOT_RUN", "PROVED"]
    assert "net0.onnx" in ran.json["claims"][0]["obstruction"]
    assert "1 unread" in command("show", tmp_path / "docket").out


def test_what_the_list_does_not_name_is_irrelevant(tmp_path: Path) -> None:
    case = planted.many(tmp_path / "case", 2)
    (case / "extra.onnx").write_bytes(planted.network(planted=True))
    ran = investigated(case, tmp_path / "docket", "--no-repair")
    assert len(ran.json["claims"]) == 2
    assert "1 irrelevant" in command("show", tmp_path / "docket").out


@pytest.mark.parametrize("words", [("--budget", "lots"), ("--nonsense",), ("--seconds", "-1"), ("--workers", "0")])
def test_a_wrong_option_is_wrong_use(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused(investigated(tmp_path, tmp_path / "docket", *words), 2)


def test_another_kind_of_property_file_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(planted.network(planted=True))
    (tmp_path / "p.txt").write_text("x")
    ran = investigated(tmp_path / "net.onnx", tmp_path / "docket", "--property", tmp_path / "p.txt")
    refused(ran, 2, "--property takes a VNN-LIB file")


def test_what_is_at_the_target_is_not_overwritten(tmp_path: Path) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    (tmp_path / "docket").mkdir()
    (tmp_path / "docket" / "mine.txt").write_text("keep")
    refused(investigated(case, tmp_path / "docket", "--replace"), 2, "not a docket")
    assert (tmp_path / "docket" / "mine.txt").read_text() == "keep"
    assert investigated(case, tmp_path / "other").code == 0
    refused(investigated(case, tmp_path / "other"), 2, "--replace")
    assert investigated(case, tmp_path / "other", "--replace").code == 0


def test_a_full_disk_is_one_sentence_and_leaves_no_docket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    genuine, calls = store.os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        genuine(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused(investigated(case, tmp_path / "docket"), 4, "No space left", "Free some space")
    assert not (tmp_path / "docket").exists()
    assert investigated(case, tmp_path / "docket", "--resume").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    case = planted.folder(tmp_path / "case", planted=False)
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(investigated(case, tmp_path / "locked" / "docket"), 4, "cannot be written")


@pytest.mark.parametrize("name", ["show", "diff", "check"])
def test_a_docket_of_a_newer_version_is_named(tmp_path: Path, clean: Any, name: str) -> None:
    place = tmp_path / "newer"
    shutil.copytree(clean.place, place)
    manifest = (place / "docket.json").read_text()
    (place / "docket.json").write_text(manifest.replace("safetyboard.docket/1", "safetyboard.docket/2"))
    ran = command(name, *([clean.place] if name == "diff" else []), place)
    assert ran.code == 2
    said = ran.out + ran.err
    assert said.count("\n") == 1
    assert "safetyboard.docket/2" in said
    assert "safetyboard.docket/1" in said
    assert re.search(r"newer one|Update", said)
    if name != "show":
        answer = command(name, *([clean.place] if name == "diff" else []), place, "--json")
        assert answer.code == 2
        assert "safetyboard.docket/2" in json.dumps(answer.json)


@pytest.mark.parametrize("name", ["show", "diff"])
def test_what_is_no_docket_is_named(tmp_path: Path, name: str) -> None:
    ran = command(name, *[tmp_path / "none"] * (2 if name == "diff" else 1))
    assert ran.code == 2
    assert "no such file. Give a docket" in ran.err
    (tmp_path / "none").mkdir()
    assert "not a docket" in command(name, *[tmp_path / "none"] * (2 if name == "diff" else 1)).err


def test_an_internal_error_is_one_sentence_with_code_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted_fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("safetyboard.investigation.service.investigate", planted_fault)
    refused(investigated(tmp_path, tmp_path / "docket"), 4, "Internal error (ZeroDivisionError: planted)")


def test_json_is_exactly_one_object_on_success_too(clean: object) -> None:
    printed = clean.ran.out  # type: ignore[attr-defined]
    _, end = json.JSONDecoder().raw_decode(printed)
    assert printed[end:].strip() == ""
    assert clean.ran.err == ""  # type: ignore[attr-defined]
