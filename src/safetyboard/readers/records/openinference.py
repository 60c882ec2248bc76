# SPDX-License-Identifier: Apache-2.0
"""Read spans written one JSON object each, as OpenTelemetry's own exporters and OpenInference tools dump them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records.chat_messages import Path, below, name_of, root_of
from safetyboard.readers.records.json_lines import values
from safetyboard.readers.records.span import Attribute, Span, events_of
from safetyboard.readers.records.spans import traces
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Source

_MARKS = (b'"openinference.span.kind"', b'"llm.input_messages', b'"llm.output_messages', b'"attributes.openinference')
_COLUMN = "attributes."
_WHOLE = ("llm.invocation_parameters", "metadata", "input.value", "output.value", "tool.parameters")


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file holds spans as objects with flat attributes; OTLP's own form is another reader's."""
    if b'"resourceSpans"' in head or head.lstrip()[:1] not in (b"{", b"["):
        return False
    marked = any(mark in head for mark in _MARKS) or b'"gen_ai.' in head
    return marked and b"trace_id" in head and b"span_id" in head and b"attributes" in head


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each trace as an episode.

    Source:  OpenInference specification, "Flattening"; OpenTelemetry SDK for Python, ``ReadableSpan.to_json``.
    """
    account.unit = "spans"
    root = root_of(stored)
    yield from traces(lambda counted: _spans(stored, counted, root), account, "openinference")


def _spans(stored: Stored, account: Account, root: Source) -> Iterator[Span]:
    for line, pointer, value in values(stored, account):
        at = Source(file=root.file, line=line, pointer=pointer)
        if not isinstance(value, dict):
            account.leave("spans that are no objects")
            continue
        span = _span(value, at)
        if span.trace or span.span or span.attributes:
            yield span
        else:
            account.pass_unknown("objects without ids and attributes")


def _span(value: Mapping[str, Any], at: Source) -> Span:
    context = value.get("context")
    ids = context if isinstance(context, dict) else {}
    status = value.get("status")
    code = value.get("status_code")
    told: tuple[str, ...] = ("status_message",)
    if isinstance(status, dict):
        code = status.get("status_code", status.get("code"))
        told = ("status", "description") if "description" in status else ("status", "message")
    said = status.get(told[-1]) if isinstance(status, dict) else value.get("status_message")
    resource = value.get("resource")
    shared = resource.get("attributes") if isinstance(resource, dict) else None
    events = value.get("events")
    start, end = value.get("start_time"), value.get("end_time")
    return Span(
        trace=_id(ids.get("trace_id", value.get("context.trace_id", value.get("trace_id")))),
        span=_id(ids.get("span_id", value.get("context.span_id", value.get("span_id")))),
        parent=_id(value.get("parent_id", value.get("parent_span_id"))),
        name=name_of(value.get("name")),
        name_at=below(at, "name") if "name" in value else at,
        source=at,
        attributes=_attributes(value, at),
        start=_nanoseconds(start),
        end=_nanoseconds(end),
        at=name_of(start),
        until=name_of(end),
        events=tuple(events_of(events if isinstance(events, list) else [], at, "timestamp", _attributes)),
        resource=_plain(shared),
        error=(said, below(at, *told)) if said and "ERROR" in name_of(code).upper() else None,
    )


def _plain(value: Any) -> Mapping[str, Plain]:
    plain = plain_of(value)
    return plain if isinstance(plain, dict) else {}


def _id(value: Any) -> str:
    return name_of(value).lower().removeprefix("0x")


def _nanoseconds(value: Any) -> int:
    """Read a time: nanoseconds, or a date of ISO 8601; 0 where it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = datetime.fromisoformat(name_of(value))
        return int(moment.timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        return 0


def _attributes(holder: Mapping[str, Any], at: Source) -> dict[str, Attribute]:
    """Flatten attributes: flat already, nested objects, or columns of a table named ``attributes.…``."""
    found: dict[str, Attribute] = {}
    held = holder.get("attributes")
    if isinstance(held, dict):
        for key, value in held.items():
            _flatten(found, key, value, at, ("attributes", key))
    for key, value in holder.items():
        if key.startswith(_COLUMN) and value is not None:
            _flatten(found, key.removeprefix(_COLUMN), value, at, (key,))
    return found


def _flatten(found: dict[str, Attribute], key: str, value: Any, at: Source, path: Path) -> None:
    """Write an object, and a list of objects, as one attribute a leaf."""
    if isinstance(value, dict) and value and key not in _WHOLE:
        for name, inner in value.items():
            _flatten(found, f"{key}.{name}", inner, at, (*path, name))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, inner in enumerate(value):
            _flatten(found, f"{key}.{index}", inner, at, (*path, index))
    else:
        found[key] = Attribute(value=value, locate=lambda rest: below(at, *path, *rest))
