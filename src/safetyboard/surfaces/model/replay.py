# SPDX-License-Identifier: Apache-2.0
"""Replay a failure in exact rationals and in the deployed runtime; only what replays is a witness."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.rounding import own_share, rounding_of
from safetyboard.surfaces.model.setting import ExactUnsafe, NetworkSetting
from safetyboard.terms.errors import Unsound
from safetyboard.terms.numbers import float_text, rational_text
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Layer, Matrix, Vector


def replay(setting: NetworkSetting, point: "Vector", *, recipe: Recipe, note: str = "") -> Witness | None:
    """Return a witness if the point refutes the claim by docs/reference/certificate.md section 4, else None.

    Args:    point: float32 values (held as float64) inside the box.
    Raises:  Unsound: onnxruntime leaves the error bound of its own arithmetic.
    """
    if not inside(setting, point):
        return None
    if setting.harm(setting.forward(point[None, :]))[0] <= 0.0:
        return None
    steps = evaluate(setting.network.layers, point)
    moves = deployed_moves(setting.network.layers, steps)
    exact = steps[-1] if not setting.network.layers[-1].relu else tuple(max(v, Fraction(0)) for v in steps[-1])
    harm = exact_harm(setting.exact_rows, exact)
    error = Fraction(max(float(moves.of(rows).max(initial=0.0)) for rows, _ in setting.conjunctions))
    deployed = setting.deployed(point.astype(np.float32)[None, :])[0].astype(np.float64)
    check_deployed(exact, moves.of(np.eye(len(exact))), deployed, setting.claim.property)
    harm_deployed = exact_harm(setting.exact_rows, tuple(Fraction(float(v)) for v in deployed))
    if harm <= error or harm_deployed <= 0:
        return None
    return Witness(
        claim=setting.claim_id,
        cell=setting.cell,
        point=tuple(float_text(float(value)) for value in point),
        outputs_exact=tuple(rational_text(value) for value in exact),
        outputs_deployed=tuple(float_text(float(value)) for value in deployed),
        harm_exact=rational_text(harm),
        harm_deployed=float_text(float(harm_deployed)),
        error=rational_text(error),
        runtime=setting.deployed.runtime,
        recipe=recipe,
        note=note,
    )


def check_deployed(exact: tuple[Fraction, ...], errors: "Vector", deployed: "Vector", name: str) -> None:
    """Stop everything if the runtime left its error bound: then no proof about it would mean anything."""
    for index, (value, error, ran) in enumerate(zip(exact, errors, deployed, strict=True)):
        if not np.isfinite(ran) or abs(Fraction(float(ran)) - value) > Fraction(float(error)):
            raise Unsound(
                f"{name}: onnxruntime computed {float(ran)!r} for output {index}; the exact value is {float(value)!r} "
                f"and rounding explains at most {float(error):.3g}.",
                hint="The runtime does not compute in the float32 model that certificates speak of.",
            )


def inside(setting: NetworkSetting, point: "Vector") -> bool:
    """Tell whether a float32 point lies in the exact box, or is what a box without float32 values rounds to."""
    for value, low, high, least, most in zip(
        point, setting.lower, setting.upper, setting.inner_lower, setting.inner_upper, strict=True
    ):
        exact = Fraction(float(value))
        if not (low <= exact <= high) and not (least == most == value):
            return False
    return True


def evaluate(layers: "tuple[Layer, ...]", point: "Vector") -> tuple[tuple[Fraction, ...], ...]:
    """Run the network in exact rationals; returns the values after every layer's affine step, input first."""
    values = tuple(Fraction(float(v)) for v in point)
    steps = [values]
    for layer in layers:
        values = _step(layer, values)
        steps.append(values)
        if layer.relu:
            values = tuple(max(value, Fraction(0)) for value in values)
    return tuple(steps)


def _step(layer: "Layer", values: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Take one affine step; all numbers are brought to one power-of-two denominator, so sums are integer sums."""
    scale = max(v.denominator for v in values)
    whole = [v.numerator * (scale // v.denominator) for v in values]
    results = []
    for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
        ratios = [(i, *w.as_integer_ratio()) for i, w in enumerate(row) if w]
        deepest = max((d for _, _, d in ratios), default=1)
        total = sum(n * (deepest // d) * whole[i] for i, n, d in ratios)
        results.append(Fraction(total, scale * deepest) + Fraction(bias))
    return tuple(results)


@dataclass(frozen=True)
class Moves:
    """How far the outputs may move: each source is (sensitivity (outputs, n), size (n,)); `own` our rounding."""

    sources: "tuple[tuple[Matrix, Vector], ...]"
    own: "Vector"

    def of(self, rows: "Matrix") -> "Vector":
        """Bound the move of linear forms over the outputs: (rows, outputs) -> (rows,)."""
        total = np.abs(rows) @ self.own
        for sensitivity, size in self.sources:
            total = total + np.abs(rows @ sensitivity) @ size
        return np.asarray(total * (1.0 + 2.0**-20) + 2.0**-1000)


def deployed_moves(layers: "tuple[Layer, ...]", steps: tuple[tuple[Fraction, ...], ...]) -> Moves:
    """Bound what any float32 summation order may change, to first order exactly (certificate.md section 4).

    Every layer's rounding is a source; sensitivities follow the exact activation pattern. A neuron whose sign the
    error may flip passes nothing on and becomes a source as large as its error.
    """
    values = np.array([float(v) for v in steps[0]])
    moves, own = Moves((), np.zeros(values.size)), own_share(layers)
    for layer, exact in zip(layers, steps[1:], strict=True):
        absolute = np.abs(layer.weight)
        loose = absolute @ moves.own
        error = moves.of(np.eye(values.size)) if moves.sources else np.zeros(values.size)
        sources = [(layer.weight @ sensitivity, size) for sensitivity, size in moves.sources]
        if layer.roundings:
            relative, least = rounding_of(layer, own)
            size = relative * (absolute @ (np.abs(values) * (1.0 + 2.0**-50) + error) + layer.magnitude) + least
            sources.append((np.eye(size.size), size))
            loose = loose + own * size
        loose = loose + own * (absolute @ error)
        moves = Moves(tuple(sources), loose)
        values = np.array([float(v) for v in exact])
        if layer.relu:
            values, moves = _through_relu(values, moves)
    return moves


def _through_relu(values: "Vector", moves: Moves) -> "tuple[Vector, Moves]":
    error = moves.of(np.eye(values.size))
    on, unsure = values > error, np.abs(values) <= error
    sources = [(sensitivity * on[:, None], size) for sensitivity, size in moves.sources]
    if unsure.any():
        sources.append((np.eye(values.size)[:, unsure], error[unsure]))
    return np.maximum(values, 0.0), Moves(tuple(sources), moves.own * on)


def exact_harm(unsafe: ExactUnsafe, outputs: tuple[Fraction, ...]) -> Fraction:
    """Judge exact outputs; an empty unsafe set gives -1, as nothing is ever harmful."""
    harms = [
        min((-(sum((c * outputs[i] for i, c in row), Fraction(0)) + k) for row, k in conjunction), default=Fraction(1))
        for conjunction in unsafe
    ]
    return max(harms, default=Fraction(-1))
