# SPDX-License-Identifier: Apache-2.0
"""Say of a network without a property what can be said: whether outputs are finite, on which inputs that was tried."""

from dataclasses import dataclass, field

import numpy as np

from safetyboard.surfaces.model.deployed import Deployed
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.network import Network
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.observation import Observation
from safetyboard.terms.recipe import Recipe

SCALES = (0.01, 1.0, 100.0, 10_000.0)


@dataclass(frozen=True, kw_only=True)
class FiniteOutputs:
    """Run random inputs of several sizes and look for an output that is not a finite number.

    Args:    draws: inputs a scale, uniform in [-scale, scale].
    Units:   work units are network evaluations.
    """

    draws: int = 256
    name: str = field(default="finite-outputs", init=False)
    version: str = field(default="1", init=False)

    def look(self, claim: Claim, network: Network, content: bytes, *, seed: int) -> tuple[Null | Observation, ...]:
        """Return a null with the input ranges exercised, and an observation for the first output not finite."""
        deployed = Deployed(content, network.input_shape, {"kind": "identity"}, network.input_name)
        generator = np.random.default_rng([seed, 31])
        lost, quoted = 0, ""
        outputs = []
        for scale in SCALES:
            points = (generator.uniform(-scale, scale, (self.draws, network.inputs))).astype(np.float32)
            ran = deployed(points)
            bad = ~np.isfinite(ran).all(axis=1)
            lost += int(bad.sum())
            outputs.append(ran[~bad])
            if bad.any() and not quoted:
                quoted = ", ".join(float_text(float(value)) for value in points[int(bad.argmax())][:64])
        total = self.draws * len(SCALES)
        seen = np.concatenate(outputs)
        recipe = Recipe(
            instrument=self.name,
            version=self.version,
            seed=seed,
            unit="evaluations",
            allotted=total,
            spent=total,
            subject=network.content,
            settings={"draws": self.draws},
        )
        null = Null(
            claim=record_id(claim),
            cells=(),
            recipe=recipe,
            obstruction="" if not lost else f"{lost} of {total} random inputs gave outputs that are not finite",
            detail={
                "inputs_tried": total,
                "not_finite": lost,
                "inputs_from": float_text(-max(SCALES)),
                "inputs_to": float_text(max(SCALES)),
                **_span(seen),
            },
        )
        if not quoted:
            return (null,)
        meaning = "this input gives an output that is not a finite number"
        return null, Observation(
            claim=record_id(claim),
            source=network.content,
            pointer=network.input_name,
            quotation=quoted,
            meaning=meaning,
        )


def _span(outputs: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> dict[str, str]:
    if not outputs.size:
        return {}
    return {"outputs_from": float_text(float(outputs.min())), "outputs_to": float_text(float(outputs.max()))}
