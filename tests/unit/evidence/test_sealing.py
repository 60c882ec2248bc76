# SPDX-License-Identifier: Apache-2.0
"""What is sealed is on the disk first, what was there comes back when a move fails, what is ill-formed is refused."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence import store as store_module
from safetyboard.evidence.checkpoint import write_checkpoint
from safetyboard.evidence.docket import Docket, DocketWriter
from safetyboard.evidence.log import Log
from safetyboard.evidence.references import referred_blobs, referred_records
from safetyboard.evidence.statements import signed_line
from safetyboard.evidence.store import BlobStore, write_durably
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.codec import to_plain
from safetyboard.terms.errors import EnvironmentFault, SafetyboardError, UntrustedEvidence
from unit.evidence.specimens import KEY, OTHER_KEY, SMALL


def test_bytes_are_on_the_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    sync, move = os.fsync, Path.replace

    def syncing(handle: int) -> None:
        events.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def replacing(path: Path, target: Path) -> Path:
        events.append("named")
        return move(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not say what an open handle is")
    store = BlobStore(tmp_path / "blobs")
    monkeypatch.setattr(store_module.os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", replacing)
    store.put(b"bytes")
    # First the file, then the new folder in its parent, then the name, then the entry in its folder.
    assert events == ["file", "folder", "named", "folder"]
    events.clear()
    write_durably(tmp_path / "plain", b"x")
    assert events == ["file", "named", "folder"]


def test_the_older_docket_comes_back_when_the_newer_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = SMALL.write(tmp_path / "out" / "docket")
    rename = Path.rename

    def failing(path: Path, aim: Path) -> Path:
        if aim == target and path.name.startswith(".docket-") and not path.name.endswith(".old"):
            raise OSError(5, "Input/output error")
        return rename(path, aim)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(EnvironmentFault, match="Input/output error"):
        SMALL.write(target, OTHER_KEY, replace=True)
    monkeypatch.undo()
    assert Docket(target).signer == KEY.fingerprint
    assert [path.name for path in target.parent.iterdir()] == ["docket"]


def test_a_folder_and_a_zip_of_one_name_take_each_other_s_place(tmp_path: Path) -> None:
    """Kept as a folder under a name that ends in .zip, an older docket is replaced all the same."""
    folder = SMALL.write(tmp_path / "made")
    folder.rename(tmp_path / "case.zip")
    SMALL.write(tmp_path / "case.zip", OTHER_KEY, replace=True)
    assert (tmp_path / "case.zip").is_file()
    (tmp_path / "case.zip").rename(tmp_path / "case")
    SMALL.write(tmp_path / "case", replace=True)
    assert (tmp_path / "case").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
    assert Docket(tmp_path / "case").signer == KEY.fingerprint


def rewritten(folder: Path, records: list[dict[str, Any]]) -> Path:
    """Give a docket another log, rightly signed and summed up."""
    (folder / "log" / "statements.jsonl").unlink()
    with Log(folder / "log" / "statements.jsonl") as log:
        log.append([signed_line(record, KEY) for record in records])
        (folder / "log" / "checkpoint").write_bytes(write_checkpoint(len(log), log.tree.root(), KEY))
    return folder


def test_a_rightly_signed_log_still_needs_one_case_one_custody_and_no_record_twice(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    with Docket(folder) as docket:
        records = list(docket.records.values())
    Docket(rewritten(folder, records)).close()
    for wrong, said in (
        (records[:-1], "one case and one custody"),
        (records[1:], "one case and one custody"),
        ([*records, {**records[-1], "title": "another"}], "one case and one custody"),
        ([*records[:2], records[1], *records[2:]], "a record stands twice"),
    ):
        with pytest.raises(UntrustedEvidence, match=said):
            Docket(rewritten(folder, wrong))


def test_every_pointer_of_a_record_is_listed() -> None:
    one, two, three = (digest_of(text) for text in (b"1", b"2", b"3"))
    finding = {
        "kind": "finding",
        "claims": [one],
        "evidence": [two],
        "rivals": [{"factor": "chance", "evidence": [three]}],
    }
    assert [(field, name) for field, name, _ in referred_records(finding)] == [
        ("claims", one),
        ("evidence", two),
        ("rivals", three),
    ]
    remedy = {"kind": "remedy", "claim": one, "repaired_claim": two, "evidence": [three]}
    assert {name for _, name, _ in referred_records(remedy)} == {one, two, three}
    ablation = {"kind": "ablation", "claim": one, "proved": two, "data": three}
    assert [(field, kinds) for field, _, kinds in referred_records(ablation)] == [
        ("claim", ("claim",)),
        ("proved", ("certificate",)),
    ]
    assert list(referred_blobs(ablation)) == [("data", three)]
    assert [digest for _, digest in referred_blobs(to_plain(SMALL.custody))] == [SMALL.digest]
    assert list(referred_records({"kind": "case"})) == list(referred_blobs({"kind": "from the future"})) == []


def test_bytes_that_are_kept_after_all_do_not_count_as_withheld(tmp_path: Path) -> None:
    writer = DocketWriter(tmp_path / "out", KEY)
    digest = writer.withhold(b"bytes", "no")
    assert writer.withheld == {digest: "no"}
    writer.put_blob(b"bytes")
    writer.withhold(b"bytes", "no")
    assert writer.withheld == {}
    writer.abandon()


def test_a_pointer_to_a_record_of_another_kind_is_refused(tmp_path: Path) -> None:
    writer = DocketWriter(tmp_path / "out", KEY)
    for record in (SMALL.custody, SMALL.subject, SMALL.domain):
        writer.state(record)
    crossed = replace(SMALL.claim, subject=SMALL.claim.domain)
    with pytest.raises(SafetyboardError, match="claim record's subject refers to no subject stated before"):
        writer.state(crossed)
    writer.state(SMALL.claim)
    writer.abandon()
