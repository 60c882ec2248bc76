# SPDX-License-Identifier: Apache-2.0
"""Fit weights to labelled runs: a run is of concern for the sake of its most telling piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safetyboard.overseers.learned.pieces import BINS, Piece
from safetyboard.terms.errors import EnvironmentFault, WrongUse

ROUNDS = 1
"""How often the telling pieces are chosen anew."""
HARDEST = 2
"""Pieces of a run without concern that count for half of it: those most like a concern."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """Hold one labelled run as training sees it."""

    pieces: Sequence[Piece]
    concern: bool
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Hold what was learned: a weight for each feature that was met, and the intercept."""

    weights: dict[int, float]
    intercept: float


def fit(examples: Sequence[Example]) -> Fitted:
    """Fit a logistic regression on pieces, then once more on the piece of each run of concern that tells most.

    The same examples in the same order give the same weights, on one machine and one set of package versions.

    Raises:  WrongUse: one of the two classes has no text. EnvironmentFault: scikit-learn is missing.
    Source:  choice of the telling piece: Andrews, Tsochantaridis and Hofmann 2003 (multiple-instance learning, their
             MI-SVM), here with logistic regression, and the hardest pieces without concern weighted up.
    """
    try:
        import numpy as np  # noqa: PLC0415 - optional library
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - optional library
    except ImportError as error:
        raise EnvironmentFault(
            f"Training a screen needs {error.name}.", hint="Install it with: pip install 'safetyboard[records]'."
        ) from error

    kept = [each for each in examples if each.pieces]
    for kind, word in ((True, "of concern"), (False, "without concern")):
        if not any(each.concern is kind for each in kept):
            raise WrongUse(
                f"No run labelled {word} is left to train on that has words of the agent.", hint="Label more."
            )
    owner = np.array([at for at, each in enumerate(kept) for _ in each.pieces])
    rows, columns = _matrix([piece for each in kept for piece in each.pieces])
    concern = np.array([each.concern for each in kept])
    weight = np.array([each.weight for each in kept], dtype=float)
    for kind in (True, False):
        weight[concern == kind] *= len(kept) / 2 / weight[concern == kind].sum()
    counts = np.bincount(owner)
    share, target = weight[owner] / counts[owner], concern[owner]
    model = LogisticRegression(max_iter=500)
    model.fit(rows, target, sample_weight=share)
    for _ in range(ROUNDS):
        share = _telling(model.decision_function(rows), owner, concern, weight)
        used = share > 0
        model.fit(rows[used], target[used], sample_weight=share[used])
    scaled = model.coef_[0] * columns[1]
    weights = {int(feature): float(value) for feature, value in zip(columns[0], scaled, strict=True)}
    return Fitted(weights=weights, intercept=float(model.intercept_[0]))


def _matrix(pieces: Sequence[Piece]) -> tuple[Any, tuple[Any, Any]]:
    """Lay pieces out as rows: presence times rarity, over the root of how many features; and columns with rarity."""
    import numpy as np  # noqa: PLC0415 - optional library
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - optional library

    sizes = np.array([len(piece.features) for piece in pieces])
    places = np.concatenate([np.array(piece.features, dtype=np.int64) for piece in pieces])
    met = np.bincount(places, minlength=BINS)
    columns = np.flatnonzero(met)
    rarity = np.log((1 + len(pieces)) / (1 + met[columns])) + 1
    narrow = np.zeros(BINS, dtype=np.int64)
    narrow[columns] = np.arange(len(columns))
    values = rarity[narrow[places]] / np.sqrt(np.repeat(sizes, sizes))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return csr_matrix((values, narrow[places], ends), shape=(len(pieces), len(columns))), (columns, rarity)


def _telling(scores: Any, owner: Any, concern: Any, weight: Any) -> Any:
    """Weigh the piece that tells most of each run of concern; of the others all, half of it on the hardest."""
    import numpy as np  # noqa: PLC0415 - optional library

    share = np.zeros(len(scores))
    for at in range(len(concern)):
        mine = np.flatnonzero(owner == at)
        ranked = mine[np.argsort(-scores[mine], kind="stable")]
        if concern[at]:
            share[ranked[0]] = weight[at]
        else:
            share[mine] += weight[at] / 2 / len(mine)
            hardest = ranked[:HARDEST]
            share[hardest] += weight[at] / 2 / len(hardest)
    return share
