# SPDX-License-Identifier: Apache-2.0
"""Open OTLP trace requests in wire form (protobuf) as the JSON that OTLP itself defines for them."""

import base64
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from safetyboard.readers.records.json_lines import LARGEST_DOCUMENT
from safetyboard.terms.errors import EnvironmentFault, TooLarge

_REQUEST_TAG = 0x0A
_INSIDE_TAGS = (0x0A, 0x12, 0x1A)
_IDS = ("traceId", "spanId", "parentSpanId")
DAMAGED = "damaged protobuf"
TRUNCATED = "truncated"


def wire_name(name: str) -> bool:
    """Tell whether a name says protobuf."""
    return name.lower().endswith((".pb", ".binpb", ".protobuf", ".otlp", ".bin"))


def looks_wire(head: bytes) -> bool:
    """Tell whether bytes may begin trace requests in wire form, framed or not."""
    for start in (_varint(head, 0)[1] if head[:1] != b"\n" else 0, 4, 0):
        if head[start : start + 1] == b"\n":
            length, inside = _varint(head, start + 1)
            if length >= 0 and (not length or head[inside : inside + 1] in map(bytes, ([tag] for tag in _INSIDE_TAGS))):
                return True
    return False


def messages(stream: BinaryIO, size: int, name: str) -> Iterator[tuple[bytes, str]]:
    """Give each request's bytes, or a reason why it and the rest are left.

    A file is one request, or requests each behind its length: four bytes, largest first, as the collector's file
    exporter writes them, or a varint, as most libraries do.

    Raises:  TooLarge: one request of over 256 MiB.
    Source:  OpenTelemetry collector, fileexporter README, "File Format"; protobuf "Techniques: streaming".
    """
    head = stream.read(4)
    stream.seek(0)
    if head[:1] == b"\n" and _one_request(stream, size):
        stream.seek(0)
        yield _bounded(stream, size, name), ""
        return
    stream.seek(0)
    fixed = head[:1] == b"\0"
    while True:
        length = _length(stream, fixed)
        if length is None:
            return
        if length < 0:
            yield b"", TRUNCATED
            return
        content = _bounded(stream, min(length, size), name)
        if len(content) < length:
            yield b"", TRUNCATED
            return
        yield content, ""


def request_of(content: bytes) -> Any:
    """Decode one request into the JSON that OTLP defines; None where it is damaged.

    Raises:  EnvironmentFault: the package that knows the wire form is missing.
    Source:  OTLP specification 1.x, "JSON Protobuf Encoding": ids in hexadecimal, 64-bit integers as text.
    """
    try:
        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError as error:
        raise EnvironmentFault(
            "Spans in protobuf need the package opentelemetry-proto.", hint="Install safetyboard[records]."
        ) from error
    try:
        request = MessageToDict(ExportTraceServiceRequest.FromString(content), use_integers_for_enums=True)
    except (DecodeError, ValueError, RecursionError):
        return None
    _with_ids(request)
    return request


def requests_of(content: bytes, name: str) -> list[Any]:
    """Decode all requests of a file in wire form, damaged ones as None; empty where it is none."""
    if not wire_name(name) or not looks_wire(content[:64]):
        return []
    found = [request_of(each) for each, reason in messages(io.BytesIO(content), len(content), name) if not reason]
    return found if any(found) else []


def _with_ids(request: Any) -> None:
    for resource in request.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            for span in scope.get("spans", []):
                for holder in (span, *span.get("links", [])):
                    for key in _IDS:
                        if key in holder:
                            holder[key] = base64.b64decode(holder[key]).hex()


def _varint(content: bytes, start: int) -> tuple[int, int]:
    """Read a varint: its value and where it ends; -1 where it does not end."""
    value = 0
    for index in range(start, min(start + 5, len(content))):
        value |= (content[index] & 0x7F) << 7 * (index - start)
        if not content[index] & 0x80:
            return value, index + 1
    return -1, start


def _length(stream: BinaryIO, fixed: bool) -> int | None:
    """Read the length before a request; None at the end, -1 where it is cut or no length."""
    head = stream.read(4 if fixed else 1)
    if not head:
        return None
    if fixed:
        return int.from_bytes(head, "big") if len(head) == 4 else -1
    while head[-1] & 0x80 and len(head) < 5:
        following = stream.read(1)
        if not following:
            return -1
        head += following
    return _varint(head, 0)[0]


def _one_request(stream: BinaryIO, size: int) -> bool:
    """Tell whether the whole file is repeated first fields, which is what one request is."""
    place = 0
    while place < size:
        stream.seek(place)
        head = stream.read(6)
        length, used = _varint(head, 1)
        if head[:1] != b"\n" or length < 0:
            return False
        place += used + length
    return place == size


def _bounded(stream: BinaryIO, size: int, name: str) -> bytes:
    if size > LARGEST_DOCUMENT:
        raise TooLarge(f"{name}: one trace request of over {LARGEST_DOCUMENT >> 20} MiB.", hint="Split the file.")
    return stream.read(size)
