# SPDX-License-Identifier: Apache-2.0
"""Join the spans of a trace to an episode, whatever they were written in."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.chat_messages import text_of
from safetyboard.readers.records.span import Span
from safetyboard.readers.records.span_steps import SpanSteps
from safetyboard.terms.canonical import Plain, plain_of, well_formed
from safetyboard.terms.episode import Episode
from safetyboard.terms.judgement import Judgement

_SYSTEM: Mapping[str, tuple[str, ...]] = {
    "model": ("gen_ai.request.model", "llm.model_name", "gen_ai.response.model"),
    "version": ("gen_ai.response.model", "gen_ai.agent.version"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "agent": ("gen_ai.agent.name", "agent.name", "graph.node.id"),
}
_PARAMETERS = ("gen_ai.request.", "llm.invocation_parameters")


def traces(read: Callable[[Account], Iterator[Span]], account: Account, kind: str) -> Iterator[Episode]:
    """Give each trace as an episode, as soon as its last span was met; the file is read twice to know which is last."""
    waiting = Counter(span.trace for span in read(Account()))
    held: dict[str, list[Span]] = {}
    for span in read(account):
        held.setdefault(span.trace, []).append(span)
        waiting[span.trace] -= 1
        if not waiting[span.trace]:
            yield episode_of(held.pop(span.trace), account, kind)


def episode_of(spans: list[Span], account: Account, kind: str) -> Episode:
    """Join the spans of one trace; what does not fit together is a discrepancy, and is kept."""
    kept = _without_copies(spans, account)
    depth = _depths(kept, account)
    steps = SpanSteps()
    for index, closing in _in_order(kept, depth):
        if closing:
            steps.close(kept[index])
        else:
            steps.open(kept[index])
    account.take(len(kept))
    first = kept[0]
    extra: dict[str, Plain] = {"spans": len(kept)}
    if steps.repeated:
        extra["repeated_messages"] = steps.repeated
    opened = min((span for span in kept if span.at), key=lambda span: span.start, default=first).at
    conversation = _one(kept, ("gen_ai.conversation.id", "session.id"))
    return Episode(
        file=first.source.file,
        format=kind,
        name=first.trace or first.span,
        steps=tuple(steps.made),
        task=first.name if len(kept) == 1 else next((span.name for span in kept if not span.parent), first.name),
        system=_system(kept),
        opened=opened,
        condition={"conversation": conversation} if conversation else {},
        judgements=tuple(_judgements(kept)),
        extra=extra,
    )


def _without_copies(spans: list[Span], account: Account) -> list[Span]:
    """Leave exact copies of a span; two different spans of one id are both kept and named."""
    first: dict[str, Span] = {}
    kept = []
    for span in spans:
        other = first.setdefault(span.span, span) if span.span else span
        if other is not span:
            if _content(other) == _content(span):
                account.leave("copies of a span")
                continue
            account.discrepancies.append(
                Discrepancy(between="spans", name=span.span, what="duplicate", where=f"trace {span.trace}")
            )
        kept.append(span)
    return kept


def _content(span: Span) -> tuple[Any, ...]:
    attributes = {key: repr(each.value) for key, each in span.attributes.items()}
    return (span.parent, span.name, span.at, span.until, attributes, len(span.events))


def _depths(spans: list[Span], account: Account) -> list[int]:
    """Count the ancestors of each span; a missing parent is a discrepancy, and so is each circle, once."""
    parents = {span.span: span.parent for span in reversed(spans)}
    known: dict[str, int] = {}
    depths = []
    for span in spans:
        chain: dict[str, None] = {}
        at = span.span
        while at in parents and at not in known and at not in chain:
            chain[at] = None
            at = parents[at]
        if at in chain:
            account.discrepancies.append(
                Discrepancy(between="spans, parents", name=span.span, what="cyclic", where=f"parent {span.parent}")
            )
        base = known.get(at, -1)
        for place, each in enumerate(reversed(chain)):
            known[each] = base + place + 1
        if span.parent and span.parent not in parents:
            account.discrepancies.append(
                Discrepancy(between="spans, parents", name=span.span, what="missing", where=f"parent {span.parent}")
            )
        depths.append(known.get(span.span, 0))
    return depths


def _in_order(spans: list[Span], depth: list[int]) -> list[tuple[int, bool]]:
    """Order beginnings and ends of spans by time, outer ones around inner ones; by place where times are missing."""
    order: list[tuple[tuple[int, ...], int, bool]] = []
    timed = all(span.start for span in spans)
    for index, span in enumerate(spans):
        start, end = (span.start, max(span.start, span.end)) if timed else (index, index)
        order.append(((start, 0, depth[index], index), index, False))
        order.append(((end, 1, -depth[index], index), index, True))
    return [(index, closing) for _, index, closing in sorted(order)]


def _one(spans: list[Span], keys: tuple[str, ...]) -> str:
    return next((text_of(span.attributes[key].value) for span in spans for key in keys if key in span.attributes), "")


def _system(spans: list[Span]) -> dict[str, Plain]:
    """Collect models, versions, providers, agents and parameters; several values become a list."""
    found: dict[str, list[Plain]] = {}
    parameters: dict[str, list[Plain]] = {}
    for span in spans:
        for name, keys in _SYSTEM.items():
            for key in keys:
                if key in span.attributes:
                    _add(found, name, span.attributes[key].value)
                    break
        for key, each in span.attributes.items():
            if key.startswith(_PARAMETERS) and key != "gen_ai.request.model":
                _add(parameters, key, each.value)
        for key in ("service.name", "service.version", "telemetry.sdk.name"):
            if key in span.resource:
                _add(found, key, span.resource[key])
    system: dict[str, Plain] = {key: held[0] if len(held) == 1 else held for key, held in found.items()}
    if parameters:
        system["parameters"] = {key: held[0] if len(held) == 1 else held for key, held in sorted(parameters.items())}
    return system


def _add(found: dict[str, list[Plain]], name: str, value: Any) -> None:
    plain = plain_of(value)
    held = found.setdefault(name, [])
    if plain not in held:
        held.append(plain)


def _judgements(spans: list[Span]) -> Iterator[Judgement]:
    """Give what evaluation events say.

    Source:  OpenTelemetry semantic conventions, event ``gen_ai.evaluation.result``.
    """
    for span in spans:
        for event in span.events:
            if event.name != "gen_ai.evaluation.result":
                continue
            told = {key.removeprefix("gen_ai.evaluation."): each.value for key, each in event.attributes.items()}
            answer = told.get("score.label", told.get("score.value"))
            yield Judgement(
                outcome="ERROR" if "error.type" in told else "ABSTAIN" if answer is None else "VALUE",
                by=text_of(told.get("name")) or "unknown",
                answer=None if answer is None else text_of(answer),
                provenance=event.source.pointer,
                rationale=text_of(told.get("explanation")),
                extra={well_formed(key): plain_of(value) for key, value in told.items()},
            )
