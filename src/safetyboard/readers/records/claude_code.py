# SPDX-License-Identifier: Apache-2.0
"""Read sessions of Claude Code: one JSON record a line, a tree by parentUuid, with side chains.

The format is internal and has no published description. What is read here was seen in files of versions 2.0 and in
descriptions others made of versions up to 2.1; any other type of record is counted as unknown.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records import json_lines
from safetyboard.readers.records.claude_code_steps import LOOSE, TALK, TREE, prompt_of, steps_of, voice_of
from safetyboard.readers.records.place import Place, file_of, named, numbered, text_in
from safetyboard.readers.records.session_tree import Chain, Node, Tree, name_chains
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Episode, Step

FORMAT = "claude-code"
REPEAT = "exact repeats of an earlier record"
UNKNOWN = "unknown types"
PLACES = ("cwd", "gitBranch", "entrypoint")
SHAPELESS = "records without the parts of their type"


def sniff(name: str, head: bytes) -> bool:
    """Tell whether one of the first lines is a record of Claude Code."""
    for line in head.split(b"\n")[:20]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(record, dict) or not isinstance(kind := record.get("type"), str):
            continue
        if "parentUuid" in record or (kind == "summary" and "leafUuid" in record):
            return True
        if kind in TREE | LOOSE and ("sessionId" in record or "snapshot" in record) and "payload" not in record:
            return True
    # A first line longer than the head: its keys come first.
    return b"\n" not in head and head.startswith(b'{"parentUuid":') and b'"isSidechain":' in head[:1000]


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give an episode for each stretch between branchings: a stem, its continuations, side chains.

    An episode is handed over when the last of its records was read, so a continuation never comes before its stem.

    Raises:  UnreadableInput, TooLarge: what the store says of packed files.
    """
    reading = _Reading(stored, account)
    reading.index()
    yield from reading.told()


class _Reading:
    """Read one file twice: once for its tree, once for its words."""

    def __init__(self, stored: Stored, account: Account) -> None:
        self.stored, self.account, self.file = stored, account, file_of(stored)
        self.tree = Tree()
        self.routes: dict[int, int] = {}
        self.loose: list[tuple[int, int]] = []
        self.chains: list[Chain] = []
        self.starts: dict[str, int] = {}

    def index(self) -> None:
        """Take every record into account and find the episode of each."""
        digests: dict[str, bytes] = {}
        lines: dict[int, int] = {}
        for line, raw in json_lines.lines(self.stored):
            record, reason = (None, raw) if isinstance(raw, str) else json_lines.parsed(raw)
            reason = reason or self._refused(record)
            if record is None or (reason and reason != UNKNOWN):
                self.account.leave(reason)
                continue
            if reason:
                self.account.pass_unknown(_kind(record))
            known = not reason
            if _kind(record) in LOOSE or (not known and "uuid" not in record):
                if known:
                    self.account.take()
                    self.loose.append((line, len(self.tree.nodes) - 1))
                continue
            digest = hashlib.sha256(raw if isinstance(raw, bytes) else b"").digest()
            if self._repeated(record, line, digest, digests, known):
                continue
            if known:
                self.account.take()
                lines[line] = len(self.tree.nodes)
            self._place(record, line)
        self.chains = self.tree.chains(self.account)
        if not self.chains and self.loose:
            self.chains = [Chain(first=Node(name="", line=self.loose[0][0]))]
        self.routes = {line: self.tree.nodes[index].chain for line, index in lines.items()}
        for line, index in self.loose:
            self.routes[line] = self.tree.nodes[max(index, 0)].chain if self.tree.nodes else 0
        for line, chain in self.routes.items():
            self.chains[chain].last_line = max(self.chains[chain].last_line, line)
        name_chains(self.chains, PurePosixPath(self.stored.name).stem)

    def _refused(self, record: Any) -> str:
        if not isinstance(record, dict) or not isinstance(record.get("type"), str):
            return "records that are no typed objects"
        if record["type"] not in TREE | LOOSE:
            return UNKNOWN
        if record["type"] in TALK and not isinstance(record.get("message"), dict):
            return SHAPELESS
        return ""

    def _repeated(self, record: Any, line: int, digest: bytes, digests: dict[str, bytes], known: bool) -> bool:
        """Tell whether the record stood in the file before; one with the same id but other content is kept."""
        name = text_in(record, "uuid")
        if not name:
            self._fault("records, uuid", f"line {line}", "missing", "uuid")
            return False
        if digests.setdefault(name, digest) == digest and name not in self.tree.places:
            return False
        same = digests[name] == digest
        self._fault("uuid, records", name, "duplicate" if same else "edited", f"line {line}")
        if same and known:
            self.account.leave(REPEAT)
        return same

    def _place(self, record: Any, line: int) -> None:
        name = text_in(record, "uuid")
        before = self.tree.nodes[-1].name if self.tree.nodes else ""
        node = Node(
            name=name if name and name not in self.tree.places else f"{name} (line {line})".strip(),
            line=line,
            asked=text_in(record, "parentUuid") or text_in(record, "logicalParentUuid") if name else before,
            side=record.get("isSidechain") is True,
            voice=voice_of(record),
            at=text_in(record, "timestamp"),
            session=text_in(record, "sessionId"),
            agent=text_in(record, "agentId"),
            prompt=prompt_of(record),
        )
        for started in _started(record):
            self.starts.setdefault(started, len(self.tree.nodes))
        self.tree.add(node)

    def told(self) -> Iterator[Episode]:
        """Read the words of each episode and hand it over after its last record."""
        words: dict[int, list[Step]] = {}
        tools: dict[str, str] = {}
        systems: dict[int, dict[str, Plain]] = {}
        ends = {chain.last_line: index for index, chain in enumerate(self.chains)}
        for line, raw in json_lines.lines(self.stored):
            if line in self.routes and isinstance(raw, bytes):
                record, index = json_lines.parsed(raw)[0], self.routes[line]
                place = Place(file=self.file, line=line, at=text_in(record, "timestamp"))
                words.setdefault(index, []).extend(named(steps_of(record, place, self._fault), tools, self._fault))
                _learn(systems.setdefault(index, {"scaffold": "Claude Code"}), record)
            if line in ends:
                yield self._episode(ends[line], words.pop(ends[line], []), systems.pop(ends[line], {}))

    def _episode(self, index: int, steps: list[Step], system: dict[str, Plain]) -> Episode:
        chain = self.chains[index]
        condition: dict[str, Plain] = {key: system.pop(key) for key in PLACES if key in system}
        asker = "agent" if chain.first.side else "user"
        task = next((step.content for step in steps if step.actor == asker and step.kind == "observe"), "")
        extra: dict[str, Plain] = {"uuid": chain.first.name}
        if chain.first.asked:
            extra["parentUuid"] = chain.first.asked
        if chain.first.agent:
            extra["agentId"] = chain.first.agent
        return Episode(
            file=self.file,
            format=FORMAT,
            name=chain.name,
            parent=self._parent(chain),
            branch=chain.branch,
            task=task,
            system=system,
            condition=condition,
            opened=next((step.at for step in steps if step.at), ""),
            steps=numbered(steps),
            extra=extra,
        )

    def _parent(self, chain: Chain) -> str:
        """Name the stem; of a side chain the episode that started it, in this file or by its session in another."""
        if chain.stem >= 0:
            return self.chains[chain.stem].name
        first = chain.first
        if first.hangs_on >= 0:
            return self.chains[self.tree.nodes[first.hangs_on].chain].name
        if not first.side:
            return ""
        started = next((self.starts[key] for key in (first.agent, first.prompt) if key in self.starts), -1)
        if started >= 0 and self.tree.nodes[started].chain != first.chain:
            return self.chains[self.tree.nodes[started].chain].name
        return first.session

    def _fault(self, between: str, name: str, what: str, where: str) -> None:
        self.account.discrepancies.append(
            Discrepancy(between=between, name=printable(name, 200), what=what, where=where)
        )


def _kind(record: Any) -> str:
    return printable(str(record.get("type")), 60)


def _started(record: Mapping[str, Any]) -> Iterator[str]:
    """Give what a side chain that this record starts can be known by: the id of its agent, or its prompt."""
    if agent := text_in(record, "toolUseResult", "agentId"):
        yield agent
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "tool_use" and (said := text_in(block, "input", "prompt")):
            yield hashlib.sha256(said.encode()).hexdigest()


def _learn(system: dict[str, Plain], record: Mapping[str, Any]) -> None:
    """Keep the first model, version and place that the records of an episode name."""
    for key in ("version", *PLACES):
        if value := text_in(record, key):
            system.setdefault(key, value)
    model = text_in(record, "message", "model")
    if model and model != "<synthetic>":
        system.setdefault("model", model)
        if system["model"] != model:
            others = system.setdefault("other_models", [])
            if isinstance(others, list) and model not in others:
                others.append(model)
