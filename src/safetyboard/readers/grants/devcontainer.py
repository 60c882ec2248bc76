# SPDX-License-Identifier: Apache-2.0
"""What a development container is given: `devcontainer.json` mounts, run arguments and privileges."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.grants.compose import volume
from safetyboard.readers.grants.document import Document, json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant

_KNOWN = (
    "name", "image", "build", "dockerFile", "dockerComposeFile", "service", "mounts", "workspaceMount", "runArgs",
    "workspaceFolder", "privileged", "capAdd", "containerUser", "remoteUser", "features", "customizations", "init",
    "postCreateCommand", "postStartCommand", "initializeCommand", "forwardPorts", "containerEnv", "remoteEnv",
    "$schema",
)  # fmt: skip


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name."""
    return PurePosixPath(name).name in ("devcontainer.json", ".devcontainer.json")


def grant_of(stored: Stored) -> Grant:
    """Read mounts, network, privileges; the workspace itself is mounted writable unless the file says otherwise.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://containers.dev/implementors/json_reference/
    """
    document = json_document(stored)
    notes = ["What the image and its features bring is not in this file."]
    if document.at("dockerComposeFile") is not None:
        notes.append("A compose file is named; it is read on its own.")
    if document.at("initializeCommand") is not None:
        notes.append("initializeCommand runs on the host, outside the container.")
    return Grant(
        name=stored.name,
        source=document.digest,
        format="devcontainer",
        subject="whoever works in the container",
        enforcement=tuple(_given(document)),
        mode="everything inside",
        unknown=document.unknown(_KNOWN),
        notes=tuple(notes),
    )


def _given(document: Document) -> Iterator[Enforcement]:
    yield Enforcement(kind="sandbox", what="container", place=document.place())
    workspace = document.at("workspaceMount")
    if isinstance(workspace, str):
        what = "read-only" if _mount(workspace).get("readonly") else "writable"
        yield Enforcement(kind="mount", what=what, path=".", place=document.place("workspaceMount"))
    else:
        yield Enforcement(kind="mount", what="writable", path=".", place=document.place())
    mounts = document.at("mounts") or []
    if not isinstance(mounts, list):
        raise SyntaxFault(f"{document.name}: /mounts is no list.", hint="Write it as a list.")
    for index, entry in enumerate(mounts):
        yield from volume(_mount(entry), "", document.place("mounts", index))
    if document.at("privileged") is True:
        yield Enforcement(kind="none", what="privileged", place=document.place("privileged"))
    for text, place in document.texts("capAdd"):
        yield Enforcement(kind="none", what=f"capability {text}", place=place)
    yield from _arguments(list(document.texts("runArgs")), document)


def _arguments(words: list[tuple[str, Source]], document: Document) -> Iterator[Enforcement]:
    network = Enforcement(kind="network", what="on", place=document.place())
    for index, (word, place) in enumerate(words):
        name, _, value = word.partition("=")
        value = value or (words[index + 1][0] if index + 1 < len(words) else "")
        if name in ("--network", "--net"):
            network = Enforcement(kind="network", what="off" if value == "none" else value or "on", place=place)
        elif name == "--privileged":
            yield Enforcement(kind="none", what="privileged", place=place)
        elif name == "--cap-add":
            yield Enforcement(kind="none", what=f"capability {value}", place=place)
        elif name in ("-v", "--volume"):
            yield from volume(value, "", place)
        elif name == "--mount":
            yield from volume(_mount(word.partition("=")[2] if "=" in word else value), "", place)
        elif name == "--read-only":
            yield Enforcement(kind="mount", what="read-only", path="/", place=place)
    yield network


def _mount(entry: Any) -> Any:
    """Read ``source=…,target=…,readonly`` as a table; a variable for the workspace's own folder is written as such."""
    if not isinstance(entry, str):
        return entry
    found: dict[str, Any] = {}
    for part in entry.split(","):
        key, sign, value = part.partition("=")
        flag = not sign or value.lower() in ("true", "1")
        if key in ("readonly", "ro"):
            found |= {"readonly": True} if flag else {}
        else:
            found[key] = value.replace("${localWorkspaceFolder}", ".").replace("${localEnv:HOME}", "~")
    return found
