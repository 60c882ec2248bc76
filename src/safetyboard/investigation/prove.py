# SPDX-License-Identifier: Apache-2.0
"""Prove: say first what a proof would cost, then try to close every cell and bind the proofs into certificates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from safetyboard.surfaces.model.catalog import instrument
from safetyboard.surfaces.model.prove.certificate import SEMANTICS, certificate_body
from safetyboard.surfaces.model.prove.layout import laid_out
from safetyboard.surfaces.model.prove.slack import largest_slack
from safetyboard.surfaces.model.setting import NetworkSetting
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.certificate import Certificate
from safetyboard.terms.errors import Unsound
from safetyboard.terms.null import Null
from safetyboard.terms.numbers import float_text
from safetyboard.terms.progress import Progress
from safetyboard.terms.proof import CellProof
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.witness import Witness

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix, Vector

FEW_INPUTS = 8
PRICE = {"input-split": 10, "relu-split": 250}
"""Work units (network evaluations, roughly) that one step of a method costs: a box, a node."""
MOST_SHARPENED, SHARPENING_NODES = 3, 48
"""How many cells of a proved claim are proved with more slack, and the nodes each may take."""
NEURONS_A_DOUBLING = 12
"""Unstable neurons that one doubling of the node budget may still overcome; beyond that only an attack is made."""
UNTRUSTED = "No proof was tried: the arithmetic of this machine failed its check, so that a proof would mean nothing."
WIDEST_BOUNDED = 6000
"""Neurons above which not even the first bounds are computed."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Say before any proof is tried which method fits, and whether it can succeed in the budget.

    Args:    unstable: ReLU neurons whose sign is open over the box, at most over the cells; -1: not counted.
    """

    method: str
    unstable: int
    reachable: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Hold what proof attempts gave: closed cells, failures met on the way, and nulls that name obstructions."""

    proofs: tuple[CellProof, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    nulls: tuple[Null, ...] = ()
    contradictions: tuple[str, ...] = ()


def estimate(settings: Sequence[NetworkSetting], *, effort: int) -> Estimate:
    """Estimate the cost of a proof from the number of inputs and of unstable neurons; looks at three cells."""
    inputs, neurons = settings[0].network.inputs, settings[0].network.neurons
    if inputs <= FEW_INPUTS:
        sentence = f"proof by splitting the {inputs} inputs; up to {effort // PRICE['input-split']} boxes"
        return Estimate(method="input-split", unstable=-1, reachable=True, sentence=sentence)
    if neurons > WIDEST_BOUNDED:
        return Estimate(method="relu-split", unstable=-1, reachable=False, sentence=_out_of_reach(neurons))
    looked = (settings[0], settings[len(settings) // 2], settings[-1])
    unstable = max(unstable_neurons(setting) for setting in looked)
    nodes = max(1, effort // PRICE["relu-split"] // len(settings))
    if unstable > NEURONS_A_DOUBLING * (1 + math.log2(1 + nodes)):
        return Estimate(method="relu-split", unstable=unstable, reachable=False, sentence=_out_of_reach(unstable))
    sentence = f"proof by splitting up to {unstable} unstable neurons; up to {nodes} nodes a cell"
    return Estimate(method="relu-split", unstable=unstable, reachable=True, sentence=sentence)


def unstable_neurons(setting: NetworkSetting) -> int:
    """Count the ReLU neurons whose sign linear bounds leave open over the cell's box."""
    plan, bench = laid_out(setting, np.array(setting.outer_lower), np.array(setting.outer_upper))
    count = 0
    for layer, at in enumerate(plan.at):
        if plan.relu[layer]:
            span = slice(int(at), int(at + plan.sizes[layer + 1]))
            count += int(np.count_nonzero((bench.lower[span] < 0.0) & (bench.upper[span] > 0.0)))
    return count


def _out_of_reach(unstable: int) -> str:
    return f"attack only; a proof of {unstable} unstable neurons is out of reach in this budget"


def close(settings: Sequence[NetworkSetting], *, plan: Estimate, effort: int, seed: int, progress: Progress) -> Attempt:
    """Try each open cell with its even share, then once more those still open with what the others left over.

    Args:    effort: work units for all cells together, the price of a step included.
    """
    if not settings:
        return Attempt()
    if not plan.reachable:
        return Attempt(nulls=tuple(_not_tried(setting, plan, seed) for setting in settings))
    attempt, left = _pass(settings, plan.method, effort // len(settings), seed, progress)
    attempt_left = effort - (effort // len(settings)) * len(settings) + left
    decided = {proof.cell for proof in attempt.proofs} | {witness.cell for witness in attempt.witnesses}
    still = [setting for setting in settings if setting.cell not in decided]
    other = "relu-split" if plan.method == "input-split" else plan.method
    again = attempt_left // len(still) if still else 0
    worth = again >= 2 * (effort // len(settings)) or (other != plan.method and again >= PRICE[other])
    if not still or not worth or progress.stopped() or attempt.contradictions:
        return attempt
    second, _ = _pass(still, other, again, seed + 1, progress)
    return Attempt(
        proofs=attempt.proofs + second.proofs,
        witnesses=attempt.witnesses + second.witnesses,
        nulls=attempt.nulls + second.nulls,
        contradictions=second.contradictions,
    )


def _pass(
    settings: Sequence[NetworkSetting], method: str, share: int, seed: int, progress: Progress
) -> tuple[Attempt, int]:
    prover = instrument("prove", method)
    budget = Budget(units=max(1, share // PRICE[method]))
    proofs: list[CellProof] = []
    witnesses: list[Witness] = []
    nulls: list[Null] = []
    contradictions: list[str] = []
    left = 0
    for setting in settings:
        try:
            found = prover.prove(setting, budget=budget, seed=seed, progress=progress)
        except Unsound as error:
            contradictions.append(str(error))
            break
        if isinstance(found, CellProof):
            proofs.append(found)
            left += (budget.units - found.spent) * PRICE[method]
        else:
            if isinstance(found, Witness):
                witnesses.append(found)
            else:
                nulls.append(found)
            left += (budget.units - found.recipe.spent) * PRICE[method]
    attempt = Attempt(
        proofs=tuple(proofs), witnesses=tuple(witnesses), nulls=tuple(nulls), contradictions=tuple(contradictions)
    )
    return attempt, max(0, left)


def sharpened(
    settings: Sequence[NetworkSetting], attempt: Attempt, *, effort: int, seed: int, progress: Progress
) -> Attempt:
    """Prove more slack where a whole claim is proved: of the cell with the least slack, then of the next.

    Spends what the proof left over, and no more than a few nodes: the proof stands whatever comes of it.
    """
    proofs = {proof.cell: proof for proof in attempt.proofs}
    spent = sum(proof.spent * PRICE[proof.method] for proof in attempt.proofs)
    spent += sum(null.recipe.spent * PRICE[null.recipe.instrument] for null in attempt.nulls)
    tried: set[int] = set()
    for _ in range(MOST_SHARPENED):
        nodes = min(SHARPENING_NODES, (effort - spent) // PRICE["relu-split"])
        cell = max(proofs, key=lambda number: (proofs[number].slack, -number))
        if nodes < 1 or cell in tried or proofs[cell].slack == -math.inf or progress.stopped():
            break
        tried.add(cell)
        setting = next(setting for setting in settings if setting.cell == cell)
        slack = largest_slack(setting, proofs[cell], budget=Budget(units=nodes), seed=seed, progress=progress)
        spent += slack.spent * PRICE["relu-split"]
        if slack.harm_at_most < proofs[cell].slack:
            proofs[cell] = slack.proof
    return replace(attempt, proofs=tuple(proofs[proof.cell] for proof in attempt.proofs))


def untrusted(settings: Sequence[NetworkSetting], plan: Estimate, seed: int) -> Attempt:
    """Try no proof, and say why: the machine that would compute it failed its check."""
    return Attempt(nulls=tuple(_not_tried(setting, plan, seed, UNTRUSTED) for setting in settings))


def _not_tried(setting: NetworkSetting, plan: Estimate, seed: int, why: str = "") -> Null:
    return Null(
        claim=setting.claim_id,
        cells=(setting.cell,),
        obstruction=why or plan.sentence + ".",
        detail={"unstable_neurons_at_root": max(0, plan.unstable)},
        recipe=Recipe(
            instrument=plan.method,
            version="1",
            seed=seed,
            unit="nodes",
            allotted=0,
            spent=0,
            subject=setting.network.content,
        ),
    )


def certificates(
    claim: str, content: str, domain: str, proofs: Sequence[CellProof], recipe_seed: int
) -> tuple[tuple[Certificate, bytes], ...]:
    """Bind proofs into one certificate a method; returns each with its file.

    Args:    content: digest of the ONNX bytes. domain: id of the domain record.
    """
    bound = []
    for method in dict.fromkeys(proof.method for proof in proofs):
        mine = sorted((proof for proof in proofs if proof.method == method), key=lambda proof: proof.cell)
        body = certificate_body(content, domain, mine)
        slack = max(proof.slack for proof in mine)
        recipe = Recipe(
            instrument=method,
            version=str(instrument("prove", method).version),
            seed=recipe_seed,
            unit="boxes" if method == "input-split" else "nodes",
            allotted=sum(proof.spent for proof in mine),
            spent=sum(proof.spent for proof in mine),
            subject=content,
        )
        record = Certificate(
            claim=claim,
            body=digest_of(body),
            cells=tuple(proof.cell for proof in mine),
            leaves=sum(proof.leaves for proof in mine),
            semantics=SEMANTICS,
            recipe=recipe,
            slack=float_text(slack) if math.isfinite(slack) else None,
        )
        bound.append((record, body))
    return tuple(bound)


def harm_at_most(setting: NetworkSetting) -> float:
    """Bound the harm over the cell's whole box by interval arithmetic: loose, sound, always there.

    Source:  Moore 1966; float64, enlarged by 1e-9 of the terms' absolute sum, which covers its own rounding.
    """
    lower, upper = setting.outer_lower, setting.outer_upper
    layers = setting.network.layers
    for layer in layers:
        lower, upper = _moved(layer.weight, layer.bias, lower, upper)
        if layer.relu:
            lower, upper = np.maximum(lower, 0.0), np.maximum(upper, 0.0)
    worst = -np.inf
    for rows, constants in setting.conjunctions:
        least, _ = _moved(rows, constants, lower, upper)
        worst = max(worst, float((-least).min(initial=np.inf)))
    return worst


def _moved(weight: "Matrix", bias: "Vector", lower: "Vector", upper: "Vector") -> "tuple[Vector, Vector]":
    middle, radius = 0.5 * (lower + upper), 0.5 * (upper - lower)
    centre, spread = weight @ middle + bias, np.abs(weight) @ radius
    loose = 1e-9 * (np.abs(weight) @ (np.abs(middle) + radius) + np.abs(bias))
    return centre - spread - loose, centre + spread + loose
