# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one sentence on standard error, the right exit code, and leaves nothing half-written."""

import errno
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oracle.made_up_networks import onnx_bytes
from safetyboard.evidence import store
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
    "a syntax error": (with_property(SYNTAX), "line"),
    "an unknown variable": (with_property("(declare-const Z_0 Real)\n"), "net.vnnlib, line 1, column"),
    "more inputs than the network has": (with_property(planted.property_text(9)), "X_4"),
    "an unbounded input": (with_property(planted.property_text().replace("(assert (<= X_2 1.0))", "")), "X_2"),
    "a list with one column": (lambda folder: (folder / "instances.csv").write_text("a.onnx\n"), "line 1"),
    "a list of missing files": (lambda f: (f / "instances.csv").write_text("a.onnx,b.vnnlib,1\n"), "a.onnx"),
    "a claims file that does not parse": (lambda folder: (folder / "claims.toml").write_text("[["), "claims.toml"),
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


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safetyboard.readers.compressed.inflated.__kwdefaults__", {"limit": 1 << 20})
    (tmp_path / "case").mkdir()
    with_network(gzip.compress(bytes(8 << 20)), "net.onnx.gz")(tmp_path / "case")
    refused(investigated(tmp_path / "case", tmp_path / "docket"), 2, "unpacks to more than")


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


def test_a_docket_of_a_newer_version_is_named(tmp_path: Path, clean: object) -> None:
    place = tmp_path / "newer"
    place.mkdir()
    (place / "docket.json").write_text('{"format": "safetyboard.docket/2"}')
    ran = command("show", place)
    assert ran.code == 2
    assert "safetyboard.docket/2" in ran.err
    assert ran.err.count("\n") == 1


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
