# SPDX-License-Identifier: Apache-2.0
"""Check what every proof trusts: the machine's arithmetic, the compiler, the runtime, the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numba
import numpy as np

from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.surfaces.model.replay import check_deployed, deployed_moves, evaluate
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import Unsound
from safetyboard.terms.network import Network
from safetyboard.terms.null import Null
from safetyboard.terms.recipe import Recipe

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix

PROBES = 4
TRIALS = 200


@numba.njit(cache=True)
def compiled(a: float, b: float, c: float) -> float:
    """Compute a * b + c in compiled code, as the bounds do."""
    return a * b + c


@dataclass(frozen=True, kw_only=True)
class Check:
    """Hold one trust assumption, the check that was made of it, and how it came out.

    Args:    outcome: held, broken, or unchecked. detail: what was seen.
    """

    assumption: str
    check: str
    outcome: str
    detail: str = ""

    def plain(self) -> dict[str, Plain]:
        """Write it for the case record."""
        entry: dict[str, Plain] = {"assumption": self.assumption, "check": self.check, "outcome": self.outcome}
        return {**entry, "detail": self.detail} if self.detail else entry


def machine_checks(seed: int) -> tuple[Check, ...]:
    """Check float64 arithmetic of this processor, and of compiled code, against exact rationals."""
    generator = np.random.default_rng([seed, 21])
    numbers = generator.standard_normal((TRIALS, 3)) * 10.0 ** generator.integers(-8, 8, (TRIALS, 3))
    plain = all(_rounded_right(float(a), float(b), float(a) * float(b), float(a) + float(b)) for a, b, _ in numbers)
    return (
        Check(
            assumption="hardware: float64 rounds to nearest, ties to even (IEEE 754)",
            check=f"{TRIALS} sums and products beside exact rationals",
            outcome="held" if plain else "broken",
        ),
        _compiler(numbers),
    )


def _rounded_right(a: float, b: float, product: float, total: float) -> bool:
    return product == float(Fraction(a) * Fraction(b)) and total == float(Fraction(a) + Fraction(b))


def _compiler(numbers: "Matrix") -> Check:
    """Run the same sums compiled: a compiler that reorders or fuses them would show here."""
    same = all(compiled(float(a), float(b), float(c)) == float(a) * float(b) + float(c) for a, b, c in numbers[:TRIALS])
    return Check(
        assumption="compiler: compiled bounds round as written, without fusing or reordering",
        check=f"{min(TRIALS, len(numbers))} compiled sums of products beside uncompiled ones",
        outcome="held" if same else "broken",
        detail=f"numba {numba.__version__}",
    )


def runtime_check(network: Network, content: bytes, name: str, *, seed: int, points: "Matrix | None" = None) -> Check:
    """Run a network beside exact arithmetic on probe inputs and say whether it stays inside its error bound.

    Args:    points: inputs to probe, float32 values; drawn from a normal distribution when not given.
    """
    generator = np.random.default_rng([seed, 22])
    drawn = points if points is not None else generator.standard_normal((PROBES, network.inputs))
    deployed = Deployed(content, network.input_shape, {"kind": "identity"}, name)
    outcome, detail = "held", ""
    for row in drawn.astype(np.float32).astype(np.float64)[:PROBES]:
        steps = evaluate(network.layers, row)
        exact = tuple(max(v, Fraction(0)) for v in steps[-1]) if network.layers[-1].relu else steps[-1]
        moves = deployed_moves(network.layers, steps).of(np.eye(len(exact)))
        try:
            ran = deployed(row.astype(np.float32)[None, :])[0].astype(np.float64)
            check_deployed(exact, moves, ran, name)
        except Unsound as error:
            outcome, detail = "broken", error.message
            break
    return Check(
        assumption=f"runtime: {name} is computed in float32 as the error model says",
        check=f"{PROBES} probe inputs through onnxruntime and in exact rationals",
        outcome=outcome,
        detail=detail,
    )


def standing_checks(data: Mapping[str, str]) -> tuple[Check, ...]:
    """List what cannot be checked from here, and the data that can.

    Args:    data: digests, taken at custody, of the data files that claims were measured on.
    """
    unchecked = (
        Check(
            assumption="training process: nobody chose the weights to deceive these searches",
            check="none is possible from the weights; proofs do not rest on it, searches that found nothing do",
            outcome="unchecked",
        ),
        Check(
            assumption="hardware in use: the deployed system runs these bytes on sound hardware",
            check="none from here; compare the digest where it runs",
            outcome="unchecked",
        ),
    )
    held = tuple(
        Check(
            assumption=f"data: {name} is what was measured",
            check="its digest was taken before it was read, and stands in custody",
            outcome="held",
            detail=digest,
        )
        for name, digest in sorted(data.items())
    )
    return unchecked + held


def not_examined(claim: str, cells: int, subject: str, seed: int) -> Null:
    """Say that a claim was left alone because the runtime failed its check."""
    recipe = Recipe(
        instrument="runtime-self-test",
        version="1",
        seed=seed,
        unit="evaluations",
        allotted=PROBES,
        spent=PROBES,
        subject=subject,
    )
    reason = "The runtime left the error bound of float32 arithmetic, so that no proof about it would mean anything."
    return Null(claim=claim, cells=tuple(range(cells)), recipe=recipe, obstruction=reason)
