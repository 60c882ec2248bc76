# SPDX-License-Identifier: Apache-2.0
"""Effects of Python text, read without being run."""

import ast

from safetyboard.overseers.effects.call import Call
from safetyboard.overseers.effects.databases import statement_effects
from safetyboard.overseers.effects.effect import Effect, unknown
from safetyboard.overseers.effects.files import deletion, reads, writing
from safetyboard.overseers.effects.infrastructure import PROGRAMS as _MACHINES
from safetyboard.overseers.effects.network import sending

_DELETE = {"os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree", "send2trash.send2trash"}
_RUN = {
    "os.system",
    "os.popen",
    "subprocess.run",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.Popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
    "get_ipython().system",
    "pty.spawn",
    "commands.getoutput",
}
_SEND = {
    *(
        f"{library}.{verb}"
        for library in ("requests", "httpx", "session", "client")
        for verb in ("post", "put", "patch")
    ),
    "urllib.request.urlopen",
    "urlopen",
}
_SENDERS = frozenset(
    ("upload_folder", "upload_file", "upload_fileobj", "push_to_hub", "upload_blob", "upload_from_filename")
    + ("put_object", "sendmail", "send_message", "storbinary", "sendall", "create_commit", "create_gist")
)
_SQL = frozenset(("execute", "executemany", "executescript", "exec_driver_sql", "raw", "sql", "query"))
_COOKIES = frozenset(("browser_cookie3.chrome", "browser_cookie3.firefox", "browser_cookie3.load", "jwt.encode"))
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
    values |= {
        each.targets[0].id: _text(each.value, values)
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and isinstance(each.value, ast.Call)
        and _dotted(each.value.func).endswith(("Path", "join", "expanduser"))
    }
    values |= {
        f"client {each.targets[0].id}": _text(each.value.args[0], values)
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and isinstance(each.value, ast.Call)
        and _is_client(each.value, names)
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
    last = name.rpartition(".")[2]
    if service := _service(node.func, names, values):
        lines.append(f"aws {service} {last.replace('_', '-')} {_given(node)}")
    elif last in _SQL and _text(node.args[0], values) if node.args else False:
        found.extend(_queried(_text(node.args[0], values), values))
    elif last in ("drop_database", "drop_collection", "delete_many", "drop_all"):
        found.extend(statement_effects(f"DROP DATABASE {first or last}", *values.values()))
    elif name in _COOKIES:
        found.append(
            Effect(
                kind="credential use", target=name, severity=3, reversible="unknown", why="takes or forges credentials"
            )
        )
    elif name in _DELETE:
        found.append(deletion(first or "$unnamed", folder, recursive=name == "shutil.rmtree"))
    elif name in _RUN or last in ("execSync", "spawnSync", "execFileSync", "shell_exec"):
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
    elif last in _SENDERS:
        given = (*node.args, *(each.value for each in node.keywords))
        found.append(sending(name, *(_text(each, values) or ast.unparse(each)[:500] for each in given)))
    elif name in ("os.kill", "os.killpg"):
        target = ast.unparse(node.args[0]) if node.args else ""
        found.extend(_MACHINES["kill"](Call(name="kill", arguments=(target,))))
    elif name.rpartition(".")[2] in ("write_text", "write_bytes", "unlink", "rmdir") and isinstance(
        node.func, ast.Attribute
    ):
        path = _path(node.func.value, values)
        found.append((writing if name.rpartition(".")[2].startswith("write") else deletion)(path or "$unnamed", folder))


def _service(node: ast.expr, names: dict[str, str], values: dict[str, str]) -> str:
    """Name the cloud service whose method this is: of ``boto3.client("x")``, at once or by a name set to it."""
    if not isinstance(node, ast.Attribute):
        return ""
    owner = node.value
    if isinstance(owner, ast.Name):
        return values.get(f"client {owner.id}", "")
    while isinstance(owner, ast.Attribute) or (isinstance(owner, ast.Call) and not _is_client(owner, names)):
        owner = owner.value if isinstance(owner, ast.Attribute) else owner.func
    return _text(owner.args[0], values) if isinstance(owner, ast.Call) and owner.args else ""


def _is_client(node: ast.expr, names: dict[str, str]) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = _dotted(node.func)
    return names.get(name, name).startswith(("boto3.", "session.", "aioboto")) and name.endswith(("client", "resource"))


def _given(node: ast.Call) -> str:
    """Write keyword arguments of a cloud call as its command line has them."""
    given = ((each.arg or "", ast.unparse(each.value)[:120]) for each in node.keywords)
    return " ".join(f"--{_dashed(name)} {value.strip(chr(39))}" for name, value in given if "\n" not in value)


def _dashed(name: str) -> str:
    return "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in name).lstrip("-")


def _queried(statement: str, values: dict[str, str]) -> list[Effect]:
    return [each for each in statement_effects(statement, *values.values()) if each.kind != "read"]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _path(node: ast.expr, values: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return values.get(node.id, "")
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
