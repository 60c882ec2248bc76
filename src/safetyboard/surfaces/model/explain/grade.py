# SPDX-License-Identifier: Apache-2.0
"""How sure a cause is, from the experiments made and those not made."""

from collections.abc import Sequence

from safetyboard.terms.ablation import Ablation
from safetyboard.terms.finding import Grade

ROLES = ("necessity", "sufficiency", "specificity")
WEAKEST = {
    "necessity": "resetting the factor does not reliably remove the failure",
    "sufficiency": "the factor alone does not reliably bring the failure about",
    "specificity": "resetting random inputs removes the failure about as often",
}


def grade(ablations: Sequence[Ablation], *, untested_rivals: int = 0) -> tuple[Grade, str]:
    """Grade a cause and name its weakest link.

    Established needs necessity, sufficiency and specificity for it and every rival tested and not supported;
    probable needs at least one of them; possible means that experiments were made and none speaks for it.
    """
    outcomes: dict[str, str] = {ablation.role: ablation.outcome for ablation in ablations if ablation.role in ROLES}
    missing = [role for role in ROLES if outcomes.get(role) != "for"]
    rivals = [ablation for ablation in ablations if ablation.role == "rival"]
    standing = [ablation for ablation in rivals if ablation.outcome != "against"]
    if not ablations:
        return "unknown", "no experiment was made"
    if not missing and rivals and not standing and not untested_rivals:
        return "established", "donors are drawn from the claim's box, which may hold inputs the world never shows"
    if len(missing) == len(ROLES):
        refuted = outcomes.get("necessity") == "against"
        return ("rejected" if refuted else "possible"), WEAKEST[missing[0]]
    if missing:
        return "probable", WEAKEST[missing[0]]
    return "probable", f"rival not ruled out: {standing[0].factor}" if standing else "a rival was not tested"
