# SPDX-License-Identifier: Apache-2.0
"""Effects of Python text, read without being run."""

import ast

from safetyboard.overseers.effects.call import Call
from safetyboard.overseers.effects.effect import Effect, unknown
from safetyboard.overseers.effects.files import deletion, reads, writing
from safetyboard.overseers.effects.infrastructure import PROGRAMS as _MACHINES
from safetyboard.overseers.effects.network import sending

_DELETE = {"os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree"}
_RUN = {
    "os.system",
    "os.popen",
    "subprocess.run",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.Popen",
    "subprocess.getoutput",
}
_SEND = {"requests.post", "requests.put", "requests.patch", "httpx.post", "httpx.put", "urllib.request.urlopen"}
LONGEST = 100_000


def python_effects(text: str, folder: str = "") -> tuple[list[Effect], list[str]]:
    """List the effects of Python text and the shell lines it runs; names built at run time stay unknown."""
    if len(text) > LONGEST:
        return [unknown("python", f"longer than {LONGEST} characters")], []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [unknown("python", "the text does not parse as Python")], []
    names = _imported(tree)
    values = {
        each.targets[0].id: each.value.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and isinstance(each.value, ast.Constant)
        and isinstance(each.value.value, str)
    }
    found: list[Effect] = []
    lines: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _one(node, names, values, folder, found, lines)
    return found or [
        Effect(kind="execute", target="python", severity=0, reversible="reversible", why="computes")
    ], lines


def _imported(tree: ast.Module) -> dict[str, str]:
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({each.asname: each.name for each in node.names if each.asname})
        elif isinstance(node, ast.ImportFrom):
            names.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
    return names


def _one(
    node: ast.Call, names: dict[str, str], values: dict[str, str], folder: str, found: list[Effect], lines: list[str]
) -> None:
    name = _dotted(node.func)
    head, _, tail = name.partition(".")
    name = names.get(head, head) + (f".{tail}" if tail else "")
    first = _text(node.args[0], values) if node.args else ""
    if name in _DELETE:
        found.append(deletion(first or "$unnamed", folder, recursive=name == "shutil.rmtree"))
    elif name in _RUN:
        if first:
            lines.append(first)
        else:
            found.append(unknown(name, "the line it runs is built at run time"))
    elif name in _SEND:
        found.append(sending(first, *(ast.unparse(each.value)[:500] for each in node.keywords)))
    elif name in ("open", "io.open"):
        mode = (
            _text(node.args[1], values)
            if len(node.args) > 1
            else next((_text(each.value, values) for each in node.keywords if each.arg == "mode"), "r")
        )
        writes = any(sign in mode for sign in "wax+")
        found.extend([writing(first or "$unnamed", folder)] if writes else reads(first or "$unnamed", folder))
    elif name.rpartition(".")[2] in ("upload_folder", "upload_file", "push_to_hub", "upload_blob", "put_object"):
        found.append(sending(name, *(ast.unparse(each.value)[:500] for each in node.keywords)))
    elif name in ("os.kill", "os.killpg"):
        target = ast.unparse(node.args[0]) if node.args else ""
        found.extend(_MACHINES["kill"](Call(name="kill", arguments=(target,))))
    elif name.rpartition(".")[2] in ("write_text", "write_bytes", "unlink", "rmdir") and isinstance(
        node.func, ast.Attribute
    ):
        path = _path(node.func.value, values)
        found.append((writing if name.rpartition(".")[2].startswith("write") else deletion)(path or "$unnamed", folder))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _path(node: ast.expr, values: dict[str, str]) -> str:
    if isinstance(node, ast.Call) and node.args:
        return _text(node.args[0], values)
    return ""


def _text(node: ast.expr, values: dict[str, str]) -> str:
    """Give a text that is written out: a constant, a list of them as a line, a name set to one, an expanded home."""
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.List | ast.Tuple):
        return " ".join(_text(each, values) or "$unnamed" for each in node.elts)
    if isinstance(node, ast.Name):
        return values.get(node.id, "")
    if isinstance(node, ast.Call) and _dotted(node.func).endswith(("expanduser", "Path", "join")) and node.args:
        return "/".join(_text(each, values) or "$unnamed" for each in node.args)
    if isinstance(node, ast.Call) and _dotted(node.func).endswith("Path.home"):
        return "~"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return f"{_text(node.left, values) or '$unnamed'}/{_text(node.right, values) or '$unnamed'}"
    return ""
