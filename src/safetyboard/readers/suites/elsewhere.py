# SPDX-License-Identifier: Apache-2.0
"""Suites of other languages: named by their marker files, their tests listed by convention, and not run."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LARGEST = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Name a suite that is not run here, and what would be needed."""

    framework: Literal["jest", "go", "cargo"]
    test_files: tuple[str, ...]
    configuration: tuple[str, ...]
    command: tuple[str, ...]
    why: str
    obstruction: str


def other_suites(files: Mapping[str, bytes]) -> tuple[Elsewhere, ...]:
    """Find the suites of jest, Go and Cargo.

    Source:  jestjs.io, testMatch; pkg.go.dev/cmd/go, "Test packages"; doc.rust-lang.org/cargo, "Package Layout".
    """
    found = []
    if any(_of_jest(path, content) for path, content in files.items()):
        tests = _matching(files, r"(.*/)?__tests__/.*\.[cm]?[jt]sx?|.*\.(test|spec)\.[cm]?[jt]sx?")
        settings = _matching(files, r"(.*/)?jest\.config\.(js|ts|mjs|cjs|json)|.*\.snap")
        why = "jest: package.json names it; files in __tests__ or named .test or .spec"
        found.append(_made("jest", tests, settings, ("npx", "jest"), why, "node and jest"))
    if _matching(files, r"(.*/)?go\.mod"):
        tests = _matching(files, r".*_test\.go")
        why = "go: go.mod is there; files named _test.go, and what lies in testdata"
        found.append(_made("go", tests, _matching(files, r"(.*/)?testdata/.*"), ("go", "test", "./..."), why, "go"))
    if _matching(files, r"(.*/)?Cargo\.toml"):
        inner = {
            path for path, content in files.items()
            if path.endswith(".rs") and re.search(rb"#\[\s*(cfg\(\s*test|test|tokio::test)", content[:LARGEST])
        }  # fmt: skip
        tests = tuple(sorted({*_matching(files, r"(.*/)?tests/.*\.rs"), *inner}))
        why = "cargo: Cargo.toml is there; files in tests, and sources that hold #[test], which judge in part only"
        found.append(_made("cargo", tests, (), ("cargo", "test"), why, "cargo"))
    return tuple(each for each in found if each.test_files)


def _made(
    framework: Literal["jest", "go", "cargo"],
    tests: tuple[str, ...],
    configuration: tuple[str, ...],
    command: tuple[str, ...],
    why: str,
    needs: str,
) -> Elsewhere:
    return Elsewhere(
        framework=framework,
        test_files=tests,
        configuration=tuple(path for path in configuration if path not in tests),
        command=command,
        why=why,
        obstruction=f"NOT_RUN: needs {needs}; only suites of Python are run",
    )


def _of_jest(path: str, content: bytes) -> bool:
    if path.rpartition("/")[2] != "package.json" or "node_modules/" in path or len(content) > LARGEST:
        return False
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    parts = (
        [found.get(key) for key in ("devDependencies", "dependencies", "scripts", "jest")]
        if isinstance(found, dict)
        else []
    )
    return any(
        part is not None and (place == 3 or (isinstance(part, dict) and "jest" in f"{part.keys()} {part.values()}"))
        for place, part in enumerate(parts)
    )


def _matching(files: Mapping[str, bytes], pattern: str) -> tuple[str, ...]:
    return tuple(sorted(path for path in files if re.fullmatch(pattern, path) and "node_modules/" not in path))
