# SPDX-License-Identifier: Apache-2.0
"""Read traces of Invariant Explorer: a line is a list of messages, or an object with messages, notes and an index.

What the Explorer itself refuses (a second row of metadata, mixed shapes, repeated or missing indices, notes without
words) is read as far as it goes, and named.

Source:  invariantlabs-ai/explorer, app-api, the import of data sets.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records import json_lines
from safetyboard.readers.records.chat_messages import Locate, Steps
from safetyboard.readers.records.edits import edits_of
from safetyboard.readers.records.place import Place, file_of, leaf, named, numbered, plain_object, text_in
from safetyboard.readers.records.pointers import pointer_of
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Episode, Source, Step

FORMAT = "invariant"
KEYS = frozenset(
    (
        "messages",
        "metadata",
        "annotations",
        "index",
        "id",
        "dataset",
        "extra_metadata",
        "user",
        "user_id",
        "time_created",
    )
)
OWN = KEYS - {"messages", "id", "user"}
"""Parts of a trace that a log of a chat endpoint does not have."""
ROLES = frozenset(("system", "developer", "user", "assistant", "tool"))


def sniff(name: str, head: bytes) -> bool:
    """Tell whether the first line is a trace or a row of metadata; one cut off is told by how it begins."""
    line, end, _ = head.lstrip().partition(b"\n")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return not end and line[:64].replace(b" ", b"").startswith((b'[{"role":', b'[{"content":'))
    if isinstance(record, list):
        return bool(record) and all(isinstance(item, dict) and "role" in item for item in record)
    if not isinstance(record, dict):
        return False
    # Messages alone, or with an id, are what every chat endpoint logs.
    own = record.keys() & OWN and record.keys() <= KEYS
    return record.keys() == {"metadata"} or (isinstance(record.get("messages"), list) and bool(own))


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give an episode for each trace; the metadata of the whole file stands in the condition of those after it.

    Raises:  UnreadableInput, TooLarge: what the store says of packed files.
    """
    reading = _Reading(stored, account)
    for line, record in json_lines.records(stored, account):
        episode = reading.meet(line, record)
        if episode is not None:
            yield episode


class _Reading:
    """Read traces one by one, and remember what a file must not mix or repeat."""

    def __init__(self, stored: Stored, account: Account) -> None:
        self.file, self.account = file_of(stored), account
        self.stem = PurePosixPath(stored.name).stem
        self.shared: dict[str, Plain] = {}
        self.shape = ""
        self.indexed: bool | None = None
        self.indices: set[str] = set()
        self.names: set[str] = set()
        self.rows = self.traces = 0

    def meet(self, line: int, record: Any) -> Episode | None:
        """Take one line into account; give its episode if it is a trace."""
        if isinstance(record, dict) and "metadata" in record and "messages" not in record:
            self._metadata(line, record)
            return None
        messages = record.get("messages") if isinstance(record, dict) else record
        if not isinstance(messages, list):
            self._refuse(record)
            return None
        self.account.take()
        self.traces += 1
        shape = "list" if isinstance(record, list) else "object"
        if self.shape and self.shape != shape:
            self._fault("traces", f"line {line}", "mixed shapes", f"{shape} after {self.shape}")
        self.shape = shape
        trace = record if isinstance(record, dict) else {}
        self._number(line, trace)
        return self._episode(line, trace, messages, "/messages" if trace else "")

    def _refuse(self, record: Any) -> None:
        if isinstance(record, dict):
            kind = record.get("type")
            self.account.pass_unknown(printable(kind) if isinstance(kind, str) else "object without messages")
        else:
            self.account.leave("records that are no traces")

    def _metadata(self, line: int, record: Mapping[str, Any]) -> None:
        self.account.take()
        self.rows += 1
        if self.rows > 1:
            self._fault("metadata, traces", f"line {line}", "second row of metadata", "file")
        elif self.traces:
            self._fault("metadata, traces", f"line {line}", "metadata behind traces", "file")
        self.shared.update(plain_object(record["metadata"]))
        for key in sorted(record.keys() - {"metadata"}):
            self._fault("metadata, traces", f"line {line}", "unknown part", printable(key))

    def _number(self, line: int, trace: Mapping[str, Any]) -> None:
        """Compare the index with those before."""
        index = trace.get("index")
        given = index is not None
        if self.indexed is not None and self.indexed != given:
            self._fault("index, traces", f"line {line}", "index missing" if not given else "index extra", "index")
        self.indexed = given if self.indexed is None else self.indexed
        if given and (not isinstance(index, int) or isinstance(index, bool)):
            self._fault("index, traces", f"line {line}", "index is no integer", "index")
        if given and str(index) in self.indices:
            self._fault("index, traces", printable(str(index)), "duplicate", f"line {line}")
        if given:
            self.indices.add(str(index))

    def _episode(self, line: int, trace: Mapping[str, Any], messages: list[Any], base: str) -> Episode:
        told = Steps()
        for index, message in enumerate(messages):
            here = base + pointer_of(index)
            told.message(message, self._locate(line, here))
            role = text_in(message, "role")
            if role not in ROLES:
                self._fault("roles, known roles", printable(role), "unknown role", f"line {line}{here}")
        steps = named(_joined(told.made), {}, self._fault)
        steps += self._notes(line, trace.get("annotations"))
        own = trace.get("metadata")
        own = plain_object(own) if own is not None else {}
        system: dict[str, Plain] = {"model": own["model"]} if isinstance(own.get("model"), str) else {}
        extra = plain_object({key: value for key, value in trace.items() if key not in ("messages", "metadata")})
        for key in sorted(trace.keys() - KEYS):
            self._fault("parts, known parts", f"line {line}", "unknown part", printable(key))
        name = text_in(trace, "id") or f"{self.stem}/{line}"
        if name in self.names:
            self._fault("id, traces", printable(name), "duplicate", f"line {line}")
            name = f"{name}/{line}"
        self.names.add(name)
        return Episode(
            file=self.file,
            format=FORMAT,
            name=name,
            task=next((step.content for step in steps if step.actor == "user"), ""),
            system=system,
            opened=text_in(trace, "time_created"),
            condition={**self.shared, **own},
            steps=numbered(steps),
            extra=extra,
        )

    def _locate(self, line: int, base: str) -> Locate:
        return lambda path: Source(file=self.file, line=line, pointer=base + pointer_of(*path))

    def _notes(self, line: int, notes: Any) -> list[Step]:
        """Write down what reviewers or programs noted on the trace, with the address they gave."""
        place, found = Place(file=self.file, line=line), []
        for index, note in enumerate(notes if isinstance(notes, list) else []):
            pointer = f"/annotations/{index}"
            if not text_in(note, "content") or not text_in(note, "address"):
                self._fault("annotations, messages", f"line {line}", "annotation without words or address", pointer)
            found.append(place.words("overseer", "monitor", leaf(note, pointer, "content")))
        if notes is not None and not isinstance(notes, list):
            self._fault("annotations, messages", f"line {line}", "annotations that are no list", "/annotations")
        return found

    def _fault(self, between: str, name: str, what: str, where: str) -> None:
        self.account.discrepancies.append(
            Discrepancy(between=between, name=printable(name, 200), what=what, where=where)
        )


def _joined(steps: list[Step]) -> list[Step]:
    """Join calls and results that carry no id by their order, and see the edits in calls."""
    waiting: deque[str] = deque()
    for index, step in enumerate(steps):
        if step.kind == "act":
            edits = edits_of(step.tool, step.arguments)
            extra = {**step.extra, "edits": edits} if edits else step.extra
            call = step.call or f"step-{index}"
            if not step.call:
                waiting.append(call)
            steps[index] = replace(step, call=call, extra=extra)
        elif step.kind == "result" and not step.call and waiting:
            steps[index] = replace(step, call=waiting.popleft())
    return steps
