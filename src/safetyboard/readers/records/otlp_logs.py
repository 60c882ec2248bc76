# SPDX-License-Identifier: Apache-2.0
"""Read OTLP log records that say what a model was asked and answered: those of one call become a span with events."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from safetyboard.readers.account import Account
from safetyboard.readers.records.chat_messages import Path, below, name_of
from safetyboard.readers.records.span import Attribute, Event, Span
from safetyboard.readers.stored import printable
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Source

Values: TypeAlias = "tuple[Callable[[Any], Any], Callable[[Any, Source, Path], Source]]"
PREFIX = "gen_ai."
NO_RECORD = "log records that are no objects"


def log_spans(
    resource: Mapping[str, Any], here: Source, told: Mapping[str, Plain], account: Account, values: Values
) -> Iterator[Span]:
    """Give one span for each call that log records of one resource speak of, in their order; others are left.

    Args:    values: how an OTLP value is read, and where a part of one stands.
    Source:  OpenTelemetry semantic conventions for generative AI, events: one a message until 1.36
             (``gen_ai.user.message`` …, fields in the body), ``gen_ai.client.inference.operation.details`` from 1.37.
    """
    calls: dict[tuple[str, str], list[tuple[Mapping[str, Any], Event]]] = {}
    for at, record in _records(resource, here, account):
        event = _event(record, at, values)
        if not event.name.startswith(PREFIX):
            account.pass_unknown(f"log record {printable(event.name, 40) or 'without a name'}")
            continue
        key = name_of(record.get("traceId")).lower(), name_of(record.get("spanId")).lower()
        calls.setdefault(key, []).append((record, event))
    for (trace, span), held in calls.items():
        first, last = held[0][1], held[-1][1]
        times = [int(each.at) if each.at.isdecimal() and len(each.at) < 20 else 0 for _, each in held]
        yield Span(
            trace=trace,
            # The span itself may stand in the same file; these are what was logged during it.
            span=f"{span or 'log'}/{here.line}{first.source.pointer}",
            parent="",
            name=first.name,
            name_at=first.source,
            source=first.source,
            attributes={key: each for _, event in held for key, each in event.attributes.items() if key in _OF_CALL},
            start=min(times),
            end=max(times),
            at=first.at,
            until=last.at,
            events=tuple(event for _, event in held),
            resource=told,
        )


_OF_CALL = (
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.system",
    "gen_ai.provider.name",
    "gen_ai.agent.name",
    "gen_ai.conversation.id",
)


def _records(resource: Mapping[str, Any], here: Source, account: Account) -> Iterator[tuple[Source, Mapping[str, Any]]]:
    scopes = resource.get("scopeLogs")
    for place, scope in enumerate(scopes if isinstance(scopes, list) else []):
        records = scope.get("logRecords") if isinstance(scope, dict) else None
        for index, record in enumerate(records if isinstance(records, list) else [None]):
            if isinstance(record, dict):
                yield below(here, "scopeLogs", place, "logRecords", index), record
            else:
                account.leave(NO_RECORD)


def _event(record: Mapping[str, Any], at: Source, values: Values) -> Event:
    read, located = values
    attributes: dict[str, Attribute] = {}
    held = record.get("attributes")
    for index, each in enumerate(held if isinstance(held, list) else []):
        if isinstance(each, dict) and isinstance(each.get("key"), str):
            attributes[each["key"]] = _attribute(each.get("value"), below(at, "attributes", index, "value"), values)
    name = name_of(record.get("eventName"))
    if not name and "event.name" in attributes:
        name = name_of(attributes["event.name"].value)
    raw = record.get("body")
    body = read(raw)
    if isinstance(body, dict):
        for key in body:
            locate = partial(_within, partial(located, raw, below(at, "body")), str(key))
            attributes.setdefault(str(key), Attribute(value=body[key], locate=locate))
    elif body not in (None, ""):
        attributes.setdefault("content", _attribute(raw, below(at, "body"), values))
    attributes.pop("event.name", None)
    time = name_of(record.get("timeUnixNano")) or name_of(record.get("observedTimeUnixNano"))
    return Event(name=name, at=time, source=at, attributes=attributes)


def _attribute(raw: Any, at: Source, values: Values) -> Attribute:
    read, located = values
    return Attribute(value=read(raw), locate=partial(located, raw, at))


def _within(locate: Callable[[Path], Source], key: str, path: Path) -> Source:
    return locate((key, *path))
