# SPDX-License-Identifier: Apache-2.0
"""One sample of an Inspect log: where its parts stand, and where words that were moved out of the way really stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from safetyboard.readers.records.inspect_json import as_list, as_object, as_text, shallow
from safetyboard.readers.records.pointers import REFERENCES, pointer_of
from safetyboard.terms.canonical import Plain, plain_of, well_formed
from safetyboard.terms.episode import Source

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Hold one sample as parsed.

    Args:    base: where the sample stands in its document: nowhere deeper in an archive's member, /samples/N in one
             object. missing: references that lead nowhere, filled while the sample is read. place: member and path
             in it of a path, where the sample is written in several members.
    """

    sample: Mapping[str, Any]
    file: str
    member: str
    base: Path
    moved: Mapping[str, Any]
    moved_to: Path
    pools: tuple[list[Any], Path]
    missing: set[str] = field(default_factory=set)
    place: Callable[[Path], tuple[str, Path]] | None = None

    def source(self, *at: str | int) -> Source:
        """Say where a part of the sample stands."""
        if self.place is not None:
            member, path = self.place(at)
            return Source(file=self.file, member=member, pointer=pointer_of(*path))
        return Source(file=self.file, member=self.member, pointer=pointer_of(*self.base, *at))

    def followed(self, value: Any, at: Path) -> tuple[Any, Path]:
        """Give a value and its place, or what a reference in its stead leads to and the place of that."""
        if isinstance(value, str) and value.startswith(REFERENCES):
            name = value.split("://", 1)[1]
            if isinstance(self.moved.get(name), str):
                return self.moved[name], (*self.moved_to, name)
            self.missing.add(name)
        return value, at

    def whole(self, value: Any) -> Any:
        """Give a value with every reference inside replaced by what it leads to."""
        if isinstance(value, dict):
            return {key: self.whole(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.whole(item) for item in value]
        return self.followed(value, ())[0]

    def words(self, value: Any, at: Path) -> tuple[str, Source]:
        """Give the words of a leaf and where they stand."""
        value, at = self.followed(value, at)
        return well_formed(as_text(value if isinstance(value, str) else self.whole(shallow(value)))), self.source(*at)

    def plain(self, value: Any) -> dict[str, Plain]:
        """Make an object of the sample plain, with references replaced."""
        made = plain_of(self.whole(shallow(value))) if isinstance(value, dict) else {}
        return made if isinstance(made, dict) else {}


def sheet(sample: Mapping[str, Any], *, file: str, member: str = "", base: Path = ()) -> Sheet:
    """Find in a sample where its attachments and its pool of messages are kept; both moved as the format aged."""
    moved_to: Path = ("attachments",)
    moved = as_object(sample.get("attachments"))
    if not moved and "transcript" in sample:
        moved, moved_to = as_object(as_object(sample["transcript"]).get("content")), ("transcript", "content")
    pooled = as_object(sample.get("events_data"))
    pools: tuple[list[Any], Path] = (as_list(pooled.get("messages")), ("events_data", "messages"))
    if not pooled:
        pools = (as_list(sample.get("message_pool")), ("message_pool",))
    return Sheet(sample=sample, file=file, member=member, base=base, moved=moved, moved_to=moved_to, pools=pools)


def events_of(sample: Mapping[str, Any]) -> tuple[list[Any], Path]:
    """Give the events and where they stand: in the sample, or in its transcript as in 2024."""
    if "transcript" in sample and not sample.get("events"):
        return as_list(as_object(sample["transcript"]).get("events")), ("transcript", "events")
    return as_list(sample.get("events")), ("events",)
