# SPDX-License-Identifier: Apache-2.0
"""Read OpenTelemetry traces as OTLP writes them, in JSON or protobuf: each trace is an episode."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records.chat_messages import Path, below, name_of, root_of
from safetyboard.readers.records.json_lines import values
from safetyboard.readers.records.otlp_logs import log_spans
from safetyboard.readers.records.otlp_wire import DAMAGED, looks_wire, messages, request_of, wire_name
from safetyboard.readers.records.span import Attribute, Span, events_of
from safetyboard.readers.records.spans import traces
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Source

_SCALARS = ("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue")
NO_SPAN = "spans that are no objects"
NO_REQUEST = "requests without resourceSpans"


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file holds OTLP traces, or log records of calls of a model."""
    if wire_name(name):
        return looks_wire(head)
    return b'"resourceSpans"' in head or (b'"resourceLogs"' in head and b"gen_ai." in head)


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each trace as an episode.

    Raises:  TooLarge: one protobuf request of over 256 MiB. EnvironmentFault: protobuf, and no package to read it.
    Source:  OTLP specification 1.x; semantic conventions for generative AI, also before version 1.37; OpenInference.
    """
    account.unit = "spans"
    root = root_of(stored)
    yield from traces(lambda counted: _spans(stored, counted, root), account, "otlp")


def _spans(stored: Stored, account: Account, root: Source) -> Iterator[Span]:
    for source, request in _requests(stored, account, root):
        logs = request.get("resourceLogs") if isinstance(request, dict) else None
        for place, resource in enumerate(logs if isinstance(logs, list) else []):
            if isinstance(resource, dict):
                here = below(source, "resourceLogs", place)
                yield from log_spans(resource, here, _told(resource, here), account, (any_value, _located))
            else:
                account.leave(NO_SPAN)
        if not isinstance(request, dict) or not isinstance(request.get("resourceSpans"), list):
            if not isinstance(logs, list):
                account.leave(NO_REQUEST)
            continue
        for place, resource in enumerate(request["resourceSpans"]):
            here = below(source, "resourceSpans", place)
            told = _told(resource, here)
            for at, span in _inner(resource, here, account):
                made = _span(span, at, told)
                if made is None:
                    account.leave(NO_SPAN)
                else:
                    yield made


def _told(resource: Any, here: Source) -> dict[str, Plain]:
    """Give what a resource says of the program that wrote its spans."""
    inside = resource.get("resource") if isinstance(resource, dict) else None
    shared = _attributes(inside, below(here, "resource")) if isinstance(inside, dict) else {}
    return {key: plain_of(each.value) for key, each in shared.items()}


def _requests(stored: Stored, account: Account, root: Source) -> Iterator[tuple[Source, Any]]:
    if not wire_name(stored.name):
        for line, pointer, value in values(stored, account):
            yield Source(file=root.file, line=line, pointer=pointer), value
        return
    with stored.open() as stream:
        for index, (content, reason) in enumerate(messages(stream, stored.size, stored.name)):
            request = None if reason else request_of(content)
            if request is None:
                account.leave(reason or DAMAGED)
                continue
            yield below(root, index), request


def _inner(resource: Any, here: Source, account: Account) -> Iterator[tuple[Source, Any]]:
    """Give the spans of one resource; older files call the scopes instrumentation libraries."""
    if not isinstance(resource, dict):
        account.leave(NO_SPAN)
        return
    for key in ("scopeSpans", "instrumentationLibrarySpans"):
        scopes = resource.get(key, [])
        for place, scope in enumerate(scopes if isinstance(scopes, list) else [scopes]):
            spans = scope.get("spans", []) if isinstance(scope, dict) else None
            if not isinstance(spans, list):
                account.leave(NO_SPAN)
                continue
            for index, span in enumerate(spans):
                yield below(here, key, place, "spans", index), span


def _span(span: Any, at: Source, resource: Mapping[str, Plain]) -> Span | None:
    if not isinstance(span, dict):
        return None
    status = span.get("status")
    error = None
    if isinstance(status, dict) and status.get("code") in (2, "STATUS_CODE_ERROR") and status.get("message"):
        error = (status["message"], below(at, "status", "message"))
    events = span.get("events")
    return Span(
        trace=name_of(span.get("traceId")).lower(),
        span=name_of(span.get("spanId")).lower(),
        parent=name_of(span.get("parentSpanId")).lower(),
        name=name_of(span.get("name")),
        name_at=below(at, "name") if "name" in span else at,
        source=at,
        attributes=_attributes(span, at),
        start=_nanoseconds(span.get("startTimeUnixNano")),
        end=_nanoseconds(span.get("endTimeUnixNano")),
        at=name_of(span.get("startTimeUnixNano")),
        until=name_of(span.get("endTimeUnixNano")),
        events=tuple(events_of(events if isinstance(events, list) else [], at, "timeUnixNano", _attributes)),
        resource=resource,
        error=error,
    )


def _nanoseconds(value: Any) -> int:
    """Read a 64-bit integer, which OTLP writes as text and some write as a number."""
    text = name_of(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _attributes(holder: Mapping[str, Any], at: Source) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    held = holder.get("attributes")
    here = below(at, "attributes")
    for index, each in enumerate(held if isinstance(held, list) else []):
        if isinstance(each, dict) and isinstance(each.get("key"), str):
            raw = each.get("value")
            found[each["key"]] = Attribute(
                value=any_value(raw), locate=partial(_located, raw, below(here, index, "value"))
            )
    return found


def any_value(raw: Any) -> Any:
    """Read an OTLP value: text, truth, number, list or object; what has no such form stays as it is."""
    if not isinstance(raw, dict):
        return raw
    for key in _SCALARS:
        if key in raw:
            value = raw[key]
            if key == "intValue" and isinstance(value, str) and value.lstrip("-").isascii():
                return int(value) if value.lstrip("-").isdigit() and len(value) < 21 else value
            return value
    for key in ("arrayValue", "kvlistValue"):
        inner = raw.get(key)
        if isinstance(inner, dict):
            items = inner.get("values", [])
            items = items if isinstance(items, list) else []
            if key == "arrayValue":
                return [any_value(item) for item in items]
            return {name_of(each.get("key")): any_value(each.get("value")) for each in items if isinstance(each, dict)}
    return raw or None


def _located(raw: Any, at: Source, path: Path) -> Source:
    """Find where a part of an OTLP value stands in the file."""
    parts: list[str | int] = []
    for done, step in enumerate(path):
        inner = raw if isinstance(raw, dict) else {}
        if isinstance(inner.get("arrayValue"), dict) and isinstance(step, int):
            parts += ["arrayValue", "values", step]
            raw = inner["arrayValue"]["values"][step]
        elif isinstance(inner.get("kvlistValue"), dict):
            entries = inner["kvlistValue"].get("values", [])
            named = [index for index, each in enumerate(entries) if isinstance(each, dict) and each.get("key") == step]
            if not named:
                return below(at, *parts)
            parts += ["kvlistValue", "values", named[-1], "value"]
            raw = entries[named[-1]].get("value")
        else:
            # The rest of the path is inside text that is the JSON of a message.
            return below(at, *parts, *(["stringValue"] if "stringValue" in inner else []), *path[done:])
    scalar = next((key for key in _SCALARS if isinstance(raw, dict) and key in raw), "")
    return below(at, *parts, *([scalar] if scalar else []))
