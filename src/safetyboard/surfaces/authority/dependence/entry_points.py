# SPDX-License-Identifier: Apache-2.0
"""Where a code base is entered from outside: commands, web routes, tasks, CI jobs, schedules and containers."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from safetyboard.readers.components.python_names import dotted
from safetyboard.surfaces.authority.dependence.code_graph import CodeGraph, resolved

_ROUTES = re.compile(r"(?:^|\.)(?:route|get|post|put|delete|patch|head|websocket|api_view|api_route|exposed?)$")
_COMMANDS = re.compile(r"(?:^|\.)(?:command|group|callback)$")
_TASKS = re.compile(r"(?:^|\.)(?:task|shared_task|periodic_task|actor|job|scheduled_job|cron|on_event|tool)$")
_ADDRESS = re.compile(r"\b(?:(?:re_)?path|url|add_url_rule|add_route)\(")
_HANDLERS = ("lambda_handler", "handler", "main_handler")
_RUN = re.compile(r"\bpython[\d.]*\s+(?:-[uBOIE]\s+)*(?:-m\s+([\w.]+)|([\w./-]+\.py))")
_EXEC = re.compile(r"\"python[\d.]*\"\s*,\s*(?:\"-[uBOIE]\"\s*,\s*)*(?:\"-m\"\s*,\s*\"([\w.]+)\"|\"([\w./-]+\.py)\")")
_SERVE = re.compile(r"\b(?:uvicorn|gunicorn|hypercorn)\b[^\n]*?\b([\w.]+):(\w+)")
_CRON = re.compile(r"^\s*(?:@\w+|(?:[\d*/,-]+\s+){5})")


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """Hold one way in.

    Args:    kind: command, web route, task, CI job, schedule, container or script. node: of the code graph.
    """

    kind: str
    name: str
    node: str
    file: str
    line: int


def entry_points_of(files: Mapping[str, bytes], graph: CodeGraph) -> tuple[EntryPoint, ...]:
    """List the ways into a code base that its files declare; frameworks that no table lists are not seen."""
    found = [*_decorated(graph), *_scripts(graph), *_urls(graph)]
    for path in sorted(files):
        name = path.rpartition("/")[2]
        if name in ("pyproject.toml", "setup.cfg", "setup.py", "entry_points.txt"):
            found += _declared(path, files[path], graph)
        kind = _kind(path)
        if kind:
            found += _started(path, files[path], graph, kind)
    kept = {(each.kind, each.node, each.name): each for each in found}
    return tuple(sorted(kept.values(), key=lambda each: (each.kind, each.name, each.node)))


def _kind(path: str) -> str:
    name = path.rpartition("/")[2]
    if re.search(r"(?:^|/)\.github/workflows/.*\.ya?ml$|(?:^|/)\.gitlab-ci\.yml$|(?:^|/)Jenkinsfile$", path):
        return "CI job"
    if "cron" in name.lower() and not name.endswith(".py"):
        return "schedule"
    if re.search(r"Dockerfile|Containerfile|^Procfile$|compose[\w.-]*\.ya?ml$|\.service$", name):
        return "container"
    return "command" if name == "Makefile" or name.endswith(".sh") else ""


def _decorated(graph: CodeGraph) -> Iterator[EntryPoint]:
    for function in graph.functions.values():
        for mark, line in function.decorators:
            kind = (
                "web route" if _ROUTES.search(mark) and "." in mark
                else "command" if _COMMANDS.search(mark) and "." in mark
                else "task" if _TASKS.search(mark) else ""
            )  # fmt: skip
            if kind:
                text = graph.lines[function.file][line - 1].strip()[:160]
                yield EntryPoint(kind=kind, name=text, node=function.node, file=function.file, line=line)
        if function.node.rpartition(":")[2] in _HANDLERS:
            name = function.node.rpartition(":")[2]
            yield EntryPoint(kind="handler", name=name, node=function.node, file=function.file, line=function.first)


def _scripts(graph: CodeGraph) -> Iterator[EntryPoint]:
    for module, tree in graph.trees.items():
        for statement in tree.body:
            if isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test):
                path = graph.modules[module]
                yield EntryPoint(kind="script", name=path, node=f"{module}:", file=path, line=statement.lineno)


def _urls(graph: CodeGraph) -> Iterator[EntryPoint]:
    """Find the views that lists of addresses name."""
    for module, tree in graph.trees.items():
        if not any(_ADDRESS.search(text) for text in graph.lines[graph.modules[module]]):
            continue
        for node in ast.walk(tree):
            name = dotted(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and re.search(r"(?:^|\.)(?:path|re_path|url|add_url_rule|add_route)$", name):
                for each in (*node.args[1:], *(given.value for given in node.keywords if given.arg == "view_func")):
                    written = dotted(each)
                    names = graph.names[module]
                    first, _, rest = written.partition(".")
                    full = f"{names[first]}.{rest}".strip(".") if first in names else f"{module}.{written}"
                    for target in resolved(graph, full) if written else ():
                        if not target.rpartition(":")[2].startswith("="):
                            place = graph.modules[module]
                            yield EntryPoint(kind="web route", name=written, node=target, file=place, line=node.lineno)


def _declared(path: str, content: bytes, graph: CodeGraph) -> Iterator[EntryPoint]:
    """Find console scripts; each names a module and a function."""
    text = content.decode("utf-8", "replace")
    if path.endswith("pyproject.toml"):
        try:
            whole = tomllib.loads(text)
        except (ValueError, RecursionError):
            return
        project, tool = whole.get("project", {}), whole.get("tool", {})
        tables = [project.get("scripts"), project.get("gui-scripts"), tool.get("poetry", {}).get("scripts")]
        pairs = [(name, str(value)) for each in tables if isinstance(each, dict) for name, value in each.items()]
    else:
        pairs = re.findall(r"^\s*[\"']?([\w.-]+)\s*=\s*([\w.]+:[\w.]+)", text, re.M)
    for name, value in pairs:
        line = next((at for at, each in enumerate(text.splitlines(), 1) if value in each), 0)
        for node in _nodes(graph, value.partition("[")[0].strip().replace(":", ".")):
            yield EntryPoint(kind="command", name=name, node=node, file=path, line=line)


def _nodes(graph: CodeGraph, full: str) -> list[str]:
    known = list(resolved(graph, full))
    if known:
        return known
    # The folder that a package lies in may be on the path when it is installed.
    ends = [each for each in graph.trees if full.endswith("." + each) or each.endswith("." + full)]
    return [f"{each}:" for each in ends] or ([f"{full}:"] if full in graph.trees else [])


def _started(path: str, content: bytes, graph: CodeGraph, kind: str) -> Iterator[EntryPoint]:
    """Find the modules and files that commands in CI jobs, schedules, containers and scripts start."""
    by_file = {file: module for module, file in graph.modules.items()}
    for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if text.lstrip().startswith("#"):
            continue
        said = "schedule" if kind == "schedule" or (_CRON.match(text) and kind == "command") else kind
        for match in [*_RUN.finditer(text), *_EXEC.finditer(text)]:
            module = match[1] or ""
            nodes = _modules(graph, module) if module else _files(by_file, match[2])
            for node in nodes:
                yield EntryPoint(kind=said, name=text.strip()[:160], node=node, file=path, line=number)
        for match in _SERVE.finditer(text):
            for node in _nodes(graph, f"{match[1]}.{match[2]}"):
                yield EntryPoint(kind=said, name=text.strip()[:160], node=node, file=path, line=number)


def _modules(graph: CodeGraph, module: str) -> list[str]:
    names = (module, f"{module}.__main__")
    return [f"{each}:" for each in graph.trees if each in names or each.endswith(tuple("." + name for name in names))]


def _files(by_file: Mapping[str, str], written: str) -> list[str]:
    bare = written.removeprefix("./").lstrip("/")
    name = bare.partition("/")[2] if written.startswith("/") else bare
    return [
        f"{module}:" for file, module in by_file.items()
        if file == bare or (name and (file == name or file.endswith("/" + name) or name.endswith("/" + file)))
    ]  # fmt: skip
