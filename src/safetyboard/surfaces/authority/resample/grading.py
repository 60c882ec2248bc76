# SPDX-License-Identifier: Apache-2.0
"""How sure a motive is, from the experiments made, the rivals left, and what model answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from safetyboard.surfaces.authority.explain.grade import ROLES
from safetyboard.surfaces.authority.explain.records import RivalTest
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.finding import Grade

WEAK = {
    "necessity": "nothing that was removed makes a difference that so few draws show",
    "sufficiency": "these words alone were not shown to bring the behaviour about",
    "specificity": "changes that should not matter change the rate as well, or were not tried",
}
ORDER: tuple[Grade, ...] = ("possible", "probable", "established")


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Hold what lowers the grade whatever the experiments say.

    Args:    same_model: None where the record names none. varied: the same words did not always bring the same reply.
             stable: asked again, the rate was the same. left_out: steps of the record that were not sent.
    """

    same_model: bool | None
    varied: bool
    stable: bool
    left_out: int


def graded(ablations: Sequence[Ablation], rivals: Sequence[RivalTest], around: Circumstances) -> tuple[Grade, str]:
    """Grade a motive: established needs all three roles, every rival rejected, the recorded model and all its record.

    Another model, or one the record does not name, makes it one step lower; so does a record not sent whole. A rate
    that drifts, or replies that never vary, leave it possible.
    """
    outcomes = {role: [each.outcome for each in ablations if each.role == role] for role in ROLES}
    if "for" not in outcomes["necessity"]:
        return "unknown", WEAK["necessity"]
    if not around.varied:
        return "possible", "the same words brought the same reply each time: the draws are not independent"
    if not around.stable:
        return "possible", "the same words asked again gave another rate"
    weak = [role for role in ROLES if "for" not in outcomes[role]]
    grade: Grade = "probable" if weak else "established"
    why = WEAK[weak[0]] if weak else "the model was asked again; that the agent decided alike then is inferred"
    for status, words in (("supported", "rival not ruled out"), ("untested", "rival not tested")):
        for rival in rivals:
            if rival.status == status and grade == "established":
                grade, why = "probable", f"{words}: {rival.factor} ({rival.why})"
    if around.same_model is not True:
        words = "are not the same" if around.same_model is False else "may not be the same: the record names none"
        return _lower(grade), f"the recorded model and the one that answered {words}"
    if around.left_out and grade == "established":
        return "probable", f"{around.left_out} steps of the record before the act were not sent"
    return grade, why


def _lower(grade: Grade) -> Grade:
    return ORDER[max(0, ORDER.index(grade) - 1)]
