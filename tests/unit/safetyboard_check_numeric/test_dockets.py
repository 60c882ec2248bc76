# SPDX-License-Identifier: Apache-2.0
"""The numeric checker rechecks all leaves of a real docket, and rejects it once its proofs were tampered with."""

import base64
import json
import random
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from docket_forgery import Blobs, Records, attacker_key, of_kind, reissue, take_apart
from safetyboard.investigation.order import Order
from safetyboard.investigation.service import investigate
from safetyboard.terms.canonical import canonical_json
from safetyboard_check_numeric.__main__ import main
from safetyboard_check_numeric.checker import check
from safetyboard_check_numeric.refusals import NotADocket, Rejected
from small_case import BROKEN, write_case

TIGHT = BROKEN.replace("(assert (>= Y_0 Y_1))", "(assert (>= Y_0 0.56))")
"""Just above the greatest first output, 0.539: its proof needs several leaves."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real docket of a small case."""
    folder = tmp_path_factory.mktemp("case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFETYBOARD_HOME", str(folder / "home"))
        case = write_case(folder / "case")
        (case / "kept.vnnlib").write_text(TIGHT)
        investigate(Order(path=case, out=folder / "docket", repair=False))
        yield folder / "docket"


def zipped(docket: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(docket.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(docket).as_posix())
    return target


def forged(made: Path, tmp_path: Path, change: Callable[[Records, Blobs], None]) -> Path:
    return reissue(made, tmp_path / "forged", change, attacker_key())


def in_body(blobs: Blobs, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every certificate's body."""
    for name in [name for name, content in blobs.items() if content.startswith(b'{"cells":[{')]:
        body = json.loads(blobs[name])
        if body.get("schema", "").startswith("safetyboard.certificate/"):
            change(body)
            blobs[name] = canonical_json(body)


def repacked(entry: dict[str, Any], name: str, change: Callable[[bytes], bytes]) -> None:
    content = zlib.decompress(base64.b64decode(entry[name]))
    entry[name] = base64.b64encode(zlib.compress(change(content))).decode()


@pytest.mark.idea("C8", "A13")
def test_all_leaves_of_a_real_docket_hold_as_a_folder_and_as_a_zip(made: Path, tmp_path: Path) -> None:
    stated = sum(record["leaves"] for record in of_kind(take_apart(made).records, "certificate"))
    for docket in (made, zipped(made, tmp_path / "docket.zip")):
        answer = check(docket)
        assert answer.code == 0
        assert answer.leaves == stated > 5


def test_the_first_line_says_what_is_not_rechecked(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(made)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert "signatures" in first
    assert "verdicts" in first
    assert main([str(made), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["accepted"] is True
    assert "signatures" in told["not_rechecked"]


def test_reissuing_without_a_change_is_accepted_so_that_the_harness_is_no_reason_to_reject(
    made: Path, tmp_path: Path
) -> None:
    assert check(forged(made, tmp_path, lambda records, blobs: None)).code == 0


def moved_values(records: Records, blobs: Blobs) -> None:
    def change(body: dict[str, Any]) -> None:
        repacked(body["cells"][0], "values", lambda content: (np.frombuffer(content, "<f8") * 3.0).tobytes())

    in_body(blobs, change)


def dropped_leaves(records: Records, blobs: Blobs) -> None:
    """State one leaf where there were many, everywhere."""

    def change(body: dict[str, Any]) -> None:
        for entry in body["cells"]:
            entry["nodes"] = base64.b64encode(zlib.compress(b"\xff")).decode()
            entry["values"] = base64.b64encode(zlib.compress(b"")).decode()
            entry["leaves"] = 1

    in_body(blobs, change)
    for record in of_kind(records, "certificate"):
        record["leaves"] = len(record["cells"])


def larger_cells(records: Records, blobs: Blobs) -> None:
    """Let the domain be larger than what was proved; the roots stay."""
    for record in of_kind(records, "domain"):
        for cell in record["cells"]:
            cell["upper"][0] = "9/8"


def larger_roots(records: Records, blobs: Blobs) -> None:
    def change(body: dict[str, Any]) -> None:
        for entry in body["cells"]:
            entry["root"] = {"lower": [(-64.0).hex()] * 2, "upper": [(64.0).hex()] * 2}

    in_body(blobs, change)


def changed_weights(records: Records, blobs: Blobs) -> None:
    given = next(record for record in of_kind(records, "subject") if record.get("origin", "given") == "given")
    model = onnx.load_from_string(blobs[given["content"]])
    bias = next(held for held in model.graph.initializer if held.name == "b2")
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32([100.0, -100.0]), "b2"))
    blobs[given["content"]] = model.SerializeToString()


def enlarged_slack(records: Records, blobs: Blobs) -> None:
    for record in of_kind(records, "certificate"):
        record["slack"] = (float.fromhex(record["slack"]) * 1.5 - 0.01).hex()


def stated_leaves(records: Records, blobs: Blobs) -> None:
    of_kind(records, "certificate")[0]["leaves"] += 1


def another_claim(records: Records, blobs: Blobs) -> None:
    """Let a certificate speak for the claim that was refuted."""
    proved = {record["claim"] for record in of_kind(records, "certificate")}
    other = next(record for record in of_kind(records, "witness") if record["claim"] not in proved)
    of_kind(records, "certificate")[0]["claim"] = other["claim"]


CHANGES = (
    moved_values, dropped_leaves, larger_cells, larger_roots, changed_weights, enlarged_slack, stated_leaves,
    another_claim,
)  # fmt: skip


@pytest.mark.idea("C8", "E1")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_tampered_proof_is_rejected_although_everything_was_signed_again(
    made: Path, tmp_path: Path, change: Callable[[Records, Blobs], None]
) -> None:
    with pytest.raises(Rejected, match="certificate sha256:"):
        check(forged(made, tmp_path, change))


def test_an_open_leaf_is_named_with_its_certificate_and_cell(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(forged(made, tmp_path, changed_weights))]) == 1
    assert "cell 0, leaf " in capsys.readouterr().out


def test_a_changed_blob_is_rejected_and_a_missing_one_is_not_called_withheld(made: Path, tmp_path: Path) -> None:
    docket = tmp_path / "copy"
    shutil.copytree(made, docket)
    digest = of_kind(take_apart(made).records, "certificate")[0]["body"]
    path = docket / "blobs" / "sha256" / digest[7:9] / digest[7:]
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Rejected, match="changed"):
        check(docket)
    path.unlink()
    with pytest.raises(Rejected, match="missing"):
        check(docket)


def test_withheld_bytes_are_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "home"))
    docket = tmp_path / "docket"
    investigate(Order(path=write_case(tmp_path / "case"), out=docket, repair=False, weightless=True))
    assert check(docket).code == 3
    assert main([str(docket), "--json"]) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "not JSON"), (b"[]", "no docket"), (b'{"format": "safetyboard.docket/2"}', "newer"), (None, "no docket.js")],
)
def test_what_is_no_docket_is_said_to_be_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "docket.json").write_bytes(content)
    with pytest.raises(NotADocket, match=said):
        check(tmp_path)
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path / "nothing")]) == 2


def test_no_single_byte_change_ends_in_anything_but_a_sentence(made: Path, tmp_path: Path) -> None:
    docket, generator = tmp_path / "copy", random.Random(4)
    shutil.copytree(made, docket)
    log = docket / "log" / "statements.jsonl"
    whole = log.read_bytes()
    for _ in range(150):
        place = generator.randrange(len(whole))
        log.write_bytes(whole[:place] + bytes([whole[place] ^ generator.randrange(1, 256)]) + whole[place + 1 :])
        assert main([str(docket), "--json"]) in (0, 1, 2)


def test_a_zip_with_unsafe_names_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("docket.json", "{}")
        archive.writestr("../escape", "")
    with pytest.raises(Rejected, match="escape"):
        check(tmp_path / "bad.zip")


@pytest.mark.slow
@pytest.mark.idea("E1", "A13")
def test_tens_of_thousands_of_leaves_of_a_collision_avoidance_network_all_hold(
    safetyboard_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample misses a few open leaves among so many: four were, when a neuron's second bound was left out."""
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "home"))
    source, case = safetyboard_data / "networks" / "acasxu", tmp_path / "case"
    case.mkdir()
    for name in ("onnx/ACASXU_run2a_4_2_batch_2000.onnx.gz", "vnnlib/prop_2.vnnlib.gz"):
        shutil.copy(source / name, case)
    (case / "instances.csv").write_text("ACASXU_run2a_4_2_batch_2000.onnx,prop_2.vnnlib,116\n")
    investigate(Order(path=case, out=tmp_path / "docket", repair=False))
    answer = check(tmp_path / "docket")
    assert answer.code == 0
    assert answer.leaves > 50_000
