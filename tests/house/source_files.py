# SPDX-License-Identifier: Apache-2.0
"""Which files the house rules speak of."""

import ast
import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", "node_modules"}


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file below the named folders of the project, those that exist."""
    found = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(file for file in found if not NOT_OURS & set(file.relative_to(ROOT).parts)))


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is or could be committed; without git, every file outside the folders of tools."""
    command = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    answer = subprocess.run(command, capture_output=True, check=False) if (ROOT / ".git").exists() else None
    if answer is not None and answer.returncode == 0:
        files = [ROOT / os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not NOT_OURS & set(file.relative_to(ROOT).parts)]
    return tuple(sorted(file for file in files if file.is_file()))


@cache
def tree_of(file: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def named(file: Path) -> str:
    """The file's path inside the project."""
    return file.relative_to(ROOT).as_posix()
