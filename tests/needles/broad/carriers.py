# SPDX-License-Identifier: Apache-2.0
"""Ways in which one and the same deed reaches a log: shells, scripts, encodings, languages, editors, other servers."""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

Line = Sequence[Any]
"""Who or which tool, then words or arguments, then what came back."""
_CHOICE = re.compile("«([^«»]*)»")
_BAR = re.compile(r"(?<![| ])\|(?![| ])")
"""Parts wordings; a pipe in a shell line has spaces around it."""


def worded(text: str, pick: int) -> str:
    """Choose one of the wordings in each pair of guillemets; wordings of one number belong together."""

    def chosen(found: re.Match[str]) -> str:
        ways = _BAR.split(found[1])
        return ways[pick % len(ways)]

    return _CHOICE.sub(chosen, text)


def carried(line: Line, turn: int, pick: int) -> list[Line]:
    """Put one deed into the dialect of a telling; words stay words."""
    who, *rest = (worded(each, pick) if isinstance(each, str) else each for each in line)
    if who == "tool":
        name, arguments, *answer = rest
        plain = {
            worded(key, pick): worded(each, pick) if isinstance(each, str) else each for key, each in arguments.items()
        }
        return [(name, plain, answer[0] if answer else "ok")]
    if who == "sh":
        return _shell(rest[0], rest[1] if len(rest) > 1 else "", turn)
    if who == "py":
        return _python(rest[0], rest[1] if len(rest) > 1 else "", turn)
    if who == "sql":
        return _statement(rest[0], rest[1], rest[2] if len(rest) > 2 else "OK", turn)
    if who == "set":
        return _edited(*rest[:3], turn)
    if who == "put":
        return _written(rest[0], rest[1], turn)
    if who == "get":
        return [_got(rest[0], rest[1] if len(rest) > 1 else "…", turn)]
    return [(who, *rest)]


def _shell(line: str, answer: str, turn: int) -> list[Line]:
    encoded = base64.b64encode(line.encode()).decode()
    ways: list[list[Line]] = [
        [("Bash", {"command": line}, answer)],
        [("run_python", {"code": f"import subprocess\nsubprocess.run({line!r}, shell=True)"}, answer)],
        [
            ("Write", {"file_path": "scripts/step.sh", "content": f"#!/bin/sh\nset -e\n{line}\n"}, "ok"),
            ("Bash", {"command": "sh scripts/step.sh"}, answer),
        ],
        [("mcp__terminal__execute", {"argv": ["bash", "-lc", line]}, answer)],
        [("shell", {"cmd": f"echo {encoded} | base64 -d | sh"}, answer)],
        [("notebook_run_cell", {"cell": 4, "source": "\n".join(f"!{each}" for each in line.splitlines())}, answer)],
        [("exec", {"input": f"bash <<'END'\n{line}\nEND"}, answer)],
        [("node_repl", {"code": f"require('child_process').execSync({json.dumps(line)})"}, answer)],
        [("terminal_send", {"keystrokes": f"{line}\n"}, answer)],
        [("bash", {"command": f'export STEP={_quoted(line)}\neval "$STEP"'}, answer)],
        [("Bash", {"command": f"tmux send-keys -t 0 {_quoted(line)} Enter"}, answer)],
    ]
    return ways[turn % len(ways)]


def _quoted(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"


def _python(code: str, answer: str, turn: int) -> list[Line]:
    ways: list[list[Line]] = [
        [("python", {"code": code}, answer)],
        [("NotebookEdit", {"notebook_path": "work.ipynb", "new_source": code}, "ok"), ("run_all", {}, answer)],
        [("Bash", {"command": f"python3 - <<'PY'\n{code}\nPY"}, answer)],
        [
            ("create_file", {"path": "tools/once.py", "file_text": code}, "ok"),
            ("Bash", {"command": "python tools/once.py"}, answer),
        ],
    ]
    return ways[turn % len(ways)]


def _statement(text: str, database: str, answer: str, turn: int) -> list[Line]:
    ways: list[list[Line]] = [
        [("Bash", {"command": f'psql {database} -c "{text}"'}, answer)],
        [("mcp__postgres__query", {"database": database, "sql": text}, answer)],
        [("python", {"code": f"db = connect({database!r})\ndb.cursor().execute({text!r})\ndb.commit()"}, answer)],
        [("Bash", {"command": f"psql {database} <<SQL\n{text};\nSQL"}, answer)],
    ]
    return ways[turn % len(ways)]


def _edited(path: str, old: str, new: str, turn: int) -> list[Line]:
    lines = [*(f"-{each}" for each in old.split("\n")), *(f"+{each}" for each in new.split("\n"))]
    patch = "\n".join((f"*** Begin Patch\n*** Update File: {path}\n@@", *lines, "*** End Patch"))
    replaced = f"from pathlib import Path\np = Path({path!r})\np.write_text(p.read_text().replace({old!r}, {new!r}))"
    ways: list[list[Line]] = [
        [("Edit", {"file_path": path, "old_string": old, "new_string": new}, "ok")],
        [("apply_patch", {"input": patch}, "ok")],
        [("mcp__files__edit_file", {"path": path, "edits": [{"oldText": old, "newText": new}]}, "ok")],
        [("python", {"code": replaced}, "")],
    ]
    return ways[turn % len(ways)]


def _written(path: str, text: str, turn: int) -> list[Line]:
    ways: list[list[Line]] = [
        [("Write", {"file_path": path, "content": text}, "ok")],
        [("Bash", {"command": f"cat > {path} <<'EOF'\n{text}\nEOF"}, "")],
        [("mcp__files__write_file", {"path": path, "content": text}, "ok")],
        [("Bash", {"command": f"tee {path} <<'EOF'\n{text}\nEOF"}, text)],
    ]
    return ways[turn % len(ways)]


def _got(path: str, answer: str, turn: int) -> Line:
    ways: list[Line] = [
        ("Read", {"file_path": path}, answer),
        ("Bash", {"command": f"cat {path}"}, answer),
        ("mcp__files__read_file", {"path": path}, answer),
        ("view", {"path": path}, answer),
    ]
    return ways[turn % len(ways)]
