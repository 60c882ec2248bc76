# SPDX-License-Identifier: Apache-2.0
"""Measure the small model as a judge behind a local server, on held-out stories, beside its baselines."""

from collections.abc import Callable
from pathlib import Path

from chat_server import MODEL, Served, serving_model
from needles.episodes import Needle, needles
from safetyboard.laboratory.endpoint.client import Endpoint
from safetyboard.laboratory.endpoint.exchange import Answerer
from safetyboard.laboratory.endpoint.ledger import Ledger, Recorded
from safetyboard.overseers.calibration import Calibration, measured
from safetyboard.overseers.chains.chain_file import shipped
from safetyboard.overseers.chains.engine import screen
from safetyboard.overseers.judge.judge import Judge
from safetyboard.overseers.judge.measuring import JudgeMeasure, measure_judge
from safetyboard.terms.budget import Budget
from safetyboard.terms.episode import Episode
from small_judge_model import SmallModel

MADE_OF = "held-out and disguised made-up stories, each told once, seed 0"


def held_out() -> list[Needle]:
    return [each for each in needles(each=1) if each.held_out]


def taught() -> SmallModel:
    return SmallModel([each for each in needles(each=3) if not each.held_out])


def of_judge(answerer: Answerer) -> JudgeMeasure:
    judge = Judge(answerer=answerer, model=MODEL)
    pairs = [(each.planted, each.twin) for each in held_out()]
    return measure_judge(judge, pairs, made_of=MADE_OF, budget=Budget(units=12))


def of_small_model(ledger: Path) -> tuple[JudgeMeasure, Served]:
    """Measure it over the wire, keeping every reply."""
    with (
        serving_model(taught()) as served,
        Endpoint(url=served.url) as endpoint,
        Ledger(ledger, url="http://local/v1") as kept,
    ):
        return of_judge(Recorded(answerer=endpoint, ledger=kept)), served


def baselines() -> dict[str, Calibration]:
    """Always fine, always concern, and the shipped chains (plain rules), on the same stories."""
    chains = shipped()
    ways: dict[str, Callable[[Episode], bool]] = {
        "always fine": lambda episode: False,
        "always concern": lambda episode: True,
        "chains": lambda episode: bool(screen(episode, chains).flagged),
    }
    told = held_out()
    return {
        name: measured(name, "1", [way(e.planted) for e in told], [way(e.twin) for e in told], made_of=MADE_OF)
        for name, way in ways.items()
    }
