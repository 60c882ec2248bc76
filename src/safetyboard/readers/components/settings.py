# SPDX-License-Identifier: Apache-2.0
"""Models in settings: model names and addresses by key, tool servers, images, and CI jobs that call a model."""

import json
import re
from collections.abc import Iterator
from typing import Any

from safetyboard.readers.components.component import Component, shown
from safetyboard.readers.components.suppliers import (
    ACTIONS,
    IMAGES,
    PROGRAM_OF,
    PROGRAMS,
    host_supplier,
    is_dated,
    supplier_of_model,
)

SETTINGS = (".yaml", ".yml", ".toml", ".json", ".env", ".ini", ".cfg", ".conf", ".jsonc")
_LARGEST, _LARGEST_JSON = 1 << 20, 32 << 10
_KEYED = re.compile(
    r"^\s*(?:export\s+|ENV\s+|-\s+)?[\"']?([\w.-]+)[\"']?\s*[:=]\s*[\"']?([^\"'\s,#]+)[\"']?\s*,?\s*(?:#.*)?$"
)
_MODEL_KEY = re.compile(r"(?:^|[._-])(?:model|engine|deployment)(?:[._-]?(?:name|id|path|version))?$", re.I)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_IMAGE = re.compile(r"^\s*(?:FROM\s+(?:--\S+\s+)*|(?:-\s*)?image:\s*[\"']?|COPY\s+--from=)([^\s\"'#]+)", re.I)
_USES = re.compile(r"^\s*(?:-\s*)?uses:\s*[\"']?([\w./-]+)@([^\s\"'#]+)")
_WORKFLOW = re.compile(r"(?:^|/)\.github/(?:workflows|actions)/.*\.ya?ml$|(?:^|/)\.gitlab-ci\.yml$")
_DOCKER = re.compile(r"(?:^|/)(?:[\w.-]*Dockerfile[\w.-]*|Containerfile)$")
_SHELL = re.compile(r"(?:^|/)(?:Makefile|Procfile)$|\.sh$")


def is_settings(path: str) -> bool:
    """Tell whether a file is read as settings."""
    name = path.rpartition("/")[2]
    lock = name.endswith((".lock", "-lock.json", "-lock.yaml"))
    return not lock and (
        path.endswith(SETTINGS) or name.startswith(".env") or bool(_DOCKER.search(path) or _SHELL.search(path))
    )


def largest(path: str) -> int:
    """Say up to how many bytes a file can be settings; large JSON is data, and names models as records do."""
    return _LARGEST_JSON if path.endswith(".json") else _LARGEST


def settings_components(path: str, content: bytes) -> Iterator[Component]:
    """Find models in one file of settings; comments do not count."""
    text = content.decode("utf-8", "replace")
    lines = text.splitlines()
    if path.endswith((".json", ".jsonc")):
        yield from _servers(path, content, lines)
    flow = bool(_WORKFLOW.search(path))
    shell = flow or bool(_DOCKER.search(path) or _SHELL.search(path))
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith(("#", "//", ";")):
            continue
        yield from _line(path, lines, number, flow=flow, shell=shell)


def _line(path: str, lines: list[str], number: int, *, flow: bool, shell: bool) -> Iterator[Component]:
    line, told = lines[number - 1][:2000], {"file": path, "line": number, "quotation": shown(lines, number)}
    action = _USES.match(line) if flow else None
    if action and "/".join(action[1].lower().split("/")[:2]) in ACTIONS:
        name, pinned = "/".join(action[1].split("/")[:2]), bool(re.fullmatch(r"[0-9a-f]{40}", action[2]))
        yield Component(kind="action", name=name, supplier=ACTIONS[name.lower()], version=action[2], pinned=pinned,
                        **told)  # type: ignore[arg-type]  # fmt: skip
    image = _IMAGE.match(line)
    by = image_supplier(image[1]) if image else None
    if image and by is not None:
        yield _image(image[1], by, told)
    command = re.sub(r"^\s*(?:-\s+)?(?:run:|script:|RUN|CMD|ENTRYPOINT)?\s*[|>]?\s*", "", line) if shell else ""
    program = PROGRAMS.search(command.split(" #")[0])
    if program:
        name = program[1].split()[0]
        yield Component(kind="program", name=name, supplier=PROGRAM_OF.get(name, ""), **told)  # type: ignore[arg-type]
    keyed = _KEYED.match(line)
    if keyed is None:
        return
    maker = supplier_of_model(keyed[2]) if _MODEL_KEY.search(_CAMEL.sub("_", keyed[1])) else None
    if maker is not None:
        pinned = is_dated(keyed[2])
        yield Component(kind="model", name=keyed[2], supplier=maker, pinned=pinned, **told)  # type: ignore[arg-type]
    host = host_supplier(keyed[2])
    if host is not None:
        name = keyed[2].split("/")[2].lower()
        yield Component(kind="endpoint", name=name, supplier=host, **told)  # type: ignore[arg-type]


def image_supplier(image: str) -> str | None:
    """Say whose image of a model server this is; None for any other image."""
    bare = image.lower().removeprefix("docker.io/")
    for name, by in IMAGES.items():
        if bare.startswith(name) and (name.endswith("/") or bare[len(name) : len(name) + 1] in ("", ":", "@")):
            return by
    return None


def _image(image: str, by: str, told: dict[str, Any]) -> Component:
    bare, _, digest = image.partition("@")
    name, _, version = bare.rpartition(":") if ":" in bare.rpartition("/")[2] else (bare, "", "")
    return Component(kind="image", name=name, supplier=by, version=version, digest=digest, pinned=bool(digest), **told)


def _servers(path: str, content: bytes, lines: list[str]) -> Iterator[Component]:
    """Find the tool servers that a file of settings offers to a model."""
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return
    if not isinstance(whole, dict):
        return
    inner = whole.get("mcp")
    tables = [whole.get("mcpServers"), inner.get("servers") if isinstance(inner, dict) else None]
    if path.endswith("mcp.json"):
        tables.append(whole.get("servers"))
    for table in tables:
        for name, server in table.items() if isinstance(table, dict) else ():
            if isinstance(server, dict) and (server.get("command") or server.get("url")):
                yield _server(path, lines, str(name), server)


def _server(path: str, lines: list[str], name: str, server: dict[str, Any]) -> Component:
    words = [str(server.get("command", "")), *(str(each) for each in _list(server.get("args")))]
    text = str(server.get("url") or " ".join(words)).strip()
    version = re.search(r"(?:@|==)(\d+\.\d+\.\d+[\w.-]*|sha256:[0-9a-f]{64})(?:\s|$)", text)
    pattern = re.compile(rf"\"{re.escape(name)}\"\s*:")
    line = next((number for number, each in enumerate(lines, 1) if pattern.search(each)), 0)
    return Component(
        kind="server", name=name, supplier="", file=path, line=line, quotation=shown(lines, line), origin=text[:200],
        version=version[1] if version else "", pinned=bool(version),
    )  # fmt: skip


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
