# SPDX-License-Identifier: Apache-2.0
"""Join a sample of an Inspect log that is written in parts: a shell, and chunks of messages, events, attachments.

Source:  inspect_ai, log/_recorders/chunked/format.py (2026-08): the layout of names; convert.py: what each part holds.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.inspect_archive import Archive, Member, MemberRefused
from safetyboard.readers.records.inspect_json import as_list, loaded

PART = re.compile(
    r"(?P<prefix>samples/[^\n]+_epoch_[0-9]+)/(?:(?P<single>sample|metadata|skeleton|events/stats|events/uuids)"
    r"|(?P<sequence>messages|events|calls|attachments)/(?P<start>[0-9]{1,12}))\.json\Z"
)
LARGEST = 1 << 30
"""Bytes of all parts of one sample, as they claim to unpack to."""
TOO_LARGE = "samples in parts of over 1 GiB"
APART = "chunks that do not join"
MOST_REFERRED = 10_000_000
Path = tuple[str | int, ...]


@dataclass(kw_only=True)
class Joined:
    """Hold a sample that was joined, and where each part of it stands.

    Args:    sequences: name -> its items. begins: name -> the first index of each chunk that was joined. referred:
             place in the final conversation -> place in the sequence of messages.
    """

    prefix: str
    sample: dict[str, Any] = field(default_factory=dict)
    sequences: dict[str, list[Any]] = field(default_factory=dict)
    begins: dict[str, list[int]] = field(default_factory=dict)
    referred: list[int] = field(default_factory=list)
    faults: list[Discrepancy] = field(default_factory=list)

    def place(self, path: Path) -> tuple[str, Path]:
        """Say in which member a part of the joined sample stands, and where in it."""
        head, rest = path[:1], path[1:]
        if head == ("metadata",) and "metadata" in self.begins:
            return f"{self.prefix}/metadata.json", rest
        if head == ("events_data",) and len(rest) > 1 and rest[0] in ("messages", "calls"):
            return self._chunk(str(rest[0]), int(rest[1]), rest[2:])
        if head == ("messages",) and rest:
            return self._chunk("messages", self.referred[int(rest[0])], rest[1:])
        if head in (("events",), ("attachments",)) and rest:
            return self._chunk(str(head[0]), int(rest[0]), rest[1:])
        return f"{self.prefix}/sample.json", path

    def _chunk(self, sequence: str, index: int, rest: Path) -> tuple[str, Path]:
        begins = self.begins[sequence]
        start = begins[bisect_right(begins, index) - 1]
        return f"{self.prefix}/{sequence}/{start}.json", (index - start, *rest)

    def fault(self, what: str, where: str) -> None:
        """Name what is missing or too many."""
        name = self.prefix.removeprefix("samples/")
        self.faults.append(Discrepancy(between="sample, chunks", name=name[:200], what=what, where=where))


def shells(members: Iterable[Member]) -> dict[str, list[Member]]:
    """Group the parts of samples by the sample; those without a shell are of none."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        match = PART.match(member.name)
        if match and not member.superseded:
            groups.setdefault(match["prefix"], []).append(member)
    return {name: parts for name, parts in groups.items() if any(p.name == f"{name}/sample.json" for p in parts)}


def joined(archive: Archive, prefix: str, parts: list[Member], account: Account) -> Joined | None:
    """Read all parts of one sample; each is counted, and None where the shell cannot be read."""
    if sum(part.size for part in parts) > LARGEST:
        account.leave(TOO_LARGE, len(parts))
        return None
    made, single = Joined(prefix=prefix), dict[str, Any]()
    for part, start in _in_order(parts):
        value = member_value(archive, part, account)
        match = PART.match(part.name)
        if value is None or match is None:
            continue
        if match["single"]:
            single[match["single"]] = value
            account.take()
        else:
            _append(made, match["sequence"], start, value, account)
    if not isinstance(single.get("sample"), dict):
        return None
    made.sample = dict(single["sample"])
    if "metadata" in single:
        made.sample["metadata"], made.begins["metadata"] = single["metadata"], []
    _fill(made, as_list(single.get("events/uuids")))
    return made


def _in_order(parts: list[Member]) -> Iterator[tuple[Member, int]]:
    def key(part: Member) -> tuple[str, int]:
        match = PART.match(part.name)
        return (match["sequence"] or "", int(match["start"] or 0)) if match else ("", 0)

    for part in sorted(parts, key=key):
        yield part, key(part)[1]


def member_value(archive: Archive, part: Member, account: Account) -> Any:
    """Open and parse one member; None where it is left, which is on the account."""
    try:
        value, reason = loaded(archive.read(part))
    except MemberRefused as refused:
        account.leave(refused.reason)
        return None
    if reason:
        account.leave(reason)
    return value


def _append(made: Joined, sequence: str, start: int, value: Any, account: Account) -> None:
    """Take a chunk that goes on where the one before it ended; any other would move what references lead to."""
    items = made.sequences.setdefault(sequence, [])
    if start != len(items) or not isinstance(value, list):
        account.leave(APART)
        made.fault("missing" if start > len(items) else "extra", f"{sequence} from {min(start, len(items))}")
        return
    made.begins.setdefault(sequence, []).append(start)
    items += value
    account.take()


def _fill(made: Joined, uuids: list[Any]) -> None:
    """Put the sequences where a sample that is written whole has them."""
    get = made.sequences.get
    pool, sample = get("messages", []), made.sample
    for reference in as_list(sample.pop("message_refs", [])):
        first, end = reference if isinstance(reference, list) and len(reference) == 2 else (reference, None)
        if not isinstance(first, int) or not isinstance(end, int | None) or first < 0:
            continue
        end = first + 1 if end is None else end
        if end > len(pool):
            made.fault("missing", f"messages from {len(pool)}")
        if len(made.referred) < MOST_REFERRED:
            made.referred += range(first, min(end, len(pool)))
    sample["messages"] = [pool[index] for index in made.referred]
    sample["events"] = get("events", [])
    sample["events_data"] = {"messages": pool, "calls": get("calls", [])}
    sample["attachments"] = {str(index): words for index, words in enumerate(get("attachments", []))}
    if len(uuids) > len(sample["events"]):
        made.fault("missing", f"events from {len(sample['events'])}")
