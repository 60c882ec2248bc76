# SPDX-License-Identifier: Apache-2.0
"""Which function of a code base uses which, read from the code; what cannot be told is drawn rather than left out."""

import ast
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Thread

from safetyboard.readers.components.python_names import dotted, imports_of, module_names, parsed
from safetyboard.surfaces.authority.dependence.consequences import Consequence, consequence_of, is_permission
from safetyboard.terms.errors import SafetyboardError

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DYNAMIC = ("getattr", "__import__", "importlib.import_module", "eval", "exec", "globals", "compile")
MOST_ALIKE = 40
"""A method called on something unknown may be any of its name; of names borne by more methods than this, none is."""
_BUILT_IN = frozenset(
    name
    for kind in (str, bytes, bytearray, list, dict, set, int, float, re.Pattern, re.Match, Path, io.TextIOWrapper,
                 io.BufferedReader, datetime, Thread)
    for name in dir(kind)
) | {"submit", "result", "log", "debug", "info", "warning", "error", "parse", "next"}  # fmt: skip
"""Methods that everyday objects have: called on something unknown, they are counted and not followed."""


@dataclass(kw_only=True)
class Function:
    """Hold one function or method, whose node is ``module:qualified name``; or a module's body, ``module:``.

    A variable of a module and the body of a class have nodes too, ``module:=name``: what uses them uses what made them.
    """

    node: str
    file: str
    first: int
    last: int
    decorators: tuple[tuple[str, int], ...] = ()


@dataclass(kw_only=True)
class CodeGraph:
    """Hold who uses whom.

    Args:    uses: function -> what it calls or names. consequences: function -> what it does to the world.
             unknown: function -> calls that only running would tell. faults: file -> why it was not read.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    consequences: dict[str, list[Consequence]] = field(default_factory=lambda: defaultdict(list))
    unknown: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    modules: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    trees: dict[str, ast.Module] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    methods: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, set[str]] = field(default_factory=dict)
    _by_file: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))

    def add(self, function: Function) -> None:
        """Enter a function."""
        self.functions[function.node] = function
        self._by_file[function.file].append(function)

    def function_at(self, file: str, line: int) -> str:
        """Give the innermost function around a line; the module's body where there is none."""
        inside = [each for each in self._by_file.get(file, ()) if each.first <= line <= each.last]
        return max(inside, key=lambda each: (each.first, -each.last)).node if inside else ""

    def users(self) -> dict[str, set[str]]:
        """Turn `uses` around."""
        found: dict[str, set[str]] = defaultdict(set)
        for node, used in self.uses.items():
            for each in used:
                found[each].add(node)
        return found


def graph_of(files: Mapping[str, bytes]) -> CodeGraph:
    """Draw the graph of all Python files.

    More edges than runs take: a name is a use even where it is not called, a call of an unknown thing's method may be
    any method of that name. Fewer where names are put together while the program runs; these are counted.
    """
    graph = CodeGraph()
    for path, module in sorted(module_names(list(files)).items()):
        try:
            tree = parsed(files[path], path)
        except SafetyboardError as error:
            graph.faults[path] = error.message
            continue
        key = module if module not in graph.modules else f"{module}@{path}"
        graph.modules[key] = path
        graph.trees[key] = tree
        graph.names[key] = imports_of(tree, module, is_package=path.endswith("__init__.py"))
        graph.lines[path] = files[path].decode("utf-8", "replace").splitlines()
        _functions(graph, key, path, tree)
    graph.imports = _closure(graph)
    for module, tree in graph.trees.items():
        _Uses(graph, module).walk(tree, f"{module}:", "", {})
    return graph


def _closure(graph: CodeGraph) -> dict[str, set[str]]:
    """Give for each module what it imports, directly or not."""
    own = {module: {split(graph, name)[0] for name in names.values()} - {""} for module, names in graph.names.items()}
    found = {}
    for module in own:
        met, waiting = {module}, [module]
        while waiting:
            for each in own[waiting.pop()] - met:
                met.add(each)
                waiting.append(each)
        found[module] = met
    return found


def _functions(graph: CodeGraph, module: str, path: str, tree: ast.Module) -> None:
    graph.add(Function(node=f"{module}:", file=path, first=0, last=len(graph.lines[path]) + 1))
    for statement in tree.body:
        for name in _kept(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ():
            _variable(graph, f"{module}:={name}", path, statement)
    waiting: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]
    while waiting:
        node, prefix, in_class = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _FUNCTIONS):
                name, node_name = prefix + child.name, f"{module}:{prefix}{child.name}"
                first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
                marks = tuple((dotted(each), each.lineno) for each in child.decorator_list)
                graph.add(
                    Function(node=node_name, file=path, first=first, last=child.end_lineno or first, decorators=marks)
                )
                if in_class:
                    graph.methods[child.name].append(node_name)
                if is_permission(child.name):
                    graph.consequences[node_name].append(_consequence(graph, path, node_name, child, "permission", 3))
                waiting.append((child, f"{name}.", False))
            elif isinstance(child, ast.ClassDef):
                _variable(graph, f"{module}:={prefix}{child.name}", path, child)
                waiting.append((child, f"{prefix}{child.name}.", True))
            else:
                waiting.append((child, prefix, in_class))


def _variable(graph: CodeGraph, node: str, path: str, made: ast.stmt) -> None:
    if node not in graph.functions:
        graph.add(Function(node=node, file=path, first=made.lineno, last=made.end_lineno or made.lineno))


def _kept(statement: ast.AST) -> list[str]:
    """Name what a statement of a module's body gives a value to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name)]


def _consequence(
    graph: CodeGraph, path: str, function: str, node: ast.expr | ast.stmt, kind: str, severity: int
) -> Consequence:
    text = graph.lines[path][node.lineno - 1].strip()[:240] if node.lineno <= len(graph.lines[path]) else ""
    return Consequence(kind=kind, severity=severity, function=function, file=path, line=node.lineno, quotation=text)


@dataclass
class _Uses:
    """Walk one module and draw what each of its functions uses."""

    graph: CodeGraph
    module: str

    def walk(self, node: ast.AST, function: str, owner: str, types: dict[str, str]) -> None:
        """Draw the uses below a node; `owner` is the class around it, `types` the classes of local names."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _FUNCTIONS):
                inner = f"{self.module}:{self._prefix(function, owner)}{child.name}"
                self._definition(child, function, inner, owner)
                self.walk(child, inner, owner, self._annotated(child))
            elif isinstance(child, ast.ClassDef):
                for base in (*child.bases, *child.decorator_list):
                    self._named(base, function, owner, types)
                inner = f"{self._prefix(function, owner)}{child.name}"
                self.walk(child, f"{self.module}:={inner}", inner, {})
            elif isinstance(node, ast.Module) and isinstance(child, ast.Assign | ast.AnnAssign) and _kept(child):
                made = f"{self.module}:={_kept(child)[0]}"
                for other in _kept(child)[1:]:
                    self.graph.uses[f"{self.module}:={other}"].add(made)
                self._draw(child, made, owner, types)
                self.walk(child, made, owner, types)
            else:
                self._draw(child, function, owner, types)
                self.walk(child, function, owner, types)

    def _prefix(self, function: str, owner: str) -> str:
        inside = function.partition(":")[2].lstrip("=")
        longer = owner if len(owner) > len(inside) else inside
        return f"{longer}." if longer else ""

    def _definition(self, child: ast.AST, function: str, inner: str, owner: str) -> None:
        # Whoever makes a function inside a function may hand it out; whoever calls a function calls its decorators.
        if "=" in function:
            self.graph.uses[inner].add(function)
        elif function.partition(":")[2]:
            self.graph.uses[function].add(inner)
        for each in getattr(child, "decorator_list", ()):
            for used in self._targets(each, owner, {}):
                self.graph.uses[inner].add(used)

    def _annotated(self, child: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
        arguments = [*child.args.posonlyargs, *child.args.args, *child.args.kwonlyargs]
        return {each.arg: found for each in arguments if each.annotation and (found := self._class(each.annotation))}

    def _draw(self, node: ast.AST, function: str, owner: str, types: dict[str, str]) -> None:
        graph, names = self.graph, self.graph.names[self.module]
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            made = self._class(node.value.func)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if made and dotted(target):
                    types[dotted(target)] = made
        if isinstance(node, ast.Call):
            told = consequence_of(node, names)
            if told is not None:
                path = graph.functions[f"{self.module}:"].file
                graph.consequences[function].append(_consequence(graph, path, function, node, *told))
            if isinstance(node.func, ast.Attribute):
                graph.uses[function] |= set(self._targets(node.func, owner, types, called=True)) - {function}
                graph.unknown[function] += node.func.attr in _BUILT_IN and node.func.attr in graph.methods
            if dotted(node.func) in _DYNAMIC or isinstance(node.func, ast.Call | ast.Subscript):
                graph.unknown[function] += 1
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            graph.unknown[function] += 1
        elif isinstance(node, ast.Name | ast.Attribute):
            self._named(node, function, owner, types)

    def _named(self, node: ast.AST, function: str, owner: str, types: dict[str, str]) -> None:
        self.graph.uses[function] |= set(self._targets(node, owner, types)) - {function}

    def _targets(self, node: ast.AST, owner: str, types: dict[str, str], *, called: bool = False) -> Iterator[str]:
        """Give the functions a name can stand for."""
        written = dotted(node)
        if not written:
            if isinstance(node, ast.Attribute) and called:
                yield from self._alike(node.attr)
            return
        first, _, rest = written.partition(".")
        if first in ("self", "cls") and owner and rest:
            yield from self._method(f"{self.module}:{owner}", rest, called=called)
            return
        holder, _, method = written.rpartition(".")
        if holder in types and method:
            yield from self._method(types[holder], method, called=called)
            return
        found = list(self._known(written))
        if found or not rest or not isinstance(node, ast.Attribute) or not called:
            yield from found
        elif first not in self.graph.names[self.module] or self._inside(self.graph.names[self.module][first]):
            yield from self._alike(node.attr)

    def _inside(self, name: str) -> bool:
        return name.split(".")[0] in {each.split(".")[0] for each in self.graph.trees}

    def _alike(self, method: str) -> list[str]:
        if method in _BUILT_IN:
            return []
        found = self.graph.methods.get(method, [])
        # An object comes from a module that is imported here, or from one that hands it over and so imports this one.
        imports = self.graph.imports
        near = [
            each for each in found
            if (module := each.partition(":")[0]) in imports[self.module] or self.module in imports[module]
        ]  # fmt: skip
        return near if len(near) <= MOST_ALIKE else []

    def _known(self, written: str) -> Iterator[str]:
        """Resolve a dotted name: a function here or imported, a class (then its constructor), a module's variable."""
        first, _, rest = written.partition(".")
        names = self.graph.names[self.module]
        full = f"{names[first]}.{rest}".strip(".") if first in names else f"{self.module}.{written}"
        yield from resolved(self.graph, full)

    def _class(self, node: ast.AST) -> str:
        """Give the class that a name stands for, as ``module:Class``; empty where it is none of this code base."""
        written = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else dotted(node)
        first, _, rest = written.partition(".")
        names = self.graph.names[self.module]
        full = f"{names[first]}.{rest}".strip(".") if first in names else f"{self.module}.{written}"
        module, name = split(self.graph, full)
        inside = f"{module}:{name}."
        return inside[:-1] if name and any(each.startswith(inside) for each in self.graph.functions) else ""

    def _method(self, owner: str, rest: str, *, called: bool) -> Iterator[str]:
        """Give a method of a class; where the class has none of that name, any method of that name may be inherited."""
        own = f"{owner}.{rest.split('.')[0]}"
        if own in self.graph.functions:
            yield own
        elif called:
            yield from self._alike(rest.rpartition(".")[2])


def split(graph: CodeGraph, full: str) -> tuple[str, str]:
    """Cut a dotted name after the longest module of the code base that it begins with, also through packages."""
    for _ in range(5):
        parts = full.split(".")
        ends = [end for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in graph.trees]
        if not ends:
            return "", ""
        module, rest = ".".join(parts[: ends[0]]), parts[ends[0] :]
        if not rest or f"{module}:{rest[0]}" in graph.functions or rest[0] not in graph.names[module]:
            return module, ".".join(rest)
        following = ".".join([graph.names[module][rest[0]], *rest[1:]])
        if following == full:
            break
        full = following
    return "", ""


def resolved(graph: CodeGraph, full: str) -> Iterator[str]:
    """Give the nodes a dotted name leads to: a function, a class with its constructor, or a module's variable."""
    module, name = split(graph, full)
    if not module:
        return
    own, made = f"{module}:{name}", f"{module}:={name}"
    if own in graph.functions:
        yield own
    if f"{own}.__init__" in graph.functions:
        yield f"{own}.__init__"
    first = f"{module}:={name.split('.')[0]}"
    if name and made in graph.functions:
        yield made
    elif name and own not in graph.functions and first in graph.functions:
        yield first
