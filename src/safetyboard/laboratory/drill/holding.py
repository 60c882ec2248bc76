# SPDX-License-Identifier: Apache-2.0
"""Hold one drill in the sandbox, and give back everything that was seen."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from safetyboard.laboratory.drill.order import Orders
from safetyboard.laboratory.sandbox.cell import Cell
from safetyboard.laboratory.sandbox.running import chosen, converse, prepared
from safetyboard.terms.errors import WrongUse

PACKAGES = ("safetyboard.laboratory.sandbox", "safetyboard.laboratory.drill")
SENT = (
    (PACKAGES[0], "inside"), (PACKAGES[1], "looking"), (PACKAGES[1], "calls"), (PACKAGES[1], "asking"),
    (PACKAGES[1], "within"),
)  # fmt: skip
# The texts become modules under their own names, so that they import each other as they do here.
BOOT = """import json, sys, types
for name, text in json.loads(%r):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
main = module.main
"""


def hold(cell: Cell, command: Sequence[str], orders: Orders, *, way: str | None = None) -> dict[str, Any]:
    """Run a command, ask it to stop, and give what was seen: plain facts, times in microseconds.

    Nothing the command does outlives the call, also where the call is interrupted.

    Raises:  WrongUse for a cell, command or orders that make no sense; EnvironmentFault where no sandbox can be made.
    """
    if not command:
        raise WrongUse("There is no command to drill.")
    if not orders.ways:
        raise WrongUse("There is no way to ask it to stop.", hint="Give --ask.")
    roomy = replace(cell, limits=replace(cell.limits, wall_seconds=orders.longest))
    entrance = way or chosen()
    spec, listing = prepared(roomy, command, entrance)
    told = converse(roomy, {**spec, "drill": orders.plain()}, listing, program(), entrance)
    found: dict[str, Any] = told.found
    return {**found, "way": entrance, "microseconds": round(told.seconds * 1_000_000)}


def program() -> bytes:
    """Put together the text of the first process inside."""
    texts = [
        (f"{package}.{name}", resources.files(package).joinpath(f"{name}.py").read_text("utf-8"))
        for package, name in SENT
    ]
    return (BOOT % json.dumps(texts)).encode("utf-8")
