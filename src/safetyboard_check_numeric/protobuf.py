# SPDX-License-Identifier: Apache-2.0
"""Split protocol-buffer messages into numbered fields, nothing more."""

from collections import defaultdict
from dataclasses import dataclass, field

from safetyboard_check_numeric.refusals import Rejected

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def varint(content: bytes, at: int) -> tuple[int, int]:
    """Read a base-128 number; returns it and where the next byte is."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise Rejected("the network's file is cut, or is no ONNX file")


def signed(value: int) -> int:
    """Read 64 bits as two's complement."""
    return value - 2**64 if value >= 2**63 else value


@dataclass
class Message:
    """Hold the fields of one message: numbers and byte strings, each as often as it occurred."""

    numbers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    strings: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def number(self, name: int, default: int = 0) -> int:
        """Return the last value of a number field, signed."""
        found = self.numbers.get(name)
        return signed(found[-1]) if found else default

    def string(self, name: int) -> bytes:
        """Return the last value of a byte field; absent: empty."""
        found = self.strings.get(name)
        return found[-1] if found else b""

    def text(self, name: int) -> str:
        """Return the last value of a text field."""
        return self.string(name).decode("utf-8", "replace")

    def integers(self, name: int) -> list[int]:
        """Return a repeated integer field, packed or not."""
        values = [signed(value) for value in self.numbers.get(name, [])]
        for packed in self.strings.get(name, []):
            at = 0
            while at < len(packed):
                value, at = varint(packed, at)
                values.append(signed(value))
        return values


def message(content: bytes) -> Message:
    """Split a message into its fields."""
    found, at = Message(), 0
    while at < len(content):
        tag, at = varint(content, at)
        name, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = varint(content, at)
            found.numbers[name].append(value)
            continue
        size = 8 if wire == _FIXED64 else 4
        if wire == _BYTES:
            size, at = varint(content, at)
        elif wire not in (_FIXED64, _FIXED32):
            raise Rejected("the network's file is no ONNX file")
        if at + size > len(content):
            raise Rejected("the network's file is cut, or is no ONNX file")
        if wire == _BYTES:
            found.strings[name].append(content[at : at + size])
        else:
            found.numbers[name].append(int.from_bytes(content[at : at + size], "little"))
        at += size
    return found
