# SPDX-License-Identifier: Apache-2.0
"""How sure a cause is, from the experiments made and those not made."""

from collections.abc import Sequence

from safetyboard.surfaces.authority.explain.records import RivalTest
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.finding import Grade

ROLES = ("necessity", "sufficiency", "specificity")
WEAKEST = {
    "necessity": "taking the changes back does not bring every failure back",
    "sufficiency": "the changes alone do not make every test pass",
    "specificity": "taking other changes back brings failures back as well, or there are none to compare with",
}


def grade(ablations: Sequence[Ablation], rivals: Sequence[RivalTest], *, agreed: bool) -> tuple[Grade, str]:
    """Grade a cause and name its weakest link.

    Established needs every experiment on necessity, sufficiency and specificity to speak for it, every rival tested and
    rejected, and a second method that runs nothing to agree; probable needs at least one of the three.
    """
    outcomes = {role: [each.outcome for each in ablations if each.role == role] for role in ROLES}
    doubtful = next((each for role in ROLES for each in ablations if each.role == role and each.outcome != "for"), None)
    weak = [role for role in ROLES if not outcomes[role] or any(each != "for" for each in outcomes[role])]
    if not any(outcomes.values()):
        return "unknown", "no experiment was made"
    if "against" in outcomes["necessity"]:
        return "rejected", WEAKEST["necessity"]
    if not any("for" in each for each in outcomes.values()):
        return "possible", WEAKEST[weak[0]]
    if weak:
        words = WEAKEST[weak[0]]
        return "probable", f"{words} ({doubtful.factor})" if doubtful and doubtful.role == weak[0] else words
    for status, words in (("supported", "rival not ruled out"), ("untested", "rival not tested")):
        for rival in rivals:
            if rival.status == status:
                return "probable", f"{words}: {rival.factor} ({rival.why})"
    if not agreed:
        return "probable", "the second method, which reads the changed tests and runs nothing, does not agree"
    return "established", "runs repeat one program: their intervals speak of flaky runs, not of other histories"
