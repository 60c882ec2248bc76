# SPDX-License-Identifier: Apache-2.0
"""Permissions of Claude Code: `settings.json` and `settings.local.json` in `.claude`."""

import re
from pathlib import PurePosixPath

from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant, Rule, Ruling

_RULE = re.compile(r"([A-Za-z_][\w*-]*)(?:\((.*)\))?", re.S)
_EFFECTS: tuple[Ruling, ...] = ("deny", "ask", "allow")
_KNOWN = ("permissions", "hooks", "sandbox", "env", "model", "$schema", "cleanupPeriodDays", "includeCoAuthoredBy")
_OF_PERMISSIONS = ("allow", "deny", "ask", "defaultMode", "additionalDirectories", "disableBypassPermissionsMode")
_OF_SANDBOX = (
    "enabled", "autoAllowBashIfSandboxed", "excludedCommands", "allowUnsandboxedCommands", "network", "filesystem",
)  # fmt: skip
_DISPUTED = (
    "Whether Read(...) denials bind shell commands too is told differently: the vendor's page said they do not, "
    "a user measured that they do (anthropics/claude-code issue 45200). Here they do.",
    "Whether Write(...) path rules are consulted is told differently. Here only Edit(...) and Read(...) are; a bare "
    "Write counts as Edit.",
)


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name, and by a field that no other settings file has."""
    path = PurePosixPath(name)
    named = path.name in ("settings.json", "settings.local.json", "managed-settings.json")
    if not named or ".gemini" in path.parts or ".vscode" in path.parts:
        return False
    return ".claude" in path.parts or path.name == "managed-settings.json" or b'"permissions"' in head


def grant_of(stored: Stored) -> Grant:
    """Read rules, mode, further folders, hooks and the sandbox.

    Settings of several scopes are merged by the vendor (a denial in any of them holds); one file is read here, so what
    another scope denies is not seen.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://code.claude.com/docs/en/permissions and /settings; read as stored in 2026.
    """
    document = json_document(stored)
    mode = document.mapping("permissions").get("defaultMode", "")
    if not isinstance(mode, str):
        raise SyntaxFault(f"{stored.name}: /permissions/defaultMode is no text.", hint="Name a mode.")
    unknown = {
        **document.unknown(_KNOWN),
        **document.unknown(_OF_PERMISSIONS, "permissions"),
        **document.unknown(_OF_SANDBOX, "sandbox"),
    }
    hooks = [{"event": event, "hooks": plain_of(each)} for event, each in document.mapping("hooks").items()]
    notes = [*_DISPUTED]
    if hooks:
        notes.append(
            "Hooks can refuse a call before any rule is asked; they are not modelled, so a path may be refused."
        )
    if unknown:
        notes.append("Fields that are not understood are counted; one of them may narrow what is permitted.")
    return Grant(
        name=stored.name,
        source=document.digest,
        format="claude-code",
        subject="Claude Code",
        rules=tuple(_rules(document)),
        enforcement=tuple(_sandbox(document)),
        mode=mode,
        unknown=unknown,
        notes=tuple(notes),
        extra={"hooks": plain_of(hooks)} if hooks else {},
    )


def _rules(document: Document) -> list[Rule]:
    found = []
    for effect in _EFFECTS:
        for text, place in document.texts("permissions", effect):
            match = _RULE.fullmatch(text.strip())
            if match is None:
                raise SyntaxFault(
                    f"{document.name}: {place.pointer} is no rule.", hint="Write it as Tool or Tool(pattern)."
                )
            found.append(Rule(effect=effect, tool=match[1], pattern=match[2] or "", place=place))
    return found


def _sandbox(document: Document) -> list[Enforcement]:
    found = [
        Enforcement(kind="mount", what="writable", path=path, place=place)
        for path, place in document.texts("permissions", "additionalDirectories")
    ]
    if document.at("sandbox", "enabled") is not True:
        return found
    found.append(Enforcement(kind="sandbox", what="workspace-write", place=document.place("sandbox", "enabled")))
    if document.at("sandbox", "autoAllowBashIfSandboxed") is False:
        place = document.place("sandbox", "autoAllowBashIfSandboxed")
        found.append(Enforcement(kind="sandbox", what="shell asks", place=place))
    for text, place in document.texts("sandbox", "excludedCommands"):
        found.append(Enforcement(kind="none", what="outside the sandbox", path=text, place=place))
    domains = list(document.texts("sandbox", "network", "allowedDomains"))
    if domains:
        found += [Enforcement(kind="network", what="on", path=text, place=place) for text, place in domains]
    else:
        found.append(Enforcement(kind="network", what="off", place=document.place("sandbox", "enabled")))
    for key, what in (("allowWrite", "writable"), ("denyWrite", "read-only"), ("denyRead", "hidden")):
        for text, place in document.texts("sandbox", "filesystem", key):
            found.append(Enforcement(kind="mount", what=what, path=text, place=place))
    return found
