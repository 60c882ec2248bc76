# SPDX-License-Identifier: Apache-2.0
"""YAML as nodes with lines, bounded: nothing is constructed, and an alias is never unfolded without a count."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safetyboard.readers.stored import printable
from safetyboard.terms.errors import EnvironmentFault, SyntaxFault, TooLarge

LARGEST = 256 << 10
MOST_EVENTS = 20_000
MOST_ALIASES = 500
MOST_NODES = 50_000
DEEPEST = 40


@dataclass(frozen=True, kw_only=True)
class Node:
    """Hold one value: text, or pairs, or items, with the line it begins in."""

    line: int
    text: str = ""
    pairs: tuple[tuple[str, "Node"], ...] = ()
    items: tuple["Node", ...] = ()

    def get(self, key: str) -> "Node | None":
        """Give the value of a key, the last one where it stands twice, as YAML readers do."""
        return next((value for name, value in reversed(self.pairs) if name == key), None)

    def said(self, key: str) -> str:
        """Give the text of a key; empty where there is none."""
        found = self.get(key)
        return found.text if found is not None else ""

    def walk(self) -> Iterator[tuple[str, "Node"]]:
        """Give every pair at and below this node."""
        for name, value in self.pairs:
            yield name, value
            yield from value.walk()
        for item in self.items:
            yield from item.walk()


def read_yaml(content: bytes, name: str) -> Node:
    """Read one YAML document.

    Raises:  SyntaxFault: it does not parse; line named. TooLarge: too many bytes, nodes or aliases, or too deep.
             EnvironmentFault: PyYAML is missing.
    """
    try:
        import yaml
    except ImportError as error:
        hint = "pip install 'safetyboard[records]'"
        raise EnvironmentFault(
            "The package PyYAML is missing, which CI configuration is read with.", hint=hint
        ) from error
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: {len(content)} bytes, more than {LARGEST}.", hint="Give a smaller file.")
    try:
        text = content.decode("utf-8-sig")
        _bounded(yaml, text, name)
        found = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        reason = printable(str(getattr(error, "problem", None) or "is no YAML"), 120)
        raise SyntaxFault(f"{name}{place}: {reason}.", hint="Correct the file.") from error
    return _node(found, name, [0], 0) if found is not None else Node(line=1)


def _bounded(yaml: Any, text: str, name: str) -> None:
    """Count before anything is built."""
    depth = aliases = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if count > MOST_EVENTS or aliases > MOST_ALIASES or depth > DEEPEST:
            raise TooLarge(
                f"{name}, line {event.start_mark.line + 1}: too many values or aliases, or too deep.",
                hint="Give a smaller file.",
            )


def _node(found: Any, name: str, count: list[int], depth: int) -> Node:
    count[0] += 1
    if count[0] > MOST_NODES or depth > DEEPEST:
        raise TooLarge(
            f"{name}: its aliases unfold to more than {MOST_NODES} values.", hint="Write it without aliases."
        )
    line = found.start_mark.line + 1
    if found.id == "scalar":
        return Node(line=line, text=str(found.value))
    if found.id == "sequence":
        return Node(line=line, items=tuple(_node(each, name, count, depth + 1) for each in found.value))
    pairs = [
        (str(key.value) if key.id == "scalar" else "", _node(value, name, count, depth + 1))
        for key, value in found.value
    ]
    merged = [pair for key, value in pairs if key == "<<" for each in (value.items or (value,)) for pair in each.pairs]
    return Node(line=line, pairs=(*merged, *(pair for pair in pairs if pair[0] != "<<")))
