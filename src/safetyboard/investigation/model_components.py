# SPDX-License-Identifier: Apache-2.0
"""Components: which parts of a folder of code are or call a model, and what falls if one is subverted."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetyboard.evidence.store import write_durably
from safetyboard.readers.components.component import VERSION, Inventory
from safetyboard.readers.components.inventory import components_of
from safetyboard.readers.stored import printable
from safetyboard.surfaces.authority.dependence.falls import Fall, Shared, falls, fewest_suppliers, shared_suppliers
from safetyboard.surfaces.authority.dependence.ml_bom import ml_bom
from safetyboard.terms.errors import UnreadableInput

SCHEMA = "safetyboard.components/1"
LARGEST = 1 << 30
MOST_FILES = 200_000
_LEFT = (".git", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True, kw_only=True)
class Folder(Mapping[str, bytes]):
    """Give the files under a folder by their relative path, each read when it is asked for."""

    paths: Mapping[str, Path]
    left: Mapping[str, str]

    def __getitem__(self, name: str) -> bytes:
        """Read one file."""
        try:
            return self.paths[name].read_bytes()
        except OSError as error:
            raise UnreadableInput(f"{name}: cannot be read ({error.strerror}).", hint="Check permissions.") from error

    def __iter__(self) -> Iterator[str]:
        """Name the files."""
        return iter(self.paths)

    def __len__(self) -> int:
        """Count the files."""
        return len(self.paths)


@dataclass(frozen=True, kw_only=True)
class Depended:
    """Hold the inventory, what falls with each component, and what was not looked into."""

    inventory: Inventory
    falls: tuple[Fall, ...]
    shared: tuple[Shared, ...]
    left: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "components": [asdict(each) for each in self.inventory.components],
            "falls": [{**asdict(each), "places": len(each.places)} for each in self.falls],
            "suppliers": [asdict(each) for each in self.shared],
            "fewest_suppliers": list(fewest_suppliers(self.shared)),
            "read": {"met": self.inventory.met, "read": self.inventory.read},
            "faults": self.inventory.faults,
            "left": dict(self.left),
        }

    @property
    def lines(self) -> Iterator[str]:
        """Say it for people, worst first."""
        for fall in self.falls:
            by = f" ({', '.join(fall.suppliers)})" if fall.suppliers else ""
            ways, kinds = len(fall.entry_points), sorted({each.kind for each in fall.effects})
            first = fall.places[0]
            yield (
                f"{fall.component}{by}: {len(fall.places)} places, first {first.file}:{first.line}; "
                f"{len(fall.functions)} functions, {ways} ways in, effects: {', '.join(kinds) or 'none seen'}"
            )
            if fall.path:
                yield "    " + " → ".join(f"{step.node} ({step.file}:{step.line})" for step in fall.path)
        for one in self.shared:
            yield f"{one.supplier}: {len(one.components)} components, {len(one.entry_points)} ways in"

    @property
    def sentence(self) -> str:
        """Say what was looked at."""
        unread = len(self.inventory.faults) + len(self.left)
        floating = len({each.name for each in self.inventory.components if each.pinned is False})
        return (
            f"{len(self.inventory.components)} places of {len(self.falls)} components in {self.inventory.met} files; "
            f"{floating} can change without a change here; {unread} files or folders not read"
        )


def components(path: Path, bom: Path | None = None) -> Depended:
    """Read a folder of code and say which models it depends on, and what falls with each.

    Args:    bom: where to write the bill of materials, if anywhere.
    Raises:  UnreadableInput: nothing is there, or too much.
    """
    files = folder_of(path)
    inventory = components_of(files)
    found = falls(files, inventory)
    if bom is not None:
        write_durably(bom, ml_bom(inventory))
    return Depended(inventory=inventory, falls=found, shared=shared_suppliers(found), left=files.left)


def folder_of(path: Path) -> Folder:
    """List the files under a path; links are not followed, and folders that tools made are named and left.

    Raises:  UnreadableInput: nothing is there, or more files than the limit.
    """
    if path.is_file():
        return Folder(paths={path.name: path}, left={})
    if not path.is_dir():
        raise UnreadableInput(f"{path}: there is no such file or folder.", hint="Check the path.")
    paths, left = dict[str, Path](), dict[str, str]()

    def refused(error: OSError) -> None:
        left[printable(str(error.filename), 400)] = error.strerror or "cannot be listed"

    # Whoever names a package means the package: its own modules are imported by that name.
    inside = path.resolve().name + "/" if (path / "__init__.py").is_file() else ""
    for parent, folders, files in os.walk(path, onerror=refused):
        for name in [each for each in folders if each in _LEFT]:
            left[_named(path, Path(parent) / name)] = "belongs to a tool; not looked into"
        folders[:] = sorted(each for each in folders if each not in _LEFT)
        for name in sorted(files):
            file = Path(parent) / name
            why = _refused(file)
            if why:
                left[_named(path, file)] = why
            else:
                paths[inside + _named(path, file)] = file
        if len(paths) > MOST_FILES:
            raise UnreadableInput(f"{path}: holds more than {MOST_FILES} files.", hint="Give a smaller folder.")
    return Folder(paths=paths, left=left)


def _named(folder: Path, file: Path) -> str:
    return os.fsencode(file.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")


def _refused(file: Path) -> str:
    if file.is_symlink():
        return "a link; not followed"
    if not file.is_file():
        return "no regular file"
    size = file.stat().st_size
    return f"{size} bytes, more than {LARGEST}" if size > LARGEST else ""
