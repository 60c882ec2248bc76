# SPDX-License-Identifier: Apache-2.0
"""One cell of a claim, with everything that was loaded for it: what every instrument of this wing works on."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.domain import Domain, Row
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.network import Layer, Network
from safetyboard.terms.numbers import parse_rational

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

ExactRow = tuple[tuple[tuple[int, Fraction], ...], Fraction]
ExactUnsafe = tuple[tuple[ExactRow, ...], ...]


@dataclass(frozen=True, kw_only=True)
class NetworkSetting:
    """Hold one cell of a claim about a network, ready to be attacked, proved, explained or repaired.

    Args:    network: with the domain's lift applied. lower, upper: the exact box. outer_*: float64 box that
             contains it, for proofs. inner_*: float32 values inside it, for attacks. conjunctions: the unsafe
             set in float64; exact_rows: the same exactly. reference: rows the network was measured on, or None.
    Shapes:  boxes (variables,); conjunctions: (rows, outputs) and (rows,); reference (n, variables).
    """

    claim: Claim
    claim_id: str
    domain: Domain
    cell: int
    network: Network
    deployed: Deployed
    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    outer_lower: "Vector"
    outer_upper: "Vector"
    inner_lower: "Vector"
    inner_upper: "Vector"
    conjunctions: "tuple[tuple[Matrix, Vector], ...]"
    exact_rows: ExactUnsafe
    reference: "Matrix | None" = None

    @property
    def centre(self) -> "Vector":
        """Give the observed input of the cell where there is one, else the middle of the box (float32 values)."""
        listed = self.domain.cells[self.cell].centre
        if not listed:
            return as_single(0.5 * (self.inner_lower + self.inner_upper), self.inner_lower, self.inner_upper)
        values = np.array([float(parse_rational(text)) for text in listed])
        return as_single(values, self.inner_lower, self.inner_upper)

    def forward(self, batch: "Matrix") -> "Matrix":
        """Run the network in float64: (batch, variables) -> (batch, outputs)."""
        return run(self.network.layers, batch)

    def harm(self, outputs: "Matrix") -> "Vector":
        """Judge outputs: max over conjunctions of min over rows of -g(y); above zero is catastrophic."""
        return harm_of(self.conjunctions, outputs)

    def gradient(self, batch: "Matrix", conjunction: int | None = None) -> "tuple[Vector, Matrix]":
        """Return harm and its gradient: (batch,), (batch, variables); of one conjunction only when named."""
        values = [batch]
        for layer in self.network.layers:
            step = values[-1] @ layer.weight.T + layer.bias
            values.append(np.maximum(step, 0.0) if layer.relu else step)
        harm, slope = _harm_and_slope(self.conjunctions, values[-1], conjunction)
        for layer, after in zip(reversed(self.network.layers), reversed(values[1:]), strict=True):
            if layer.relu:
                slope = slope * (after > 0.0)
            slope = slope @ layer.weight
        return harm, slope


def run(layers: tuple[Layer, ...], batch: "Matrix") -> "Matrix":
    """Run a chain of layers in float64."""
    for layer in layers:
        batch = batch @ layer.weight.T + layer.bias
        if layer.relu:
            batch = np.maximum(batch, 0.0)
    return batch


def harm_of(conjunctions: "tuple[tuple[Matrix, Vector], ...]", outputs: "Matrix") -> "Vector":
    """Judge outputs by an unsafe set, in float64."""
    harm = np.full(outputs.shape[0], -np.inf)
    for rows, constants in conjunctions:
        harm = np.maximum(harm, (-(outputs @ rows.T + constants)).min(axis=1, initial=np.inf))
    return harm


def _harm_and_slope(
    conjunctions: "tuple[tuple[Matrix, Vector], ...]", outputs: "Matrix", only: int | None
) -> "tuple[Vector, Matrix]":
    harm, slope = np.full(outputs.shape[0], -np.inf), np.zeros_like(outputs)
    for j, (rows, constants) in enumerate(conjunctions):
        if (only is not None and j != only) or rows.shape[0] == 0:
            continue
        values = -(outputs @ rows.T + constants)
        weakest = values.argmin(axis=1)
        lowest = values[np.arange(values.shape[0]), weakest]
        better = lowest > harm
        harm = np.where(better, lowest, harm)
        slope[better] = -rows[weakest[better]]
    return harm, slope


def load_settings(
    claim: Claim, domain: Domain, network: Network, content: bytes, *, reference: "Matrix | None" = None
) -> tuple[NetworkSetting, ...]:
    """Load one setting for each cell of the domain; they share the network and the runtime session.

    Raises:  UnreadableInput: the domain does not fit the network.
    """
    lifted = lift_network(network, domain)
    if len(domain.inputs) != lifted.inputs and domain.cells:
        raise UnreadableInput(
            f"{claim.property}: speaks of {len(domain.inputs)} inputs, but the network takes {lifted.inputs}."
        )
    deployed = Deployed(content, network.input_shape, domain.lift, claim.property)
    exact = [_exact(unsafe) for unsafe in domain.unsafe_sets]
    rounded = [unsafe_of(unsafe, lifted.outputs) for unsafe in domain.unsafe_sets]
    claim_id = record_id(claim)
    settings = []
    for index, cell in enumerate(domain.cells):
        lower = tuple(map(parse_rational, cell.lower))
        upper = tuple(map(parse_rational, cell.upper))
        inner = [_inner(low, high) for low, high in zip(lower, upper, strict=True)]
        settings.append(
            NetworkSetting(
                claim=claim,
                claim_id=claim_id,
                domain=domain,
                cell=index,
                network=lifted,
                deployed=deployed,
                lower=lower,
                upper=upper,
                outer_lower=np.array([_down(value) for value in lower]),
                outer_upper=np.array([-_down(-value) for value in upper]),
                inner_lower=np.array([low for low, _ in inner]),
                inner_upper=np.array([high for _, high in inner]),
                conjunctions=rounded[cell.unsafe],
                exact_rows=exact[cell.unsafe],
                reference=reference,
            )
        )
    return tuple(settings)


def about(setting: NetworkSetting, network: Network, content: bytes, claim: Claim) -> NetworkSetting:
    """Ask the same question of another network of the same shape (a repaired one)."""
    return replace(
        setting,
        claim=claim,
        claim_id=record_id(claim),
        network=lift_network(network, setting.domain),
        deployed=Deployed(content, network.input_shape, setting.domain.lift, claim.property),
    )


def lift_network(network: Network, domain: Domain) -> Network:
    """Put the domain's lift in front: two copies of the network for a twin, the network itself otherwise."""
    if domain.lift.get("kind") != "twin":
        return network
    feature, inputs = int(str(domain.lift["feature"])), network.inputs
    weight = np.zeros((2 * inputs, inputs + 1))
    weight[:inputs, :inputs] = weight[inputs:, :inputs] = np.eye(inputs)
    weight[inputs + feature, inputs] = 1.0
    zero = np.zeros(2 * inputs)
    first = Layer(weight=weight, bias=zero, magnitude=zero, roundings=1, relu=False, origin="twin")
    return replace(network, layers=(first, *(_doubled(layer) for layer in network.layers)))


def _doubled(layer: Layer) -> Layer:
    rows, columns = layer.weight.shape
    weight = np.zeros((2 * rows, 2 * columns))
    weight[:rows, :columns] = weight[rows:, columns:] = layer.weight
    return replace(layer, weight=weight, bias=np.tile(layer.bias, 2), magnitude=np.tile(layer.magnitude, 2))


def as_single(values: "Matrix", lower: "Vector", upper: "Vector") -> "Matrix":
    """Round to float32 values (held as float64) inside a box whose ends are float32 values."""
    return np.clip(values.astype(np.float32).astype(np.float64), lower, upper)


def unsafe_of(unsafe: tuple[tuple[Row, ...], ...], outputs: int) -> "tuple[tuple[Matrix, Vector], ...]":
    """Write an unsafe set as matrices, in float64."""
    return tuple(_matrix(conjunction, outputs) for conjunction in _exact(unsafe))


def _exact(unsafe: tuple[tuple[Row, ...], ...]) -> ExactUnsafe:
    return tuple(
        tuple(
            (tuple((i, parse_rational(text)) for i, text in row.coefficients), parse_rational(row.constant))
            for row in conjunction
        )
        for conjunction in unsafe
    )


def _matrix(conjunction: tuple[ExactRow, ...], outputs: int) -> "tuple[Matrix, Vector]":
    rows = np.zeros((len(conjunction), outputs))
    for r, (coefficients, _) in enumerate(conjunction):
        for index, value in coefficients:
            if index >= outputs:
                raise UnreadableInput(f"The property speaks of output {index}, but the network has {outputs}.")
            rows[r, index] += float(value)
    return rows, np.array([float(constant) for _, constant in conjunction])


def _down(value: Fraction) -> float:
    near = float(value)
    return near if Fraction(near) <= value else float(np.nextafter(near, -np.inf))


def _inner(low: Fraction, high: Fraction) -> tuple[float, float]:
    """Give the least and greatest float32 inside [low, high]; where there is none, the one it rounds to."""
    up, down = _single(low), _single(high)
    nearest = up
    while Fraction(float(up)) < low:
        up = np.nextafter(up, np.float32(np.inf))
    while Fraction(float(down)) > high:
        down = np.nextafter(down, np.float32(-np.inf))
    if down < up:
        return float(nearest), float(nearest)
    return float(up), float(down)


def _single(value: Fraction) -> np.float32:
    """Round a rational to the nearest float32 without the double rounding through float64."""
    near = np.float32(float(value))
    candidates = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    return min(candidates, key=lambda c: (abs(Fraction(float(c)) - value), int(c.view(np.uint32)) & 1))
