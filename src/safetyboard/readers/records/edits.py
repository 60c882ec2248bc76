# SPDX-License-Identifier: Apache-2.0
"""See in a call of a tool which files it would change: path, what goes, what comes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from safetyboard.terms.canonical import Plain

PATHS = ("file_path", "path", "notebook_path", "target_file", "filename", "file_name")
OLD = ("old_string", "old_str", "oldText", "old_text", "search")
NEW = ("new_string", "new_str", "newText", "new_text", "replace", "file_text", "new_source", "content", "contents")
EDITORS = frozenset(
    [
        "edit",
        "multiedit",
        "write",
        "notebookedit",
        "edit_file",
        "write_file",
        "create_file",
        "create",
        "insert",
        "str_replace_editor",
        "str_replace_based_edit_tool",
        "str_replace",
        "search_replace",
        "text_editor",
    ]
)
LOOKERS = frozenset(("view", "undo_edit"))
_BEGIN = "*** Begin Patch"
_MADE = re.compile(r"create[ \t]+(\S+)\s*\Z")
_WINDOW = re.compile(r"edit (\d+:\d+)[^\n]*\n")


def edits_of(tool: str, arguments: Mapping[str, Plain], *, opened: str = "") -> list[Plain]:
    """Give ``{"path", "old", "new"}`` for each place changed; old or new is null where the call does not say it.

    Sees edits made by editing tools and by patches in the form of Codex, also inside a shell command. What a shell
    command does to files by other means is not seen here.

    Args:    opened: the file that an editor without a path argument has open.
    """
    patch = next((text for text in _texts(arguments) if _BEGIN in text), "")
    if patch:
        return list(_patched(patch[patch.index(_BEGIN) :]))
    if tool.rsplit("__", 1)[-1].rsplit(".", 1)[-1].lower() not in EDITORS:
        return []
    if arguments.get("command") in LOOKERS:
        return []
    path = _first(arguments, PATHS) or opened or None
    command = arguments.get("command")
    line = command if isinstance(command, str) else ""
    if made := _MADE.match(line):
        return [{"path": made[1], "old": None, "new": None}]
    if window := _WINDOW.match(line):
        entered = line[window.end() :].rstrip().removesuffix("end_of_edit").removesuffix("\n")
        return [{"path": path, "old": None, "new": entered, "lines": window[1]}]
    several = arguments.get("edits")
    changes = several if isinstance(several, list) and several else [arguments]
    found: list[Plain] = []
    for change in changes:
        if isinstance(change, Mapping):
            old, new = _first(change, OLD), _first(change, NEW)
            if path is not None and (old is not None or new is not None or tool == "create"):
                found.append({"path": path, "old": old, "new": new})
    return found


def _first(arguments: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((arguments[key] for key in keys if isinstance(arguments.get(key), str)), None)


def _texts(value: Any) -> Iterator[str]:
    """Give the texts one or two deep: an argument, or a word of a command."""
    for item in value.values():
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            yield from (word for word in item if isinstance(word, str))


def _patched(patch: str) -> Iterator[Plain]:
    """Read a patch of Codex: sections of files, in each hunks of kept, removed and added lines.

    Source:  openai/codex, codex-rs/apply-patch, the grammar in its instructions.
    """
    path, kind, old, new = "", "", [], []  # type: str, str, list[str], list[str]
    for line in [*patch.split("\n"), "*** End Patch"]:
        head = re.match(r"\*\*\* (Add|Update|Delete) File: (.*)", line)
        if head or line.startswith(("@@", "*** End Patch")):
            if path and (old or new or kind == "Delete"):
                yield {"path": path, "old": _joined(old, kind != "Add"), "new": _joined(new, kind != "Delete")}
            old, new = [], []
            if head:
                kind, path = head[1], head[2].strip()
            elif not line.startswith("@@") or kind == "Delete":
                path = ""
        elif path and line[:1] in ("+", "-", " "):
            if line[0] != "+":
                old.append(line[1:])
            if line[0] != "-":
                new.append(line[1:])
        if line.startswith("*** End Patch"):
            return


def _joined(lines: list[str], said: bool) -> str | None:
    return "\n".join(lines) if said and lines else None
