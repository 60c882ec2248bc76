# SPDX-License-Identifier: Apache-2.0
"""Ask an agent's model again, at an endpoint or from a ledger of what was asked before."""

from contextlib import ExitStack

from safetyboard.evidence.redaction import installation_salt
from safetyboard.investigation.order import Asking
from safetyboard.laboratory.endpoint.client import Endpoint
from safetyboard.laboratory.endpoint.exchange import Answerer
from safetyboard.laboratory.endpoint.ledger import Ledger, Recorded, Replay
from safetyboard.surfaces.authority.explain.records import Replayed
from safetyboard.surfaces.authority.resample.records import Resampled
from safetyboard.surfaces.authority.resample.resample import Resample
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.budget import Budget
from safetyboard.terms.episode import Episode
from safetyboard.terms.null import Null

AT_ONCE = 4


def asked_again(
    scene: Scene, episode: Episode, found: Replayed, claim: str, asking: Asking, seed: int
) -> Resampled | Null:
    """Put the step before the first responsible edit to the model again, with one factor changed at a time.

    Nothing is contacted but the URL that was given; without one, only the ledger answers.

    Raises:  WrongUse and its kin: see laboratory/endpoint.
    """
    step = found.responsible[0].step
    with ExitStack() as stack:
        answerer: Answerer | None = None
        if asking.url:
            answerer = stack.enter_context(Endpoint(url=asking.url, key_variable=asking.key_variable))
            if asking.ledger is not None:
                answerer = Recorded(
                    answerer=answerer, ledger=stack.enter_context(Ledger(asking.ledger, url=asking.url))
                )
        elif asking.ledger is not None:
            answerer = Replay(asking.ledger)
        instrument = Resample(
            answerer=answerer, model=asking.model, salt=installation_salt(), samples=asking.samples, at_once=AT_ONCE
        )
        budget = Budget(units=2 * instrument.estimate(episode, step))
        return instrument.resample(episode, step, scene, claim, budget=budget, seed=seed)
