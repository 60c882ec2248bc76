# SPDX-License-Identifier: Apache-2.0
"""Networks meet what is asked of them: by lists in any folder, by equal names, by a claims file, or not at all."""

from pathlib import Path

from safetyboard.evidence.custody import CustodyBook
from safetyboard.evidence.store import BlobStore
from safetyboard.investigation.inventory import take_inventory
from small_case import write_case

NOTHING = b"not a network"


def asked(tmp_path: Path) -> dict[tuple[str, str], str]:
    """What was asked of what, and what stood in the way."""
    book = CustodyBook(BlobStore(tmp_path / "blobs"))
    found = take_inventory(book, tmp_path / "case", chosen=None)
    return {(one.subject_name, one.property_name): one.obstruction for one in found.asked}


def test_lists_in_two_folders_pair_what_lies_beside_them(tmp_path: Path) -> None:
    write_case(tmp_path / "case" / "one")
    write_case(tmp_path / "case" / "two", seed=6)
    pairs = {(f"{place}/net.onnx", f"{place}/{name}.vnnlib") for place in ("one", "two") for name in ("broken", "kept")}
    assert asked(tmp_path) == dict.fromkeys(pairs, "")


def test_a_network_that_cannot_be_read_does_not_keep_the_others_from_being_asked(tmp_path: Path) -> None:
    write_case(tmp_path / "case" / "one")
    (tmp_path / "case" / "strange.onnx").write_bytes(NOTHING)
    found = asked(tmp_path)
    assert found["one/net.onnx", "one/broken.vnnlib"] == ""
    assert "strange.onnx" in found["strange.onnx", ""]


def test_what_lies_beside_a_list_and_is_not_in_it_is_left_out(tmp_path: Path) -> None:
    write_case(tmp_path / "case")
    (tmp_path / "case" / "spare.onnx").write_bytes((tmp_path / "case" / "net.onnx").read_bytes())
    assert {subject for subject, _ in asked(tmp_path)} == {"net.onnx"}
