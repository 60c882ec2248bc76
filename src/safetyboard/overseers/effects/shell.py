# SPDX-License-Identifier: Apache-2.0
"""A shell text as the simple commands it runs, with pipes, groups, redirections, documents and substitutions."""

import re
from dataclasses import dataclass, field

from safetyboard.overseers.effects.shell_words import DEEPEST, Piece, Scanner, UnparsedShell, expanded

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "time", "esac"}
)
MOST_COMMANDS = 2_000


@dataclass(frozen=True, kw_only=True)
class Command:
    """Hold one simple command as it would be run.

    Args:    words: program and arguments, quotations removed. assignments: set for it alone. writes, appends, reads:
             files it is redirected to or from. document: its here-document or here-string. feeder: the command
             whose output it reads through a pipe. depth: how many groups or subshells it stands in.
    """

    words: tuple[str, ...] = ()
    assignments: tuple[tuple[str, str], ...] = ()
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    document: str = ""
    feeder: "Command | None" = None
    depth: int = 0


@dataclass
class _Draft:
    """Collect one command while its pieces are met."""

    words: list[str] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=lambda: {"writes": [], "appends": [], "reads": []})
    document: str = ""
    inner: list[str] = field(default_factory=list)

    def made(self, feeder: Command | None, depth: int) -> Command | None:
        if not (self.words or self.assignments or any(self.files.values())):
            return None
        return Command(
            words=tuple(self.words),
            assignments=tuple(self.assignments),
            **{name: tuple(each) for name, each in self.files.items()},
            document=self.document,
            feeder=feeder,
            depth=depth,
        )


def commands_of(text: str, *, depth: int = 0, variables: dict[str, str] | None = None) -> list[Command]:
    """List the simple commands of a shell text, those inside substitutions too, in the order they stand in.

    Loops and conditions are read as if every branch ran once; functions as if their body ran where it stands.

    Raises:  UnparsedShell: not a shell text, too long, or nested too deep.
    Source:  POSIX.1-2017, XCU chapter 2 (shell command language); bash's here-strings, ``&>``, ``$'…'`` beside.
    """
    if depth > DEEPEST:
        raise UnparsedShell("nested too deep")
    known = {} if variables is None else variables
    found: list[Command] = []
    draft, feeder, level = _Draft(), None, depth
    pieces = iter(Scanner(text).scan())
    for piece in pieces:
        if piece.form == "redirection":
            _redirect(draft, piece.text, next(pieces, None), known)
        elif piece.form == "word":
            _add(draft, piece, known)
        else:
            made = _finish(draft, feeder, level, found, known)
            if piece.text == "(":
                level += 1
            elif piece.text == ")":
                level = max(depth, level - 1)
            # A group may feed a pipe: its last command stands for it.
            last = made or (found[-1] if found and piece.text in ("|", "|&") else None)
            feeder = last if piece.text in ("|", "|&") else feeder if piece.text == "(" else None
            draft = _Draft()
        if len(found) > MOST_COMMANDS:
            raise UnparsedShell(f"more than {MOST_COMMANDS} commands")
    _finish(draft, feeder, level, found, known)
    return found


def _add(draft: _Draft, piece: Piece, known: dict[str, str]) -> None:
    draft.inner += piece.inner
    if not draft.words and not piece.quoted and piece.text in _KEYWORDS:
        return
    if not draft.words and _ASSIGNMENT.match(piece.text):
        name, _, value = piece.text.partition("=")
        draft.assignments.append((name.rstrip("+"), expanded(value, known)))
        return
    draft.words += [text for text in _braces(expanded(piece.text, known), piece.quoted)]


def _braces(text: str, quoted: bool) -> list[str]:
    """Expand one list in braces, as in ``rm -rf {src,tests}``."""
    found = None if quoted else re.search(r"(?<!\$)\{([^{}\s]*,[^{}\s]*)\}", text)
    if not found:
        return [text]
    return [text[: found.start()] + each + text[found.end() :] for each in found[1].split(",")]


def _redirect(draft: _Draft, sign: str, piece: Piece | None, known: dict[str, str]) -> None:
    if piece is None or piece.form != "word":
        raise UnparsedShell(f"nothing follows {sign}")
    draft.inner += piece.inner
    target = expanded(piece.text, known)
    if sign in ("<<", "<<-"):
        draft.document = piece.document
    elif sign == "<<<":
        draft.document = target
    elif sign in ("<", "<>"):
        draft.files["reads"].append(target)
    elif sign == "<&" or (sign == ">&" and (target.isdigit() or target == "-")):
        return
    elif sign.endswith(">>"):
        draft.files["appends"].append(target)
    else:
        draft.files["writes"].append(target)


def _finish(
    draft: _Draft, feeder: Command | None, level: int, found: list[Command], known: dict[str, str]
) -> Command | None:
    for inner in draft.inner:
        found += commands_of(inner, depth=level + 1, variables=dict(known))
    made = draft.made(feeder, level)
    if made is None:
        return None
    if not made.words:
        known.update(made.assignments)
    elif made.words[0] in ("export", "declare", "local", "readonly"):
        known.update(
            {each.split("=", 1)[0]: each.split("=", 1)[1] for each in made.words[1:] if _ASSIGNMENT.match(each)}
        )
    elif made.words[0] == "for" and len(made.words) > 3 and made.words[2] == "in":
        known[made.words[1]] = " ".join(made.words[3:])
    found.append(made)
    return made
