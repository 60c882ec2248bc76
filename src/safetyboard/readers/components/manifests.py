# SPDX-License-Identifier: Apache-2.0
"""Dependencies on libraries of models, as manifests and lock files state them, with versions and digests."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from safetyboard.readers.components.component import Component, shown
from safetyboard.readers.components.suppliers import DISTRIBUTIONS, GO, PACKAGES, RUST
from safetyboard.terms.errors import SyntaxFault

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*((?:[=<>!~]=?=?|@)[^;#]*)?")
_EXACT = re.compile(r"^\s*===?\s*[\w.!+-]+\s*(?:--hash.*|\\)?\s*$")
_SETUP = re.compile(r"[\"']([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*((?:[=<>!~]=)[^\"';]*)?(?:;[^\"']*)?[\"']")
_RUST_NAMES = {name.replace("_", "-"): by for name, by in RUST.items()}


def normal(name: str) -> str:
    """Write a distribution's name as indexes compare it.

    Source:  PyPA specifications, name normalization.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def manifest_reader(path: str) -> Callable[[str, bytes], Iterator[Component]] | None:
    """Choose how a manifest is read; None for a file that is none."""
    name = path.rpartition("/")[2]
    if re.fullmatch(r"(?:requirements|constraints)[\w.-]*\.(?:txt|in)", name) or re.search(
        r"(?:^|/)requirements/[\w.-]+\.txt$", path
    ):
        return _requirements
    known: dict[str, Callable[[str, bytes], Iterator[Component]]] = {
        "pyproject.toml": _pyproject, "poetry.lock": _lock, "uv.lock": _lock, "package.json": _package,
        "package-lock.json": _package_lock, "go.mod": _go, "Cargo.toml": _cargo, "setup.py": _setup, "setup.cfg": _cfg,
    }  # fmt: skip
    return known.get(name)


def _made(path: str, lines: list[str], name: str, supplier: str, line: int, **more: Any) -> Component:
    return Component(
        kind="dependency", name=name, supplier=supplier, file=path, line=line, quotation=shown(lines, line), **more
    )


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def _line_with(lines: list[str], pattern: str) -> int:
    """Find the first line that fits, or 0."""
    found = re.compile(pattern, re.I)
    return next((number for number, line in enumerate(lines, 1) if found.search(line)), 0)


def _requirements(path: str, content: bytes) -> Iterator[Component]:
    lines = _lines(content)
    for number, text in enumerate(lines, 1):
        match = _REQUIREMENT.match(text)
        supplier = DISTRIBUTIONS.get(normal(match[1])) if match else None
        if match and supplier is not None:
            digests = re.findall(r"--hash=(sha256:[0-9a-f]{64})", " ".join(_continued(lines, number)))
            version = (match[2] or "").split("--hash")[0].strip(" \\")
            yield _made(path, lines, normal(match[1]), supplier, number, version=version,
                        pinned=bool(_EXACT.match(version)), digest=digests[0] if digests else "")  # fmt: skip


def _continued(lines: list[str], number: int) -> Iterator[str]:
    for text in lines[number - 1 :]:
        yield text
        if not text.rstrip().endswith("\\"):
            return


def _toml(path: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{path}: does not parse as TOML.", hint="Correct it.") from error


def _table(found: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _pyproject(path: str, content: bytes) -> Iterator[Component]:
    whole, lines = _toml(path, content), _lines(content)
    project, poetry = _table(whole, "project"), _table(whole, "tool", "poetry")
    listed = [*_listed(project.get("dependencies"))]
    for group in (*_table(project, "optional-dependencies").values(), *_table(whole, "dependency-groups").values()):
        listed += _listed(group)
    tables = [_table(poetry, "dependencies")]
    tables += [_table(group, "dependencies") for group in _table(poetry, "group").values()]
    for table in tables:
        listed += [f"{name} {_caret(value)}" for name, value in table.items()]
    for text in dict.fromkeys(listed):
        match = _REQUIREMENT.match(text)
        supplier = DISTRIBUTIONS.get(normal(match[1])) if match else None
        if match and supplier is not None:
            line = _line_with(lines, rf"(^|[\"'\s]){re.escape(match[1])}([\"'\s=<>!~\[]|$)")
            version = (match[2] or text[match.end(1) :]).strip()
            yield _made(path, lines, normal(match[1]), supplier, line, version=version,
                        pinned=bool(_EXACT.match(version)))  # fmt: skip


def _listed(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _caret(value: Any) -> str:
    version = value.get("version", "") if isinstance(value, dict) else value
    return f"=={version}" if isinstance(version, str) and re.fullmatch(r"\d[\w.]*", version) else str(version)


def _lock(path: str, content: bytes) -> Iterator[Component]:
    lines = _lines(content)
    packages = _toml(path, content).get("package", [])
    for package in packages if isinstance(packages, list) else []:
        name = normal(str(package.get("name", ""))) if isinstance(package, dict) else ""
        if name in DISTRIBUTIONS:
            files = package.get("files") or package.get("wheels") or []
            digest = next((str(each["hash"]) for each in files if isinstance(each, dict) and each.get("hash")), "")
            line = _line_with(lines, rf"^name = \"{re.escape(str(package['name']))}\"")
            yield _made(path, lines, name, DISTRIBUTIONS[name], line, version=str(package.get("version", "")),
                        pinned=True, digest=digest)  # fmt: skip


def _json(path: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{path}: does not parse as JSON.", hint="Correct it.") from error
    return found if isinstance(found, dict) else {}


def _package(path: str, content: bytes) -> Iterator[Component]:
    whole, lines = _json(path, content), _lines(content)
    for table in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        for name, version in _table(whole, table).items():
            if name in PACKAGES:
                line = _line_with(lines, rf"\"{re.escape(name)}\"\s*:\s*\"{re.escape(str(version))}\"")
                pinned = bool(re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", str(version)))
                yield _made(path, lines, name, PACKAGES[name], line, version=str(version), pinned=pinned)


def _package_lock(path: str, content: bytes) -> Iterator[Component]:
    whole, lines = _json(path, content), _lines(content)
    for place, package in _table(whole, "packages").items():
        name = place.rpartition("node_modules/")[2]
        if name in PACKAGES and isinstance(package, Mapping):
            line = _line_with(lines, rf"\"{re.escape(place)}\"\s*:")
            yield _made(path, lines, name, PACKAGES[name], line, version=str(package.get("version", "")), pinned=True,
                        digest=str(package.get("integrity", "")))  # fmt: skip


def _go(path: str, content: bytes) -> Iterator[Component]:
    lines = _lines(content)
    for number, text in enumerate(lines, 1):
        match = re.match(r"\s*(?:require\s+)?(\S+)\s+(v\S+)", text.partition("//")[0])
        name = next((each for each in GO if match and re.match(rf"{re.escape(each)}(/|$)", match[1])), None)
        if match and name is not None:
            yield _made(path, lines, name, GO[name], number, version=match[2], pinned=True)


def _cargo(path: str, content: bytes) -> Iterator[Component]:
    whole, lines = _toml(path, content), _lines(content)
    for name, value in _table(whole, "dependencies").items():
        if name in _RUST_NAMES:
            version = str(value.get("version", "") if isinstance(value, dict) else value)
            line = _line_with(lines, rf"^\s*{re.escape(name)}\s*=")
            yield _made(path, lines, name, _RUST_NAMES[name], line, version=version, pinned=version.startswith("="))


def _setup(path: str, content: bytes) -> Iterator[Component]:
    text, lines = content.decode("utf-8", "replace"), _lines(content)
    for part in re.finditer(r"(?:install_requires|extras_require|setup_requires|tests_require)\s*=", text):
        for match in _SETUP.finditer(text, part.end(), _closed(text, part.end())):
            supplier = DISTRIBUTIONS.get(normal(match[1]))
            if supplier is not None:
                line, version = text.count("\n", 0, match.start()) + 1, (match[2] or "").strip()
                yield _made(path, lines, normal(match[1]), supplier, line, version=version,
                            pinned=bool(_EXACT.match(version)))  # fmt: skip


def _closed(text: str, start: int) -> int:
    """Find where the first bracket after a place is closed again."""
    depth = 0
    for at in range(start, min(len(text), start + 20_000)):
        depth += (text[at] in "[{(") - (text[at] in "]})")
        if depth <= 0 and text[at] in "]})":
            return at
    return start


def _cfg(path: str, content: bytes) -> Iterator[Component]:
    lines = _lines(content)
    for number, text in enumerate(lines, 1):
        match = re.match(r"^\s+([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*((?:[=<>!~]=)[^;#]*)?\s*(?:;.*)?$", text)
        supplier = DISTRIBUTIONS.get(normal(match[1])) if match else None
        if match and supplier is not None:
            version = (match[2] or "").strip()
            yield _made(path, lines, normal(match[1]), supplier, number, version=version,
                        pinned=bool(_EXACT.match(version)))  # fmt: skip
