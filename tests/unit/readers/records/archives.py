# SPDX-License-Identifier: Apache-2.0
"""Write zip archives byte by byte, so that they can hold what no honest writer writes; read logs that were made up."""

import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records import inspect_log
from safetyboard.readers.records.inspect_json import as_text
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.episode import Episode, Step

STORED, DEFLATED, ZSTANDARD = 0, 8, 93


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One member; `claimed` is the size it claims to unpack to, `at` another member's place to claim."""

    name: str
    content: bytes
    method: int = DEFLATED
    flags: int = 0
    claimed: int | None = None
    at: int | None = None


def packed(content: bytes, method: int) -> bytes:
    if method == DEFLATED:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()
    if method == ZSTANDARD:
        import zstandard

        return zstandard.ZstdCompressor().compress(content)
    return content


def zip_of(entries: list[Entry]) -> bytes:
    body, listing, starts = b"", b"", []
    for entry in entries:
        name, data = entry.name.encode(), packed(entry.content, entry.method)
        size = len(entry.content) if entry.claimed is None else entry.claimed
        fields = (entry.flags, entry.method, 0, 0x21, zlib.crc32(entry.content), len(data), size, len(name), 0)
        starts.append(len(body) if entry.at is None else starts[entry.at])
        if entry.at is None:
            body += struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, *fields) + name + data
        listing += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, *fields, 0, 0, 0, 0, starts[-1]) + name
    return body + listing + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(listing), len(body), 0)  # fmt: skip  # noqa: E501


def entries_of(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        return [Entry(name=info.filename, content=archive.read(info)) for info in archive.infolist()]


def stored(name: str, content: bytes) -> Stored:
    return Stored(name=name, size=len(content), load=lambda: content)


def entry(name: str, value: Any, method: int = DEFLATED) -> Entry:
    return Entry(name=name, content=json.dumps(value).encode(), method=method)


def log_of(samples: list[dict[str, Any]], *, status: str = "success", method: int = DEFLATED) -> list[Entry]:
    """The members of a small log as Inspect writes them, all inventories in agreement."""
    ids = list(dict.fromkeys(sample["id"] for sample in samples))
    epochs = max(sample["epoch"] for sample in samples)
    told = {
        "task": "made", "created": "2025-01-01T00:00:00+00:00", "model": "made/model", "config": {"epochs": epochs},
        "dataset": {"samples": len(ids), "sample_ids": ids},
    }  # fmt: skip
    summaries = [{key: sample[key] for key in ("id", "epoch", "scores") if key in sample} for sample in samples]
    members = [entry("_journal/start.json", {"version": 2, "eval": told}, method)]
    for sample in samples:
        members.append(entry(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample, method))
    members.append(entry("_journal/summaries/1.json", summaries, method))
    members.append(entry("summaries.json", summaries, method))
    results = {"total_samples": len(samples), "completed_samples": len(samples), "scores": []}
    header = {"version": 2, "status": status, "eval": told, "results": results}
    return [*members, entry("header.json", header, method)]


def sample_of(number: int, *, epoch: int = 1, value: Any = "C", text: str = "done") -> dict[str, Any]:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": f"Task {number}"},
        {"role": "assistant", "content": text, "tool_calls": [
            {"id": "c1", "function": "bash", "arguments": {"cmd": "ls"}}]},
        {"role": "tool", "tool_call_id": "c1", "function": "bash", "content": "a.txt"},
    ]  # fmt: skip
    return {"id": number, "epoch": epoch, "input": f"Task {number}", "target": "x", "messages": messages, "events": [], "scores": {"match": {"value": value}}}  # fmt: skip  # noqa: E501


def pooled(where: str) -> dict[str, Any]:
    """A sample whose model events name their messages by their place in a pool, as the newest writers do."""
    sample = sample_of(1)
    pool, sample["messages"] = sample["messages"], []
    sample["attachments"] = {"abc": "long words"}
    pool[3]["content"] = "attachment://abc"
    sample |= {"message_pool": pool} if where == "message_pool" else {"events_data": {"messages": pool, "calls": []}}
    answer = {"role": "assistant", "content": "finished"}
    sample["events"] = [
        {"event": "model", "input": [], "input_refs": [[0, 2]], "output": {"choices": [{"message": pool[2]}]}},
        {"event": "model", "input": [], "input_refs": [[0, 4], [90, 99]], "output": {"choices": [{"message": answer}]}},
    ]
    return sample


def read(content: bytes, name: str = "made.eval") -> tuple[list[Episode], Account]:
    account = Account()
    return list(inspect_log.episodes(stored(name, content), account)), account


def kept(path: Path) -> Stored:
    return Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes, stream=lambda: path.open("rb"))


def found_again(store: Stored, step: Step) -> bool:
    value = resolve(store, step.source)
    if step.content:
        return as_text(value) == step.content
    if step.kind == "act" and step.tool != "sandbox":
        arguments = value.get("arguments", value)
        return plain_of(arguments if isinstance(arguments, dict) else {"input": arguments}) == step.arguments
    return True
