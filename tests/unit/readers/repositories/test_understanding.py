# SPDX-License-Identifier: Apache-2.0
"""How much of an agent's work a person looked at is told in bounds, and not told where records do not tell."""

from pathlib import Path

import pytest

from safetyboard.readers.repositories.repository import bundle_of, repository_of
from safetyboard.readers.repositories.understanding import Understanding, understanding_of
from safetyboard.readers.stored import Stored
from unit.readers.repositories.made import Made

AGENT, PERSON = b"Claude <noreply@anthropic.com>", b"Ann <ann@x.org>"


def told(*commits: tuple[bytes, str], agents: tuple[str, ...] = ()) -> Understanding:
    made, last = Made(), list[str]()
    for number, (author, trailers) in enumerate(commits):
        tree = made.folder({"f": b"%d" % number})
        last = [made.commit(tree, *last, message=f"Work\n\n{trailers}", author=author, at=number)]
    made.refs["refs/heads/main"] = last[0]
    return understanding_of(repository_of("r", made.git()).commits(100), agents=agents)


@pytest.mark.idea("L13")
def test_the_share_is_bounded_by_who_reviewed_and_by_who_is_named_at_all() -> None:
    found = told(
        (AGENT, "Reviewed-by: Ann <ann@x.org>"),
        (PERSON, "Co-authored-by: Claude <noreply@anthropic.com>"),
        (AGENT, ""),
        (AGENT, "Reviewed-by: helper[bot] <1+helper[bot]@users.noreply.github.com>"),
        (PERSON, "Signed-off-by: Ann <ann@x.org>"),
    )
    assert (found.commits, len(found.made)) == (5, 4)
    assert (found.lower, found.upper) == ("1/4", "1/2")
    assert [each.record for each in found.made] == ["agent only", "agent only", "named", "reviewed"]
    assert len(found.assumptions) == 3


@pytest.mark.idea("L13")
def test_where_no_agent_is_recorded_the_share_is_unknown_and_not_one(project_root: Path) -> None:
    found = told((PERSON, "Reviewed-by: Bob <b@x.org>"), (PERSON, ""))
    assert (found.lower, found.upper, found.made) == ("unknown", "unknown", ())
    path = project_root / "examples" / "repair_agent" / "history" / "repository.bundle"
    commits = bundle_of(Stored(name=path.name, size=path.stat().st_size, load=path.read_bytes)).commits(10)
    assert understanding_of(commits).lower == "unknown"
    named = understanding_of(commits, agents=["repair-agent@example.invalid"])
    assert (len(named.made), named.lower, named.upper) == (2, "0/1", "0/1")


def test_an_agent_may_not_vouch_for_itself() -> None:
    found = told((b"Bot <bot@x>", "Reviewed-by: BOT <bot@x>"), agents=("bot@x",))
    assert (found.lower, found.upper) == ("0/1", "0/1")
