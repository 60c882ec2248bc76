# SPDX-License-Identifier: Apache-2.0
"""Open the members of a zip archive one at a time, whoever made it: sizes bounded, names suspected, zstd known."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from safetyboard.terms.errors import EnvironmentFault, TooLarge, UnreadableInput

LARGEST_MEMBER = 256 << 20
LARGEST_LISTING = 64 << 20
MOST_MEMBERS = 200_000
RATIO = 1000
SMALLEST = 1 << 10
SMALLEST_SUSPECT = 1 << 20
ZSTANDARD = 93
WIDEST_WINDOW = 1 << 27
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")


class MemberRefused(UnreadableInput):
    """Refuse one member of an archive; `reason` is its line in a loss account."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, hint="The other members are read.")
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Member:
    """Name one member and say where its bytes stand.

    Args:    packed, size: bytes in the archive and as declared unpacked. fault: why it is not to be opened, or empty.
             superseded: a later member has the same name; readers of archives see the later one only.
    """

    name: str
    start: int
    packed: int
    size: int
    method: int
    checksum: int
    fault: str = ""
    superseded: bool = False


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Hold an open archive: its name for sentences, its bytes, its members in the order they are listed in."""

    name: str
    stream: BinaryIO
    members: tuple[Member, ...]

    def find(self, name: str) -> Member | None:
        """Give the last member of a name; None where there is none."""
        return next((member for member in reversed(self.members) if member.name == name), None)

    def read(self, member: Member) -> bytes:
        """Unpack one member.

        Raises:  MemberRefused: its name is a trick, it is encrypted, damaged or too large, or packed in a way nobody
                 here knows. EnvironmentFault: it needs the package zstandard.
        """
        if member.fault:
            raise self._refusal(member, member.fault)
        limit = min(LARGEST_MEMBER, max(RATIO * max(member.packed, SMALLEST), SMALLEST_SUSPECT))
        if member.size > limit:
            raise self._refusal(member, "members over the limit")
        self.stream.seek(member.start)
        head = self.stream.read(_LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
            raise self._refusal(member, "damaged members")
        *_, name_size, extra_size = _LOCAL.unpack(head)
        self.stream.seek(name_size + extra_size, io.SEEK_CUR)
        packed = self.stream.read(member.packed)
        try:
            content = _unpacked(packed, member.method, min(limit, member.size))
        except (zlib.error, EOFError, ValueError) as error:
            raise self._refusal(member, "damaged members") from error
        if len(content) != member.size or zlib.crc32(content) != member.checksum:
            raise self._refusal(member, "damaged members")
        return content

    def _refusal(self, member: Member, reason: str) -> MemberRefused:
        text = f"{self.name}: the member {member.name[:100]!r} is not opened ({reason})."
        return MemberRefused(text, reason=reason)


def opened(name: str, stream: BinaryIO) -> Archive:
    """List an archive's members without unpacking any.

    Raises:  UnreadableInput: no zip archive, or a truncated one. TooLarge: too many members.
    """
    _refuse_long_listing(name, stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError) as error:
        raise UnreadableInput(f"{name}: the zip archive is damaged ({error}).", hint="Fetch the file again.") from error
    last = {entry.filename: number for number, entry in enumerate(listed)}
    overlapping = _overlapping(listed)
    members = tuple(
        Member(
            name=entry.filename,
            start=entry.header_offset,
            packed=entry.compress_size,
            size=entry.file_size,
            method=entry.compress_type,
            checksum=entry.CRC,
            fault=_fault(entry) or ("members that overlap" if number in overlapping else ""),
            superseded=last[entry.filename] != number,
        )
        for number, entry in enumerate(listed)
        if not entry.is_dir()
    )
    return Archive(name=name, stream=stream, members=members)


def _fault(entry: zipfile.ZipInfo) -> str:
    # `orig_filename` still has what zipfile takes away: a NUL byte and all behind it.
    name = entry.orig_filename
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/") or name[1:2] == ":":
        return "members with path tricks"
    if entry.flag_bits & 0x41:
        return "encrypted members"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, ZSTANDARD):
        return "members packed in an unknown way"
    return ""


def _overlapping(listed: list[zipfile.ZipInfo]) -> set[int]:
    """Find members that share bytes: a small archive becomes a huge one that way."""
    found: set[int] = set()
    end = -1
    for number in sorted(range(len(listed)), key=lambda number: listed[number].header_offset):
        entry = listed[number]
        if entry.header_offset < end:
            found.add(number)
        end = max(end, entry.header_offset + _LOCAL.size + entry.compress_size)
    return found


def _refuse_long_listing(name: str, stream: BinaryIO) -> None:
    """Look at the end of the archive before the listing is loaded: its size is what makes memory grow."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - (1 << 16) - _END.size))
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise UnreadableInput(
            f"{name}: the zip archive ends before its list of members: it was cut, or is still being written.",
            hint="Fetch the file again.",
        )
    _, _, _, _, _, listing, _, _ = _END.unpack_from(tail, place)
    before = place - 20 - _END_64.size
    if listing == 0xFFFFFFFF and before >= 0 and tail[before : before + 4] == b"PK\x06\x06":
        listing = _END_64.unpack_from(tail, before)[8]
    end = size - len(tail) + place
    if listing > LARGEST_LISTING:
        raise TooLarge(f"{name}: the list of members has {listing} bytes, over the limit of {LARGEST_LISTING}.")
    stream.seek(max(0, end - listing - 76))
    if stream.read(listing + 76).count(b"PK\x01\x02") > MOST_MEMBERS:
        raise TooLarge(f"{name}: over {MOST_MEMBERS} members.", hint="Investigate a smaller one.")
    stream.seek(0)


def _unpacked(packed: bytes, method: int, limit: int) -> bytes:
    if method == zipfile.ZIP_STORED:
        return packed
    if method == zipfile.ZIP_DEFLATED:
        opener = zlib.decompressobj(wbits=-15)
        content = opener.decompress(packed, limit + 1)
        if not opener.eof and len(content) <= limit:
            raise EOFError("the packed data end too early")
        return content
    return _zstandard(packed, limit)


def _zstandard(packed: bytes, limit: int) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise EnvironmentFault(
            "The package zstandard is missing, which members of this archive are packed with.",
            hint="pip install 'safetyboard[records]'",
        ) from error
    opener = zstandard.ZstdDecompressor(max_window_size=WIDEST_WINDOW)
    try:
        with opener.stream_reader(packed, read_across_frames=True) as stream:
            parts, size = [], 0
            while size <= limit and (part := stream.read(min(1 << 20, limit + 1 - size))):
                parts.append(part)
                size += len(part)
    except zstandard.ZstdError as error:
        raise ValueError("damaged zstd data") from error
    return b"".join(parts)
