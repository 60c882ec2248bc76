# SPDX-License-Identifier: Apache-2.0
"""Read lesson files: declarative, bounded, never code."""

import json
from pathlib import Path
from typing import Any

from safetyboard.terms.codec import from_plain
from safetyboard.terms.errors import SyntaxFault, TooLarge, UnreadableInput
from safetyboard.terms.lesson import Lesson

LARGEST = 16 << 20
MOST_FILES = 10_000


def read_lesson(content: bytes, name: str) -> Lesson:
    """Read one lesson.

    Raises:  TooLarge, SyntaxFault, UnreadableInput: each names the file and the place.
    """
    plain = read_json(content, name)
    if plain.get("kind") != Lesson.KIND:
        raise UnreadableInput(f"{name}: not a lesson (its kind is {plain.get('kind')!r}).", hint="Give a lesson file.")
    try:
        return from_plain(Lesson, plain)
    except UnreadableInput as error:
        raise UnreadableInput(f"{name}: {error.message}", hint=error.hint) from error


def read_json(content: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:  TooLarge; SyntaxFault with line and column; UnreadableInput: not an object.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: {len(content)} bytes is over the limit of {LARGEST}.")
    try:
        plain = json.loads(content.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise SyntaxFault(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: byte {error.start} is not UTF-8 text.") from error
    except RecursionError as error:
        raise SyntaxFault(f"{name}: nested too deep.") from error
    if not isinstance(plain, dict):
        raise UnreadableInput(f"{name}: a JSON object was expected.")
    return plain


def lessons_at(path: Path) -> dict[str, Lesson]:
    """Read a lesson file, or every ``*.json`` in a folder (in its ``lessons`` folder, if it has one), by file name.

    Raises:  UnreadableInput: nothing is there.
    """
    try:
        if path.is_file():
            return {path.name: read_lesson(path.read_bytes(), str(path))}
        if not path.is_dir():
            raise UnreadableInput(f"{path}: there is no such file or folder.", hint="Check the path.")
        folder = path / "lessons" if (path / "lessons").is_dir() else path
        files = sorted(folder.glob("*.json"))[:MOST_FILES]
        found = {file.name: read_lesson(file.read_bytes(), str(file)) for file in files if file.is_file()}
    except OSError as error:
        raise UnreadableInput(f"{path}: cannot be read ({error.strerror}).", hint="Check the path.") from error
    if not found:
        raise UnreadableInput(f"{path}: holds no lesson files.", hint="Give a lesson .json or a folder of them.")
    return found
