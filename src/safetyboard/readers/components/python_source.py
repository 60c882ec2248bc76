# SPDX-License-Identifier: Apache-2.0
"""Models in Python code: imports, calls through whatever name, model names and addresses; never in mere words."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from safetyboard.readers.components.component import Component, shown
from safetyboard.readers.components.python_names import dotted, full_name, imported, imports_of, parsed
from safetyboard.readers.components.suppliers import (
    BEDROCK,
    GUARDED,
    MODEL_WORD,
    NOT_ASKED,
    PYTHON,
    SELECTIVE,
    WEIGHTS,
    host_supplier,
    is_dated,
    library_of,
    supplier_of_model,
)

_MODEL_KEY = re.compile(r"(?:.*_)?(?:model|engine|deployment)(?:_?(?:name|id|path|version))?", re.I)
_SPOKEN = re.compile(r"(^|\.)(print|debug|info|warning|warn|error|exception|log|echo|skip|match|fail)$")
_LOADS = re.compile(r"(?:from_pretrained|SentenceTransformer|CrossEncoder|pipeline|snapshot_download|hf_hub_download)$")
_UNPICKLES = re.compile(r"^(pickle|dill|cloudpickle|joblib)\.loads?$|^torch\.load$")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class _File:
    path: str
    lines: list[str]
    names: dict[str, str]
    own: frozenset[str]
    clients: dict[str, set[tuple[int, int, str]]] = field(default_factory=dict)
    found: list[Component] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)

    def add(self, **given: object) -> None:
        line = given["line"]
        text = shown(self.lines, line if isinstance(line, int) else 0)
        self.found.append(Component(file=self.path, quotation=text, **given))  # type: ignore[arg-type]


def python_components(path: str, content: bytes, module: str, own: frozenset[str]) -> Iterator[Component]:
    """Find models in one Python file.

    Args:    own: top-level packages that the code base itself defines; importing them is no use of a supplier.
    Raises:  SyntaxFault, TooLarge: it cannot be parsed.
    """
    tree = parsed(content, path)
    package = path.endswith("__init__.py")
    file = _File(
        path=path,
        lines=content.decode("utf-8", "replace").splitlines(),
        names=imports_of(tree, module, is_package=package),
        own=own,
    )
    for name, line in imported(tree, module, is_package=package):
        library = _library(name, own)
        if library and library not in GUARDED:
            file.add(kind="library", name=library, supplier=PYTHON[library], line=line, origin=name)
    nodes = list(ast.walk(tree))
    for targets, value in map(_assigned, nodes):
        if isinstance(value, ast.Call):
            file.kept[id(value)] = " ".join(dotted(each) for each in targets)
    if any(_library(name, own) for name in file.names.values()):
        _clients(nodes, file)
    spoken = _words(nodes)
    for node in nodes:
        if isinstance(node, ast.Call):
            _call(node, file)
        for key, value in _named_values(node):
            if id(value) not in spoken:
                _named(key, value, file)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            by = host_supplier(node.value)
            if by is not None:
                name = node.value.split("/")[2].split("@")[-1].lower()
                file.add(kind="endpoint", name=name, supplier=by, line=node.lineno, origin=node.value[:200])
    yield from _once(file.found)


def _library(name: str, own: frozenset[str]) -> str:
    library = library_of(name)
    return "" if not library or name.split(".")[0] in own else library


def _clients(nodes: list[ast.AST], file: _File) -> None:
    """Remember which names hold what a library gave: clients, loaded models, chains of them; a few rounds suffice.

    A name of a function holds it from there to the function's end; a module's name, and an object's, everywhere.
    """
    scopes = [(each.lineno, each.end_lineno or each.lineno) for each in nodes if isinstance(each, _SCOPES)]
    assigned = [(targets, value) for node in nodes for targets, value in [_assigned(node)] if value is not None]
    for _ in range(3):
        before = sum(map(len, file.clients.values()))
        for targets, value in assigned:
            origin = _origin(value, file)
            for each in targets if origin else ():
                name, line = dotted(each), each.lineno
                inside = [scope for scope in scopes if scope[0] <= line <= scope[1]]
                last = max(inside)[1] if inside and "." not in name else len(file.lines) + 1
                first = line if inside and "." not in name else 0
                if name:
                    file.clients.setdefault(name, set()).add((first, last, origin))
        if sum(map(len, file.clients.values())) == before:
            return


def _assigned(node: ast.AST) -> tuple[list[ast.expr], ast.expr | None]:
    if isinstance(node, ast.Assign):
        return node.targets, node.value
    if isinstance(node, ast.AnnAssign | ast.NamedExpr):
        return [node.target], node.value
    if isinstance(node, ast.withitem) and node.optional_vars is not None:
        return [node.optional_vars], node.context_expr
    return [], None


def _origin(value: ast.expr, file: _File) -> str:
    """Give the library whose call made a value; empty for any other."""
    while isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return ""
    name = full_name(value, file.names)
    return _asked(name, value, file)


def _asked(name: str, call: ast.Call, file: _File) -> str:
    """Give the library a call asks for a model; empty where it does not."""
    written = dotted(call.func)
    parts = written.split(".")
    for end in range(1, len(parts)):
        for first, last, library in sorted(file.clients.get(".".join(parts[:end]), ())):
            if first <= call.lineno <= last:
                return library
    library = _library(name, file.own)
    if not library or name == library or NOT_ASKED.search(name):
        return ""
    if library in SELECTIVE and not any(name == each or name.startswith(each) for each in SELECTIVE[library]):
        return ""
    if library == "boto3":
        return library if any(BEDROCK.search(text) for text in _texts(call)) else ""
    if library in GUARDED and library != "agents":
        texts = [
            file.kept.get(id(call), ""),
            *_texts(call),
            *(part for each in call.args for part in _identifiers(each)),
        ]
        return library if any(WEIGHTS.search(text) or MODEL_WORD.search(text) for text in texts) else ""
    return library if library != "sklearn" else ""


def _texts(call: ast.Call) -> list[str]:
    values = [*call.args, *(each.value for each in call.keywords)]
    return [
        node.value for each in values for node in ast.walk(each)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]  # fmt: skip


def _identifiers(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def _call(node: ast.Call, file: _File) -> None:
    name = full_name(node.func, file.names)
    library = _asked(name, node, file)
    if not library:
        return
    warning = "opening it runs code of whoever made the file" if _UNPICKLES.match(name) else ""
    file.add(kind="call", name=library, supplier=PYTHON[library], line=node.lineno, origin=name, warning=warning)
    given = {each.arg: each.value for each in node.keywords if each.arg}
    if _LOADS.search(name) and node.args:
        given.setdefault("model", node.args[-1] if name.endswith("pipeline") else node.args[0])
    value = given.get("model") or given.get("repo_id") or given.get("model_name")
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.strip():
        revision = given.get("revision")
        fixed = isinstance(revision, ast.Constant) and bool(re.fullmatch(r"[0-9a-f]{40}", str(revision.value)))
        version = str(revision.value) if isinstance(revision, ast.Constant) else ""
        supplier = supplier_of_model(value.value)
        file.add(
            kind="model",
            name=value.value[:200],
            supplier=supplier if supplier is not None else PYTHON[library],
            line=value.lineno,
            version=version,
            pinned=fixed or is_dated(value.value),
            origin=name,
        )


def _words(nodes: list[ast.AST]) -> set[int]:
    """List the constants that only say something: documentation, and what is printed, logged, raised or compared."""
    found = set[int]()
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
        spoken = isinstance(node, ast.Call) and _SPOKEN.search(dotted(node.func))
        if spoken or isinstance(node, ast.Raise | ast.Assert | ast.Compare):
            found |= {id(each) for each in ast.walk(node)}
    return found


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give values with the name under which they are kept or given."""
    if isinstance(node, ast.Call):
        yield from ((each.arg, each.value) for each in node.keywords if each.arg)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets, value_ = _assigned(node)
        for target in targets:
            if value_ is not None:
                yield dotted(target).rpartition(".")[2], value_
    elif isinstance(node, _SCOPES):
        arguments = node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        for argument, default in zip(reversed(plain), reversed(arguments.defaults)):
            yield argument.arg, default
        for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults):
            if given is not None:
                yield argument.arg, given


def _named(key: str, value: ast.expr, file: _File) -> None:
    """Take a model's name that is kept under a name that says so."""
    if not _MODEL_KEY.fullmatch(key):
        return
    for each in ast.walk(value) if isinstance(value, ast.Call | ast.BoolOp | ast.IfExp) else [value]:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            by = supplier_of_model(each.value)
            if by is not None:
                pinned = is_dated(each.value)
                file.add(kind="model", name=each.value, supplier=by, line=each.lineno, pinned=pinned, origin=key)


def _once(found: list[Component]) -> list[Component]:
    """Keep one of several that say the same of the same line; the one with more to say of its version."""
    kept: dict[tuple[str, str, int], Component] = {}
    for each in found:
        key = (each.kind, each.name, each.line)
        if key not in kept or (each.version and not kept[key].version):
            kept[key] = each
    return sorted(kept.values(), key=lambda each: (each.line, each.kind, each.name))


def mentions_of_files(tree: ast.Module, weights: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Give the weights that strings of a file name (by their file name), with the line."""
    nodes = list(ast.walk(tree))
    spoken = _words(nodes)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            name = node.value.replace("\\", "/").rpartition("/")[2]
            if name in weights:
                yield weights[name], node.lineno
