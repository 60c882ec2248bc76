# SPDX-License-Identifier: Apache-2.0
"""Inspect logs: field-by-field agreement with inspect_ai's own reader on every log of the data, and speed beside it.

python bench/records_inspect.py [--peer PYTHON] [--samples N] [--small N]     SAFETYBOARD_DATA names the data; one core

PYTHON is an interpreter that has inspect_ai; without it the peer's figures are NOT_RUN. The large file is a real log
replicated under new ids, its inventories kept in agreement.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records import inspect_log
from safetyboard.readers.records.inspect_json import as_text
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.episode import Episode

HERE = Path(__file__).parent
ACTORS = {"system": "environment", "user": "user", "assistant": "agent", "tool": "tool"}
FIELDS = ("samples", "model", "scores", "texts", "texts in order", "calls")
REAL = "docent/docent/docent/samples/log.eval"
# What the peer runs: it knows nothing of this project.
PEER = """
import json, os, sys, time
os.sched_setaffinity(0, {0})
begun = time.process_time()
from importlib.metadata import version
from inspect_ai.log import read_eval_log
loaded = time.process_time() - begun
def blocks(message):
    if isinstance(message.content, str):
        return [["text", message.content]]
    words = {"text": "text", "reasoning": "reasoning"}
    return [[block.type, getattr(block, words.get(block.type, ""), None)] for block in message.content]
answers = []
for path in json.load(sys.stdin):
    begun = time.process_time()
    try:
        log = read_eval_log(path, resolve_attachments=True)
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {str(error)[:200]}"})
        continue
    spent = time.process_time() - begun
    samples = [] if len(sys.argv) > 1 else [
        {
            "id": sample.id, "epoch": sample.epoch,
            "scores": {name: score.model_dump(mode="json")["value"] for name, score in (sample.scores or {}).items()},
            "messages": [
                {"role": message.role, "blocks": blocks(message),
                 "calls": [[call.function, call.arguments] for call in getattr(message, "tool_calls", None) or []]}
                for message in sample.messages
            ],
        }
        for sample in log.samples or []
    ]
    answers.append({"model": log.eval.model, "samples": samples, "count": len(log.samples or []), "cpu_seconds": spent})
most = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"version": version("inspect_ai"), "import_seconds": loaded, "kilobytes": most, "answers": answers}))
"""
OURS = """
import json, os, sys, time
os.sched_setaffinity(0, {0})
from pathlib import Path
begun = time.process_time()
from safetyboard.readers.account import Account
from safetyboard.readers.records import inspect_log
from safetyboard.readers.stored import Stored
loaded = time.process_time() - begun
answers = []
for name in json.load(sys.stdin):
    path, account, begun = Path(name), Account(), time.process_time()
    stored = Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes, stream=lambda: path.open("rb"))
    steps = [len(episode.steps) for episode in inspect_log.episodes(stored, account)]
    spent = time.process_time() - begun
    disagreeing = len(account.discrepancies)
    answers.append({"count": len(steps), "steps": sum(steps), "cpu_seconds": spent, "discrepancies": disagreeing})
most = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"import_seconds": loaded, "kilobytes": most, "answers": answers}))
"""


def ran(python: str, script: str, files: list[Path], *words: str) -> dict[str, Any]:
    """Run a script on files in another process; its answer."""
    given = json.dumps([str(file) for file in files])
    run = subprocess.run([python, "-c", script, *words], input=given, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"The reader ended with {run.returncode}: {run.stderr[-400:]}")
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


def episodes_of(path: Path) -> list[Episode]:
    """Read a log with the reader under test."""
    stored = Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes, stream=lambda: path.open("rb"))
    return list(inspect_log.episodes(stored, Account()))


def logs(data: Path) -> list[Path]:
    """Find every Inspect log in the data by its content."""
    files = sorted(file for suffix in ("*.eval", "*.json") for file in (data / "records").rglob(suffix))
    return [file for file in files if inspect_log.sniff(file.name, file.open("rb").read(1 << 16))]


def is_subsequence(wanted: list[Any], given: list[Any]) -> bool:
    """Tell whether all that is wanted is given, in that order."""
    rest = iter(given)
    return all(any(item == each for each in rest) for item in wanted)


def compared(peer: dict[str, Any], ours: list[Episode]) -> dict[str, list[bool]]:
    """Compare one log field by field: one truth a sample, a score, a text, a call."""
    found: dict[str, list[bool]] = {field: [] for field in FIELDS}
    by_name = {episode.name: episode for episode in ours}
    names = [f"{sample['id']}_epoch_{sample['epoch']}" for sample in peer["samples"]]
    found["samples"] = [name in by_name for name in names] + [name in names for name in by_name]
    for name, sample in zip(names, peer["samples"], strict=True):
        episode = by_name.get(name)
        if episode is None:
            continue
        found["model"].append(episode.system.get("model") == peer["model"])
        for scorer, value in sample["scores"].items():
            parts = (
                {f"{scorer}/{key}": each for key, each in value.items()} if isinstance(value, dict) else {scorer: value}
            )
            mine = {judged.by.removeprefix("inspect scorer "): judged.answer for judged in episode.judgements}
            found["scores"] += [
                mine.get(key) == (None if each is None else as_text(each)) for key, each in parts.items()
            ]
        said = [
            (ACTORS[message["role"]], text)
            for message in sample["messages"]
            for kind, text in message["blocks"]
            if kind in ("text", "reasoning") and text
        ]
        told = [(step.actor, step.content) for step in episode.steps if step.content]
        left = Counter(told)
        for item in said:
            found["texts"].append(left[item] > 0)
            left[item] -= 1
        found["texts in order"].append(is_subsequence(said, told))
        calls = Counter(json.dumps([call[0], plain_of(call[1])]) for m in sample["messages"] for call in m["calls"])
        acts = Counter(
            json.dumps([s.tool, dict(s.arguments)]) for s in episode.steps if s.kind == "act" and s.actor == "agent"
        )
        found["calls"] += [True] * (calls & acts).total() + [False] * (calls - acts).total()
    return found


def agreement(python: str, files: list[Path], data: Path) -> dict[str, Any]:
    """Compare every log; a file that the peer cannot read is named, not counted as agreement."""
    peer = ran(python, PEER, files)
    totals: dict[str, list[int]] = {field: [0, 0] for field in FIELDS}
    unread, differing = {}, []
    for file, answer in zip(files, peer["answers"], strict=True):
        name = str(file.relative_to(data))
        if "error" in answer:
            unread[name] = answer["error"]
            continue
        for field, truths in compared(answer, episodes_of(file)).items():
            totals[field][0] += sum(truths)
            totals[field][1] += len(truths)
            differing += [f"{name}: {field}, {truths.count(False)}"] if False in truths else []
    fields = {field: {"agree": good, "of": every} for field, (good, every) in totals.items()}
    return {"files": len(files), "fields": fields, "differing": differing, "peer_cannot_read": unread}


def replicated(real: Path, to: Path, count: int, *, most: int, method: int) -> int:
    """Write a log of many samples out of a real one, of its samples up to a size; the bytes of JSON inside."""
    raw = 0
    with zipfile.ZipFile(real) as source, zipfile.ZipFile(to, "w", method, compresslevel=1) as made:
        listing = [name for name in source.namelist() if name.startswith("samples/")]
        header = json.loads(source.read("header.json"))
        samples = [json.loads(source.read(name)) for name in listing if source.getinfo(name).file_size <= most]
        summaries = {entry["id"]: entry for entry in json.loads(source.read("summaries.json"))}
        listed = []
        for number in range(1, count + 1):
            sample = samples[number % len(samples)]
            listed.append(summaries[sample["id"]] | {"id": number, "epoch": 1})
            content = json.dumps(sample | {"id": number, "epoch": 1})
            raw += len(content)
            made.writestr(f"samples/{number}_epoch_1.json", content)
        header["eval"]["dataset"] |= {"sample_ids": list(range(1, count + 1)), "samples": count}
        header["eval"]["config"]["epochs"] = 1
        header["results"] |= {"total_samples": count, "completed_samples": count}
        for name, value in (("summaries.json", listed), ("_journal/summaries/1.json", listed), ("header.json", header)):
            made.writestr(name, json.dumps(value))
        made.writestr("_journal/start.json", json.dumps({"version": 2, "eval": header["eval"], "plan": header["plan"]}))
    return raw


def timed(answer: dict[str, Any]) -> dict[str, Any]:
    """Give the figures of a run on the large file."""
    figures = {
        "cpu_seconds": round(answer["answers"][0]["cpu_seconds"], 2),
        "megabytes_at_most": round(answer["kilobytes"] / 1024),
    }
    return figures | {
        "import_cpu_seconds": round(answer["import_seconds"], 2),
        "samples": answer["answers"][0]["count"],
    }


def speed(python: str | None, real: Path, count: int, *, most: int, method: int) -> dict[str, Any]:
    """Time both readers on one large log, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.eval"
        raw = replicated(real, large, count, most=most, method=method)
        size = round(large.stat().st_size / 1e6, 1)
        ours = ran(sys.executable, OURS, [large])
        figures = timed(ours) | {"discrepancies": ours["answers"][0]["discrepancies"]}
        peer = (
            "NOT_RUN: no interpreter with inspect_ai was named"
            if python is None
            else timed(ran(python, PEER, [large], "-"))
        )
    sizes = {"samples": count, "megabytes": size, "megabytes_unpacked": round(raw / 1e6, 1)}
    return {"file": sizes, "ours": figures, "inspect_ai": peer}


def flat(result: dict[str, Any]) -> dict[str, str]:
    """Say the figures in single lines, for the page of measurements."""
    said = {}
    if isinstance(result["agreement"], dict):
        fields = result["agreement"]["fields"].items()
        said["agreement, field by field"] = ", ".join(
            f"{name} {each['agree']} of {each['of']}" for name, each in fields
        )
        unread = len(result["agreement"]["peer_cannot_read"])
        said["logs compared"] = f"{result['agreement']['files'] - unread} of {result['agreement']['files']}; the others inspect_ai cannot read"  # fmt: skip  # noqa: E501
    for name, each in result["speed"].items():
        size = f"{each['file']['samples']} samples, {each['file']['megabytes']} MB, {each['file']['megabytes_unpacked']} MB unpacked"  # fmt: skip  # noqa: E501
        for reader in ("ours", "inspect_ai"):
            took = each[reader]
            said[f"{name}: {reader}"] = (
                took if isinstance(took, str)
                else f"{took['cpu_seconds']} CPU-s, {took['megabytes_at_most']} MB at most ({size}; start-up of {took['import_cpu_seconds']} CPU-s apart)"  # noqa: E501
            )  # fmt: skip
    return said


def main() -> None:
    """Measure, and write the raw results."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--peer", help="an interpreter that has inspect_ai")
    asked.add_argument("--samples", type=int, default=1000)
    asked.add_argument("--small", type=int, default=5000, help="how many samples of some 38 kB each")
    asked.add_argument("--out", type=Path, default=HERE / "results" / "records_inspect.json")
    words = asked.parse_args()
    named = os.environ.get("SAFETYBOARD_DATA")
    if not named:
        raise SystemExit("SAFETYBOARD_DATA is not set: it names the folder of test data made by others.")
    data = Path(named)
    files = logs(data)
    result: dict[str, Any] = {
        "question": "Does the reader of Inspect logs say what inspect_ai says, and how fast is it beside it?",
        "command": "python bench/records_inspect.py --peer PYTHON",
        "machine": {
            "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
            "msgspec": metadata.version("msgspec"), "load_before": round(os.getloadavg()[0], 1),
        },
        "threads": 1,
        "agreement": f"NOT_RUN: no interpreter with inspect_ai was named ({len(files)} files)",
    }  # fmt: skip
    if words.peer:
        result["peer"] = "inspect_ai " + ran(words.peer, PEER, [])["version"]
        result["agreement"] = agreement(words.peer, files, data)
    real = data / "records" / REAL
    result["speed"] = {
        "all its samples, deflated": speed(words.peer, real, words.samples, most=1 << 30, method=zipfile.ZIP_DEFLATED),
        "its smaller ones, not packed": speed(words.peer, real, words.small, most=73_000, method=zipfile.ZIP_STORED),
    }
    result |= flat(result)
    words.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
