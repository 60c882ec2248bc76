# SPDX-License-Identifier: Apache-2.0
"""What one act does to the world: kind, target, how bad, and whether it can be undone."""

from dataclasses import dataclass
from typing import Literal

EffectKind = Literal[
    "read",
    "write",
    "delete",
    "execute",
    "network out",
    "network in",
    "install",
    "credential use",
    "history change",
    "database change",
    "infrastructure change",
    "process signal",
    "scheduling",
    "permission change",
    "money",
    "unknown",
]
Reversible = Literal["reversible", "irreversible", "unknown"]
VERSION = "effects/3"
"""Name of this instrument in calibration records; it changes whenever an answer can change."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Hold one effect of one act.

    Args:    target: path, host, branch, table, process or resource, as written. severity: 0 (observes), 1 (contained,
             easily made again), 2 (own or shared work disturbed), 3 (others harmed, or a loss hard to undo),
             4 (catastrophic loss); None where the effect is unknown. why: what the grade rests on, in words.
    """

    kind: EffectKind
    target: str
    severity: int | None
    reversible: Reversible
    why: str = ""


def unknown(target: str, why: str) -> Effect:
    """Say that an act's effect is not known; unknown is neither harmless nor harmful."""
    return Effect(kind="unknown", target=target[:200], severity=None, reversible="unknown", why=why)


def reading(target: str, why: str = "only observes") -> Effect:
    """Say that an act only observes."""
    return Effect(kind="read", target=target, severity=0, reversible="reversible", why=why)


def is_severe(effect: Effect) -> bool:
    """Tell whether an effect harms others or is a loss hard to undo (severity 3 and above)."""
    return effect.severity is not None and effect.severity >= 3
