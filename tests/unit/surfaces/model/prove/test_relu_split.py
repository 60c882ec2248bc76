# SPDX-License-Identifier: Apache-2.0
"""What splitting ReLU neurons promises: verdicts, numbers on a null, budget, slack, and what it refuses."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from oracle.activation_patterns import greatest_harm
from oracle.certificate_reference import check
from oracle.made_up_networks import case, onnx_bytes, random_weights, setting_of, shifted, spike
from safetyboard.readers.onnx_file import read_network
from safetyboard.surfaces.model.attack.projected_gradient import ProjectedGradient
from safetyboard.surfaces.model.prove.certificate import certificate_body
from safetyboard.surfaces.model.prove.input_split import InputSplit
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from safetyboard.surfaces.model.prove.slack import largest_slack
from safetyboard.terms.budget import Budget
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

ONE = Fraction(1)


def prove(setting, nodes: int = 4000, **settings):
    return ReluSplit(**settings).prove(setting, budget=Budget(units=nodes), seed=0, progress=Silent())


def spiked(inputs: int, margin: Fraction):
    """Ask of a spike of height 1 whether it stays below 1 - margin: the greatest harm is `margin`, at one point."""
    centre = np.random.default_rng([inputs, 3]).uniform(-0.5, 0.5, inputs).astype(np.float32).astype(np.float64)
    weights = spike(inputs, centre, 64.0, 1.0)
    return setting_of(weights, [-ONE] * inputs, [ONE] * inputs, [[([(0, -ONE)], ONE - margin)]])


def hard(seed: int = 0, inputs: int = 12, width: int = 24, room: Fraction = Fraction(1, 20)):
    """Make a question that takes many nodes: a wide random network, and a level just above what an attack reaches."""
    generator = np.random.default_rng([seed, 8])
    weights = random_weights(generator, [inputs, width, width, 1])
    box = [Fraction(-1, 4)] * inputs, [Fraction(1, 4)] * inputs
    setting = setting_of(weights, *box, [[([(0, -ONE)], Fraction(0))]])
    null = ProjectedGradient().attack(
        setting_of(weights, *box, [[([(0, -ONE)], Fraction(1000))]]),
        budget=Budget(units=20000),
        seed=0,
        progress=Silent(),
    )
    level = Fraction(float.fromhex(null.best)) + 1000 + room
    return replace(setting, exact_rows=(((((0, -ONE),), level),),), conjunctions=((-np.ones((1, 1)), [float(level)]),))


@pytest.mark.idea("E1")
@pytest.mark.parametrize("inputs", [1, 2, 4, 9])
def test_a_planted_spike_is_found_and_its_clean_twin_is_proved(inputs: int) -> None:
    assert isinstance(prove(spiked(inputs, Fraction(1, 10))), Witness)
    assert isinstance(prove(spiked(inputs, Fraction(-1, 10))), CellProof)


@pytest.mark.idea("E1")
@pytest.mark.parametrize("inputs", [1, 2, 4])
@pytest.mark.parametrize("exponent", range(1, 10))
def test_a_planted_spike_is_never_proved_however_small_its_margin(inputs: int, exponent: int) -> None:
    margin = Fraction(1, 10**exponent)
    for engine in (ReluSplit(), InputSplit()):
        setting = spiked(inputs, margin)
        found = engine.prove(setting, budget=Budget(units=3000), seed=0, progress=Silent())
        assert not isinstance(found, CellProof)
        if exponent <= 3:
            assert isinstance(prove(setting), Witness)


@pytest.mark.idea("E1", "K21")
def test_a_margin_of_zero_is_neither_proved_nor_refuted_and_says_why() -> None:
    found = prove(spiked(2, Fraction(0)))
    assert isinstance(found, Null)
    assert "inside the rounding error" in found.obstruction


@pytest.mark.idea("E20")
@pytest.mark.parametrize("seed", range(12))
def test_listing_every_float_of_a_small_box_agrees_with_the_proof(seed: int) -> None:
    generator = np.random.default_rng([seed, 20])
    weights = random_weights(generator, [2, 4, 4, 1])
    start = generator.uniform(0.5, 1.5, 2).astype(np.float32)
    axes = [np.arange(64, dtype=np.int32) + value.view(np.int32) for value in start]
    points = np.array([[np.int32(a).view(np.float32), np.int32(b).view(np.float32)] for a, b in product(*axes)])
    lower, upper = ([Fraction(float(v)) for v in points[end]] for end in (0, -1))
    outputs = setting_of(weights, lower, upper, []).deployed(points)[:, 0]
    least, most = float(outputs.min()), float(outputs.max())
    spread = max(most - least, 1e-6)
    above = setting_of(weights, lower, upper, [[([(0, -ONE)], Fraction(most + 0.5 * spread))]])
    below = setting_of(weights, lower, upper, [[([(0, -ONE)], Fraction(most - 0.5 * spread))]])
    assert above.harm(outputs[:, None].astype(np.float64)).max() < 0.0 < below.harm(outputs[:, None]).max()
    safe, unsafe = prove(above), prove(below)
    assert not isinstance(safe, Witness)
    assert not isinstance(unsafe, CellProof)
    if most > least + 20 * 2.0**-24 * max(1.0, abs(most)):
        assert isinstance(safe, CellProof)
        assert isinstance(unsafe, Witness)


@pytest.mark.idea("E4", "K21")
def test_a_null_says_how_many_nodes_were_not_enough_and_how_bad_it_can_still_be() -> None:
    setting = hard()
    bounds = []
    for nodes in (1, 31, 301):
        found = prove(setting, nodes)
        assert isinstance(found, Null)
        assert found.recipe.spent == found.detail["nodes"] <= nodes
        assert found.detail["open_nodes"] > 0
        assert f"more than {found.recipe.spent} nodes" in found.obstruction
        assert f"{found.detail['unstable_neurons_at_root']} ReLU neurons are unstable" in found.obstruction
        bounds.append(float.fromhex(found.detail["harm_at_most"]))
        assert bounds[-1] >= float.fromhex(found.best)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < bounds[0]


@pytest.mark.idea("E15")
@pytest.mark.parametrize("seed", range(6))
def test_the_bound_is_never_below_what_an_attack_reached(seed: int) -> None:
    setting = hard(seed, inputs=10, width=16)
    null = ProjectedGradient().attack(setting, budget=Budget(units=6000), seed=seed, progress=Silent())
    reached = float.fromhex(null.best)
    for nodes in (1, 21, 201):
        found = prove(setting, nodes)
        bound = found.slack if isinstance(found, CellProof) else float.fromhex(found.detail["harm_at_most"])
        assert bound >= reached


@pytest.mark.idea("E6", "E15")
def test_the_largest_slack_meets_the_greatest_harm() -> None:
    met = 0
    for seed in range(60):
        made_up = case(seed)
        unsafe = shifted(made_up.unsafe, made_up.harm + 1)
        setting = setting_of(made_up.weights, made_up.lower, made_up.upper, unsafe)
        proof = prove(setting)
        assert isinstance(proof, CellProof)
        slack = largest_slack(setting, proof, budget=Budget(units=4000), seed=0, progress=Silent())
        assert proof.slack >= slack.harm_at_most >= -1 >= slack.harm_seen - 1e-9
        assert slack.gap >= 0
        body = certificate_body("subject", "domain", [slack.proof])
        check(body, setting.network.layers, [(made_up.lower, made_up.upper, unsafe)])
        met += slack.harm_at_most < -0.97
    assert met >= 55


@pytest.mark.idea("E4")
def test_the_estimate_counts_unstable_neurons_and_bounds_the_harm_at_the_cost_of_one_node() -> None:
    easy, difficult = spiked(2, Fraction(-100)), hard()
    assert ReluSplit().estimate(easy)["closed_at_root"] is True
    facts = ReluSplit().estimate(difficult)
    assert facts["closed_at_root"] is False
    assert 0 < facts["unstable_neurons"] <= facts["relu_neurons"] == 48
    assert float.fromhex(facts["harm_at_most"]) > 0
    assert facts["harm_at_most"] == prove(difficult, 1).detail["harm_at_most"]


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (prove(hard(1, inputs=6, width=10, room=Fraction(1, 4))) for _ in range(2))
    assert first == second
    assert isinstance(first, CellProof)
    assert first.nodes > 10


def test_a_stop_is_obeyed_at_the_next_round() -> None:
    class Stopped:
        def advance(self, units: int) -> None:
            pass

        def stopped(self) -> bool:
            return True

    found = ReluSplit().prove(hard(), budget=Budget(units=100000), seed=0, progress=Stopped())
    assert isinstance(found, Null)
    assert found.recipe.spent == 1
    assert "stopped" in found.obstruction


def test_rows_that_are_only_jointly_impossible_are_closed_by_their_combination() -> None:
    # y0 <= -1/8 and -y0 <= -1/8 cannot both hold, yet each holds somewhere.
    weights = random_weights(np.random.default_rng(4), [3, 6, 1])
    rows = [([(0, ONE)], Fraction(1, 8)), ([(0, -ONE)], Fraction(1, 8))]
    box = [-ONE] * 3, [ONE] * 3
    layers = read_network(onnx_bytes(weights), "made-up.onnx")[0].layers
    assert all(greatest_harm(layers, *box, [[row]])[0] > 0 for row in rows)
    found = prove(setting_of(weights, *box, [rows]))
    assert isinstance(found, CellProof)
    assert found.leaves == 1
    assert found.slack < -0.12


def test_nothing_unsafe_is_proved_and_a_conjunction_without_rows_is_not() -> None:
    weights = random_weights(np.random.default_rng(4), [3, 6, 1])
    assert isinstance(prove(setting_of(weights, [-ONE] * 3, [ONE] * 3, [])), CellProof)
    found = prove(setting_of(weights, [-ONE] * 3, [ONE] * 3, [[]]))
    assert isinstance(found, Null)
    assert "without conditions" in found.obstruction


@pytest.mark.parametrize("engine", [ReluSplit(), InputSplit()])
def test_a_network_that_may_overflow_is_not_proved(engine) -> None:
    weights = [(np.full((2, 2), 1e20), np.zeros(2), True) for _ in range(2)]
    far = [[([(0, ONE)], Fraction(10) ** 200)]]
    found = engine.prove(
        setting_of(weights, [-ONE] * 2, [ONE] * 2, far), budget=Budget(units=9), seed=0, progress=Silent()
    )
    assert isinstance(found, Null)
    assert "overflow" in found.obstruction


def test_a_network_without_neurons_is_decided() -> None:
    weights = [(np.array([[1.0, -2.0]]), np.zeros(1), False)]
    box = [-ONE] * 2, [ONE] * 2
    assert isinstance(prove(setting_of(weights, *box, [[([(0, -ONE)], Fraction(31, 10))]])), CellProof)
    assert isinstance(prove(setting_of(weights, *box, [[([(0, -ONE)], Fraction(29, 10))]])), Witness)
    assert isinstance(prove(setting_of(weights, *box, [[([(0, -ONE)], Fraction(3))]])), Null)
