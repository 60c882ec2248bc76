# SPDX-License-Identifier: Apache-2.0
"""Servers of tools: `.mcp.json` and every file with `mcpServers`."""

from collections.abc import Mapping

from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.grant import Grant, ToolGrant

_KEPT = ("command", "args", "url", "type", "trust", "includeTools", "excludeTools", "enabled_tools", "disabled_tools")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name, or by the key."""
    return name.endswith(".mcp.json") or (name.endswith(".json") and b'"mcpServers"' in head)


def grant_of(stored: Stored) -> Grant:
    """Read which servers are offered; which tools each has, only the server itself can tell.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://code.claude.com/docs/en/mcp (`.mcp.json`); the protocol itself defines no such file.
    """
    document = json_document(stored)
    return Grant(
        name=stored.name,
        source=document.digest,
        format="mcp-servers",
        subject="any client of these servers",
        tools=servers(document, "mcpServers"),
        unknown=document.unknown(("mcpServers", "inputs", "$schema")),
        notes=("The tools of each server are not in this file; record its tools/list to have them analysed.",),
    )


def servers(document: Document, *parts: str) -> tuple[ToolGrant, ...]:
    """List servers as tools whose arguments nobody declared; values of their environment are left out as secret."""
    found = []
    for name, entry in document.mapping(*parts).items():
        kept = {key: plain_of(entry[key]) for key in _KEPT if key in entry} if isinstance(entry, Mapping) else {}
        found.append(
            ToolGrant(
                name=f"mcp__{name}",
                description="a server of tools",
                annotations={"server": kept},
                place=document.place(*parts, name),
            )
        )
    return tuple(found)
