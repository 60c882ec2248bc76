# SPDX-License-Identifier: Apache-2.0
"""A docket as folder or zip: the same bytes each time, and nothing a hostile one says is believed."""

import os
import struct
import zipfile
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest

from safetyboard.evidence.archive import BEGINNING, Archive, belongs, pack
from safetyboard.terms.errors import TooLarge, UnreadableInput, UntrustedEvidence

BLOB = "blobs/sha256/ab/ab" + "0" * 62


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "docket"
    contents = {"docket.json": b"{}\n", "report.html": b"<p>" * 1000, BLOB: os.urandom(5000), "lessons/a.json": b"1\n"}
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def zip_of(path: Path, members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, BEGINNING)
            entry.compress_type = method
            twice = name in archive.namelist()
            with pytest.warns(UserWarning, match="Duplicate") if twice else nullcontext():
                archive.writestr(entry, content)
    return path


def test_a_zip_gives_back_the_folder_and_is_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    for path in folder.rglob("*"):
        os.utime(path, (10**9, 10**9))
    pack(folder, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    packed, loose = Archive(tmp_path / "one.zip"), Archive(folder)
    assert packed.names() == loose.names() == sorted(["docket.json", "report.html", BLOB, "lessons/a.json"])
    assert all(packed.read(name) == loose.read(name) == (folder / name).read_bytes() for name in loose.names())
    packed.close()


def test_a_zip_is_never_written_over_another_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.zip").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        pack(folder, tmp_path / "one.zip")
    assert (tmp_path / "one.zip").read_bytes() == b"mine"


def test_our_own_zip_of_very_regular_bytes_is_not_taken_for_a_bomb(folder: Path, tmp_path: Path) -> None:
    (folder / BLOB).write_bytes(bytes(20_000_000))
    pack(folder, tmp_path / "one.zip")
    archive = Archive(tmp_path / "one.zip")
    assert archive.read(BLOB) == bytes(20_000_000)
    archive.close()


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../docket.json", "blobs/../../x", "C:\\x", "lessons\\a.json", "..", "report.html\0.txt", "C:x"],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    # The name is put in afterwards: zipfile tidies up what it writes.
    path = zip_of(tmp_path / "hostile.zip", [("docket.json", b"{}"), ("~" * len(name), b"x")])
    Archive(path).close()
    content = path.read_bytes()
    assert content.count(b"~" * len(name)) == 2
    path.write_bytes(content.replace(b"~" * len(name), name.encode()))
    with pytest.raises(UntrustedEvidence, match="is no name inside a docket"):
        Archive(path)


def test_a_name_listed_twice_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "twice.zip", [("docket.json", b"{}"), ("docket.json", b"{} ")])
    with pytest.raises(UntrustedEvidence, match="lists a name twice"):
        Archive(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="packed like a zip bomb"):
        Archive(zip_of(tmp_path / "bomb.zip", [("report.html", bytes(50_000_000))]))
    many = [(f"lessons/{number}.json", bytes(3000)) for number in range(100)]
    with pytest.raises(TooLarge, match="unpacks to more than 200000 bytes"):
        Archive(zip_of(tmp_path / "many.zip", many), limit=200_000)
    Archive(tmp_path / "many.zip", limit=300_000).close()


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_either(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "liar.zip", [("report.html", bytes(300_000_000))])
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(mark) + offset
        assert struct.unpack_from("<I", content, place) == (300_000_000,)
        struct.pack_into("<I", content, place, 1000)
    path.write_bytes(content)
    archive = Archive(path)
    import tracemalloc  # noqa: PLC0415 - its cost is for this test alone

    tracemalloc.start()
    with pytest.raises(UntrustedEvidence, match=r"report\.html cannot be read"):
        archive.read("report.html")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    archive.close()
    assert most < 5_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_packed_in_other_ways_are_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(UntrustedEvidence, match="neither stored nor deflated"):
        Archive(zip_of(tmp_path / "other.zip", [("report.html", b"x" * 100)], method))


def test_a_damaged_member_is_named(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    content = bytearray((tmp_path / "one.zip").read_bytes())
    content[content.index((folder / BLOB).read_bytes())] ^= 1
    (tmp_path / "one.zip").write_bytes(content)
    archive = Archive(tmp_path / "one.zip")
    with pytest.raises(UntrustedEvidence, match=f"{BLOB} cannot be read"):
        archive.read(BLOB)
    assert archive.read("docket.json") == b"{}\n"
    archive.close()


def test_a_locked_member_is_named(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    content = bytearray((tmp_path / "one.zip").read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := content.find(mark, place + 1)) >= 0:
            content[place + offset] |= 1
    (tmp_path / "one.zip").write_bytes(content)
    archive = Archive(tmp_path / "one.zip")
    with pytest.raises(UntrustedEvidence, match=r"docket\.json cannot be read"):
        archive.read("docket.json")
    archive.close()


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + b"\0" * 100, b"not a zip" * 100, zlib.compress(b"x")])
def test_what_is_no_zip_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.zip").write_bytes(content)
    with pytest.raises(UnreadableInput, match="not a docket"):
        Archive(tmp_path / "file.zip")
    with pytest.raises(UnreadableInput, match="there is no such file"):
        Archive(tmp_path / "gone.zip")


def test_every_cut_of_a_zip_is_refused_or_read_rightly(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    whole = (tmp_path / "one.zip").read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(UnreadableInput):
            Archive(tmp_path / "cut.zip")


def test_links_pipes_and_folders_inside_a_folder_are_not_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    handles = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for name, make in (
        ("report.html", lambda path: path.symlink_to(tmp_path / "secret")),
        ("replay.py", os.mkfifo),
        ("docket.json", Path.mkdir),
    ):
        (folder / name).unlink(missing_ok=True)
        make(folder / name)
        with pytest.raises(UntrustedEvidence, match=name):
            Archive(folder).read(name)
    assert not handles or len(os.listdir("/proc/self/fd")) == handles
    assert "report.html" in Archive(folder).names()


def test_a_file_over_the_limit_is_refused(folder: Path) -> None:
    assert Archive(folder, limit=5000).read(BLOB)
    with pytest.raises(UntrustedEvidence, match="too large"):
        Archive(folder, limit=4999).read(BLOB)


@pytest.mark.parametrize("name", ["gone.txt", "../secret", "/etc/passwd", "report.html/x", BLOB[:-1] + "1", "lessons/"])
def test_what_is_not_there_or_does_not_belong_is_a_key_error(folder: Path, tmp_path: Path, name: str) -> None:
    pack(folder, tmp_path / "one.zip")
    for place in (folder, tmp_path / "one.zip"):
        archive = Archive(place)
        with pytest.raises(KeyError):
            archive.read(name)
        archive.close()


def test_only_the_files_of_the_format_belong() -> None:
    assert all(map(belongs, ["docket.json", "log/checkpoint", BLOB, "lessons/A-1.b_c.json"]))
    strange = ["x", "docket.json ", "docket.json\n", "lessons/../docket.json", "lessons/.json", "lessons/a/b.json"]
    assert not any(map(belongs, [*strange, "blobs/sha256/ac/ab" + "0" * 62, BLOB.upper(), "/docket.json", ""]))
