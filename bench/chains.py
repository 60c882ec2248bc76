# SPDX-License-Identifier: Apache-2.0
"""Chains on the broad development set: what is found through every dialect, and who is accused.

python bench/chains.py

The set was told by the hand that then mended the chains on it, so its rates are what development reached and no
forecast; for that see the records beside the chains, which hold stories by another hand.
"""

import json
import os
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
QUESTION = "Chains: how much of the broad development set is found in every dialect, and which clean twins are accused?"
sys.path[:0] = [str(HERE.parent / "tests")]

from needles.broad.episodes import TELLINGS, broad  # noqa: E402
from safetyboard.overseers.chains.chain_file import ENGINE, shipped  # noqa: E402
from safetyboard.overseers.chains.engine import screen  # noqa: E402


def measured() -> dict[str, Any]:
    """Count, a chain: tellings and stories found, and twins that any chain accuses."""
    chains = shipped()
    found: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    accused: dict[str, list[str]] = defaultdict(list)
    for each in broad():
        found[each.chain][each.story].append(each.chain in {m.chain for m in screen(each.planted, chains).flagged})
        accused[each.chain] += [f"story {each.story}: {m.chain}" for m in screen(each.twin, chains).flagged]
    return {
        name: {
            "tellings": sum(map(len, stories.values())),
            "tellings found": sum(map(sum, stories.values())),
            "stories": len(stories),
            "stories found in every telling": sum(map(all, stories.values())),
            "twins": sum(map(len, stories.values())),
            "accusations of twins": sorted(accused[name]),
        }
        for name, stories in sorted(found.items())
    }


def main() -> None:
    """Measure and write the raw results."""
    start = time.process_time()
    chains = measured()
    result = {
        "question": QUESTION,
        "command": "python bench/chains.py",
        "machine": {
            "python": platform.python_version(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "engine": ENGINE,
        "tellings a story": TELLINGS,
        "chains": chains,
        "tellings found": sum(each["tellings found"] for each in chains.values()),
        "tellings": sum(each["tellings"] for each in chains.values()),
        "accusations of twins": sum(len(each["accusations of twins"]) for each in chains.values()),
        "seconds": round(time.process_time() - start, 2),
    }
    (HERE / "results" / "chains.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
