# SPDX-License-Identifier: Apache-2.0
"""Split protobuf messages strictly: what two readers could understand differently is rejected."""

from dataclasses import dataclass, field

from safetyboard_check.faults import Rejected, need

MOST_FIELDS = 4_000_000
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
_WORDS = {VARINT: "a varint", EIGHT: "eight bytes", BYTES: "bytes", FOUR: "four bytes"}
Value = int | memoryview


@dataclass
class Message:
    """Hold the fields of one message by number; field values in their order."""

    what: str
    found: dict[int, list[tuple[int, Value]]] = field(default_factory=dict)

    def many(self, number: int, wire: int) -> list[Value]:
        """Give every value of a repeated field."""
        given = self.found.get(number, [])
        for found, _ in given:
            need(found == wire, f"{self.what}: field {number} is {_WORDS[found]}, not {_WORDS[wire]}")
        return [value for _, value in given]

    def one(self, number: int, wire: int) -> Value | None:
        """Give the value of a field that may stand once; twice is rejected, because readers merge differently."""
        given = self.many(number, wire)
        need(len(given) < 2, f"{self.what}: field {number} stands {len(given)} times, not once")
        return given[0] if given else None

    def text(self, number: int) -> str:
        """Read a text field, empty when absent."""
        return as_text(self.one(number, BYTES), self.what)

    def integer(self, number: int) -> int:
        """Read a signed integer, 0 when absent."""
        value = self.one(number, VARINT)
        return signed(value) if isinstance(value, int) else 0

    def parts(self, number: int, what: str) -> "list[Message]":
        """Read every message of a repeated field."""
        return [message(value, what) for value in self.many(number, BYTES) if isinstance(value, memoryview)]

    def part(self, number: int, what: str) -> "Message":
        """Read the message of a field that may stand once; an absent one has no fields."""
        value = self.one(number, BYTES)
        return message(value, what) if isinstance(value, memoryview) else Message(what)

    def packed(self, number: int, wire: int) -> list[Value]:
        """Give the items of a repeated number, one by one or packed."""
        items: list[Value] = []
        for found, value in self.found.get(number, []):
            if found == BYTES and isinstance(value, memoryview):
                items += _unpacked(value, wire, self.what)
            else:
                need(found == wire, f"{self.what}: field {number} is {_WORDS[found]}, not {_WORDS[wire]}")
                items.append(value)
        return items

    def refuse(self, *numbers: int, why: str) -> None:
        """Reject the message when it has any of these fields."""
        need(not set(numbers) & set(self.found), f"{self.what}: {why}")


def as_text(value: Value | None, what: str) -> str:
    """Read UTF-8."""
    try:
        return bytes(value).decode("utf-8") if isinstance(value, memoryview) else ""
    except UnicodeDecodeError as error:
        raise Rejected(f"{what}: a name is not UTF-8") from error


def signed(value: int) -> int:
    """Read a varint as a signed 64-bit integer."""
    return value - 2**64 if value >= 2**63 else value


def _unpacked(content: memoryview, wire: int, what: str) -> list[Value]:
    items: list[Value] = []
    if wire == FOUR:
        need(len(content) % 4 == 0, f"{what}: a packed list is truncated")
        return [content[at : at + 4] for at in range(0, len(content), 4)]
    position = 0
    while position < len(content):
        item, position = _varint(content, position, what)
        items.append(item)
    return items


def _varint(content: memoryview, position: int, what: str) -> tuple[int, int]:
    value = shift = 0
    size = len(content)
    while True:
        need(position < size and shift < 64, f"{what}: truncated, or a varint over ten bytes")
        byte = content[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            need(value < 2**64, f"{what}: a varint over 64 bits")
            return value, position


def message(content: bytes | memoryview, what: str) -> Message:
    """Split one message into its fields."""
    content = memoryview(content)
    read, position, size, count = Message(what), 0, len(content), 0
    while position < size:
        key, position = _varint(content, position, what)
        number, wire = key >> 3, key & 7
        value: Value
        if wire == VARINT:
            value, position = _varint(content, position, what)
        elif wire in (EIGHT, FOUR, BYTES):
            length = {EIGHT: 8, FOUR: 4}.get(wire, 0)
            if wire == BYTES:
                length, position = _varint(content, position, what)
            need(position + length <= size, f"{what}: truncated")
            value, position = content[position : position + length], position + length
        else:
            raise Rejected(f"{what}: not protobuf (wire type {wire})")
        count += 1
        need(0 < number < 1 << 29 and count <= MOST_FIELDS, f"{what}: not protobuf")
        read.found.setdefault(number, []).append((wire, value))
    return read
