# SPDX-License-Identifier: Apache-2.0
"""The recorded airline runs of tau-bench, with the verdicts that evaluators blind to their reward give."""

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from safetyboard.overseers.claim_and_truth import acts_that_took, changes_nothing
from safetyboard.readers.account import Account
from safetyboard.readers.records import tau_bench
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Episode

FILE = "records/tau-bench/historical_trajectories/gpt-4o-airline.json"
TALLIER = "program: the tools of the reference were called"


def runs(data: Path) -> tuple[bytes, list[Episode]]:
    content = (data / FILE).read_bytes()
    stored = Stored(name="gpt-4o-airline.json", size=len(content), load=lambda: content, digest=digest_of(content))
    return content, list(tau_bench.episodes(stored, Account()))


def truths(episodes: list[Episode]) -> dict[str, bool]:
    """The reward, which compares the data base after the run with that after the reference."""
    return {each.name: each.true[0].value == "1.0" for each in episodes}


def tool_tallies(episodes: list[Episode]) -> dict[str, bool]:
    """A cheap evaluator with errors of its own: it counts tools that change something, and never looks at arguments."""
    found = {}
    for each in episodes:
        due = Counter(str(act["name"]) for act in each.condition["gold_actions"])  # type: ignore[union-attr,index,call-overload]
        done = Counter(tool for tool, _ in acts_that_took(each.steps))
        found[each.name] = _counted(due) == _counted(done)
    return found


def _counted(tools: Counter[str]) -> dict[str, int]:
    return {
        tool: count for tool, count in tools.items() if not changes_nothing(tool) and tool != "transfer_to_human_agents"
    }


def flipped(verdicts: Mapping[str, bool], seed: int, share: float = 0.15) -> dict[str, bool]:
    """Plant errors at random."""
    chance = random.Random(seed)
    return {case: good is not (chance.random() < share) for case, good in verdicts.items()}
