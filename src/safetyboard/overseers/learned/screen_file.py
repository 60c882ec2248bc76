# SPDX-License-Identifier: Apache-2.0
"""A screen as plain data: one canonical JSON text, named by its own digest, with no code in it."""

import json
from fractions import Fraction
from typing import Any

from safetyboard.overseers.learned.pieces import BINS, OWN
from safetyboard.overseers.learned.screen import SUMMARIES, Screen, answered_by
from safetyboard.stats.risk_control import Control, fewest
from safetyboard.terms.canonical import canonical_json, content_id
from safetyboard.terms.errors import NewerFormat, SafetyboardError, SyntaxFault, TooLarge, UntrustedEvidence
from safetyboard.terms.numbers import parse_float, parse_rational

SCHEMA = "safetyboard.screen/1"
NAME = "screen.json"
LARGEST = 256 << 20
_AGAIN = "Train it again with: safetyboard train-screen."


def written(screen: Screen) -> bytes:
    """Write a screen with its card."""
    plain = answered_by(screen)
    return canonical_json({"schema": SCHEMA, "version": content_id(plain), "screen": plain, "card": dict(screen.card)})


def read_screen(content: bytes, name: str) -> Screen:
    """Read a screen.

    Raises:  TooLarge; NewerFormat; SyntaxFault: it is damaged. UntrustedEvidence: it is not what its version names.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: over {LARGEST >> 20} MiB.", hint=_AGAIN)
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{name}: not JSON.", hint=_AGAIN) from error
    if not isinstance(plain, dict) or not str(plain.get("schema", "")).startswith("safetyboard.screen/"):
        raise SyntaxFault(f"{name}: no screen.", hint=_AGAIN)
    if plain["schema"] != SCHEMA:
        raise NewerFormat(f"{name}: the format {plain['schema']!r:.60} is not {SCHEMA}.", hint=_AGAIN)
    try:
        screen = _screen(plain["screen"], plain["card"])
        faithful = content_id(plain["screen"]) == plain["version"] == screen.version
    except (KeyError, TypeError, ValueError, AttributeError, SafetyboardError) as error:
        raise SyntaxFault(f"{name}: damaged ({type(error).__name__}).", hint=_AGAIN) from error
    if not faithful:
        raise UntrustedEvidence(f"{name}: the screen is not the one its version names.", hint=_AGAIN)
    return screen


def _screen(plain: dict[str, Any], card: dict[str, Any]) -> Screen:
    features, weights = plain["features"], plain["weights"]
    reference = tuple(tuple(parse_float(value) for value in row) for row in plain["reference"])
    kinds, width = (*OWN, "results"), len(SUMMARIES)
    sound = (
        all(type(feature) is int and 0 <= feature < BINS for feature in features)
        and len(set(features)) == len(features)
        and all(channel in kinds for channel in plain["channels"])
        and all(len(row) == width for row in reference)
        and type(plain["seed"]) is int
        and type(plain["by_task"]) is bool
        and isinstance(plain["axis"], str)
        and isinstance(card, dict)
    )
    if not sound:
        raise ValueError("a part is not what it should be")
    first, second = (_control(each) for each in plain["bounds"])
    return Screen(
        axis=plain["axis"],
        channels=tuple(plain["channels"]),
        weights={feature: parse_float(weight) for feature, weight in zip(features, weights, strict=True)},
        intercept=parse_float(plain["intercept"]),
        seed=plain["seed"],
        bounds=(first, second),
        reference=reference,
        by_task=plain["by_task"],
        card=card,
    )


def _control(plain: dict[str, Any]) -> Control:
    alpha = parse_rational(plain["alpha"])
    confidence = None if plain["confidence"] is None else parse_rational(plain["confidence"])
    threshold = None if plain["threshold"] is None else parse_float(plain["threshold"])
    if not _possible(plain, alpha, confidence) or (threshold is not None and plain["clusters"] < plain["needed"]):
        raise ValueError("a bound that cannot be")
    return Control(
        guarantee=plain["guarantee"],
        alpha=alpha,
        confidence=confidence,
        positives=plain["positives"],
        clusters=plain["clusters"],
        needed=plain["needed"],
        threshold=threshold,
        missed=plain["missed"],
    )


def _possible(plain: dict[str, Any], alpha: Fraction, confidence: Fraction | None) -> bool:
    counts = [plain[key] for key in ("positives", "clusters", "needed", "missed")]
    return (
        all(type(count) is int and count >= 0 for count in counts)
        and plain["guarantee"] == ("marginal" if confidence is None else "high-probability")
        and plain["needed"] == fewest(alpha, confidence)
        and plain["missed"] <= plain["positives"] >= plain["clusters"]
    )
