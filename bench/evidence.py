# SPDX-License-Identifier: Apache-2.0
"""The evidence kernel: durable appends a second, the root of a million entries, proofs, signatures checked a second.

python bench/evidence.py [--folder DIR] [--repeats N] [--entries N]     one process, one thread; no data needed
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safetyboard.evidence.keys import SigningKey, verifies
from safetyboard.evidence.log import Log
from safetyboard.evidence.merkle import Tree, verify_consistency, verify_inclusion
from safetyboard.evidence.statements import opened_line, signed_line
from safetyboard_check.ed25519 import Verifier

HERE = Path(__file__).parent
BATCHES = (1, 10, 100, 1000)
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def record(number: int) -> dict[str, object]:
    """Make a record as large as a null result of a real investigation."""
    recipe = {
        "instrument": "sampling", "version": "1", "seed": number, "unit": "evaluations", "allotted": 20_000,
        "spent": 20_000, "subject": "sha256:" + "5" * 64,
    }  # fmt: skip
    return {"kind": "null", "claim": "sha256:" + "c" * 64, "cells": [number], "recipe": recipe, "obstruction": "budget"}


def seconds(work: Callable[[], object]) -> float:
    """Time one piece of work by the wall clock: waiting for the disk counts."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def appends(folder: Path, lines: list[bytes], batch: int) -> dict[str, object]:
    """Append lines in batches, each on the disk before the next; then open the log again and compare."""
    path = folder / "log"
    with Log(path) as log:
        pieces = [lines[start : start + batch] for start in range(0, len(lines), batch)]
        spent = seconds(lambda: [log.append(piece) for piece in pieces])
        root = log.tree.root()
    with Log(path) as again:
        good = again.tree.root() == root and list(again) == lines
    path.unlink()
    return {"batch": batch, "lines": len(lines), "seconds": round(spent, 4), "a_second": round(len(lines) / spent), "read_back": good}  # fmt: skip  # noqa: E501


def raw_sync(folder: Path, size: int, times: int = 30) -> float:
    """Say what the disk itself needs to write and sync so many bytes: the median, in seconds."""
    handle = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    spent = [seconds(lambda: (os.write(handle, bytes(size)), os.fsync(handle))) for _ in range(times)]
    os.close(handle)
    (folder / "raw").unlink()
    return statistics.median(spent)


def disk(folder: Path, given: argparse.Namespace) -> dict[str, object]:
    """Measure the log: ready lines in batches of several sizes, and lines signed on the way."""
    lines = [signed_line(record(number), KEY) for number in range(20_000)]
    rows = []
    for batch in BATCHES:
        part = lines[: min(len(lines), batch * 200)]
        rows += [appends(folder, part, batch) for _ in range(given.repeats)]
    with Log(folder / "log") as log:
        starts = range(0, 10_000, 1000)
        signed = seconds(
            lambda: [log.append([signed_line(record(start + i), KEY) for i in range(1000)]) for start in starts]
        )
    return {
        "file_system": file_system(folder),
        "bytes_a_line": len(lines[0]),
        "one_sync_of_a_batch_of_1000_seconds": round(raw_sync(folder, 1000 * len(lines[0])), 5),
        "runs": rows,
        "signed_and_appended_a_second_in_batches_of_1000": round(10_000 / signed),
    }


def tree(given: argparse.Namespace) -> dict[str, object]:
    """Measure the Merkle tree: its root from nothing, and proofs out of it."""
    entries = [b"entry %093d" % number for number in range(given.entries)]
    rooted = []
    for _ in range(given.repeats):
        grown = Tree()
        start = time.perf_counter()
        for entry in entries:
            grown.append(entry)
        root = grown.root()
        rooted.append(round(time.perf_counter() - start, 3))
    size, places = len(entries), [(number * 7_919) % len(entries) for number in range(500)]
    paths: list[list[bytes]] = []
    made = seconds(lambda: paths.extend(grown.inclusion(place) for place in places))
    pairs = list(zip(places, paths, strict=True))
    good: list[bool] = []
    checked = seconds(lambda: good.extend(verify_inclusion(entries[i], i, size, path, root) for i, path in pairs))
    refused = not any(verify_inclusion(b"another", i, size, path, root) for i, path in pairs)
    older = [1 + place for place in places]
    proofs: list[list[bytes]] = []
    proved = seconds(lambda: proofs.extend(grown.consistency(each) for each in older))
    roots = [grown.root(each) for each in older]
    same: list[bool] = []
    compared = seconds(
        lambda: same.extend(
            verify_consistency(n, size, r, root, p) for n, r, p in zip(older, roots, proofs, strict=True)
        )  # fmt: skip  # noqa: E501
    )
    return {
        "entries": size,
        "bytes_an_entry": len(entries[0]),
        "root_seconds": rooted,
        "root": root.hex(),
        "inclusion": {
            "proofs": len(paths),
            "largest_bytes": 32 * max(map(len, paths)),
            "largest_bytes_in_base64_lines": 45 * max(map(len, paths)),
            "make_milliseconds": round(1000 * made / len(paths), 4),
            "check_milliseconds": round(1000 * checked / len(paths), 4),
            "all_accepted": all(good),
            "another_entry_refused": refused,
        },
        "consistency": {
            "proofs": len(proofs),
            "largest_bytes": 32 * max(map(len, proofs)),
            "make_milliseconds": round(1000 * proved / len(proofs), 4),
            "check_milliseconds": round(1000 * compared / len(proofs), 4),
            "all_accepted": all(same),
        },
    }


def signatures(given: argparse.Namespace) -> dict[str, object]:
    """Measure how fast signatures of one key are made and checked, by the engine's library and by the checker's own."""
    count, few = 10_000, 1000
    messages = [b"message %092d" % number for number in range(count)]
    signed: list[bytes] = []
    making = seconds(lambda: signed.extend(map(KEY.sign, messages)))
    pairs = list(zip(messages, signed, strict=True))
    answers: list[bool] = []
    library = [seconds(lambda: answers.extend(verifies(KEY.public, *pair) for pair in pairs)) for _ in range(given.repeats)]  # fmt: skip  # noqa: E501
    verifier = Verifier(KEY.public, count)
    tables = seconds(lambda: answers.append(verifier.good(*pairs[0])))
    own = [seconds(lambda: answers.extend(verifier.good(*pair) for pair in pairs[:few])) for _ in range(given.repeats)]
    single = Verifier(SigningKey(Ed25519PrivateKey.from_private_bytes(b"\1" * 32)).public)
    small = seconds(lambda: single.good(*pairs[0]))
    changed = any(verifies(KEY.public, m + b"x", s) or verifier.good(m + b"x", s) for m, s in pairs[:100])
    lines = [signed_line(record(number), KEY) for number in range(2000)]
    opened = seconds(lambda: [opened_line(line, KEY.public) for line in lines])
    return {
        "signed_a_second": round(count / making),
        "checked_a_second_by_the_engine": [round(count / each) for each in library],
        "checked_a_second_by_the_checker": [round(few / each) for each in own],
        "checker_tables_for_one_key_seconds": round(tables, 3),
        "checker_first_signature_of_another_key_seconds": round(small, 3),
        "statements_opened_a_second_by_the_engine": round(len(lines) / opened),
        "all_accepted": all(answers),
        "changed_message_accepted": changed,
    }


def file_system(folder: Path) -> str:
    """Name the kind of file system a folder is on, as the system lists it."""
    table = Path("/proc/mounts")
    if not table.exists():
        return "unknown"
    mounts = [line.split()[:3] for line in table.read_text(encoding="utf-8").splitlines()]
    own = [(where, kind, device) for device, where, kind in mounts if folder.resolve().is_relative_to(where)]
    _, kind, device = max(own, key=lambda mount: len(mount[0]))
    return f"{kind} on {Path(device).name}"


def processor() -> str:
    """Name the processor as the system does."""
    listed = Path("/proc/cpuinfo")
    for line in listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "results", help="where the log is written: on which disk")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--entries", type=int, default=1_000_000, help="leaves of the tree")
    given = parser.parse_args()
    given.folder.mkdir(exist_ok=True)
    before, folder = os.getloadavg()[0], Path(tempfile.mkdtemp(dir=given.folder, prefix=".bench-"))
    try:
        log = disk(folder, given)
    finally:
        shutil.rmtree(folder)
    result = {
        "question": "The evidence kernel: durable appends, the tree, proofs, signatures",
        "command": "python bench/evidence.py",
        "machine": {
            "processor": processor(), "processors": os.cpu_count(), "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}", "cryptography": metadata.version("cryptography"),
            "load_before": round(before, 1),
        },
        "threads": 1,
        "log": log,
        "tree": tree(given),
        "signatures": signatures(given),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    sound = (
        all(row["read_back"] for row in log["runs"])
        and result["tree"]["inclusion"]["all_accepted"]
        and result["tree"]["inclusion"]["another_entry_refused"]
        and result["tree"]["consistency"]["all_accepted"]
        and result["signatures"]["all_accepted"]
        and not result["signatures"]["changed_message_accepted"]
    )
    if given.entries == 1_000_000:
        target = HERE / "results" / "evidence.json"
        target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
