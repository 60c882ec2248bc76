# SPDX-License-Identifier: Apache-2.0
"""Check what every proof trusts: the machine's arithmetic, the compiler, the runtime, the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numba
import numpy as np

from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.surfaces.model.replay import check_deployed, deployed_moves, evaluate
from safetyboard.terms.canonical import Plain
from safetyboard.terms.domain import Domain
from safetyboard.terms.errors import Unsound
from safetyboard.terms.network import Network
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import parse_rational
from safetyboard.terms.recipe import Recipe

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

PROBES = 8
HUGE = 2**100
TRIALS = 200


@numba.njit(cache=True, fastmath={"contract"})
def compiled(first: "Vector", second: "Vector") -> float:
    """Add up products in compiled code, with the compiler's freedoms that the bounds have."""
    total = 0.0
    for i in range(first.size):
        total += first[i] * second[i]
    return total


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
    """Hold compiled sums of products to the error that the bounds allow for: n 2**-53 of their absolute terms."""
    first, second = numbers[:, 0].copy(), numbers[:, 1].copy()
    sums, held = 20, True
    for start in range(0, len(first), len(first) // sums):
        a, b = first[start : start + len(first) // sums], second[start : start + len(first) // sums]
        products = [Fraction(float(x)) * Fraction(float(y)) for x, y in zip(a, b, strict=True)]
        allowed = sum(map(abs, products)) * (len(products) + 1) / 2**53
        held = held and abs(Fraction(float(compiled(a, b))) - sum(products)) <= allowed
    return Check(
        assumption="compiler: compiled sums lose no more than float64 sums in any order may",
        check=f"{sums} compiled sums of products beside exact rationals",
        outcome="held" if held else "broken",
        detail=f"numba {numba.__version__}",
    )


def probes(domains: Sequence[Domain], inputs: int, *, seed: int) -> "Matrix":
    """Choose inputs on which to hold the runtime to its error bound: corners and centres of boxes, and normal draws.

    Shapes:  (at most PROBES, inputs), float32 values.
    """
    boxes = [cell for domain in domains if domain.lift.get("kind") == "identity" for cell in domain.cells]
    chosen: list[list[Fraction]] = []
    for cell in boxes[:: max(1, len(boxes) // 2)][:2]:
        ends = [(parse_rational(low), parse_rational(high)) for low, high in zip(cell.lower, cell.upper, strict=True)]
        chosen += [[low for low, _ in ends], [high for _, high in ends], [(low + high) / 2 for low, high in ends]]
    drawn = np.random.default_rng([seed, 22]).standard_normal((PROBES - len(chosen), inputs))
    given = np.array([[float(value) for value in row] for row in chosen]).reshape(len(chosen), inputs)
    return np.concatenate([given, drawn]).astype(np.float32).astype(np.float64)


def runtime_check(network: Network, content: bytes, name: str, points: "Matrix") -> Check:
    """Run a network beside exact arithmetic on probe inputs and say whether it stays inside its error bound.

    Shapes:  points (n, inputs), float32 values.
    """
    deployed = Deployed(content, network.input_shape, {"kind": "identity"}, name)
    outcome, detail = "held", ""
    for row in points:
        steps = evaluate(network.layers, row)
        if any(abs(value) > HUGE for step in steps for value in step):
            # Where float32 may overflow nothing is proved, so nothing is to be checked either.
            continue
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
        check=f"{len(points)} probe inputs, corners of boxes among them, through onnxruntime and in exact rationals",
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
