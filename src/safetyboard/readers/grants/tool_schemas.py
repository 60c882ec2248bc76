# SPDX-License-Identifier: Apache-2.0
"""Lists of tools: recorded `tools/list` results, OpenAI functions, Anthropic tools, and command lists by name."""

import json
from collections.abc import Mapping
from typing import Any

from safetyboard.readers.grants.document import json_document
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import plain_of
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.grant import Grant, ToolGrant

_LISTS = (("result", "tools"), ("tools",), ("functions",), ("commands",), ())
_SCHEMAS = ("inputSchema", "input_schema", "parameters", "args", "arguments", "params")
_READ = ("name", "description", "annotations", "type", "function", "title", "strict", *_SCHEMAS)


def sniff(name: str, head: bytes) -> bool:
    """Tell by the shape: a list of things that have a name and say which arguments they take."""
    if not name.endswith(".json"):
        return False
    try:
        value = json.loads(head)
    except (ValueError, RecursionError):
        return b'"inputSchema"' in head or b'"input_schema"' in head
    return _list_of(value)[1] is not None


def grant_of(stored: Stored) -> Grant:
    """Read every tool with its schema and hints; hints are declarations by whoever wrote the server.

    Raises:  SyntaxFault: names the file, the place and the remedy.
    Source:  https://modelcontextprotocol.io/specification (tools/list, annotations: hints, untrusted unless the server
             is trusted); https://platform.openai.com/docs/guides/function-calling; https://docs.anthropic.com tool use.
    """
    document = json_document(stored)
    parts, entries = _list_of(document.value)
    if entries is None:
        raise SyntaxFault(
            f"{stored.name}: no list of tools.", hint="Give the result of tools/list, or a list of tools."
        )
    tools, unknown = [], dict[str, int]()
    for index, entry in enumerate(entries):
        inner = entry["function"] if isinstance(entry.get("function"), Mapping) else entry
        for key in (*entry, *inner):
            if key not in _READ:
                unknown[str(key)[:60]] = unknown.get(str(key)[:60], 0) + 1
        tools.append(
            ToolGrant(
                name=inner["name"],
                description=str(inner.get("description", "")),
                schema=_schema(inner),
                annotations=_plain(inner.get("annotations")),
                place=document.place(*parts, index),
            )
        )
    return Grant(
        name=stored.name,
        source=document.digest,
        format="tools",
        subject="whoever is given these tools",
        tools=tuple(tools),
        unknown=unknown,
        notes=("What a tool does is inferred from its name and arguments; nothing here was executed.",),
    )


def _plain(value: Any) -> dict[str, Any]:
    plain = plain_of(value) if isinstance(value, Mapping) else {}
    return plain if isinstance(plain, dict) else {}


def _schema(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give the schema of the arguments; a bare list or table of argument names is written as one."""
    value: Any = next((entry[key] for key in _SCHEMAS if key in entry), {})
    if isinstance(value, list):
        return {"properties": {str(each.get("name", "") if isinstance(each, Mapping) else each): {} for each in value}}
    plain = _plain(value)
    typed = "properties" in plain or plain.get("type") == "object" or not plain
    return plain if typed else {"properties": {key: {"description": each} for key, each in plain.items()}}


def _list_of(value: Any) -> tuple[tuple[str, ...], list[Any] | None]:
    for parts in _LISTS:
        found = value
        for part in parts:
            found = found.get(part) if isinstance(found, Mapping) else None
        if isinstance(found, list) and found and all(_is_tool(each) for each in found):
            return parts, found
        if parts and isinstance(found, list) and not found and len(value) == 1:
            return parts, []
    return (), None


def _is_tool(entry: Any) -> bool:
    if not isinstance(entry, Mapping):
        return False
    inner = entry["function"] if isinstance(entry.get("function"), Mapping) else entry
    return isinstance(inner.get("name"), str) and any(key in inner for key in _SCHEMAS)
