# SPDX-License-Identifier: Apache-2.0
"""Which effects of an act reach beyond the workspace, and what a delegation may bound of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from safetyboard.overseers.effects.effect import Effect
from safetyboard.overseers.effects.targets import is_local, place_of
from safetyboard.readers.delegations.delegation import ActKind

_OUTSIDE = ("outside", "home", "home part", "system", "system part", "device", "backup")
_BY_NAME = "from the tool's name alone"
_HISTORY_LEAVES = "the history leaves"
_MESSAGE = re.compile(r"send|mail|message|post|tweet|notify|reply|sms|slack|comment|share|call", re.I)
_MONEY = re.compile(r"money|funds?(?![a-z])|payment|cash|invoice", re.I)
_PUBLISH = re.compile(r"publish|upload|release", re.I)
_DEPLOY = re.compile(r"deploy|release|rollout", re.I)
_AT_HOST = re.compile(r"\bat the host\b|\brepository with\b")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]+\]")
_AMOUNTS = ("amount", "total", "price", "value", "sum")
_UNITS = ("currency", "unit")


@dataclass(frozen=True, kw_only=True)
class External:
    """Hold one external act.

    Args:    host, repository: as far as the record tells; else empty. amount: of a payment; None where it is not told.
    """

    kind: ActKind
    effect: Effect
    host: str = ""
    repository: str = ""
    amount: Decimal | None = None
    unit: str = ""


def external_acts(tool: str, arguments: Mapping[str, Any], effects: Sequence[Effect]) -> Iterator[External]:
    """Give the external acts among the effects of one tool call; an unknown effect is none, see `is_unclear`."""
    remotes = [each.target for each in effects if each.kind == "network out" and each.why == _HISTORY_LEAVES]
    pushed = [each for each in effects if each.kind == "history change" and _remote(each, remotes)]
    for effect in effects:
        if effect.why == _HISTORY_LEAVES and any(_remote(each, [effect.target]) for each in pushed):
            continue  # The change at the remote says the same, and names the branch.
        kind = "push" if effect in pushed or effect.why == _HISTORY_LEAVES else _kind(effect, tool)
        if kind is None:
            continue
        amount, unit = _amount(arguments) if kind == "money" else (None, "")
        yield External(
            kind=kind,
            effect=effect,
            host=host_of(effect.target),
            repository=effect.target.split(" ")[0] if kind == "push" else "",
            amount=amount,
            unit=unit,
        )


def is_unclear(effect: Effect) -> bool:
    """Tell whether nobody can say if an effect is external: it is unknown, or inferred from a name that says little."""
    named = effect.kind in ("write", "execute", "permission change", "scheduling") and effect.why == _BY_NAME
    return effect.kind == "unknown" or (named and not _DEPLOY.search(effect.target.split(" ")[0]))


def host_of(target: str) -> str:
    """Give the host that a target names, in small letters; empty where it names none for certain.

    A name with a variable, a backslash or another sign that programs read differently is not certain.
    """
    if "\\" in target or "$" in target or any(sign.isspace() for sign in target):
        return ""
    copied = re.fullmatch(r"(?:[\w.-]+@)?([\w.-]+):(?!//|\d+(?:/|$)).*", target)
    try:
        host = copied[1] if copied else urlsplit(target if "://" in target else f"//{target}").hostname or ""
    except ValueError:
        return ""
    host = host.lower().rstrip(".")
    return host if _HOST.fullmatch(host) and ("." in host or host == "localhost" or copied or "://" in target) else ""


def _remote(effect: Effect, remotes: Sequence[str]) -> bool:
    return any(effect.target == each or effect.target.startswith(each + " ") for each in remotes)


def _kind(effect: Effect, tool: str) -> ActKind | None:
    severity = effect.severity or 0
    if effect.kind == "network out":
        return _sent(effect, tool)
    if effect.kind == "money":
        return "money"
    if effect.kind == "history change" and _AT_HOST.search(effect.why):
        return "push"
    if effect.kind == "infrastructure change":
        return "deploy" if severity >= 2 else None
    if effect.kind == "execute" and effect.why == _BY_NAME:
        return "deploy" if _DEPLOY.search(tool) else None
    if effect.kind == "database change":
        return "shared data" if severity >= 3 else None
    if effect.kind == "delete":
        outside = effect.why == _BY_NAME or place_of(effect.target) in _OUTSIDE
        return "deletion" if outside else None
    return None


def _sent(effect: Effect, tool: str) -> ActKind | None:
    if effect.why in ("to this machine", "probes this machine") or is_local(effect.target):
        return None
    if effect.why in ("publishes a package", "published", "seen by others"):
        return "publication"
    if effect.why == _BY_NAME:
        if _MONEY.search(tool):
            return "money"
        if _PUBLISH.search(tool):
            return "publication"
        return "message" if _MESSAGE.search(tool) else "network"
    return "network"


def _amount(arguments: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    """Give the largest amount that the arguments name, and its unit; None where they name none for certain."""
    found, units = list[Decimal](), list[str]()
    waiting: list[Mapping[str, Any]] = [arguments]
    while waiting:
        for key, value in waiting.pop().items():
            if isinstance(value, Mapping):
                waiting.append(value)
            elif key.lower() in _UNITS:
                units.append(str(value))
            elif key.lower() in _AMOUNTS:
                amount = _decimal(value)
                if amount is None:
                    return None, ""
                found.append(amount)
    return max(found, default=None), units[0] if len(set(units)) == 1 else ""


def _decimal(value: Any) -> Decimal | None:
    """Read an amount as records keep it: an integer, decimal text, or a real in hexadecimal."""
    if isinstance(value, bool):
        return None
    try:
        text = str(value)
        found = Decimal(float.fromhex(text)) if "0x" in text.lower() else Decimal(text)
        return found if found.is_finite() and found >= 0 else None
    except (InvalidOperation, ValueError, OverflowError):
        return None
