# SPDX-License-Identifier: Apache-2.0
"""What containers are given: `compose.yaml` services with their volumes, networks and privileges."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from safetyboard.readers.grants.document import Document, yaml_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Enforcement, Grant

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_KNOWN = (
    "image", "build", "command", "entrypoint", "environment", "env_file", "volumes", "network_mode", "networks",
    "privileged", "cap_add", "cap_drop", "read_only", "user", "working_dir", "ports", "depends_on", "pid", "ipc",
    "restart", "container_name", "tmpfs", "stdin_open", "tty", "security_opt", "devices", "healthcheck", "profiles",
)  # fmt: skip
SOCKET = "docker.sock"


def sniff(name: str, head: bytes) -> bool:
    """Tell by the name."""
    path = PurePosixPath(name)
    return path.name in NAMES or (
        path.suffix in (".yaml", ".yml") and path.name.startswith(("compose.", "docker-compose."))
    )


def grant_of(stored: Stored) -> Grant:
    """Read what each service is given; a file of several services counts every one's holes.

    Anchors, `extends`, `include` and variables are not followed; variables stay as written.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://docs.docker.com/reference/compose-file/services/
    """
    document = yaml_document(stored)
    names = list(document.mapping("services"))
    if not names:
        raise SyntaxFault(f"{stored.name}: no service is defined.", hint="Give a file with services.")
    unknown: dict[str, int] = {}
    enforcement: list[Enforcement] = []
    for name in names:
        for key in document.unknown(_KNOWN, "services", name):
            unknown["services.*." + key.rsplit(".", 1)[-1]] = unknown.get(key, 0) + 1
        enforcement += _service(document, name)
    notes = ["What the image itself holds and which user it runs as are not in this file."]
    if len(names) > 1:
        notes.append(f"{len(names)} services are taken together; the holes of one are counted for all.")
    return Grant(
        name=stored.name,
        source=document.digest,
        format="compose",
        subject="service " + ", ".join(names) if len(names) == 1 else f"{len(names)} services",
        enforcement=tuple(enforcement),
        mode="everything inside",
        unknown=unknown,
        notes=tuple(notes),
    )


def _service(document: Document, name: str) -> Iterator[Enforcement]:
    here = ("services", name)
    folder = str(document.at(*here, "working_dir") or "")
    for index, entry in enumerate(document.at(*here, "volumes") or []):
        yield from volume(entry, folder, document.place(*here, "volumes", index))
    place = document.place(*here)
    network = document.at(*here, "network_mode")
    if network is not None:
        what = "off" if network == "none" else "host" if network == "host" else "on"
        yield Enforcement(kind="network", what=what, place=document.place(*here, "network_mode"))
    else:
        yield Enforcement(kind="network", what="on", place=place)
    yield Enforcement(kind="sandbox", what="container", place=place)
    if document.at(*here, "read_only") is True:
        yield Enforcement(kind="mount", what="read-only", path="/", place=document.place(*here, "read_only"))
    if document.at(*here, "privileged") is True:
        yield Enforcement(kind="none", what="privileged", place=document.place(*here, "privileged"))
    for text, leaf in document.texts(*here, "cap_add"):
        yield Enforcement(kind="none", what=f"capability {text}", place=leaf)
    for key in ("pid", "ipc"):
        if document.at(*here, key) == "host":
            yield Enforcement(kind="none", what=f"{key} of the host", place=document.place(*here, key))


def volume(entry: Any, folder: str, place: Source) -> Iterator[Enforcement]:
    """Read one mount, in its short or long form; the path is told relative to the workspace where it lies in it.

    Args:    folder: where the workspace is seen inside; empty where that is not said.
    """
    if isinstance(entry, str):
        parts = entry.split(":")
        source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
        readonly = len(parts) > 2 and "ro" in parts[2].split(",")
    elif isinstance(entry, Mapping):
        source, target = str(entry.get("source", entry.get("src", ""))), str(entry.get("target", entry.get("dst", "")))
        readonly = entry.get("read_only") is True or "readonly" in entry
    else:
        raise SyntaxFault(f"{place.pointer} is no volume.", hint="Write source:target or a table.")
    if SOCKET in source:
        yield Enforcement(kind="none", what="docker socket", path=source, place=place)
        return
    what = "read-only" if readonly else "writable"
    yield Enforcement(kind="mount", what=what, path=_seen(source, target, folder), place=place)


def _seen(source: str, target: str, folder: str) -> str:
    if source.startswith(("~", "$HOME", "${HOME}", "/")):
        return source.replace("${HOME}", "~").replace("$HOME", "~")
    if source.startswith("."):
        return source.removeprefix("./") or "."
    if folder and target.rstrip("/") == folder.rstrip("/"):
        return "."
    return target
