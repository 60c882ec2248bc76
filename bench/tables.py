# SPDX-License-Identifier: Apache-2.0
"""Write bench/README.md from the raw results: each question, its command, the figures, and what falls short.

python bench/tables.py [--check]     the same results give the same page; --check fails where the page is not fresh
"""
# ruff: noqa: E501 - a row of a table is a line

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import tables_of_runs  # noqa: E402

PAGE = HERE / "README.md"
Figure = tuple[str, str, str, bool | None]
"""What was measured, the figure, the aim (or nothing), and whether it was reached (None: there is no aim)."""

PEER_NOTE = (
    "Peers were measured once each for the design of this project, on 2 cores of a shared x86-64 machine, in CPU seconds with "
    "start-up included (nnenum 1.1 s, α,β-CROWN 2.5 s); a process was cut off at 60 CPU-s, nnenum on 1_9 p7 and 2_9 p8 at about 120. "
    "Ours are without start-up, from the results file. It was not the same run, so read ratios roughly."
)  # fmt: skip
# Network and property: answer, nnenum, α,β-CROWN (CPU), Marabou 2.0 (pip); None where it was cut off.
PEERS: dict[tuple[str, str], tuple[str, float | None, float | None, float | None]] = {
    ("1_1", "1"): ("unsat", 1.7, 7.3, 2.1),
    ("1_1", "3"): ("unsat", 2.5, 10.5, None),
    ("1_1", "5"): ("unsat", 5.0, 12.8, None),
    ("1_1", "6"): ("unsat", 17.1, None, None),
    ("1_9", "7"): ("sat", None, 5.5, None),
    ("2_2", "2"): ("sat", 1.4, 4.7, 4.6),
    ("2_9", "8"): ("sat", None, 4.9, None),
    ("3_3", "2"): ("unsat", 41.1, None, None),
    ("3_3", "9"): ("unsat", 10.7, 14.6, None),
    ("4_2", "2"): ("unsat", 44.5, None, None),
    ("4_5", "10"): ("unsat", 2.0, 12.2, None),
    ("4_5", "4"): ("unsat", 1.3, 7.2, 0.5),
    ("4_9", "1"): ("unsat", 18.7, 39.8, None),
}
START_UP = {"nnenum": 1.1, "α,β-CROWN": 2.5}
NNENUM = {"decided": 183, "cpu_seconds": 848.0, "start_up": 190.0}
"""nnenum over all 186 on the machine of the peers' table, 60 CPU-s each at most."""
OFFICIAL = (
    "Sums over the 186 instances in the competition's own results (VNN-COMP, its machines, start-up removed): α,β-CROWN 202 s, "
    "nnenum 106 to 248 s by year, NeuralSAT 2,413 s, PyRAT 1,777 s (185 decided), Marabou 1,444 s (180 decided)."
)  # fmt: skip


def figures_table(figures: Iterable[Figure]) -> list[str]:
    """Set figures beside their aims."""
    words = {True: "reached", False: "**falls short**", None: ""}
    rows = [f"| {what} | {value} | {aim} | {words[reached]} |" for what, value, aim, reached in figures]
    return ["| figure | measured | aim | |", "|---|---|---|---|", *rows]


def shortfalls(figures: Iterable[Figure], more: Iterable[str] = ()) -> list[str]:
    """List what missed its aim, and what else has to be said."""
    missed = [f"- {what}: {value}; the aim is {aim}." for what, value, aim, reached in figures if reached is False]
    said = [*missed, *(f"- {each}" for each in more)]
    return ["", "What falls short:", *said] if said else ["", "Nothing measured here falls short of its aim."]


def short_name(row: dict[str, Any]) -> tuple[str, str]:
    """Name an instance as people do: network 1_1, property 3."""
    network = row["network"].removeprefix("ACASXU_run2a_").partition("_batch")[0]
    return network, row["property"].removeprefix("prop_").removesuffix(".vnnlib")


def seconds(value: float) -> str:
    """Write seconds with about two digits."""
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_given(value: float | None) -> str:
    """Write a peer's seconds as they were noted."""
    return "cut off" if value is None else f"{value:g}"


def acasxu(result: dict[str, Any]) -> list[str]:
    """Tell how the 186 instances went, beside the peers."""
    rows = {short_name(row): row for row in result["rows"]}
    total, agreed = result["total_cpu_seconds"], result["instances"] - len(result["against_consensus"])
    ratio = (NNENUM["cpu_seconds"] - NNENUM["start_up"]) / total
    hardest = sorted(result["rows"], key=lambda row: -row["cpu_seconds"])[:5]
    slower = [
        f"{network} p{prop} ({seconds(rows[network, prop]['cpu_seconds'])} s; {best[1]} {best[0]:.2g} s)"
        for (network, prop), peers in PEERS.items()
        if (network, prop) in rows and (best := fastest(peers)) and rows[network, prop]["cpu_seconds"] > best[0]
    ]  # fmt: skip
    certificates = [row["certificate_bytes"] for row in result["rows"] if row["certificate_bytes"]]
    verdicts = ", ".join(f"{count} {word}" for word, count in sorted(result["verdicts"].items()))
    figures: list[Figure] = [
        ("instances decided", f"{result['instances'] - len(result['undecided'])} of {result['instances']} ({verdicts})", "186", not result["undecided"] and result["instances"] == 186),
        ("not against the competition's consensus", f"{agreed} of {result['instances']}", "all", not result["against_consensus"]),
        ("CPU seconds altogether", seconds(total), "≤ 120 (first acceptance)", total <= 120),
        ("CPU seconds altogether, the later goal", seconds(total), "≤ 60", total <= 60),
        ("less CPU than nnenum, start-ups removed", f"{ratio:.1f}×", "≥ 10×", ratio >= 10),
        ("slower than the faster of nnenum and α,β-CROWN, start-ups removed", f"{len(slower)} of the {len(PEERS)} instances below", "none", not slower),
        ("CPU seconds to compile or load, apart", seconds(result["compile_or_load_cpu_seconds"]), "", None),
        ("median CPU seconds an instance", seconds(statistics.median(row["cpu_seconds"] for row in result["rows"])), "", None),
        ("certificates: median, largest", f"{statistics.median(certificates):,.0f} B, {max(certificates):,} B", "", None),
    ]  # fmt: skip
    more = [f"Undecided: {each}." for each in result["undecided"]]
    more += [f"Against the consensus: {each}." for each in result["against_consensus"]]
    more += [f"Slower than a peer: {each}." for each in slower]
    more.append("α,β-CROWN was measured on the instances below only; the aim of 10× speaks of all 186 for it too.")
    more.append(
        f"Five instances take {100 * sum(row['cpu_seconds'] for row in hardest) / total:.0f} % of the time: "
        + ", ".join(f"{'{} p{}'.format(*short_name(row))} ({seconds(row['cpu_seconds'])} s)" for row in hardest)
        + "."
    )
    return [*figures_table(figures), *shortfalls(figures, more), "", *peers_table(rows)]


def fastest(peers: tuple[str, float | None, float | None, float | None]) -> tuple[float, str] | None:
    """Pick the best of the peers whose start-up is known, with it removed."""
    known = [(peers[1], "nnenum"), (peers[2], "α,β-CROWN")]
    return min(((spent - START_UP[name], name) for spent, name in known if spent is not None), default=None)


def peers_table(rows: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
    """Set ours beside the peers, instance by instance."""
    lines = [
        "CPU seconds an instance, beside peers:",
        "",
        "| instance | answer | safetyboard | nnenum | α,β-CROWN (CPU) | Marabou 2.0 |",
        "|---|---|---|---|---|---|",
    ]
    for (network, prop), (answer, *peers) in PEERS.items():
        row = rows.get((network, prop))
        ours = "not run" if row is None else seconds(row["cpu_seconds"])
        told = "" if row is None or row["verdict"] == answer else f" (ours: {row['verdict']})"
        lines.append(f"| {network} p{prop} | {answer}{told} | {ours} | {' | '.join(map(as_given, peers))} |")
    return [*lines, "", PEER_NOTE, OFFICIAL]


def evidence(result: dict[str, Any]) -> list[str]:
    """Tell what the evidence kernel can take."""
    log, tree, signed = result["log"], result["tree"], result["signatures"]
    rates = {batch: [row["a_second"] for row in log["runs"] if row["batch"] == batch] for batch in batches(log)}
    slowest = {batch: min(runs) for batch, runs in rates.items()}
    largest, inclusion, consistency = max(rates), tree["inclusion"], tree["consistency"]
    figures: list[Figure] = [
        (f"durable appends a second, batches of {largest} (slowest of {len(rates[largest])} runs)", f"{slowest[largest]:,}", "≥ 5,000", slowest[largest] >= 5000),
        *((f"the same, batches of {batch}", f"{slowest[batch]:,}", "", None) for batch in sorted(rates)[-2::-1]),
        (f"signed and appended a second, batches of {largest}", f"{log['signed_and_appended_a_second_in_batches_of_1000']:,}", "≥ 5,000", log["signed_and_appended_a_second_in_batches_of_1000"] >= 5000),
        (f"root of {tree['entries']:,} entries (slowest of {len(tree['root_seconds'])} runs)", f"{max(tree['root_seconds'])} s", "< 5 s", max(tree["root_seconds"]) < 5),
        ("inclusion proof among them, in base64 lines", f"{inclusion['largest_bytes_in_base64_lines']} B", "≤ 2,000 B", inclusion["largest_bytes_in_base64_lines"] <= 2000),
        ("to check it", f"{inclusion['check_milliseconds']} ms", "< 10 ms", inclusion["check_milliseconds"] < 10),
        ("to make it", f"{inclusion['make_milliseconds']} ms", "", None),
        ("consistency proof", f"{consistency['largest_bytes']} B, {consistency['check_milliseconds']} ms to check", "", None),
        ("signatures checked a second by the engine (slowest run)", f"{min(signed['checked_a_second_by_the_engine']):,}", "stated", None),
        ("signatures checked a second by the checker's own ed25519", f"{min(signed['checked_a_second_by_the_checker']):,}", "stated", None),
        ("its tables for a key with many signatures, once", f"{signed['checker_tables_for_one_key_seconds']} s", "", None),
        ("statements opened a second by the engine: signature, digest, canonical form", f"{signed['statements_opened_a_second_by_the_engine']:,}", "", None),
    ]  # fmt: skip
    note = (
        f"The log stood on {log['file_system']}, {log['bytes_a_line']} bytes a line; each batch is written and synced (fsync) before the next. "
        f"The disk alone needs {1000 * log['one_sync_of_a_batch_of_1000_seconds']:.1f} ms to write and sync a batch of 1000. What a virtual disk "
        "acknowledges is its host's word; that could not be looked behind."
    )  # fmt: skip
    pace = f"One line at a time is the disk's own pace, {1000 / slowest[min(slowest)]:.1f} ms a line."
    return [*figures_table(figures), *shortfalls(figures), "", f"{note} {pace}"]


def batches(log: dict[str, Any]) -> list[int]:
    """List the batch sizes that were run, each once."""
    return sorted({row["batch"] for row in log["runs"]})


def relu_split(result: dict[str, Any]) -> list[str]:
    """Count what ReLU splitting decided, part by part."""
    lines = ["| part | cells | proved | refuted | undecided | CPU seconds | nodes |", "|---|---|---|---|---|---|---|"]
    more = []
    for part in sorted({row["part"] for row in result["rows"]}):
        rows = [row for row in result["rows"] if row["part"] == part]
        counted = Counter(row["verdict"] for row in rows)
        spent, nodes = sum(row["cpu_seconds"] for row in rows), sum(row["nodes"] for row in rows)
        words = " | ".join(str(counted[word]) for word in ("proved", "refuted", "undecided"))
        lines.append(f"| {part} | {len(rows)} | {words} | {seconds(spent)} | {nodes:,} |")
        if counted["undecided"]:
            more.append(f"{part}: {counted['undecided']} of {len(rows)} cells end undecided.")
    return [*lines, *shortfalls([], more)]


def records(result: dict[str, Any]) -> list[str]:
    """Tell what preserving, reading, indexing and searching take."""
    big, few = result["large"], result["small"]
    words, parts, among = few["words"], few["substring"], f"{few['messages']:,} messages"
    full, aim = few["messages"] >= 100_000, big["bytes"] >= 2 * 10**9
    lines = [
        f"One file of {big['bytes'] / 1e9:.2g} GB of chats as JSONL ({big['indexing']['steps']:,} messages); each phase in a process of its own.",
        "",
        "| phase | seconds | CPU seconds | MB a second | peak memory, MiB |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    told = {"idle": "nothing: interpreter and imports", "preserving": "preserve: stored, synced, signed", "hashing": "hash", "reading": "read", "indexing": "hash, read and index"}  # fmt: skip
    for name, said in told.items():
        took = big[name]
        pace = "" if name == "idle" else f"{big['bytes'] / 1e6 / took['seconds']:,.0f}"
        lines.append(f"| {said} | {seconds(took['seconds'])} | {seconds(took['cpu_seconds'])} | {pace} | {took['peak_megabytes']} |")  # fmt: skip
    figures: list[Figure] = [
        ("bytes handled in bounded memory", f"{big['bytes']:,}", "2 GB", aim),
        ("peak memory to hash, read and index them", f"{big['indexing']['peak_megabytes']} MiB", "≤ 150 MB (as for `.eval`)", big["indexing"]["peak_megabytes"] <= 150 * 1e6 / 2**20),
        (f"words among {among}, {words['queries']} queries: median", f"{words['median_milliseconds']} ms", "< 5 ms", full and words["median_milliseconds"] < 5),
        ("the same: 95th percentile", f"{words['p95_milliseconds']} ms", "< 5 ms", full and words["p95_milliseconds"] < 5),
        ("the same: slowest; median and 95th percentile in CPU time", f"{words['largest_milliseconds']} ms; {words['median_cpu_milliseconds']} ms, {words['p95_cpu_milliseconds']} ms", "", None),
        (f"substrings among {among}, {parts['queries']} queries: median", f"{parts['median_milliseconds']} ms", "< 5 ms", full and parts["median_milliseconds"] < 5),
        ("the same: 95th percentile", f"{parts['p95_milliseconds']} ms", "< 5 ms", full and parts["p95_milliseconds"] < 5),
        ("the same: in CPU time, median and 95th percentile", f"{parts['median_cpu_milliseconds']} ms, {parts['p95_cpu_milliseconds']} ms", "", None),
        (f"words among all {big['indexing']['steps']:,} messages: median, 95th percentile", f"{big['search']['median_milliseconds']} ms, {big['search']['p95_milliseconds']} ms", "", None),
        ("size of the index beside the file", f"{big['indexing']['bytes'] / big['bytes']:.1f}×", "", None),
        (f"substring index of {among}: seconds to make, size of both indexes", f"{few['substring_index_seconds']} s, {few['bytes_with_substring_index'] / 1e6:.0f} MB", "", None),
    ]  # fmt: skip
    notes = [
        f"Queries have every frequency; {words['with_matches']} and {parts['with_matches']} of them match. A query gives at most 50 matches with text and source, on a warm page cache.",
        "The texts are generated: syllable words with Zipf frequencies. Real logs differ in vocabulary and in the length of a message.",
    ]  # fmt: skip
    notes += ["The large file and the queries were measured in separate runs."] if result["measured_apart"] else []
    return [*lines, "", *figures_table(figures), *shortfalls(figures, notes)]


def plain(result: dict[str, Any]) -> list[str]:
    """Show the single figures of a result nobody wrote a table for."""
    known = ("question", "command", "machine")
    figures = [(name, value) for name, value in result.items() if name not in known and not isinstance(value, list | dict)]  # fmt: skip
    return ["| figure | measured |", "|---|---|", *(f"| {name.replace('_', ' ')} | {value} |" for name, value in figures)]  # fmt: skip


TABLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "acasxu": acasxu,
    "evidence": evidence,
    "lesson_gate": tables_of_runs.lesson_gate,
    "records": records,
    "redaction": tables_of_runs.redaction,
    "relu_split": relu_split,
    "replay": tables_of_runs.replay,
    "screening": tables_of_runs.screening,
}


def section(path: Path) -> list[str]:
    """Write what one results file says."""
    result = json.loads(path.read_text(encoding="utf-8"))
    named = result.get("machine", {})
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named.items()) or "not noted"
    threads = f"; threads: {result['threads']}" if "threads" in result else ""
    head = f"Command: `{result['command']}` · raw results: [{path.name}](results/{path.name})  \nMachine: {machine}{threads}"  # fmt: skip
    return [f"## {result['question']}", "", head, "", *TABLES.get(path.stem, plain)(result), ""]


def page(folder: Path) -> str:
    """Write the whole page from the results in a folder."""
    lines = [
        "# Measurements",
        "",
        "Generated from the raw results by `python bench/tables.py`; do not edit. `make bench` runs the scripts again and then this.",
        "One script answers one question, on one thread; what misses its aim is said under each table.",
        "",
    ]  # fmt: skip
    for path in sorted(folder.glob("*.json")):
        lines += section(path)
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not fresh")
    given = parser.parse_args()
    fresh = page(HERE / "results")
    if given.check:
        kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if kept != fresh:
            print("bench/README.md is not what the results say; run: python bench/tables.py")
            return 1
        return 0
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
