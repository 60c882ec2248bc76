# SPDX-License-Identifier: Apache-2.0
"""What an explanation gathers while its runs are made."""

from dataclasses import dataclass, field

from safetyboard.laboratory.suites.running import Outcomes
from safetyboard.surfaces.authority.explain.changes import History
from safetyboard.surfaces.authority.explain.experiments import Confirmed, Responsible
from safetyboard.surfaces.authority.explain.reachable import Access
from safetyboard.surfaces.authority.explain.records import Drafted
from safetyboard.surfaces.authority.explain.rivals import Answered


@dataclass(kw_only=True)
class Gathered:
    """Collect what was found on the way.

    Args:    screen: one run of the base tree, of the tree as left, and of the final program under the original tests.
             suspects: tests that differ there. out: tests that differ between identical runs.
    """

    history: History
    screen: tuple[Outcomes, ...]
    suspects: tuple[str, ...]
    out: tuple[str, ...] = ()
    found: Confirmed | None = None
    cause: Responsible | None = None
    access: Access | None = None
    drafts: list[Drafted] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
