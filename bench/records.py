# SPDX-License-Identifier: Apache-2.0
"""Records at scale: JSONL preserved, hashed, read and indexed in bounded memory; words found among 100,000 messages.

python bench/records.py [--megabytes N] [--messages N] [--folder DIR] [--out FILE]     one process at a time; no data needed
"""  # noqa: E501

import argparse
import itertools
import json
import os
import platform
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetyboard.evidence.preserved import Batch, Holdings
from safetyboard.evidence.step_index import StepIndex
from safetyboard.investigation.preservation import preserve
from safetyboard.investigation.search import stored_of
from safetyboard.readers.account import Account
from safetyboard.readers.records import chat_jsonl

HERE = Path(__file__).parent
SEED = 0
WORDS = 30_000
A_LINE = 10
QUERIES = 200
SIGNS = ("", "", "", ",", ".", "?", ":", "()", " --force", "/")


class Quiet:
    """Hear nothing."""

    def entry(self, number: int, batch: Batch) -> None: ...

    def note(self, sentence: str) -> None: ...


def vocabulary(chance: random.Random) -> list[str]:
    """Make words of two to four syllables, the frequent ones first; none stands in another language's dictionary."""
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "en", "ar", "is")]
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(chance.choices(syllables, k=chance.choice((2, 2, 3, 3, 4))))] = None
    return list(made)


def paragraphs(chance: random.Random, words: list[str]) -> list[str]:
    """Make texts in which a word is as frequent as its rank says (Zipf), a few hundred characters each."""
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))
    drawn = (chance.choices(words, cum_weights=weights, k=chance.randint(12, 80)) for _ in range(20_000))
    return [" ".join(word + chance.choice(SIGNS) for word in text) for text in drawn]


def conversations(chance: random.Random, texts: list[str]) -> Iterator[bytes]:
    """Make chats without end, one a line, as chat endpoints are logged."""
    while True:
        said = chance.choices(texts, k=A_LINE)
        messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        yield json.dumps({"messages": messages}).encode() + b"\n"


def generate(path: Path, *, size: int = 0, messages: int = 0) -> list[str]:
    """Write a file of so many bytes, or so many messages; gives the words in it."""
    chance = random.Random(SEED)
    words = vocabulary(chance)
    lines = conversations(chance, paragraphs(chance, words))
    written = 0
    with path.open("wb") as file:
        for number in itertools.count():
            if written >= size and number * A_LINE >= messages:
                return words
            written += file.write(next(lines))
    raise AssertionError


def phase(name: str, folder: Path) -> dict[str, Any]:
    """Run one phase in a process of its own, so that the peak of its memory is its own."""
    command = [sys.executable, __file__, "--phase", name, "--folder", str(folder)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout)


def only(store: Path) -> tuple[Holdings, Any]:
    held = Holdings.at(store)
    [item] = held.latest.values()
    return held, item


def idle(folder: Path) -> dict[str, Any]:
    """Do nothing: what the interpreter and the imports take."""
    return {}


def preserving(folder: Path) -> dict[str, Any]:
    """Store the file, with its signed entries."""
    done = preserve([folder / "logs"], folder / "store", told=Quiet())
    return {"bytes": done.stored_bytes}


def hashing(folder: Path) -> dict[str, Any]:
    """Hash what is stored."""
    held, item = only(folder / "store")
    held.verify(item.digest)
    return {"bytes": item.size}


def reading(folder: Path) -> dict[str, Any]:
    """Read every episode, and keep none."""
    held, item = only(folder / "store")
    account = Account()
    deque(chat_jsonl.episodes(stored_of(held, item), account), maxlen=0)
    return {"account": account.sentence(), "balanced": account.balanced}


def indexing(folder: Path) -> dict[str, Any]:
    """Hash, read and index: what a search does with a file it has not seen."""
    held, item = only(folder / "store")
    account = Account()
    held.verify(item.digest)
    with StepIndex(folder / "index.sqlite") as index:
        with index.adding(item.digest, item.path, "chat") as adding:
            adding.add(chat_jsonl.episodes(stored_of(held, item), account))
        episodes, steps = index.counts()
    return {"episodes": episodes, "steps": steps, "bytes": (folder / "index.sqlite").stat().st_size}


PHASES = {each.__name__: each for each in (idle, preserving, hashing, reading, indexing)}


def run_phase(name: str, folder: Path) -> None:
    """Run a phase here, and print what it took."""
    start, spent = time.perf_counter(), time.process_time()
    said = PHASES[name](folder)
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - spent}
    print(json.dumps({**{name: round(value, 3) for name, value in took.items()}, "peak_megabytes": peak(), **said}))


def peak() -> float:
    """Give the most memory this process held, in MiB."""
    listed = Path("/proc/self/status")
    for line in listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []:
        # What getrusage says includes the process this one was started from.
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def queries(words: list[str]) -> dict[str, list[str]]:
    """Draw words of every frequency, pairs of them, parts of them, and words that occur nowhere."""
    chance = random.Random(SEED + 1)
    bands = [words[:20], words[20:1000], words[1000:]]
    singles = [chance.choice(band) for band in bands for _ in range(QUERIES // 4)]
    pairs = [f"{chance.choice(words[:300])} {chance.choice(words)}" for _ in range(QUERIES // 8)]
    absent = [f"x{chance.choice(words)}q" for _ in range(QUERIES - len(singles) - len(pairs))]
    parts = [chance.choice(words[50:])[1:6].ljust(3, "a") for _ in range(QUERIES // 2)]
    phrases = [f"{chance.choice(words[:50])} --force {chance.choice(words)[:3]}" for _ in range(QUERIES - len(parts))]
    return {"words": singles + pairs + absent, "substring": parts + phrases}


def timed(index: StepIndex, wanted: list[str], *, substring: bool) -> dict[str, Any]:
    """Time each query: fifty matches at most, text and source fetched."""
    times, spent, found, ways = [], [], 0, set()
    for text in wanted:
        start, begun = time.perf_counter(), time.process_time()
        matches, how = index.search(text, substring=substring)
        times.append(1000 * (time.perf_counter() - start))
        spent.append(1000 * (time.process_time() - begun))
        found += bool(matches)
        ways.add(how)
    return {
        "queries": len(times),
        "with_matches": found,
        "how": sorted(ways),
        "median_milliseconds": round(statistics.median(times), 3),
        "p95_milliseconds": round(statistics.quantiles(times, n=20)[-1], 3),
        "largest_milliseconds": round(max(times), 3),
        "median_cpu_milliseconds": round(statistics.median(spent), 3),
        "p95_cpu_milliseconds": round(statistics.quantiles(spent, n=20)[-1], 3),
    }


def searching(folder: Path, words: list[str]) -> dict[str, Any]:
    """Time the queries on an index, by words and by substring."""
    wanted = queries(words)
    with StepIndex(folder / "index.sqlite") as index:
        _, steps = index.counts()
        by_words = timed(index, wanted["words"], substring=False)
        start = time.perf_counter()
        index.make_substrings()
        made = time.perf_counter() - start
        by_part = timed(index, wanted["substring"], substring=True)
    size = (folder / "index.sqlite").stat().st_size
    return {
        "messages": steps,
        "words": by_words,
        "substring": by_part,
        "substring_index_seconds": round(made, 2),
        "bytes_with_substring_index": size,
    }


def large(base: Path, size: int) -> dict[str, Any]:
    """Preserve, hash, read and index one large file, and time searches in it."""
    (base / "logs").mkdir(parents=True)
    words = generate(base / "logs" / "chats.jsonl", size=size)
    result = {"bytes": (base / "logs" / "chats.jsonl").stat().st_size}
    result |= {name: phase(name, base) for name in PHASES}
    with StepIndex(base / "index.sqlite") as index:
        result["search"] = timed(index, queries(words)["words"], substring=False)
    return result


def small(base: Path, messages: int) -> dict[str, Any]:
    """Index so many messages, and time searches among them."""
    (base / "logs").mkdir(parents=True)
    words = generate(base / "logs" / "chats.jsonl", messages=messages)
    phase("preserving", base)
    return {"indexing": phase("indexing", base), **searching(base, words)}


def processor() -> str:
    """Name the processor as the system does."""
    listed = Path("/proc/cpuinfo")
    for line in listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000, help="size of the large file, in 10^6 bytes")
    parser.add_argument("--messages", type=int, default=100_000, help="messages to search among")
    parser.add_argument("--folder", type=Path, help="where the files are written: on which disk")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "records.json")
    parser.add_argument("--only", choices=("small", "large"), help="measure one part, and keep the other as it was")
    parser.add_argument("--phase", choices=PHASES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase:
        run_phase(given.phase, given.folder)
        return 0
    before, base = os.getloadavg()[0], Path(tempfile.mkdtemp(dir=given.folder, prefix="bench-records-"))
    os.environ["SAFETYBOARD_HOME"] = str(base / "home")
    kept = json.loads(given.out.read_text(encoding="utf-8")) if given.only else {}
    try:
        searched = kept["small"] if given.only == "large" else small(base / "small", given.messages)
        handled = kept["large"] if given.only == "small" else large(base / "large", given.megabytes * 10**6)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    defaults = given.megabytes == 2000 and given.messages == 100_000
    scale = "" if defaults else f" --megabytes {given.megabytes} --messages {given.messages}"
    result = {
        "question": "Records at scale: JSONL preserved, hashed, read and indexed; words found among many messages",
        "command": "python bench/records.py" + scale,
        "machine": {
            "processor": processor(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": round(before, 1),
        },
        "threads": 1,
        "seed": SEED,
        "measured_apart": bool(given.only),
        "large": handled,
        "small": searched,
    }
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
