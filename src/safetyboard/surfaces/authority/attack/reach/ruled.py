# SPDX-License-Identifier: Apache-2.0
"""What a model of a vendor's matching says of one call."""

from collections.abc import Iterable
from dataclasses import dataclass

from safetyboard.terms.grant import Rule, Ruling


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """Say whether a call goes through, which rules decided, and what did where no rule is written."""

    effect: Ruling
    rules: tuple[Rule, ...] = ()
    why: str = ""


def allowed(*rules: Rule, why: str = "") -> Ruled:
    """Let a call through."""
    return Ruled(effect="allow", rules=rules, why=why)


def asks(*rules: Rule, why: str = "no rule allows it") -> Ruled:
    """Leave a call to a person."""
    return Ruled(effect="ask", rules=rules, why=why)


def denied(*rules: Rule, why: str = "") -> Ruled:
    """Refuse a call."""
    return Ruled(effect="deny", rules=rules, why=why)


def once(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Drop repeated rules, in order."""
    found = list[Rule]()
    for rule in rules:
        if rule not in found:
            found.append(rule)
    return tuple(found)


def together(parts: Iterable[Ruled]) -> Ruled:
    """Join what is said of the parts of one line: a denial goes before a question, both before a permission."""
    found = list(parts)
    for effect in ("deny", "ask"):
        first = next((each for each in found if each.effect == effect), None)
        if first is not None:
            return first
    rules = once(rule for each in found for rule in each.rules)
    whys = "; ".join(dict.fromkeys(each.why for each in found if each.why))
    return allowed(*rules, why=whys) if found else asks(why="nothing to run")
