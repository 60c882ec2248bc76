# SPDX-License-Identifier: Apache-2.0
"""What asking again hands back, and how it joins what replay in the sandbox found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from safetyboard.surfaces.authority.explain.records import Replayed, RivalTest
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.canonical import Plain
from safetyboard.terms.episode import Source
from safetyboard.terms.finding import Grade
from safetyboard.terms.null import Null

QUESTION = "why the agent did it"
OPEN = "Why the agent did it"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Name what the behaviour hangs on.

    Args:    words: of the instruction, or of the tool. source: of the instruction. effect: by how much the rate falls
             without it, exact interval.
    """

    words: str
    source: Source | None
    effect: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """Hold everything found by asking again about one act.

    Args:    nulls: what could not be answered. cause: in one sentence; empty where there is none. facts: plain numbers,
             with `whys` of one entry. blobs: tables of trials and draws by digest. same_model: None where the record
             does not name its model.
    """

    ablations: tuple[Ablation, ...]
    nulls: tuple[Null, ...]
    rivals: tuple[RivalTest, ...]
    grade: Grade
    weakest_link: str
    cause: str
    causes: tuple[Cause, ...]
    facts: Mapping[str, Plain]
    blobs: Mapping[str, bytes]
    same_model: bool | None


def joined(replayed: Replayed, resampled: Resampled | Null) -> Replayed:
    """Put the answer on why into what replay found: records, rivals about the motive, the why, and the whole grade.

    What made the verdict keeps its own grade; the whole is established only where that is, and where no rival about the
    motive is left untested or supported.
    """
    kept = tuple(null for null in replayed.nulls if not null.obstruction.startswith(OPEN))
    if isinstance(resampled, Null):
        return replace(replayed, nulls=(*kept, resampled))
    offset = len(replayed.ablations)
    moved = [
        replace(rival, ablation=None if rival.ablation is None else rival.ablation + offset)
        for rival in resampled.rivals
    ]
    tested = {rival.factor for rival in moved}
    rivals = (*(rival for rival in replayed.rivals if rival.factor not in tested), *moved)
    whys = replayed.facts.get("whys")
    listed = [each for each in whys if isinstance(each, dict)] if isinstance(whys, list) else []
    answered = resampled.facts.get("whys")
    new = [each for each in answered if isinstance(each, dict)] if isinstance(answered, list) else []
    every: list[Plain] = [*(each for each in listed if each.get("question") != QUESTION), *new]
    whole = _whole(replayed, rivals, listed)
    return replace(
        replayed, ablations=(*replayed.ablations, *resampled.ablations), nulls=(*kept, *resampled.nulls),
        rivals=rivals, grade=whole[0], weakest_link=whole[1],
        facts={**replayed.facts, "whys": every, "resampled": dict(resampled.facts)},
        blobs={**replayed.blobs, **resampled.blobs},
    )  # fmt: skip


def _whole(replayed: Replayed, rivals: tuple[RivalTest, ...], whys: list[dict[str, Plain]]) -> tuple[Grade, str]:
    what = next((each for each in whys if each.get("question") == "what made the verdict"), None)
    if what is None or what.get("grade") != "established":
        return replayed.grade, replayed.weakest_link
    for status, words in (("supported", "rival not ruled out"), ("untested", "rival not tested")):
        for rival in rivals:
            if rival.status == status:
                return "probable", f"{words}: {rival.factor} ({rival.why})"
    return "established", str(what.get("weakest_link", replayed.weakest_link))
