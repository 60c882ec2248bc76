# SPDX-License-Identifier: Apache-2.0
"""Permissions of the Cursor CLI: `.cursor/cli.json` and `cli-config.json`."""

import re
from pathlib import PurePosixPath

from safetyboard.readers.grants.document import json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Grant, Rule, Ruling

_RULE = re.compile(r"(Shell|Read|Write|WebFetch|Mcp)(?:\((.*)\))?", re.S)
_EFFECTS: tuple[Ruling, ...] = ("deny", "allow")
_KNOWN = ("permissions", "version", "editor", "model", "network", "approvalMode", "sandbox")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name."""
    path = PurePosixPath(name)
    return path.name == "cli-config.json" or (path.name == "cli.json" and ".cursor" in path.parts)


def grant_of(stored: Stored) -> Grant:
    """Read both lists; a denial goes before any permission, and what neither names asks.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://cursor.com/docs/cli/reference/permissions, at second hand (developersdigest.tech, as stored in
             2026): source to be confirmed.
    """
    document = json_document(stored)
    rules = []
    for effect in _EFFECTS:
        for text, place in document.texts("permissions", effect):
            match = _RULE.fullmatch(text.strip())
            if match is None:
                raise SyntaxFault(
                    f"{stored.name}: {place.pointer} is no rule.", hint="Write it as Shell(name) or the like."
                )
            rules.append(Rule(effect=effect, tool=match[1], pattern=match[2] or "", place=place))
    mode = document.at("approvalMode")
    return Grant(
        name=stored.name,
        source=document.digest,
        format="cursor",
        subject="Cursor CLI",
        rules=tuple(rules),
        mode=mode if isinstance(mode, str) else "",
        unknown={**document.unknown(_KNOWN), **document.unknown(("allow", "deny"), "permissions")},
        notes=("The vendor's own page was not at hand; matching is taken from a summary of it.",),
    )
