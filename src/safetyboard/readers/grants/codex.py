# SPDX-License-Identifier: Apache-2.0
"""Permissions of the Codex CLI: `config.toml` in `.codex`."""

from pathlib import PurePosixPath

from safetyboard.readers.grants.document import Document, toml_document
from safetyboard.readers.grants.mcp_servers import servers
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant

SANDBOXES = ("read-only", "workspace-write", "danger-full-access")
APPROVALS = ("untrusted", "on-failure", "on-request", "never")
_KNOWN = (
    "model", "model_provider", "model_reasoning_effort", "approval_policy", "sandbox_mode", "sandbox_workspace_write",
    "mcp_servers", "profile", "profiles", "projects", "notify", "tui",
)  # fmt: skip
_OF_SANDBOX = ("writable_roots", "network_access", "exclude_tmpdir_env_var", "exclude_slash_tmp")


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name, and by a key of the sandbox or the approvals."""
    path = PurePosixPath(name)
    keys = (b"approval_policy", b"sandbox_mode", b"[sandbox_workspace_write", b"[mcp_servers")
    return path.name == "config.toml" and (".codex" in path.parts or any(key in head for key in keys))


def grant_of(stored: Stored) -> Grant:
    """Read the approval policy, the sandbox, its writable roots and network, and the servers of tools.

    Profiles can replace both policies at start and are counted, not applied; so are command-line flags and an
    organisation's `requirements.toml`.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://developers.openai.com/codex/config-reference and /codex/agent-approvals-security;
             as stored in 2026. Defaults of an empty file are from the same; untrusted projects differ.
    """
    document = toml_document(stored)
    approval = document.at("approval_policy") or "on-request"
    sandbox = document.at("sandbox_mode") or "read-only"
    unknown = {**document.unknown(_KNOWN), **document.unknown(_OF_SANDBOX, "sandbox_workspace_write")}
    notes = ["A profile, a flag or an organisation's requirements can replace these policies; only this file is read."]
    if isinstance(approval, dict):
        notes.append("Granular approvals are not modelled; they are taken as on-request.")
        approval = "on-request"
    for key, value, known in (("approval_policy", approval, APPROVALS), ("sandbox_mode", sandbox, SANDBOXES)):
        if value not in known:
            raise SyntaxFault(
                f"{stored.name}: /{key} is {printable(str(value))!r}.", hint=f"Choose one of {', '.join(known)}."
            )
    if document.mapping("profiles"):
        notes.append(f"{len(document.mapping('profiles'))} profiles stand in the file and are not applied.")
    return Grant(
        name=stored.name,
        source=document.digest,
        format="codex",
        subject="Codex CLI",
        tools=servers(document, "mcp_servers"),
        enforcement=tuple(_walls(document, str(sandbox))),
        mode=str(approval),
        unknown=unknown,
        notes=tuple(notes),
    )


def _walls(document: Document, sandbox: str) -> list[Enforcement]:
    place = document.place("sandbox_mode" if document.at("sandbox_mode") else "")
    enforcement: list[Enforcement] = []
    if sandbox == "danger-full-access":
        enforcement.append(Enforcement(kind="none", what="no sandbox", place=place))
    else:
        enforcement.append(Enforcement(kind="sandbox", what=sandbox, place=place))
        on = sandbox == "workspace-write" and document.at("sandbox_workspace_write", "network_access") is True
        leaf = document.place("sandbox_workspace_write", "network_access") if on else place
        enforcement.append(Enforcement(kind="network", what="on" if on else "off", place=leaf))
    if sandbox == "workspace-write":
        for path in (".git", ".codex"):
            enforcement.append(Enforcement(kind="mount", what="read-only", path=path, place=place))
        for path, where in document.texts("sandbox_workspace_write", "writable_roots"):
            enforcement.append(Enforcement(kind="mount", what="writable", path=path, place=where))
    return enforcement
