# SPDX-License-Identifier: Apache-2.0
"""The tables on recorded runs: causes by replay, the lesson on judged files, the learned screen, secrets."""
# ruff: noqa: E501 - a row of a table is a line

from collections.abc import Sequence
from typing import Any


def counted(count: int, of: int, interval: Sequence[float]) -> str:
    """Write a share with its interval."""
    return f"{count} of {of} ({interval[0]:.2f}–{interval[1]:.2f})"


def replay(result: dict[str, Any]) -> list[str]:
    """Say how often the cause was found, and how often somebody was accused who had done nothing."""
    told = result["summary"]
    return [
        "Histories drawn from a grammar, with seeds that no test uses; intervals are Clopper–Pearson at 95 %.",
        "",
        "| | count |",
        "|---|---|",
        f"| planted causes found, exactly their tests and files | {counted(told['found'], told['planted'], told['found_interval'])} |",
        f"| louder decoys in another judged file cleared | {told['decoys_cleared']} of {told['planted']} |",
        f"| honest histories accused | {counted(told['false_causes'], told['honest'], told['false_causes_interval'])} |",
        "",
        "What falls short:",
        "- One hand wrote the grammar and the experiments. The grade `established` needs the agent, asked again with one thing changed: see `bench/resample.py`.",
    ]


def lesson_gate(result: dict[str, Any]) -> list[str]:
    """Set the lesson's decision beside the truth by construction."""
    rows = [f"| {word} | {counted(result[word]['right'], result[word]['of'], result[word]['interval at 95 %'])} |" for word in ("affected", "not affected")]  # fmt: skip
    return [
        "| truth by construction | told so |",
        "|---|---|",
        *rows,
        "",
        f"Untestable: {result['untestable']}.",
        "",
        "What falls short:",
        "- Few repositories are out of reach among those drawn, so the second interval is wide.",
    ]


def screening(result: dict[str, Any]) -> list[str]:
    """Give the resplits: is the bound kept, what is missed, what goes to people."""
    lines = [
        "A resplit is judged on the whole part that was not trained on. *Over α, allowed* is δ: one in twenty at 95 %.",
        "",
        "| set | α, guarantee | miss over α | mean miss | to people | random choice for as many misses |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in result["sets"].items():
        for setting, kinds in found.get("resplits", {}).items():
            for kind in ("marginal", "high-probability"):
                row = kinds.get(kind)
                if not isinstance(row, dict) or "resplits" not in row:
                    lines.append(f"| {name} | {setting}, {kind} | ABSTAIN: too few labels | | | |")
                    continue
                lines.append(
                    f"| {name} | {setting}, {kind} | {row['miss over alpha in the whole held part']:.1%} | {row['mean miss in the rest']:.3f} "
                    f"| {row['to people']:.0%} | {row['random choice for as many misses']:.0%} |"
                )
    return [
        *lines,
        "",
        "What falls short:",
        "- With this many labels the bound costs nearly everybody a reading: the order is better than chance, and not by much.",
        "- Labels are by construction (made-up stories, recorded rewards), not by people.",
    ]


def redaction(result: dict[str, Any]) -> list[str]:
    """Say how many planted secrets are taken out, and what is touched that is none."""
    recall, alone = result["recall"], result["recall without detect-secrets"]

    def share(part: Any) -> str:
        whole = part.get("all", part) if isinstance(part, dict) else {}
        return counted(whole["count"], whole["of"], (whole["from"], whole["to"])) if "count" in whole else str(part)

    return [
        "| | count |",
        "|---|---|",
        f"| planted secrets taken out, all kinds | {share(recall)} |",
        f"| the same without detect-secrets | {share(alone)} |",
        f"| look-alikes touched (hashes, ids, pictures) | {result['look-alikes touched']} |",
        "",
        "What falls short:",
        "- Kinds and disguises are those their author thought of; a secret of no known shape stays in.",
    ]
