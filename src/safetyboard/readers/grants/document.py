# SPDX-License-Identifier: Apache-2.0
"""A permission file as a parsed document whose leaves know where they stand."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safetyboard.readers.records.pointers import pointer_of
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Source
from safetyboard.terms.errors import EnvironmentFault, SyntaxFault, TooLarge

MOST_BYTES = 1 << 20
DEEPEST = 60
_COMMENTS = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|[^"/]+|/', re.S)
_COMMAS = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])|[^",]+|,', re.S)


@dataclass(frozen=True, kw_only=True)
class Document:
    """Hold what a file says, with its name and the digest of its bytes."""

    name: str
    digest: str
    value: Any

    def place(self, *parts: str | int) -> Source:
        """Say where a leaf stands."""
        return Source(file=self.digest, pointer=pointer_of(*parts))

    def at(self, *parts: str | int) -> Any:
        """Give what stands at a place; None where there is nothing."""
        value = self.value
        for part in parts:
            listed = isinstance(value, list) and isinstance(part, int) and part < len(value)
            if not listed and not (isinstance(value, Mapping) and part in value):
                return None
            value = value[part]
        return value

    def texts(self, *parts: str | int) -> Iterator[tuple[str, Source]]:
        """List the texts of a list with their places; a text that stands alone counts as one.

        Raises:  SyntaxFault: something else stands there.
        """
        value = self.at(*parts)
        if isinstance(value, str):
            yield value, self.place(*parts)
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            yield from ((each, self.place(*parts, index)) for index, each in enumerate(value))
        elif value is not None:
            raise SyntaxFault(
                f"{self.name}: {pointer_of(*parts)} is no list of texts.", hint="Write it as a list of texts."
            )

    def mapping(self, *parts: str | int) -> Mapping[str, Any]:
        """Give the table at a place; an empty one where there is none.

        Raises:  SyntaxFault: something else stands there.
        """
        value = self.at(*parts)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise SyntaxFault(
                f"{self.name}: {pointer_of(*parts) or 'the file'} is no table.", hint="Use names and values."
            )
        return {str(key): each for key, each in value.items()}

    def unknown(self, known: Sequence[str], *parts: str | int) -> dict[str, int]:
        """Count the fields of a table that are not among the known ones."""
        prefix = ".".join(str(part) for part in parts)
        names = (key for key in self.mapping(*parts) if key not in known)
        return {printable(f"{prefix}.{name}" if prefix else name): 1 for name in names}


def json_document(stored: Stored) -> Document:
    """Parse JSON; comments and trailing commas are passed over, as editors' settings have them.

    Raises:  SyntaxFault, TooLarge: names the file, the place and the remedy.
    """
    content = _loaded(stored)
    text = content.decode("utf-8-sig", "replace")
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = json.loads(_bare(text))
        except (ValueError, RecursionError) as error:
            raise SyntaxFault(
                f"{stored.name}: no JSON: {error}.", hint="Correct it at that line and column."
            ) from error
    except RecursionError as error:
        raise SyntaxFault(f"{stored.name}: nested too deep.", hint="Flatten it.") from error
    return Document(name=stored.name, digest=digest_of(content), value=value)


def toml_document(stored: Stored) -> Document:
    """Parse TOML.

    Raises:  SyntaxFault, TooLarge: names the file, the place and the remedy.
    """
    content = _loaded(stored)
    try:
        value = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(f"{stored.name}: no TOML: {error}.", hint="Correct it at that line.") from error
    return Document(name=stored.name, digest=digest_of(content), value=value)


def yaml_document(stored: Stored) -> Document:
    """Parse YAML; only plain data is made of it, and aliases are refused, for they can grow without bound.

    Raises:  SyntaxFault, TooLarge, EnvironmentFault: names the file, the place and the remedy.
    """
    try:
        import yaml
    except ImportError as error:
        raise EnvironmentFault(
            f"{stored.name} needs PyYAML to be read.", hint="pip install 'safetyboard[records]'"
        ) from error
    content = _loaded(stored)
    try:
        text = content.decode("utf-8")
        depth = 0
        for event in yaml.parse(text):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise SyntaxFault(
                    f"{stored.name}: YAML aliases are not followed.", hint="Write out what they stand for."
                )
            if depth > DEEPEST:
                raise SyntaxFault(f"{stored.name}: nested too deep.", hint="Flatten it.")
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SyntaxFault(f"{stored.name}: no YAML: {reason}.", hint="Correct it at that line.") from error
    return Document(name=stored.name, digest=digest_of(content), value=value)


def _loaded(stored: Stored) -> bytes:
    if stored.size > MOST_BYTES:
        raise TooLarge(
            f"{stored.name}: {stored.size} bytes are more than a permission file has.", hint=f"At most {MOST_BYTES}."
        )
    return stored.load()


def _bare(text: str) -> str:
    """Take away comments, then trailing commas, outside quotations."""
    without = "".join(
        " " if piece[:2] in ("//", "/*") else piece for piece in (each[0] for each in _COMMENTS.finditer(text))
    )
    return "".join("" if each[0] == "," and each.end() != len(without) and _closes(without, each.end()) else each[0]
                   for each in _COMMAS.finditer(without))  # fmt: skip


def _closes(text: str, start: int) -> bool:
    return text[start:].lstrip()[:1] in ("}", "]")
