# SPDX-License-Identifier: Apache-2.0
"""Replay a witness in exact integers, by docs/reference/certificate.md section 4."""

from fractions import Fraction
from typing import Any

from safetyboard_check.canonical import number, real
from safetyboard_check.faults import need
from safetyboard_check.layers import Layer
from safetyboard_check.rounding import ONE, Moves, evaluate
from safetyboard_check.unsafe import Unsafe, harm

# The stated error may differ from ours by a factor of two and by this much.
SLACK = Fraction(1, 1 << 100)


def replay(layers: list[Layer], unsafe: Unsafe, record: dict[str, Any], place: str) -> None:
    """Reject unless the witness, as recorded, refutes."""
    point = [Fraction(real(text, place)) for text in record["point"]]
    steps = evaluate(layers, point)
    outputs = [max(v, Fraction(0)) for v in steps[-1]] if layers[-1].relu else steps[-1]
    stated_outputs = [number(text, place) for text in record["outputs_exact"]]
    need(len(stated_outputs) == len(outputs), f"{place}: outputs_exact has {len(stated_outputs)} numbers")
    for index, (given, own) in enumerate(zip(stated_outputs, outputs, strict=True)):
        need(given == own, f"{place}: outputs_exact[{index}] is about {_near(given)}, the network gives {_near(own)}")
    found, stated_harm = harm(unsafe, outputs), number(record["harm_exact"], place)
    need(stated_harm == found, f"{place}: harm_exact is about {_near(stated_harm)}, derived {_near(found)}")
    moves = Moves(layers, steps)
    error = max((moves.of_row(row) for conjunction in unsafe for row in conjunction), default=Fraction(0))
    stated = number(record["error"], place)
    fair = error / 2 - SLACK <= stated <= error * 2 + SLACK
    need(fair, f"{place}: error is stated as {_near(stated)}, derived {_near(error)}")
    need(found > max(error, stated), f"{place}: harm_exact {_near(found)} is not above the error {_near(error)}")
    _check_deployed(moves, unsafe, record, outputs, place)


def _check_deployed(moves: Moves, unsafe: Unsafe, record: dict[str, Any], outputs: list[Fraction], place: str) -> None:
    ran = [Fraction(real(text, place)) for text in record["outputs_deployed"]]
    need(len(ran) == len(outputs), f"{place}: outputs_deployed has {len(ran)} numbers for {len(outputs)} outputs")
    limits = moves.errors(len(outputs))
    for index, (value, exact) in enumerate(zip(ran, outputs, strict=True)):
        inside = abs(value - exact) <= Fraction(limits[index], ONE)
        need(inside, f"{place}: outputs_deployed[{index}] is {_near(value)}, too far from the exact {_near(exact)}")
    deployed = harm(unsafe, ran)
    need(deployed > 0, f"{place}: the harm of outputs_deployed is {_near(deployed)}")
    stated = real(record["harm_deployed"], place)
    need(float(deployed) == stated, f"{place}: harm_deployed is {stated!r}, derived {float(deployed)!r}")


def _near(value: Fraction) -> str:
    """Write a rational for a message."""
    try:
        return repr(float(value))
    except OverflowError:
        return "a number beyond 1e308"
