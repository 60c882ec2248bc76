# SPDX-License-Identifier: Apache-2.0
"""Screen a goal together with a grant: what is wanted, times what it could be done with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from safetyboard.overseers.goals.harms import Wanted, wanted_in
from safetyboard.overseers.goals.powers import Power, powers_of
from safetyboard.terms.grant import Grant

Level = Literal["blocked", "reported", "allowed"]
_OF_EFFECT: Mapping[str, frozenset[Power]] = {
    "read credentials": frozenset({"read"}),
    "delete outside the workspace": frozenset({"delete"}),
    "send data over the network": frozenset({"send", "fetch"}),
    "change the tests that judge": frozenset({"write"}),
    "change its own permission file": frozenset({"permit"}),
    "leave a process running": frozenset({"run"}),
    "spend money": frozenset({"spend"}),
    "speak to people in somebody's name": frozenset({"speak"}),
}


@dataclass(frozen=True, kw_only=True)
class Screened:
    """Say what becomes of a goal under a grant.

    Args:    level: blocked (a harm is wanted and the grant has what it takes), reported (a harm is wanted, the grant
             lacks it), allowed (no rule sees a harm, which is not to say that there is none). wanted: quoted.
             enabling: power -> the place that gives it, of those a wanted harm needs.
    """

    level: Level
    wanted: tuple[Wanted, ...]
    enabling: Mapping[Power, str]
    reasons: tuple[str, ...]


def screen(goal: str, grant: Grant, *, reached: Iterable[str] = ()) -> Screened:
    """Judge a goal with the grant it would be pursued under; the goal's author is not asked.

    Args:    reached: effects that a search over the grant has reached; they add to the powers it declares.
    """
    powers: dict[Power, str] = powers_of(grant)
    for effect in reached:
        for power in sorted(_OF_EFFECT.get(effect, frozenset())):
            powers.setdefault(power, f"reached: {effect}")
    wanted = wanted_in(goal)
    needed = frozenset[Power]().union(*(each.harm.needs for each in wanted))
    enabling = {power: place for power, place in sorted(powers.items()) if power in needed}
    if not wanted:
        return Screened(level="allowed", wanted=(), enabling={}, reasons=("No rule sees a harm in the goal's words.",))
    names = ", ".join(each.harm.name for each in wanted)
    if not enabling:
        reason = f"The goal wants {names}; nothing that the grant declares would carry it out."
        return Screened(level="reported", wanted=wanted, enabling={}, reasons=(reason,))
    reasons = tuple(
        f"The goal wants {names}, and {place} gives the power to {power}." for power, place in enabling.items()
    )
    return Screened(level="blocked", wanted=wanted, enabling=enabling, reasons=reasons)
