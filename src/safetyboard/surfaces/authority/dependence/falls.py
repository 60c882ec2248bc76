# SPDX-License-Identifier: Apache-2.0
"""What falls when one component is subverted: who uses what it gives, from where it is reached, and what follows."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from safetyboard.readers.components.component import Component, Inventory
from safetyboard.readers.components.python_names import full_name
from safetyboard.readers.components.python_source import mentions_of_files
from safetyboard.surfaces.authority.dependence.code_graph import CodeGraph, graph_of
from safetyboard.surfaces.authority.dependence.consequences import Consequence
from safetyboard.surfaces.authority.dependence.entry_points import EntryPoint, entry_points_of

VERSION = "dependence/1"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Hold one step of a way from a component to an effect: a function, and where it stands."""

    node: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Fall:
    """Say what falls with one component.

    Args:    component: its name. places: where it stands. functions, modules: that use what it gives, directly or not.
             entry_points: from which these are reached. effects: of what these do, gravest first. path: the shortest
             way to the gravest effect. unknown: calls on the way that only running would tell.
    """

    component: str
    suppliers: tuple[str, ...]
    places: tuple[Component, ...]
    functions: tuple[str, ...]
    modules: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]
    effects: tuple[Consequence, ...]
    path: tuple[Step, ...]
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Say which ways in one supplier's weakness hits, by all of its components."""

    supplier: str
    components: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]


def falls(files: Mapping[str, bytes], inventory: Inventory) -> tuple[Fall, ...]:
    """Work out what falls with each component, worst first.

    Control is followed, not data: a function that uses what a component gives counts as fallen whole, with all it
    calls. Calls put together while the program runs are not followed; `unknown` counts them. Python only: components
    in other languages and in settings have a place and no reach, but a CI job that asks a model is its own way in.
    """
    graph = graph_of(files)
    entries, users = entry_points_of(files, graph), graph.users()
    weights = {each.file.rpartition("/")[2]: each.name for each in inventory.of_kind("weights")}
    mentioned = _mentioned(graph, weights)
    by_name: dict[str, list[Component]] = defaultdict(list)
    for each in inventory.components:
        by_name[each.name].append(each)
    found = []
    for name, places in by_name.items():
        seeds = _seeds(graph, places) | mentioned.get(name, set())
        found.append(_fall(graph, users, entries, (name, places), seeds))
    return tuple(
        sorted(found, key=lambda each: (-_gravest(each), -len(each.entry_points), -len(each.functions), each.component))
    )


def _gravest(fall: Fall) -> int:
    return fall.effects[0].severity if fall.effects else 0


def _mentioned(graph: CodeGraph, weights: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for module, tree in graph.trees.items() if weights else ():
        for name, line in mentions_of_files(tree, weights):
            found[name].add(graph.function_at(graph.modules[module], line))
    return found


def _seeds(graph: CodeGraph, places: Sequence[Component]) -> set[str]:
    """Give the functions in which a component is called, named, or its library used."""
    found, imports = set[str](), defaultdict[str, set[str]](set)
    for each in places:
        if each.kind == "library":
            imports[each.file].add(each.name)
        elif each.file.endswith(".py") and each.line:
            found.add(graph.function_at(each.file, each.line))
    files = {file: module for module, file in graph.modules.items()}
    for file, libraries in imports.items():
        module = files.get(file)
        for node in ast.walk(graph.trees[module]) if module else ():
            if isinstance(node, ast.Name | ast.Attribute):
                name = full_name(node, graph.names[module]) if module else ""
                if any(name == each or name.startswith(each + ".") for each in libraries):
                    found.add(graph.function_at(file, node.lineno))
    return found - {""}


def _fall(
    graph: CodeGraph,
    users: Mapping[str, set[str]],
    entries: Sequence[EntryPoint],
    named: tuple[str, list[Component]],
    seeds: set[str],
) -> Fall:
    up = _reached(seeds, users)
    down = _reached(up, graph.uses)
    effects = sorted(
        (each for node in down for each in graph.consequences.get(node, ())),
        key=lambda each: (-each.severity, _length(down, each.function), each.file, each.line),
    )
    files = sorted({graph.functions[node].file for node in up if node in graph.functions})
    ways = [each for each in entries if each.node in up]
    ways += [
        EntryPoint(kind="CI job", name=each.quotation, node="", file=each.file, line=each.line)
        for each in named[1]
        if each.kind in ("action", "program") and "/workflows/" in f"/{each.file}"
    ]
    return Fall(
        component=named[0],
        suppliers=tuple(sorted({each.supplier for each in named[1] if each.supplier})),
        places=tuple(named[1]),
        functions=tuple(sorted(up)),
        modules=tuple(files),
        entry_points=tuple(ways),
        effects=tuple(effects),
        path=_way(graph, up, down, effects[0]) if effects else (),
        unknown=sum(graph.unknown.get(node, 0) for node in down),
    )


def _reached(seeds: Iterable[str], edges: Mapping[str, set[str]]) -> dict[str, str]:
    """Walk outwards, nearest first: node -> the node it was reached from (itself for a seed)."""
    came = {each: each for each in sorted(seeds)}
    waiting = list(came)
    for node in waiting:
        for following in sorted(edges.get(node, ())):
            if following not in came:
                came[following] = node
                waiting.append(following)
    return came


def _length(came: Mapping[str, str], node: str) -> int:
    steps = 0
    while came[node] != node:
        node, steps = came[node], steps + 1
    return steps


def _way(graph: CodeGraph, up: Mapping[str, str], down: Mapping[str, str], end: Consequence) -> tuple[Step, ...]:
    """Write the way: from the component up to a function that uses it, and down to the effect."""
    back = [end.function]
    while down[back[-1]] != back[-1]:
        back.append(down[back[-1]])
    climb = [back[-1]]
    while up[climb[-1]] != climb[-1]:
        climb.append(up[climb[-1]])
    nodes = [*reversed(climb), *reversed(back[:-1])]
    steps = [
        Step(node=node, file=graph.functions[node].file, line=max(1, graph.functions[node].first)) for node in nodes
    ]
    return (*steps, Step(node=end.kind, file=end.file, line=end.line))


def shared_suppliers(found: Sequence[Fall]) -> tuple[Shared, ...]:
    """Say for each supplier which ways in fall with it; those that take the most come first."""
    components: dict[str, list[str]] = defaultdict(list)
    ways: dict[str, dict[tuple[str, str, str], EntryPoint]] = defaultdict(dict)
    for fall in found:
        for supplier in fall.suppliers:
            components[supplier].append(fall.component)
            ways[supplier] |= {(each.kind, each.node, each.name): each for each in fall.entry_points}
    made = [
        Shared(supplier=supplier, components=tuple(sorted(names)), entry_points=tuple(ways[supplier].values()))
        for supplier, names in components.items()
    ]
    return tuple(sorted(made, key=lambda each: (-len(each.entry_points), each.supplier)))


def fewest_suppliers(shared: Sequence[Shared]) -> tuple[str, ...]:
    """Name suppliers that together hit every way in which any of them hits, the largest part first (greedy).

    Source:  Chvátal 1979, greedy set cover; it may name more suppliers than the fewest by a factor of ln(ways) + 1.
    """
    left = {(each.kind, each.node, each.name) for one in shared for each in one.entry_points}
    chosen = list[str]()
    while left:
        hits = {one.supplier: {(each.kind, each.node, each.name) for each in one.entry_points} & left for one in shared}
        best = max(hits, key=lambda supplier: (len(hits[supplier]), supplier))
        chosen.append(best)
        left -= hits[best]
    return tuple(chosen)
