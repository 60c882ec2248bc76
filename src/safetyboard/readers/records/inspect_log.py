# SPDX-License-Identifier: Apache-2.0
"""Read Inspect evaluation logs, .eval archives and .json, of every version, one sample at a time."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records import inspect_reconcile as reconcile
from safetyboard.readers.records.inspect_archive import Archive, opened
from safetyboard.readers.records.inspect_chunks import PART, Joined, joined, member_value, shells
from safetyboard.readers.records.inspect_events import Walked, walked
from safetyboard.readers.records.inspect_json import (
    NestedTooDeep,
    as_object,
    as_text,
    is_missing,
    parts,
    shallow,
)
from safetyboard.readers.records.inspect_scores import judgements, outcomes
from safetyboard.readers.records.inspect_sheet import Path, Sheet, sheet
from safetyboard.readers.records.json_lines import TOO_DEEP, too_deep
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import UnreadableInput

FORMAT = "inspect"
HEADER, START = "header.json", "_journal/start.json"
SUMMARIES, REDUCTIONS = "summaries.json", "reductions.json"
SAMPLE = re.compile(r"samples/[^\n]+_epoch_[0-9]+\.json\Z")
CHUNK = re.compile(r"samples/[^\n]+_epoch_[0-9]+/[^\n]+\Z")
JOURNALLED = re.compile(r"_journal/summaries/[0-9]+\.json\Z")
_LOG = re.compile(rb'\s*\{\s*"(?:version|status|eval)"\s*:')
_PARTS = ("version", "status", "eval", "plan", "results", "stats", "error", "reductions", "samples")
_ALSO = frozenset(("logging", "invalidated", "tags", "metadata", "log_updates", "config_updates", "location", "etag"))
_SYSTEM = (
    "model",
    "model_args",
    "model_base_url",
    "model_generate_config",
    "model_roles",
    "packages",
    "solver",
    "solver_args",
    "sandbox",
)
_CONDITION = ("task_args", "config", "tags", "task_version", "revision", "approval")
_TOLD = frozenset(
    ("messages", "events", "events_data", "message_pool", "attachments", "transcript", "output", "scores")
)


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file is an Inspect log: an archive that names itself so or begins as one, or the JSON object."""
    if head.startswith(b"PK"):
        return name.lower().endswith(".eval") or head[30:56].startswith((b"_journal/start.json", b"header.json"))
    return bool(_LOG.match(head)) and b'"eval"' in head and b'"status"' in head and b'"task"' in head


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give one episode a sample and epoch; when the last is given, the file's inventories have been compared.

    Counted are the parts of the file (header, summaries, each sample …), each event and each final message. Events that
    say only how a run was organised are read and give no step. Scores stand under `true` with who made them, those of
    models too, and again as judgements.

    Raises:  UnreadableInput: no archive, or cut before its list of members. TooLarge: over 200,000 members.
             EnvironmentFault: packed with zstd and the package zstandard is missing.
    """
    file = stored.digest or _digest(stored)
    with stored.open() as stream:
        packed = stream.read(2) == b"PK"
        stream.seek(0)
        log = _Log(file=file, account=account)
        yield from _archive(opened(stored.name, stream), log) if packed else _object(stream, log)
    account.discrepancies += [*log.inventories.discrepancies(), *log.unresolved]


@dataclass(kw_only=True)
class _Log:
    """Hold what is known of a log while its samples pass."""

    file: str
    account: Account
    header: Mapping[str, Any] = field(default_factory=dict)
    system: dict[str, Plain] = field(default_factory=dict)
    condition: dict[str, Plain] = field(default_factory=dict)
    inventories: reconcile.Inventories = field(default_factory=reconcile.Inventories)
    unresolved: list[Discrepancy] = field(default_factory=list)

    def begin(self, header: Mapping[str, Any]) -> None:
        """Note what holds for all samples."""
        self.header = header
        told = as_object(header.get("eval"))
        self.system = {key: plain_of(told[key]) for key in _SYSTEM if told.get(key) not in (None, {}, "")}
        if header.get("plan"):
            self.system["plan"] = plain_of(header["plan"])
        self.condition = {key: plain_of(told[key]) for key in _CONDITION if told.get(key) not in (None, {}, "")}

    def episode(
        self, sample: Any, *, member: str = "", base: Path = (), parts_of_it: Joined | None = None
    ) -> Episode | None:
        """Turn one sample into an episode; None where it is none, which is on the account."""
        if not isinstance(sample, dict):
            self.account.leave("samples that are no object")
            return None
        page, met = sheet(sample, file=self.file, member=member, base=base), Account()
        if parts_of_it is not None:
            page = replace(page, place=parts_of_it.place)
            self.unresolved += parts_of_it.faults
        try:
            self.inventories.entry(reconcile.SAMPLES, sample)
            told = walked(page, met)
            made = self._made(page, told)
        except NestedTooDeep:
            self.account.leave(TOO_DEEP)
            return None
        if parts_of_it is None:
            self.account.take()
        self.account.met += met.met
        self.account.read += met.read
        self.account.left += met.left
        self.account.unknown += met.unknown
        self.unresolved += [
            Discrepancy(
                between="sample, attachments", name=f"{made.name} {lost[:60]}", what="missing", where="attachments"
            )
            for lost in sorted(page.missing)
        ]
        self.unresolved += [
            Discrepancy(
                between="events, messages", name=f"{made.name} message {number}", what="edited", where="messages"
            )
            for number in told.rewritten
        ]
        return made

    def _made(self, page: Sheet, told: Walked) -> Episode:
        extra = {key: shallow(value) for key, value in page.sample.items() if key not in _TOLD}
        evaluation, steps = as_object(self.header.get("eval")), tuple(told.steps.made)
        answered = as_object(page.sample.get("output")).get("model")
        opening = next((step.at for step in steps if step.at), "")
        return Episode(
            file=self.file,
            format=FORMAT,
            name=f"{as_text(extra.get('id'))}_epoch_{as_text(extra.get('epoch'))}",
            steps=steps,
            task=as_text(evaluation.get("task")),
            system={**self.system, "answered_by": as_text(answered)} if answered else self.system,
            opened=as_text(page.sample.get("started_at")) or opening or as_text(evaluation.get("created")),
            condition={**self.condition, "epoch": plain_of(page.sample.get("epoch"))},
            true=outcomes(page, told, self.header),
            judgements=judgements(page, told, self.header),
            extra={key: plain_of(value) for key, value in extra.items() if not is_missing(value)},
        )


def _digest(stored: Stored) -> str:
    digest = hashlib.sha256()
    with stored.open() as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return "sha256:" + digest.hexdigest()


def _archive(archive: Archive, log: _Log) -> Iterator[Episode]:
    _parts_of(archive, log)
    split = shells(archive.members)
    for member in archive.members:
        part = PART.match(member.name)
        if member.superseded:
            log.inventories.superseded(member.name)
            log.account.leave("superseded members")
        elif SAMPLE.match(member.name):
            sample = member_value(archive, member, log.account)
            episode = None if sample is None else log.episode(sample, member=member.name)
            if episode is not None:
                yield episode
        elif part and part["prefix"] in split:
            if part["single"] == "sample":
                made = joined(archive, part["prefix"], split[part["prefix"]], log.account)
                episode = None if made is None else log.episode(made.sample, member=member.name, parts_of_it=made)
                if episode is not None:
                    yield episode
        elif CHUNK.match(member.name):
            log.account.pass_unknown("inspect chunk of a sample")
        elif not _is_part(member.name):
            log.account.pass_unknown(f"member {member.name[:60]}" if not member.fault else member.fault)


def _is_part(name: str) -> bool:
    return name in (HEADER, START, SUMMARIES, REDUCTIONS) or bool(JOURNALLED.match(name))


def _parts_of(archive: Archive, log: _Log) -> None:
    """Read everything but the samples: the header first, or in its absence what the journal says at the start."""
    if not any(
        _is_part(member.name) or SAMPLE.match(member.name) or PART.match(member.name) for member in archive.members
    ):
        raise UnreadableInput(f"{archive.name}: nothing in this archive is part of an Inspect log.")
    log.inventories.entries[reconcile.SAMPLES] = {}
    read: dict[str, Any] = {}
    for member in archive.members:
        if _is_part(member.name) and not member.superseded:
            value = member_value(archive, member, log.account)
            if value is None:
                continue
            if too_deep(value):
                log.account.leave(TOO_DEEP)
                continue
            log.account.take()
            if JOURNALLED.match(member.name):
                log.inventories.entries.setdefault(reconcile.JOURNAL, {})
                _noted(value, reconcile.JOURNAL, log)
            elif member.name == SUMMARIES:
                log.inventories.entries.setdefault(reconcile.SUMMARIES, {})
                _noted(value, reconcile.SUMMARIES, log)
            else:
                read[member.name] = value
    header, start = as_object(read.get(HEADER)), as_object(read.get(START))
    if START in read:
        log.inventories.header(start, reconcile.START)
    if HEADER in read:
        log.inventories.header(header)
    log.inventories.reductions(read.get(REDUCTIONS))
    log.begin(header or start)


def _noted(summaries: Any, inventory: str, log: _Log) -> None:
    for summary in summaries if isinstance(summaries, list) else []:
        log.inventories.entry(inventory, as_object(summary))


def _object(stream: BinaryIO, log: _Log) -> Iterator[Episode]:
    """Read a log that is one JSON object: once for what stands around the samples, once for these."""
    header: dict[str, Any] = {}
    for key, place, value, reason in parts(stream):
        if reason:
            log.account.leave(reason)
        elif place < 0 and too_deep(value):
            log.account.leave(TOO_DEEP)
        elif place < 0:
            header[key] = value
            if key in _PARTS or key in _ALSO:
                log.account.take()
            else:
                log.account.pass_unknown(f"inspect part {key[:60]}")
    log.inventories.entries[reconcile.SAMPLES] = {}
    log.inventories.header(header)
    log.inventories.reductions(header.get("reductions"))
    log.begin(header)
    stream.seek(0)
    for _, place, value, _ in parts(stream):
        episode = log.episode(value, base=("samples", place)) if place >= 0 else None
        if episode is not None:
            yield episode
