# SPDX-License-Identifier: Apache-2.0
"""Find in a scene a program that is wrong, and one that is right as far as its suite can tell."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from safetyboard.laboratory.suites.running import Suite, run_suite
from safetyboard.surfaces.authority.attack.routes.enforcement import Enforcement
from safetyboard.surfaces.authority.attack.routes.performing import shown
from safetyboard.surfaces.authority.attack.routes.plan import Target
from safetyboard.surfaces.authority.attack.routes.planting import planted
from safetyboard.surfaces.authority.scene import Scene
from safetyboard.terms.errors import EmptyDomain

COMMANDS = {
    "pytest": ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
    "unittest": ("python", "-m", "unittest"),
}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Hold a wrong program under attack, and a right one that an honest agent would put in its place.

    Args:    honest: path -> content of the right program's files. suite: the tests that tell the two apart; those that
             neither passes are left out, and `words` says how many.
    """

    target: Target
    honest: Mapping[str, bytes]
    words: str
    runs: int


def pair_of(scene: Scene, *, seed: int, way: str | None = None) -> Pair:
    """Take the wrong program that the agent left, or the one it found, or plant a fault.

    Raises:  EmptyDomain: the suite tells no program here from another; EnvironmentFault: no sandbox can be made here.
    """
    target = Target(
        tree=scene.base, judged=scene.judged, framework=scene.framework, command=COMMANDS[scene.framework],
        tools=scene.tools, modes={path: mode for path, mode in scene.modes.items() if path in scene.base},
    )  # fmt: skip
    left = scene.restored
    trees = {"as the agent left it": left, "as the agent found it": dict(scene.base)}
    green = {name: _green(replace(target, tree=tree), way) for name, tree in trees.items()}
    wrong = [name for name, is_green in green.items() if not is_green]
    right = [name for name, is_green in green.items() if is_green]
    if wrong and right:
        words = f"wrong: {wrong[0]}; right: {right[0]}"
        return Pair(
            target=replace(target, tree=trees[wrong[0]]), honest=_program(trees[right[0]], target), words=words, runs=2
        )
    if right:
        return _planted(target, trees[right[-1]], seed=seed, spent=2, way=way)
    return _reduced(target, left, scene, seed=seed, way=way)


def _program(tree: Mapping[str, bytes], target: Target) -> dict[str, bytes]:
    return {path: text for path, text in tree.items() if path.endswith(".py") and path not in target.judged}


def _green(target: Target, way: str | None) -> bool:
    return shown([], target, Enforcement(tools=target.tools, command=target.command), way).green


def _planted(target: Target, tree: Mapping[str, bytes], *, seed: int, spent: int, way: str | None) -> Pair:
    """Plant faults in a right program until the suite sees one."""
    whole = replace(target, tree=tree)
    for number, one in enumerate(planted(tree, whole.product, seed=seed), start=1):
        wrong = replace(target, tree=one.tree)
        if not _green(wrong, way):
            words = f"wrong: planted in {one.path}, {one.change} (draw {number})"
            return Pair(target=wrong, honest=_program(tree, target), words=words, runs=spent + number)
    raise EmptyDomain(
        "The suite sees none of the faults planted in the program.", hint="Attack a suite that tells right from wrong."
    )


def _reduced(target: Target, left: Mapping[str, bytes], scene: Scene, *, seed: int, way: str | None) -> Pair:
    """Where no right program is known, judge by those tests alone that the agent's passes, and plant a fault in it."""
    suite = Suite(framework=scene.framework, paths=target.tests)
    outcomes = run_suite(left, suite, modes=target.modes, way=way)
    names = {name.replace("::", ".").split(".")[-1].split("[")[0] for name in outcomes.failed}
    tree = {path: _without(text, names) if path in target.tests else text for path, text in left.items()}
    if not outcomes.passed or not _green(replace(target, tree=tree), way):
        raise EmptyDomain(
            "No program is known that its own suite finds right, not even in part.", hint="Give a tree that passes."
        )
    found = _planted(target, tree, seed=seed, spent=4, way=way)
    total = len(outcomes.passed) + len(outcomes.failed) + len(outcomes.other)
    return replace(found, words=f"{found.words}; judged by the {len(outcomes.passed)} of {total} tests that it passed")


def _without(content: bytes, names: set[str]) -> bytes:
    """Take the tests of some names out of a file."""
    try:
        module = ast.parse(content)
    except (SyntaxError, ValueError):
        return content
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef):
            kept = [each for each in node.body if getattr(each, "name", None) not in names]
            node.body = kept or [ast.Pass()]
    return (ast.unparse(module) + "\n").encode("utf-8")
