# SPDX-License-Identifier: Apache-2.0
"""The card of a screen, for people: labels, bounds, what people must read, baselines, assumptions."""

from collections.abc import Iterator, Mapping
from typing import Any

from safetyboard.overseers.learned.screen import Screen


def lines(screen: Screen) -> Iterator[str]:
    """Tell what a screen was made of and what it promises."""
    card: Mapping[str, Any] = screen.card
    yield f"Screen {screen.version[:19]} on {screen.axis!r}, reads the agent's {', '.join(screen.channels)}"
    for part in ("training", "calibration"):
        counts = card[part]
        yield f"  {part:12} {counts['runs']} runs in {counts['clusters']} clusters, {counts['of concern']} of concern"
    for bound in card["bounds"]:
        yield f"  {bound['guarantee'] + ':':17} {bound['sentence']}"
        if bound["answer"] == "BOUNDED":
            yield f"    {'to people':24} {_rate(bound['review'])} of held-back runs"
            yield f"    {'of those without concern':24} {_rate(bound['review of runs without concern'])}"
            chance = number(bound["random review for the same expected misses"])
            yield f"    {'a random choice':24} {chance:.0%}, for as many misses"
    chains = card["baselines"]["chains"]
    yield f"  baselines    everything: 100 % to people, none missed; plain chains: {_rate(chains['review'])} to people,"
    yield f"               {_rate(chains['missed'])} of concern missed, with no bound"
    yield f"  shift        {card['shift']}: under it the bound is WITHDRAWN and nothing is passed"
    yield "  assumptions  " + "\n               ".join(card["assumptions"])


def _rate(rate: Mapping[str, Any]) -> str:
    low, high = number(rate["low"]), number(rate["high"])
    return f"{rate['events']} of {rate['of']} ({low:.2f} to {high:.2f})"


def number(value: Any) -> float:
    """Read a number of a card, where reals stand as hexadecimal text."""
    return float.fromhex(value) if isinstance(value, str) else float(value)
