# SPDX-License-Identifier: Apache-2.0
"""Which model of matching goes with which format of permission file."""

from collections.abc import Callable, Mapping
from importlib import import_module

from safetyboard.surfaces.authority.attack.reach.act import Act
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, asks
from safetyboard.terms.grant import Grant

_HERE = "safetyboard.surfaces.authority.attack.reach.vendors"
CATALOG: Mapping[str, str] = {
    "claude-code": f"{_HERE}.claude_code",
    "codex": f"{_HERE}.codex",
    "gemini": f"{_HERE}.gemini",
    "opencode": f"{_HERE}.opencode",
    "cursor": f"{_HERE}.cursor",
    "vscode": f"{_HERE}.vscode",
    "compose": f"{_HERE}.everything",
    "devcontainer": f"{_HERE}.everything",
}
"""Format -> module with ``ruled(grant, act) -> Ruled``."""


def ruled(grant: Grant, act: Act) -> Ruled:
    """Say what the model of a grant's format does with one call; formats without a shell permit none."""
    module = CATALOG.get(grant.format)
    if module is None:
        return asks(why="no shell or file tool of its own")
    decide: Callable[[Grant, Act], Ruled] = import_module(module).ruled
    return decide(grant, act)
