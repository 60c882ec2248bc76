# SPDX-License-Identifier: Apache-2.0
"""Cut a shell text into words, operators, redirections and substitutions, as a POSIX shell would."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OPERATORS = ("&&", "||", "|&", ";;", "|", "&", ";", "(", ")", "\n")
REDIRECTIONS = ("<<<", "<<-", "<<", "&>>", "&>", ">>", ">&", "<&", ">|", "<>", ">", "<")
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "e": "\x1b"}
LONGEST = 100_000
DEEPEST = 12


class UnparsedShell(ValueError):
    """Say why a text is no shell line; caught where effects are read, where it becomes an unknown effect."""


@dataclass
class Piece:
    """Hold one word, operator or redirection; `inner` holds the texts of its substitutions."""

    form: Literal["word", "operator", "redirection"]
    text: str = ""
    quoted: bool = False
    inner: list[str] = field(default_factory=list)
    document: str = ""


@dataclass
class Scanner:
    """Read one shell text from left to right."""

    text: str
    at: int = 0
    pieces: list[Piece] = field(default_factory=list)
    waiting: list[tuple[Piece, bool]] = field(default_factory=list)

    def scan(self) -> list[Piece]:
        """Cut the whole text.

        Raises:  UnparsedShell: a quotation, bracket or document is not closed, or the text is too long.
        """
        if len(self.text) > LONGEST:
            raise UnparsedShell(f"longer than {LONGEST} characters")
        while self.at < len(self.text):
            self._next()
        if self.waiting:
            raise UnparsedShell("a here-document is not closed")
        return self.pieces

    def _next(self) -> None:
        text, at = self.text, self.at
        if text.startswith("\\\n", at):
            self.at += 2
        elif text[at] in " \t\r":
            self.at += 1
        elif text[at] == "#":
            end = text.find("\n", at)
            self.at = len(text) if end < 0 else end
        elif text.startswith(("<(", ">("), at):
            self._word()
        elif sign := self._redirection():
            self.pieces.append(Piece("redirection", sign))
        elif sign := next((each for each in OPERATORS if text.startswith(each, at)), ""):
            self.at += len(sign)
            self.pieces.append(Piece("operator", sign))
            if sign == "\n" and self.waiting:
                self._documents()
        else:
            self._word()

    def _redirection(self) -> str:
        end = self.at
        while end < len(self.text) and self.text[end].isdigit():
            end += 1
        for sign in REDIRECTIONS:
            if self.text.startswith(sign, end) and not (end > self.at and sign[0] == "&"):
                self.at = end + len(sign)
                return self.text[end - 1] + sign if end > self.at - len(sign) and sign in (">", ">>") else sign
        return ""

    def _word(self) -> None:
        word = Piece("word")
        while self.at < len(self.text) and self.text[self.at] not in " \t\r\n;&|()":
            if self.text[self.at] in "<>":
                if not self.text.startswith(("<(", ">("), self.at) or word.text:
                    break
                self.at += 1
                word.inner.append(_bracketed(self, "(", ")"))
                word.text += "<(…)"
            else:
                self._character(word)
        before = self.pieces[-1] if self.pieces else None
        if before and before.form == "redirection" and before.text in ("<<", "<<-"):
            self.waiting.append((word, before.text == "<<-"))
        self.pieces.append(word)

    def _character(self, word: Piece) -> None:
        sign = self.text[self.at]
        if sign == "\\":
            if not self.text.startswith("\\\n", self.at):
                word.text += self.text[self.at + 1 : self.at + 2]
            word.quoted = True
            self.at += 2
        elif sign == "'":
            end = self.text.find("'", self.at + 1)
            if end < 0:
                raise UnparsedShell("a quotation is not closed")
            word.text += self.text[self.at + 1 : end]
            word.quoted, self.at = True, end + 1
        elif sign == '"':
            self._double_quoted(word)
        elif sign == "$":
            self._dollar(word)
        elif sign == "`":
            self._backquoted(word)
        else:
            word.text += sign
            self.at += 1

    def _double_quoted(self, word: Piece) -> None:
        self.at += 1
        word.quoted = True
        while self.at < len(self.text) and self.text[self.at] != '"':
            sign = self.text[self.at]
            if sign == "\\":
                following = self.text[self.at + 1 : self.at + 2]
                word.text += following if following in '$`"\\' else "" if following == "\n" else sign + following
                self.at += 2
            elif sign == "$":
                self._dollar(word, within=True)
            elif sign == "`":
                self._backquoted(word)
            else:
                word.text += sign
                self.at += 1
        if self.at >= len(self.text):
            raise UnparsedShell("a quotation is not closed")
        self.at += 1

    def _backquoted(self, word: Piece) -> None:
        end = self.text.find("`", self.at + 1)
        if end < 0:
            raise UnparsedShell("a backquote is not closed")
        word.inner.append(self.text[self.at + 1 : end])
        word.text += f"$({self.text[self.at + 1 : end]})"
        self.at = end + 1

    def _dollar(self, word: Piece, *, within: bool = False) -> None:
        text, at = self.text, self.at
        if text.startswith("$((", at):
            end = text.find("))", at)
            if end < 0:
                raise UnparsedShell("an arithmetic expression is not closed")
            word.text += text[at : end + 2]
            self.at = end + 2
        elif text.startswith("$(", at):
            self.at += 1
            inner = _bracketed(self, "(", ")")
            word.inner.append(inner)
            word.text += f"$({inner})"
        elif text.startswith("${", at):
            self.at += 1
            word.text += "${" + _bracketed(self, "{", "}") + "}"
        elif text.startswith("$'", at) and not within:
            said, self.at = _ansi(text, at + 2)
            word.text, word.quoted = word.text + said, True
        else:
            word.text += "$"
            self.at += 1

    def _documents(self) -> None:
        for word, tabs in self.waiting:
            word.document, self.at = _document(self.text, self.at, word.text, tabs)
        self.waiting.clear()
        self.at = min(self.at, len(self.text))


def _bracketed(scanner: Scanner, opening: str, closing: str) -> str:
    """Read from an opening bracket to the one that closes it."""
    start = scanner.at + 1
    end = _closing(scanner.text, scanner.at, opening, closing)
    scanner.at = end + 1
    return scanner.text[start:end]


def _document(text: str, at: int, last: str, tabs: bool) -> tuple[str, int]:
    """Read a here-document up to its last line, and where the text goes on."""
    lines: list[str] = []
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        at = end + 1
        if (line.lstrip("\t") if tabs else line).strip("\r") == last:
            return "\n".join(lines), at
        lines.append(line)
    raise UnparsedShell("a here-document is not closed")


def _ansi(text: str, at: int) -> tuple[str, int]:
    """Read what stands in ``$'…'``, and where the text goes on."""
    found = ""
    while at < len(text) and text[at] != "'":
        if text[at] != "\\":
            found += text[at]
            at += 1
            continue
        if hexadecimal := re.match(r"x([0-9a-fA-F]{2})", text[at + 1 : at + 4]):
            found += chr(int(hexadecimal[1], 16))
            at += 4
        else:
            found += _ANSI.get(text[at + 1 : at + 2], text[at + 1 : at + 2])
            at += 2
    if at >= len(text):
        raise UnparsedShell("a quotation is not closed")
    return found, at + 1


def _closing(text: str, at: int, opening: str, closing: str) -> int:
    """Find the bracket that closes the one at a place; quotations inside count for nothing."""
    depth = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 1
        elif sign in "'\"":
            at = text.find(sign, at + 1)
            if at < 0:
                raise UnparsedShell("a quotation is not closed")
        elif sign == opening:
            depth += 1
        elif sign == closing:
            depth -= 1
            if not depth:
                return at
        at += 1
    raise UnparsedShell("a bracket is not closed")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Put in the variables whose values the text itself set; others stay as written."""
    for name in sorted(variables, key=len, reverse=True):
        if "$" not in text:
            break
        text = text.replace("${" + name + "}", variables[name])
        head, *rest = text.split("$" + name)
        text = head + "".join(
            (("$" + name) if part[:1].isalnum() or part[:1] == "_" else variables[name]) + part for part in rest
        )
    return text
