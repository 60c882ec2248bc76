# SPDX-License-Identifier: Apache-2.0
"""The protocols of the four verbs: attack, prove, explain, repair."""

from typing import Protocol, TypeVar

from safetyboard.terms.ablation import Ablation
from safetyboard.terms.bound import Bound
from safetyboard.terms.budget import Budget
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.remedy import Remedy
from safetyboard.terms.witness import Witness

S = TypeVar("S", contravariant=True)


class Attack(Protocol[S]):
    """Search for behaviour that the overseer judges catastrophic."""

    def attack(self, setting: S, *, budget: Budget, seed: int, progress: Progress) -> Witness | Null:
        """Return a replayed witness, or a null with the effort spent."""


class Proof(Protocol[S]):
    """Try to decide the claim for every input of the domain."""

    def prove(
        self, setting: S, *, budget: Budget, seed: int, progress: Progress
    ) -> Certificate | Bound | Witness | Null:
        """Return the strongest evidence reached, or a null that names its obstruction."""


class Explanation(Protocol[S]):
    """Establish why a witness fails, by experiment."""

    def explain(
        self, setting: S, witness: Witness, *, budget: Budget, seed: int, progress: Progress
    ) -> tuple[Ablation, ...]:
        """Return the experiments, rivals included."""


class Repair(Protocol[S]):
    """Make a subject that no longer fails."""

    def repair(
        self, setting: S, witnesses: tuple[Witness, ...], *, budget: Budget, seed: int, progress: Progress
    ) -> Remedy | Null:
        """Return the repaired subject with its cost, or a null that says why there is none."""
