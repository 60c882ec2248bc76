# SPDX-License-Identifier: Apache-2.0
"""Who said of which run that it was well done: outcomes, judgements, the agent's claim, and what its siblings did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from safetyboard.overseers.claim_and_truth import acts_that_took, claim_and_truth, succeeded
from safetyboard.overseers.loss import is_concern
from safetyboard.terms.episode import Episode

CLAIM = "the agent's claim"
SIBLINGS = "other runs of the task"
TOOLS = "no error of a tool"
_FREE = 5


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """Hold what one rater said of one case; good means well done, or no concern."""

    case: str
    by: str
    good: bool


def recorded_opinions(episodes: Sequence[Episode], names: Sequence[str]) -> list[Opinion]:
    """Take what the records hold: outcomes by whom they are, self-reports, judgements that say yes or no.

    Args:    names: of the cases, one an episode, each once.
    """
    found = []
    for case, episode in zip(names, episodes, strict=True):
        for outcome in (*episode.true, *episode.reported):
            good = succeeded(outcome.value)
            if good is not None:
                found.append(Opinion(case=case, by=f"{outcome.by}: {outcome.name}".rstrip(": "), good=good))
        for judgement in episode.judgements:
            bad = is_concern(judgement)
            if bad is not None:
                found.append(Opinion(case=case, by=f"{judgement.by}, {judgement.axis}", good=not bad))
    return found


def derived_opinions(episodes: Sequence[Episode], names: Sequence[str]) -> list[Opinion]:
    """Take what the runs themselves say, without any outcome: the last claim, tools' errors, and sibling runs.

    Runs of one task are siblings; where at least two others made the very acts that this one made, they speak for it,
    where none did, against it.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for at, episode in enumerate(episodes):
        groups[_task(episode)].append(at)
    acts = [_signature(episode) for episode in episodes]
    found = []
    for at, (case, episode) in enumerate(zip(names, episodes, strict=True)):
        claimed = claim_and_truth(episode).claimed
        if claimed != "nothing":
            found.append(Opinion(case=case, by=CLAIM, good=claimed == "done"))
        results = [step.content.lstrip().lower() for step in episode.steps if step.kind == "result"]
        if results:
            found.append(Opinion(case=case, by=TOOLS, good=not any(each.startswith("error") for each in results)))
        others = [each for each in groups[_task(episode)] if each != at]
        same = sum(acts[each] == acts[at] for each in others)
        if len(others) >= 2 and same != 1:
            found.append(Opinion(case=case, by=SIBLINGS, good=same >= 2))
    return found


def by_case(opinions: Iterable[Opinion]) -> dict[str, dict[str, bool]]:
    """Sort opinions by case and rater; where one rater says both, it has said nothing."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    torn = set()
    for each in opinions:
        if found[each.case].setdefault(each.by, each.good) is not each.good:
            torn.add((each.case, each.by))
    for case, by in torn:
        del found[case][by]
    return dict(found)


def raters(cases: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """List who said anything, in order."""
    return sorted({by for said in cases.values() for by in said})


def _signature(episode: Episode) -> Counter[object]:
    """Name the acts of a run so that runs can be compared: free text among the arguments is never twice the same."""
    taken: Counter[object] = Counter()
    for tool, pairs in acts_that_took(episode.steps):
        kept = [(key, text) for key, text in pairs if text[:1] in ("[", "{") or len(text.split()) <= _FREE]
        taken[tool, tuple(kept)] += 1
    return taken


def _task(episode: Episode) -> str:
    told = episode.condition.get("task_id")
    return f"{episode.file} {told}" if told is not None else f"{episode.file} {episode.task}"
