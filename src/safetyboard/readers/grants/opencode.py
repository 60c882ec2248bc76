# SPDX-License-Identifier: Apache-2.0
"""Permissions of opencode: `opencode.json` or `opencode.jsonc`."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.grants.mcp_servers import servers
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Grant, Rule, Ruling

_KNOWN = ("permission", "tools", "mcp", "$schema", "model", "provider", "theme", "agent", "instructions", "keybinds")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name, or by the address of its schema."""
    return PurePosixPath(name).name in ("opencode.json", "opencode.jsonc") or (
        name.endswith((".json", ".jsonc")) and b"opencode.ai/config.json" in head
    )


def grant_of(stored: Stored) -> Grant:
    """Read the rules in their order, for the last one that matches wins.

    Agents can have permissions of their own; these are counted and not applied.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://opencode.ai/docs/permissions; as stored in 2026 (v1).
    """
    document = json_document(stored)
    rules = [*_legacy(document), *_rules(document)]
    agents = [name for name, entry in document.mapping("agent").items() if isinstance(entry, Mapping)]
    own = sum("permission" in document.mapping("agent", name) for name in agents)
    return Grant(
        name=stored.name,
        source=document.digest,
        format="opencode",
        subject="opencode",
        rules=tuple(rules),
        tools=servers(document, "mcp"),
        unknown={**document.unknown(_KNOWN), **({"agent.*.permission": own} if own else {})},
        notes=("With --auto whatever asks is allowed; that flag stands in no file.",),
    )


def _rules(document: Document) -> list[Rule]:
    value = document.at("permission")
    if isinstance(value, str):
        return [_rule(document, "*", "", value, "permission")]
    found = []
    for tool, entry in document.mapping("permission").items():
        if isinstance(entry, str):
            found.append(_rule(document, tool, "", entry, "permission", tool))
        else:
            for pattern, effect in document.mapping("permission", tool).items():
                found.append(_rule(document, tool, pattern, effect, "permission", tool, pattern))
    return found


def _legacy(document: Document) -> list[Rule]:
    """Read the older table of switches: off is a denial."""
    return [
        _rule(document, tool, "", "allow" if entry else "deny", "tools", tool)
        for tool, entry in document.mapping("tools").items()
        if isinstance(entry, bool)
    ]


def _rule(document: Document, tool: str, pattern: str, effect: Any, *parts: str) -> Rule:
    place = document.place(*parts)
    ruled: dict[str, Ruling] = {"allow": "allow", "ask": "ask", "deny": "deny"}
    if effect not in ruled:
        raise SyntaxFault(f"{document.name}: {place.pointer} is no ruling.", hint="Write allow, ask or deny.")
    return Rule(effect=ruled[effect], tool=tool, pattern=pattern, place=place)
