# SPDX-License-Identifier: Apache-2.0
"""Which share of agent-made commits a person is recorded to have looked at: bounds, with what they assume."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from safetyboard.readers.repositories.commit import Commit, Person

CO_AUTHOR = ("Co-authored-by",)
REVIEWER = ("Reviewed-by", "Acked-by", "Tested-by")
SIGNER = ("Signed-off-by",)
KNOWN = re.compile(
    r"noreply@anthropic\.com$|\[bot\]|cursoragent@cursor\.com$|"
    r"openhands@all-hands\.dev$|\(aider\)|noreply@aider\.chat$|^codex@openai\.com$",
    re.IGNORECASE,
)
"""Identities that coding agents and GitHub apps write into commits by default.

Source: docs.claude.com, Claude Code settings (attribution); docs.github.com (app accounts end in [bot]); aider.chat,
"Git integration"; all-hands.dev and cursor.com defaults as seen in public commits. Incomplete by nature.
"""
ASSUMPTIONS = (
    "lower bound: whoever is recorded as a reviewer who is not the agent is a person and read the commit; records can "
    "be forged, and the same person may be written under an agent's name",
    "upper bound: nobody understood a commit without leaving a name in it; reviews kept outside the repository are "
    "not seen, and then the share may be higher",
    "an agent that writes under a person's name is counted as that person",
)
Record = Literal["reviewed", "named", "agent only"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Say of one agent-made commit who else stands in it: `reviewed`, `named` in another role, or nobody."""

    commit: str
    record: Record
    agents: tuple[Person, ...]
    others: tuple[Person, ...]


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """Hold the bounds on the share of agent-made commits that a person understood, as far as records go.

    Args:    commits: how many were looked at. made: those that name an agent. lower, upper: as "p/q", or "unknown"
             where no commit names an agent: who made them is then not recorded.
    """

    commits: int
    made: tuple[Made, ...]
    lower: str
    upper: str
    assumptions: tuple[str, ...] = ASSUMPTIONS


def understanding_of(commits: Sequence[Commit], *, agents: Sequence[str] = ()) -> Understanding:
    """Bound the share of agent-made commits that a person is recorded to have looked at.

    Args:    agents: names or addresses that are known to be agents, besides those that tools write by default.
    """
    wanted = {each.casefold() for each in agents}
    made = tuple(found for commit in commits if (found := _made(commit, wanted)) is not None)
    if not made:
        return Understanding(commits=len(commits), made=(), lower="unknown", upper="unknown")
    reviewed = sum(each.record == "reviewed" for each in made)
    named = sum(each.record != "agent only" for each in made)
    lower, upper = Fraction(reviewed, len(made)), Fraction(named, len(made))
    return Understanding(commits=len(commits), made=made, lower=_said(lower), upper=_said(upper))


def _made(commit: Commit, agents: set[str]) -> Made | None:
    writers = (commit.author, commit.committer, *commit.named_by(*CO_AUTHOR))
    ours = tuple(dict.fromkeys(each for each in writers if _is_agent(each, agents)))
    if not ours:
        return None
    reviewers = tuple(each for each in commit.named_by(*REVIEWER) if not _is_agent(each, agents))
    others = (*reviewers, *(each for each in (*writers, *commit.named_by(*SIGNER)) if not _is_agent(each, agents)))
    record: Record = "reviewed" if reviewers else "named" if others else "agent only"
    return Made(commit=commit.name, record=record, agents=ours, others=tuple(dict.fromkeys(others)))


def _is_agent(person: Person, agents: set[str]) -> bool:
    if person.name.casefold() in agents or person.mail.casefold() in agents:
        return True
    return any(KNOWN.search(text) for text in (person.mail, person.name))


def _said(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"
