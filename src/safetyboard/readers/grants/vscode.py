# SPDX-License-Identifier: Apache-2.0
"""Automatic approval in VS Code's agent mode: `settings.json` in `.vscode`."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant, Rule, Ruling

TERMINAL = "chat.tools.terminal.autoApprove"
EDITS = "chat.tools.edits.autoApprove"
ADDRESSES = "chat.tools.urls.autoApprove"
EVERYTHING = ("chat.tools.global.autoApprove", "chat.tools.autoApprove")
SANDBOX = ("chat.agent.sandbox.enabled",)
_KNOWN = (TERMINAL, EDITS, ADDRESSES, *EVERYTHING, *SANDBOX, "chat.permissions.default")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the folder and a key of agent mode; an editor's settings without one permit no agent anything."""
    path = PurePosixPath(name)
    return path.name == "settings.json" and ".gemini" not in path.parts and b'"chat.' in head


def grant_of(stored: Stored) -> Grant:
    """Read what is approved without asking; `false` takes an approval back, it forbids nothing.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://code.visualstudio.com/docs/agents/approvals; as stored in 2026. A setting of the kind under
             "Default Approvals" was reported as not honoured (microsoft/vscode issue 324059).
    """
    document = json_document(stored)
    everything = next((key for key in EVERYTHING if document.at(key) is True), "")
    rules = [
        *([Rule(effect="allow", tool="*", pattern="", place=document.place(everything))] if everything else []),
        *_switches(document, TERMINAL, "terminal"),
        *_switches(document, EDITS, "edit"),
        *_switches(document, ADDRESSES, "fetch"),
    ]
    boxes = [key for key in SANDBOX if document.at(key) not in (None, False, "off")]
    enforcement = [Enforcement(kind="sandbox", what="workspace-write", place=document.place(key)) for key in boxes]
    mode = document.at("chat.permissions.default")
    others = {key: 1 for key in document.mapping() if key.startswith("chat.") and key not in _KNOWN}
    return Grant(
        name=stored.name,
        source=document.digest,
        format="vscode",
        subject="VS Code agent mode",
        rules=tuple(rules),
        enforcement=tuple(enforcement),
        mode=mode if isinstance(mode, str) else "",
        unknown=others,
        notes=("Approvals given in a session, and the program's own list of approved commands, stand in no file.",),
    )


def _switches(document: Document, key: str, tool: str) -> list[Rule]:
    value = document.at(key)
    if isinstance(value, bool):
        return [Rule(effect=_ruling(document, value, key), tool=tool, pattern="", place=document.place(key))]
    return [
        Rule(
            effect=_ruling(document, entry, key, pattern),
            tool=tool,
            pattern=pattern,
            place=document.place(key, pattern),
        )
        for pattern, entry in document.mapping(key).items()
        if entry is not None
    ]


def _ruling(document: Document, entry: Any, *parts: str) -> Ruling:
    value = entry.get("approve", entry.get("approveRequest")) if isinstance(entry, Mapping) else entry
    if not isinstance(value, bool):
        raise SyntaxFault(
            f"{document.name}: {document.place(*parts).pointer} is neither true nor false.", hint="Use one."
        )
    return "allow" if value else "ask"
