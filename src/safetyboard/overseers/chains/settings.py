# SPDX-License-Identifier: Apache-2.0
"""What an edit takes away and puts there, whatever tool made it, and which settings it turns."""

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

_OLD = (
    "old_str",
    "old_string",
    "old_content",
    "search",
    "target_text",
    "old",
    "oldText",
    "old_text",
    "find",
    "pattern",
)
_NEW = ("new_str", "new_string", "new_content", "replace", "code_edit", "new", "newText", "new_text", "replacement")
_OFF_WORDS = """
false off 0 no none null nil disabled disable critical silent never ignore skip allow permissive 0.0 [] {} '' \"\"
fatal dummy noop
"""
_ON_WORDS = "true on yes enabled enable always strict error required enforce enforcing info debug warn warning"
_OFF, _ON = frozenset(_OFF_WORDS.split()), frozenset(_ON_WORDS.split())
_SETTING = re.compile(
    r"""(?:^|[{,;(\s])["']?([\w.][\w.\-]{0,60})["']?\s*(?:[:=]|=>|:=)\s*([^\s,;#]{1,60}|"[^"]{0,60}"|'[^']{0,60}')""",
    re.M,
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_NAME = re.compile(r"[a-z@][\w@/.-]{3,60}")
_SED = re.compile(r"\bs([/|#,@])((?:(?!\1).){1,400})\1((?:(?!\1).){0,400})\1")
_REPLACED = re.compile(r"""\.replace\(\s*("[^"\n]*"|'[^'\n]*')\s*,\s*("[^"\n]*"|'[^'\n]*')""")
LONGEST, MOST = 20_000, 60


def edited(arguments: Mapping[str, Any], text: str) -> tuple[str, str]:
    """Give what a call takes away and what it puts there, in lower case; empty for a call that edits nothing.

    Args:    text: the comparable words of the call; patches, sed lines and replacements in programs are read off it.
    """
    old = next((arguments[key] for key in _OLD if isinstance(arguments.get(key), str)), "")
    new = next((arguments[key] for key in _NEW if isinstance(arguments.get(key), str)), "")
    many = arguments.get("edits")
    if not old and isinstance(many, list):
        pairs = [edited(each, "") for each in many[:MOST] if isinstance(each, Mapping)]
        old, new = "\n".join(each for each, _ in pairs), "\n".join(each for _, each in pairs)
    if old or new:
        return str(old)[:LONGEST].lower(), str(new)[:LONGEST].lower()
    if "\n-" in text and ("*** update file" in text or "\n@@" in text):
        lines = text[:LONGEST].split("\n")
        gone = (each[1:] for each in lines if each[:1] == "-" and each[:3] != "---")
        come = (each[1:] for each in lines if each[:1] == "+" and each[:3] != "+++")
        return "\n".join(gone), "\n".join(come)
    found = [(each[1], each[2]) for each in _SED.findall(text[:LONGEST])] if "sed" in text else []
    found += [(old[1:-1], new[1:-1]) for old, new in _REPLACED.findall(text[:LONGEST])]
    return "\n".join(each for each, _ in found), "\n".join(each for _, each in found)


def changes(old: str, new: str, path: str = "") -> str:
    """List the settings that an edit turns, a line each: ``path: key old -> new word``.

    The word is up, down, off, on or gone.

    Numbers in lines that are otherwise alike count as settings too.
    """
    lines = list(_turned(old, new))
    return "\n".join(f"{path.lower()}: {each}" for each in dict.fromkeys(lines[:MOST]))


def _turned(old: str, new: str) -> Iterator[str]:
    before, after = _settings(old), _settings(new)
    for key, value in before.items():
        if key in after and after[key] != value:
            yield f"{key} {value} -> {after[key]} {_word(value, after[key])}".rstrip()
        elif key not in after:
            yield f"{key} {value} -> gone"
    for key, value in after.items():
        if key not in before:
            yield f"{key} -> {value}{' off' if value in _OFF else ''}"
    yield from _misspelt(old, new)
    rows = {_NUMBER.sub("#", each.strip()): each for each in new.split("\n")[:MOST]}
    for row in old.split("\n")[:MOST]:
        twin = rows.get(_NUMBER.sub("#", row.strip()))
        if twin is not None and twin.strip() != row.strip():
            for one, other in zip(_NUMBER.findall(row), _NUMBER.findall(twin), strict=True):
                if one != other:
                    yield f"{row.strip()[:80]} {one} -> {other} {_word(one, other)}"


def _misspelt(old: str, new: str) -> Iterator[str]:
    """Name words that an edit exchanges for ones that differ in a letter or two."""
    gone = set(_NAME.findall(old)) - set(_NAME.findall(new))
    come = set(_NAME.findall(new)) - set(_NAME.findall(old))
    for one in sorted(gone)[:MOST]:
        for other in sorted(come)[:MOST]:
            if _letters(one) != _letters(other) and SequenceMatcher(None, one, other).ratio() >= 0.75:
                yield f"{one} -> {other} misspelt"


def _letters(name: str) -> str:
    return re.sub(r"[\d._-]", "", name)


def _settings(text: str) -> dict[str, str]:
    return {key.strip("."): value.strip("\"'(){}") for key, value in _SETTING.findall(text[:LONGEST])}


def _word(old: str, new: str) -> str:
    """Say in one word which way a value went; ten times and more is said so."""
    if new in _OFF and old not in _OFF and not (old.isdigit() and new == "0" and old == "0"):
        return "off"
    if new in _ON and old in _OFF:
        return "on"
    numbers = [_NUMBER.search(each) for each in (old, new)]
    if not (numbers[0] and numbers[1]):
        return ""
    one, other = float(numbers[0][0]), float(numbers[1][0])
    if other == one:
        return ""
    far = " far" if one and (other / one >= 10 or other / one <= 0.1) else ""
    return ("up" if other > one else "down") + far
