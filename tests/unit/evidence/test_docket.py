# SPDX-License-Identifier: Apache-2.0
"""A docket appears whole or not at all, and what is read back is what was stated, signed and sealed."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.archive import pack
from safetyboard.evidence.checkpoint import read_checkpoint
from safetyboard.evidence.docket import Docket, DocketWriter, extra_files, is_docket, result_digest
from safetyboard.terms.canonical import canonical_json, digest_of
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id, to_plain
from safetyboard.terms.errors import (
    EnvironmentFault,
    NewerFormat,
    SafetyboardError,
    UnreadableInput,
    UntrustedEvidence,
    WrongUse,
)
from unit.evidence.specimens import KEY, LESSONS, OTHER_KEY, REPORT, SMALL, SmallCase, network_bytes

TESTS = str(Path(__file__).resolve().parents[2])


@pytest.fixture(params=["folder", "case.zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / "out" / str(request.param)


def beside(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def child(program: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, TESTS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_what_was_written_is_read_back(place: Path) -> None:
    assert SMALL.write(place) == place
    assert beside(place) == [place.name]
    with Docket(place) as docket:
        assert list(docket.records.values())[:-1] == [to_plain(record) for record in SMALL.records()]
        assert docket.signer == KEY.fingerprint
        assert docket.blob(SMALL.digest) == SMALL.network
        assert docket.file("report.html") == REPORT
        assert docket.file("lessons/small.json") == LESSONS["lessons/small.json"]
        assert docket.all_of(Claim) == {record_id(SMALL.claim): SMALL.claim}
        assert docket.case["case"] == "0190163d-8694-739b-aea5-966c26f8ad91"
        assert docket.withheld == {}
        assert read_checkpoint(docket.checkpoint, KEY.public)[0] == len(docket.records) == 7
        kinds = {name: str(record["kind"]) for name, record in docket.records.items()}
        assert docket.manifest["result_digest"] == docket.case["result_digest"] == result_digest(kinds)


@pytest.mark.idea("C8")
@pytest.mark.parametrize(("weightless", "code"), [(False, 0), (True, 3)])
def test_the_stranger_s_checker_accepts_it(place: Path, weightless: bool, code: int) -> None:
    pytest.importorskip("onnx")
    SmallCase(network_bytes()).write(place, weightless=weightless)
    command = [sys.executable, "-m", "safetyboard_check", str(place), "--key", KEY.fingerprint]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (code, "")
    assert "custody: 2 items: 1 used, 0 irrelevant, 1 unread" in answer.stdout
    foreign = [*command[:-1], OTHER_KEY.fingerprint]
    assert subprocess.run(foreign, capture_output=True, check=False).returncode == 1


@pytest.mark.idea("C4")
@pytest.mark.parametrize("state", ["irrelevant", "used"])
def test_the_checker_refuses_an_item_without_a_digest_that_is_not_unread(tmp_path: Path, state: Any) -> None:
    case = SmallCase(b"network")
    first, *others = case.custody.items
    counts = {name: [state, "used"].count(name) for name in ("used", "irrelevant", "unread")}
    case.custody = replace(case.custody, items=(replace(first, state=state), *others), **counts)
    if state == "used":
        with pytest.raises(SafetyboardError, match="is not a SHA-256 digest|not kept"):
            case.write(tmp_path / "docket")
        return
    command = [sys.executable, "-m", "safetyboard_check", str(case.write(tmp_path / "docket"))]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "rejected: custody: link: its digest is ''\n")


def test_the_replay_script_tells_a_true_witness_from_a_false_one(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    for name, outputs, said in (("true", (0.5,), "as recorded 0.5"), ("false", (0.75,), "OTHER OUTPUTS 0.5")):
        SmallCase(network_bytes(), outputs=outputs).write(tmp_path / name)
        script = [sys.executable, str(tmp_path / name / "replay.py")]
        answer = subprocess.run(script, capture_output=True, text=True, check=False)
        assert (answer.returncode, answer.stdout.endswith(f"{said}\n")) == (0, True), answer.stderr


def test_the_result_digest_knows_neither_time_nor_key(tmp_path: Path) -> None:
    SMALL.write(tmp_path / "one")
    SMALL.write(tmp_path / "two", OTHER_KEY, opened="2027-01-01T00:00:00Z")
    one, two = Docket(tmp_path / "one"), Docket(tmp_path / "two")
    assert one.manifest["result_digest"] == two.manifest["result_digest"]
    assert one.case != two.case
    assert result_digest({"a": "claim", "b": "case", "c": "custody"}) == result_digest({"a": "claim"})
    assert result_digest({"a": "claim", "b": "verdict"}) != result_digest({"a": "claim"})


def test_withheld_bytes_are_named_and_refused(place: Path) -> None:
    SMALL.write(place, weightless=True)
    with Docket(place) as docket:
        assert docket.withheld == {SMALL.digest: "left out on purpose"}
        with pytest.raises(UntrustedEvidence, match="was withheld: left out on purpose"):
            docket.blob(SMALL.digest)


# What a writer refuses to seal.


def test_a_record_that_points_at_nothing_is_refused(tmp_path: Path) -> None:
    writer = DocketWriter(tmp_path / "out", KEY)
    with pytest.raises(SafetyboardError, match="subject record is out of place: custody is stated first"):
        writer.state(SMALL.subject)
    writer.state(SMALL.custody)
    with pytest.raises(SafetyboardError, match="claim record's subject refers to no subject stated before"):
        writer.state(SMALL.claim)
    assert writer.state(SMALL.subject) == writer.state(SMALL.subject)
    with pytest.raises(SafetyboardError, match="claim record's domain refers to no domain"):
        writer.state(SMALL.claim)
    writer.abandon()
    assert beside(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("files", "digest", "withheld", "said"),
    [
        ({"other.html": b""}, "", {}, "no name for a file of a docket"),
        ({"report.html": b"shown"}, "sha256:" + "0" * 64, {}, "does not list files, withheld blobs and result digest"),
        ({"report.html": b"shown"}, "", {"sha256:" + "0" * 64: "no"}, "does not list files, withheld blobs"),
        ({"report.html": b"shown"}, "", {}, "custody record's items names a blob that is not kept"),
    ],
)
def test_a_case_that_does_not_hold_is_not_sealed(
    tmp_path: Path, files: dict[str, bytes], digest: str, withheld: dict[str, str], said: str
) -> None:
    writer = DocketWriter(tmp_path / "out", KEY)
    for record in SMALL.records():
        writer.state(record)
    with pytest.raises(SafetyboardError, match=said):
        writer.finish(SMALL.case(files, digest or result_digest(writer.ids), withheld=withheld), files)
    writer.abandon()
    assert beside(tmp_path / "out") == []


# Whole or not at all.


def test_only_an_older_docket_is_replaced_and_only_when_asked(place: Path) -> None:
    SMALL.write(place)
    with pytest.raises(WrongUse, match="already exists.*--replace"):
        SMALL.write(place, OTHER_KEY)
    assert Docket(place).signer == KEY.fingerprint
    SMALL.write(place, OTHER_KEY, replace=True)
    assert Docket(place).signer == OTHER_KEY.fingerprint
    assert beside(place) == [place.name]


def test_nothing_that_is_no_docket_is_ever_replaced(tmp_path: Path) -> None:
    SMALL.write(tmp_path / "docket")
    (tmp_path / "docket" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "docket")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for name in ("docket", "file", "link", "folder"):
        assert not is_docket(tmp_path / name) or name == "link"
        with pytest.raises(WrongUse, match="is not a docket, or holds other files"):
            SMALL.write(tmp_path / name, replace=True)
    assert (tmp_path / "docket" / "thesis.txt").read_text() == "years of work"
    assert beside(tmp_path / "docket") == ["docket", "file", "folder", "link"]
    (tmp_path / "empty").mkdir()
    SMALL.write(tmp_path / "empty")
    assert is_docket(tmp_path / "empty")


ENDLESS = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from unit.evidence.specimens import OTHER_KEY, SmallCase
case = SmallCase(b"other bytes " * 100_000)
print("ready", flush=True)
while True:
    case.write(Path(sys.argv[2]), OTHER_KEY, replace=True)
"""


@pytest.mark.parametrize("name", ["folder", "case.zip"])
@pytest.mark.parametrize("older", [False, True])
def test_a_killed_writer_leaves_the_older_docket_or_the_newer_or_nothing(
    tmp_path: Path, name: str, older: bool
) -> None:
    interrupted, left = 0, set()
    for attempt in range(8):
        target = tmp_path / f"{attempt}" / name
        target.parent.mkdir()
        if older:
            SMALL.write(target)
        command = [sys.executable, "-c", ENDLESS, TESTS, str(target)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.002 + 0.0037 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        hidden = [path for path in target.parent.iterdir() if path != target]
        assert all(path.name.startswith(f".{name}-") for path in hidden)
        interrupted += bool(hidden)
        # While an older folder makes way for a newer one, it is for a moment under a hidden name.
        aside = [path for path in hidden if path.name.endswith(".old")]
        seen = target if target.exists() else next(iter(aside), None)
        if seen is not None:
            with Docket(seen) as docket:
                left.add(docket.signer)
                digest = next(iter(docket.of_kind("subject").values()))["digest"]
                assert digest_of(docket.blob(digest)) == digest
        assert seen is not None or not older, "the older docket vanished"
    assert interrupted > 2, "no process was hit while it wrote; the test says nothing"
    assert left <= {KEY.fingerprint, OTHER_KEY.fingerprint}
    assert not older or left


FULL = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from unit.evidence.specimens import OTHER_KEY, SmallCase
from safetyboard.terms.errors import SafetyboardError
try:
    SmallCase(bytes(3_000_000)).write(Path(sys.argv[2]), OTHER_KEY, replace=True)
except SafetyboardError as error:
    print(type(error).__name__, error.exit_code, error)
"""


@pytest.mark.parametrize("name", ["folder", "case.zip"])
def test_a_full_disk_is_one_sentence_and_the_older_docket_stays(tmp_path: Path, name: str) -> None:
    target = tmp_path / "out" / name
    SMALL.write(target)
    limit = (1_000_000, 1_000_000)
    answer = child(FULL, str(target), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert answer.stderr == ""
    assert answer.stdout.startswith("EnvironmentFault 4 ")
    assert answer.stdout.endswith("Free some space.\n")
    assert beside(target) == [name]
    assert Docket(target).signer == KEY.fingerprint


def test_a_really_full_file_system_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted only as root")
    try:
        answer = child(FULL, str(small / "docket"))
        assert answer.stdout.startswith("EnvironmentFault 4 ")
        assert "No space left on device" in answer.stdout
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        DocketWriter(tmp_path / "file" / "docket", KEY)


# What a reader refuses.


def edited(folder: Path, name: str, old: bytes, new: bytes) -> None:
    content = (folder / name).read_bytes()
    assert old in content
    (folder / name).write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(("stated", "error"), [("safetyboard.docket/2", NewerFormat), ("other/1", UnreadableInput)])
def test_a_newer_format_is_refused_as_such(tmp_path: Path, stated: str, error: type[SafetyboardError]) -> None:
    said = "is of format safetyboard.docket/2" if error is NewerFormat else "not a docket"
    folder = SMALL.write(tmp_path / "docket")
    edited(folder, "docket.json", b"safetyboard.docket/1", stated.encode())
    pack(folder, tmp_path / "docket.zip")
    for place in (folder, tmp_path / "docket.zip"):
        with pytest.raises(error, match=said) as seen:
            Docket(place)
        assert seen.type is error
        assert seen.value.exit_code == 2


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{}", b"[" * 10**5, b'{"format":"safetyboard.docket/1","withheld":3}']
)
def test_a_manifest_that_is_none_is_one_sentence(tmp_path: Path, manifest: bytes) -> None:
    folder = SMALL.write(tmp_path / "docket")
    (folder / "docket.json").write_bytes(manifest)
    with pytest.raises(UnreadableInput, match="not a docket"):
        Docket(folder)
    assert is_docket(folder) == (b"format" in manifest)


@pytest.mark.parametrize(
    ("name", "said"),
    [("log/statements.jsonl", "is missing"), ("log/checkpoint", "is missing"), ("keys/signer.pub", "is missing")],
)
def test_a_missing_part_is_named(tmp_path: Path, name: str, said: str) -> None:
    folder = SMALL.write(tmp_path / "docket")
    (folder / name).unlink()
    with pytest.raises(UntrustedEvidence, match=f"{name} {said}"):
        Docket(folder)


@pytest.mark.idea("C8")
def test_lines_cut_swapped_doubled_or_torn_are_refused(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    lines = (folder / "log" / "statements.jsonl").read_bytes().splitlines(keepends=True)
    doubled, torn, swapped = [*lines, lines[-1]], [*lines[:-1], lines[-1][:-1]], [lines[1], lines[0], *lines[2:]]
    forged = (lines[:-1], lines[1:], swapped, doubled, [], torn)
    for content in forged:
        (folder / "log" / "statements.jsonl").write_bytes(b"".join(content))
        with pytest.raises(UntrustedEvidence, match="not the one its checkpoint speaks of|is torn"):
            Docket(folder)
    (folder / "log" / "statements.jsonl").write_bytes(b"".join(lines))
    Docket(folder).close()


def test_another_key_in_the_key_file_is_refused(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    for text in (OTHER_KEY.public.hex(), KEY.public.hex()[:-2], "key", ""):
        (folder / "keys" / "signer.pub").write_text(text + "\n")
        with pytest.raises(UntrustedEvidence, match=r"keys/signer\.pub"):
            Docket(folder)
    (folder / "keys" / "signer.pub").write_text(OTHER_KEY.public.hex() + "\n")
    edited(folder, "docket.json", KEY.fingerprint.encode(), OTHER_KEY.fingerprint.encode())
    with pytest.raises(UntrustedEvidence, match="checkpoint is not signed"):
        Docket(folder)


@pytest.mark.idea("C8")
def test_an_edited_blob_or_report_is_named_when_it_is_read(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    digest = SMALL.digest.removeprefix("sha256:")
    edited(folder, f"blobs/sha256/{digest[:2]}/{digest}", b"not a real", b"quite real")
    edited(folder, "report.html", b"report", b"regret")
    docket = Docket(folder)
    with pytest.raises(UntrustedEvidence, match=f"{digest} was changed"):
        docket.blob(SMALL.digest)
    with pytest.raises(UntrustedEvidence, match=r"report\.html was changed"):
        docket.file("report.html")
    with pytest.raises(UntrustedEvidence, match="lists no file 'docket.json'"):
        docket.file("docket.json")
    for strange in ("sha256:../../../etc/passwd", "", "sha256:" + "0" * 64):
        with pytest.raises(UntrustedEvidence):
            docket.blob(strange)


def test_the_crate_lists_the_files_that_are_there(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    crate = json.loads((folder / "ro-crate-metadata.json").read_bytes())
    named = {entry["@id"] for entry in crate["@graph"] if entry["@type"] == "File"}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert named == {name for name in there if not name.startswith("blobs/")} - {"ro-crate-metadata.json"}
    assert "datePublished" not in extra_files(b"", {}, "t")["ro-crate-metadata.json"].decode()


def test_a_folder_zipped_by_another_program_is_read_all_the_same(tmp_path: Path) -> None:
    folder = SMALL.write(tmp_path / "docket")
    shutil.make_archive(str(tmp_path / "other"), "zip", folder)
    assert any(name.endswith("/") for name in zipfile.ZipFile(tmp_path / "other.zip").namelist())
    with Docket(tmp_path / "other.zip") as docket:
        assert docket.blob(SMALL.digest) == SMALL.network
    manifest = json.loads((folder / "docket.json").read_bytes())
    assert (folder / "docket.json").read_bytes() == canonical_json(manifest) + b"\n"
