# SPDX-License-Identifier: Apache-2.0
"""What an explanation by replay hands back: records with their tables, nothing that acts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from safetyboard.laboratory.suites.running import LIMITS
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.surfaces.authority.scene import Edit, Said
from safetyboard.terms.ablation import Ablation, Arm
from safetyboard.terms.canonical import Plain, canonical_json, digest_of, plain_of
from safetyboard.terms.execution import Execution
from safetyboard.terms.finding import Grade
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.recipe import Recipe

Role = Literal["necessity", "sufficiency", "specificity", "rival"]
Outcome = Literal["for", "against", "unclear"]
Table = dict[str, list[bool]]


@dataclass(frozen=True, kw_only=True)
class RivalTest:
    """Name another explanation and what happened when it was tested, or why it was not.

    Args:    about: which question it rivals: what made the verdict, or why the agent did it. ablation: the experiment
             that decided it, as an index into `Replayed.ablations`. said: the words that decided it.
    """

    factor: str
    status: Literal["rejected", "supported", "untested"]
    why: str
    about: Literal["what", "motive"] = "what"
    ablation: int | None = None
    said: Said | None = None


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """Hold everything found on one history.

    Args:    executions: the final program under the original tests, and the control. nulls: questions that could not be
             answered, each with what stood in the way. cause: in one sentence; empty where there is none. facts: the
             numbers behind it, plain. blobs: tables of trials, folders and outputs by digest. responsible: the recorded
             edits without which the verdict would have been another.
    """

    executions: tuple[Execution, ...]
    ablations: tuple[Ablation, ...]
    nulls: tuple[Null, ...]
    rivals: tuple[RivalTest, ...]
    grade: Grade
    weakest_link: str
    cause: str
    facts: Mapping[str, Plain]
    blobs: Mapping[str, bytes]
    responsible: tuple[Edit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """Hold an experiment before its recipe is known.

    Args:    table: arm -> for every trial, whether the failure was there: a test that does not fail, though under the
             original tests it would.
    """

    factor: str
    role: Role
    design: str
    table: Table
    outcome: Outcome
    extra: Mapping[str, Plain] = field(default_factory=dict)


def less(table: Table, low: str, high: str) -> bool:
    """Tell whether one arm surely fails less often than another: their exact intervals do not touch."""
    if not table[low] or not table[high]:
        return False
    ends = [clopper_pearson(sum(table[name]), len(table[name])) for name in (low, high)]
    return ends[0][1] < ends[1][0]


def ablation_of(draft: Drafted, claim: str, recipe: Recipe) -> tuple[Ablation, bytes]:
    """Write an experiment down, with its table of single trials."""
    arms: dict[str, Plain] = {name: {"failures": [int(v) for v in row]} for name, row in draft.table.items()}
    content = canonical_json({"schema": "safetyboard.trials/1", "arms": arms})
    record = Ablation(
        claim=claim, factor=draft.factor, role=draft.role, design=draft.design, outcome=draft.outcome, recipe=recipe,
        arms=tuple(_arm(name, row) for name, row in draft.table.items()), data=digest_of(content), extra=draft.extra,
    )  # fmt: skip
    return record, content


def _arm(name: str, row: Sequence[bool]) -> Arm:
    lower, upper = clopper_pearson(sum(row), len(row))
    return Arm(name=name, failures=sum(row), trials=len(row), lower=float_text(lower), upper=float_text(upper))


def manifest(tree: Mapping[str, bytes], modes: Mapping[str, int]) -> bytes:
    """List a folder as the docket keeps it: path -> content digest and mode."""
    files: dict[str, Plain] = {path: [digest_of(text), modes.get(path, 0o644)] for path, text in tree.items()}
    return canonical_json({"schema": "safetyboard.folder/1", "files": files})


def setting_of_runs() -> dict[str, Plain]:
    """Say what every run was given and refused."""
    limits = plain_of(asdict(LIMITS))
    return {"readonly": [], "hidden": [], "environment": {}, "limits": limits}
