# SPDX-License-Identifier: Apache-2.0
"""Shell lines that stand inside other text: encoded, typed, run from programs, notebooks and CI files."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from safetyboard.overseers.effects.program_text import python_effects
from safetyboard.overseers.effects.shell import Command, commands_of
from safetyboard.overseers.effects.shell_words import UnparsedShell

DEEPEST, LONGEST = 4, 20_000
_SHELLS = frozenset(("bash", "sh", "zsh", "dash", "ksh", "eval"))
_CODE_FLAGS = {"node": "-e", "ruby": "-e", "perl": "-e", "php": "-r", "deno": "eval", "bun": "-e"}
_RUN_LINE = re.compile(
    r"(?:exec(?:Sync|File|FileSync)?|spawn(?:Sync)?|system|popen|shell_exec|passthru|Command)\(\s*"
    r"""("(?:[^"\\]|\\.){1,4000}"|'(?:[^'\\]|\\.){1,4000}'|`[^`]{1,4000}`)"""
)
_STEP = re.compile(
    r"^\s*(?:-\s+)?(?:run|script|command|sh|entrypoint|exec(?:start)?)"
    r"\s*[:=( ]\s*[|>]?-?\s*['\"]?(\S[^\n]{2,2000}?)['\"]?\)?$",
    re.M | re.I,
)
_RECIPE = re.compile(r"^\t([^\t\n#][^\n]{2,2000})$", re.M)
_CELL_LINE = re.compile(r"^\s*!(?!=)(.+)$", re.M)
_ESCAPE = re.compile(r"\\(.)", re.S)


def decoded_line(command: Command) -> str:
    """Give the text that ``echo … | base64 -d`` prints into a shell; empty where it cannot be told."""
    feeder = command.feeder
    if feeder is None or not feeder.words:
        return ""
    name = feeder.words[0].rpartition("/")[2]
    if name not in ("base64", "openssl", "xxd", "rev"):
        return ""
    inner = feeder.feeder
    text = feeder.document or (" ".join(each for each in inner.words[1:] if each[:1] != "-") if inner else "")
    if not text or (inner and inner.words[:1] not in (("echo",), ("printf",))):
        return ""
    if name == "rev":
        return text[::-1]
    try:
        if name == "xxd":
            return bytes.fromhex(re.sub(r"\s", "", text)).decode("utf-8")
        return base64.b64decode(re.sub(r"\s", "", text), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return ""


def typed_line(words: tuple[str, ...]) -> str:
    """Give what is typed into another terminal by tmux or screen."""
    if words[:1] == ("tmux",) and words[1:2] and words[1] in ("send-keys", "send"):
        rest = list(words[2:])
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] == "-t" else rest[1:]
        return " ".join(each for each in rest if each not in ("Enter", "C-m"))
    if words[:1] in (("tmux",), ("screen",)) and len(words) > 2:
        last = words[-1]
        return last.rstrip("\\n") if " " in last and not last.startswith("-") else ""
    return ""


@lru_cache(maxsize=512)
def shell_lines(text: str, level: int = 0) -> tuple[str, ...]:
    """List the commands of a shell text in plain form, those hidden inside others too."""
    if level > DEEPEST or len(text) > LONGEST:
        return ()
    try:
        commands = commands_of(text)
    except (UnparsedShell, RecursionError):
        return ()
    found: list[str] = []
    for command in commands:
        words = command.words
        if not words:
            continue
        sent = "".join(f" > {each}" for each in (*command.writes, *command.appends))
        found.append(" ".join(words) + sent)
        found += _inner(command, words, level)
    return tuple(found)


def _inner(command: Command, words: tuple[str, ...], level: int) -> Iterator[str]:
    places = [at for at, each in enumerate(words[:6]) if each.rpartition("/")[2] in _SHELLS]
    if places:
        at = places[0]
        rest = words[at + 1 :]
        flag = next((k for k, each in enumerate(rest) if re.fullmatch(r"-\w*c", each)), None)
        inner = (
            " ".join(rest) if words[at] == "eval" else rest[flag + 1] if flag is not None and rest[flag + 1 :] else ""
        )
        feeder = command.feeder
        printed = feeder.words[1:] if feeder and feeder.words[:1] in (("echo",), ("printf",)) else ()
        text = inner or command.document or decoded_line(command) or " ".join(printed)
        yield from shell_lines(text, level + 1) if text else ()
    elif typed := typed_line(words):
        yield from shell_lines(typed, level + 1)
    elif re.fullmatch(r"python[\d.]*|pypy3?", words[0].rpartition("/")[2]):
        code = words[words.index("-c") + 1] if "-c" in words[:-1] else command.document
        yield from program_lines(code, level + 1) if code else ()
    elif (flag_ := _CODE_FLAGS.get(words[0].rpartition("/")[2])) and flag_ in words[:-1]:
        yield from program_lines(words[words.index(flag_) + 1], level + 1)


def program_lines(code: str, level: int = 0) -> tuple[str, ...]:
    """List the shell lines that program text runs, in plain form: Python, or others by their calls."""
    if level > DEEPEST or len(code) > LONGEST:
        return ()
    cells = _CELL_LINE.findall(code)
    bare = re.sub(r"^%%\w+[^\n]*\n", "", code)
    if cells or bare != code:
        lines = list(cells) if cells else [bare]
        code = _CELL_LINE.sub("pass", bare) if cells else ""
    else:
        lines = []
    found, run = python_effects(code) if code else ([], [])
    if any(each.kind == "unknown" and "parse" in each.why for each in found):
        run = [_ESCAPE.sub(r"\1", each[1:-1]) for each in _RUN_LINE.findall(code)]
    return tuple(inner for line in (*lines, *run) for inner in (line, *shell_lines(line, level + 1)))


def deferred_lines(path: str, text: str) -> tuple[str, ...]:
    """List the shell lines of a file that something else runs later: CI, a makefile, a unit, a script."""
    low = path.lower()
    if len(text) > LONGEST:
        return ()
    if re.search(r"\.ya?ml$|jenkinsfile|\.service$|package\.json$|\.toml$|\.cfg$|dockerfile", low):
        lines = [each.strip() for each in _STEP.findall(text)]
    elif re.search(r"makefile$|\.mk$", low):
        lines = [each.lstrip("@-") for each in _RECIPE.findall(text)]
    elif (
        low.endswith((".sh", ".bash", ".zsh")) or text.startswith(("#!/bin/", "#!/usr/bin/env bash")) or "/cron" in low
    ):
        lines = [text]
    elif low.endswith((".py", ".ipynb")):
        return program_lines(text)
    else:
        return ()
    return tuple(inner for line in lines for inner in (line, *shell_lines(line)) if inner != text)


def lines_in(command: Any, code: str, written: Mapping[str, str]) -> tuple[str, ...]:
    """List every plain shell line that one call holds: of its command, its program text, the files that it writes."""
    found: list[str] = []
    if isinstance(command, str):
        found += shell_lines(command)
    if code:
        found += program_lines(code)
    for path, text in written.items():
        found += deferred_lines(path, text)
    return tuple(dict.fromkeys(found))
