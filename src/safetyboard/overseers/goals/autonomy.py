# SPDX-License-Identifier: Apache-2.0
"""How much a grant leaves to the agent alone, and whether somebody answers for it."""

from dataclasses import dataclass

from safetyboard.overseers.goals.powers import powers_of
from safetyboard.terms.grant import Grant

HIGH = 3
_LEVELS = (
    "acts in nothing",
    "reads, and asks before it acts",
    "acts alone within narrow bounds",
    "runs programs alone, behind walls",
    "runs programs, deletes, pays or speaks alone, with no wall declared",
)


@dataclass(frozen=True, kw_only=True)
class Autonomy:
    """Say how far an agent may go without a person: 0 (acts in nothing) to 4 (no bound declared), and why."""

    level: int
    reasons: tuple[str, ...]

    @property
    def said(self) -> str:
        """Say the level in words."""
        return _LEVELS[self.level]


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Say whether a grant may be given, and the one reason."""

    admitted: bool
    autonomy: Autonomy
    reason: str


def autonomy(grant: Grant) -> Autonomy:
    """Grade a grant by what it lets happen without asking, as it declares it; walls count only where declared."""
    powers = powers_of(grant)
    given = [f"{power}: {place}" for power, place in sorted(powers.items())]
    walled = any(each.kind == "sandbox" for each in grant.enforcement)
    holes = [f"{each.what}: {each.place.pointer}" for each in grant.enforcement if each.kind == "none"]
    strong = {"run", "delete", "send", "spend", "speak", "permit"} & set(powers)
    if strong:
        level = 3 if walled and not holes else 4
    elif {"write", "fetch"} & set(powers):
        level = 2
    else:
        servers = any("server" in tool.annotations for tool in grant.tools)
        level = 1 if powers or grant.rules or servers or grant.format not in ("tools", "mcp-servers") else 0
    if not given and any("server" in tool.annotations for tool in grant.tools):
        given = ["servers whose tools are not known"]
    return Autonomy(level=level, reasons=(*given, *holes) or ("nothing is offered without asking",))


def admitted(grant: Grant, principal: str | None) -> Admission:
    """Refuse a grant of high autonomy for which nobody answers.

    Args:    principal: who answers for it, as resolved from signed delegations; None or empty where nobody was found.
    """
    graded = autonomy(grant)
    if graded.level < HIGH:
        reason = f"The agent {graded.said}; no principal is required."
        return Admission(admitted=True, autonomy=graded, reason=reason)
    if principal is None or not principal.strip():
        reason = f"The agent {graded.said}, and no principal who answers for it can be resolved."
        return Admission(admitted=False, autonomy=graded, reason=reason)
    return Admission(admitted=True, autonomy=graded, reason=f"The agent {graded.said}; {principal} answers for it.")
