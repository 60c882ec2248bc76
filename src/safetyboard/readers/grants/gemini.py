# SPDX-License-Identifier: Apache-2.0
"""Permissions of the Gemini CLI: `settings.json` in `.gemini`, in the first and the present form."""

import re
from pathlib import PurePosixPath

from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.grants.mcp_servers import servers
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant, Rule, Ruling

_RULE = re.compile(r"([\w*.-]+)(?:\((.*)\))?", re.S)
_LISTS: tuple[tuple[Ruling, tuple[str, ...]], ...] = (
    ("deny", ("tools", "exclude")), ("deny", ("excludeTools",)), ("allow", ("tools", "allowed")),
    ("allow", ("allowedTools",)), ("ask", ("tools", "core")), ("ask", ("coreTools",)),
)  # fmt: skip
_KNOWN = (
    "tools", "excludeTools", "allowedTools", "coreTools", "mcpServers", "general", "ui", "theme", "model", "context",
    "security", "sandbox", "autoAccept", "$schema",
)  # fmt: skip
_OF_TOOLS = ("core", "exclude", "allowed", "sandbox", "autoAccept", "shell")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the folder, or by a list that only this program has."""
    path = PurePosixPath(name)
    if path.name != "settings.json":
        return False
    return ".gemini" in path.parts or any(key in head for key in (b'"coreTools"', b'"excludeTools"'))


def grant_of(stored: Stored) -> Grant:
    """Read the lists of tools; a list of core tools offers nothing else, and what it names still asks.

    Files of four scopes are merged by the vendor; one is read here.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://geminicli.com/docs/tools/shell and /docs/reference/configuration; as stored in 2026.
    """
    document = json_document(stored)
    box = next((key for key in (("tools", "sandbox"), ("sandbox",)) if document.at(*key)), None)
    enforcement = [Enforcement(kind="sandbox", what="container", place=document.place(*box))] if box else []
    core = document.at("tools", "core") is not None or document.at("coreTools") is not None
    accept = document.at("tools", "autoAccept") is True or document.at("autoAccept") is True
    approval = document.at("general", "defaultApprovalMode")
    mode = approval if isinstance(approval, str) else "auto-accept of reading" if accept else ""
    return Grant(
        name=stored.name,
        source=document.digest,
        format="gemini",
        subject="Gemini CLI",
        rules=tuple(_rules(document)),
        tools=servers(document, "mcpServers"),
        enforcement=tuple(enforcement),
        mode=mode,
        unknown={**document.unknown(_KNOWN), **document.unknown(_OF_TOOLS, "tools")},
        notes=(
            "The flag --yolo and policy files change all of this and stand in no settings file.",
            "What the container of its sandbox mounts is not in this file.",
        ),
        extra={"core": core},
    )


def _rules(document: Document) -> list[Rule]:
    found = []
    for effect, parts in _LISTS:
        for text, place in document.texts(*parts):
            match = _RULE.fullmatch(text.strip())
            if match is None:
                raise SyntaxFault(f"{document.name}: {place.pointer} is no tool.", hint="Write tool or tool(prefix).")
            found.append(Rule(effect=effect, tool=match[1], pattern=match[2] or "", place=place))
    return found
