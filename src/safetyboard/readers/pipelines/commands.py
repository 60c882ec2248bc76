# SPDX-License-Identifier: Apache-2.0
"""Which shell lines judge: run tests, types or style; and which fetch what judges from elsewhere."""

import re
from collections.abc import Iterator, Mapping

JUDGES = re.compile(
    r"(?<![\w/.-])(pytest|py\.test|tox|nox|unittest|doctest|nosetests|coverage\s+(run|report)|"
    r"(npm|yarn|pnpm)\s+(run\s+)?(test|lint)\S*|jest|vitest|mocha|go\s+(test|vet)|cargo\s+(test|clippy)|"
    r"(mvn|gradle|\./gradlew|\./mvnw)\s.*(test|verify|check)|ctest|rspec|phpunit|dotnet\s+test|swift\s+test|"
    r"mypy|pyright|ruff|flake8|pylint|eslint|pre-commit|golangci-lint|lint-imports|bandit|semgrep)(?![\w-])"
)
PROTECTED = re.compile(
    r"git\s+(checkout|restore|show)\b.*\b(origin/|upstream/|base|\$\{?\{?\s*github\.(base_ref|event\.pull_request\.base))|"
    r"git\s+(clone|submodule\s+update)\b|git\s+restore\b.*--source"
)
MAKE = re.compile(r"(?<![\w/.-])make\s+((?:-\S+\s+|\w+=\S*\s+)*)([\w.-]+)")
EXCUSED = re.compile(r"\|\|\s*(true|:|exit\s+0|echo\b)|;\s*(true|exit\s+0)\s*$|^\s*set\s+\+e\b|^-\s*")
DEEPEST = 5


def lines_of(text: str, line: int) -> Iterator[tuple[int, str]]:
    """Give the lines of a block with their numbers, continued ones joined."""
    waiting, start = "", line
    for number, part in enumerate(text.split("\n"), line):
        start = start if waiting else number
        waiting += part.strip()
        if waiting.endswith("\\"):
            waiting = waiting[:-1] + " "
            continue
        if waiting and not waiting.startswith("#"):
            yield start, waiting
        waiting = ""


def targets_of(makefile: str) -> Mapping[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]]:
    """Read the rules of a Makefile: target -> what it needs first, and its lines; variables are left as they are."""
    found: dict[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]] = {}
    current: list[str] = []
    for number, line in lines_at(makefile):
        rule = re.match(r"([A-Za-z0-9_./ -]+?)\s*::?(?!=)\s*([^#=]*)(#.*)?$", line)
        if line.startswith("\t") and current:
            for name in current:
                needs, lines = found[name]
                found[name] = (needs, (*lines, (number, line.strip().lstrip("@"))))
        elif rule and not line.startswith((" ", "\t", ".")):
            current = rule[1].split()
            for name in current:
                needs, lines = found.get(name, ((), ()))
                found[name] = ((*needs, *rule[2].split()), lines)
        elif line.strip() and not line.startswith("#"):
            current = []
    return found


def lines_at(text: str) -> Iterator[tuple[int, str]]:
    """Give numbered lines as they stand, continued ones joined."""
    waiting, start = "", 1
    for number, part in enumerate(text.split("\n"), 1):
        start = start if waiting else number
        waiting += part
        if waiting.endswith("\\"):
            waiting = waiting[:-1]
            continue
        yield start, waiting
        waiting = ""


def recipe(
    target: str, rules: Mapping[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]], depth: int = 0
) -> tuple[tuple[int, str], ...]:
    """Give the lines that a target runs, those it needs first, and those of makes inside them."""
    needs, lines = rules.get(target, ((), ()))
    if depth > DEEPEST:
        return ()
    inner = [each for name in needs for each in recipe(name, rules, depth + 1)]
    for number, line in lines:
        inner.append((number, line))
        called = re.search(r"\$[({]MAKE[)}]\s+(?:-\S+\s+)*([\w.-]+)", line)
        inner += recipe(called[1], rules, depth + 1) if called else ()
    return tuple(dict.fromkeys(inner))
