# SPDX-License-Identifier: Apache-2.0
"""One commit as recorded: who it names as author, committer, co-author, reviewer. Nothing of it is verified."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetyboard.readers.repositories.pack_entries import HINT
from safetyboard.readers.stored import printable
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput

MOST_TRAILERS = 200
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]+(\S.{0,400})")
_PERSON = re.compile(r"(?P<name>[^<>]{0,300}?)\s*<(?P<mail>[^<>]{0,300})>")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Hold a name and an address as somebody wrote them: hostile text, made printable, believed by nobody."""

    name: str
    mail: str


@dataclass(frozen=True, kw_only=True)
class Commit:
    """Hold what a commit says of itself.

    Args:    written, committed: seconds since 1970 by the clock of whoever made it. trailers: (key, value) of the last
             paragraph, as ``Co-authored-by``. signed: a signature is attached; it was not verified.
    """

    name: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    written: int
    committed: int
    message: str
    trailers: tuple[tuple[str, str], ...]
    signed: bool

    def named_by(self, *keys: str) -> tuple[Person, ...]:
        """List the people that trailers of these keys name, whatever their letters' case."""
        wanted = {key.casefold() for key in keys}
        return tuple(person_of(value) for key, value in self.trailers if key.casefold() in wanted)


def person_of(text: str | bytes) -> Person:
    """Part ``name <address>``; text without an address is all name."""
    said = printable(text, 600)
    found = _PERSON.search(said)
    return Person(name=found["name"].strip(), mail=found["mail"].strip()) if found else Person(name=said, mail="")


def commit_of(name: str, content: bytes) -> Commit:
    """Read a commit.

    Raises:  UnreadableInput: damaged. EnvironmentFault: dulwich is missing.
    """
    found: Any = parsed("commit", name, content)
    try:
        message = bytes(found.message or b"").decode("utf-8", "replace")
        return Commit(
            name=name,
            tree=_hex(found.tree),
            parents=tuple(_hex(parent) for parent in found.parents),
            author=person_of(found.author),
            committer=person_of(found.committer),
            written=int(found.author_time),
            committed=int(found.commit_time),
            message=message,
            trailers=trailers_of(message),
            signed=bool(found.gpgsig),
        )
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise UnreadableInput(f"Commit {name} is damaged ({printable(str(error))}).", hint=HINT) from error


def tagged(name: str, content: bytes) -> tuple[str, str]:
    """Read what an annotated tag points to: kind and name.

    Raises:  UnreadableInput: damaged. EnvironmentFault: dulwich is missing.
    """
    found: Any = parsed("tag", name, content)
    try:
        kind, target = found.object
        return bytes(kind.type_name).decode("ascii"), _hex(target)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise UnreadableInput(f"Tag {name} is damaged ({printable(str(error))}).", hint=HINT) from error


def parsed(kind: str, name: str, content: bytes) -> object:
    """Let dulwich parse one object; it is given bytes and nothing else.

    Raises:  UnreadableInput: damaged. EnvironmentFault: dulwich is missing.
    """
    try:
        from dulwich.errors import ChecksumMismatch, FileFormatException
        from dulwich.objects import Commit as ParsedCommit
        from dulwich.objects import Tag as ParsedTag
    except ImportError as error:
        hint = "pip install 'safetyboard[records]'"
        raise EnvironmentFault("The package dulwich is missing, which git history is read with.", hint=hint) from error
    kinds: Mapping[str, Any] = {"commit": ParsedCommit, "tag": ParsedTag}
    try:
        found: Any = kinds[kind].from_string(content)
        found.check()
    except (ChecksumMismatch, FileFormatException, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = printable(str(error))
        raise UnreadableInput(f"{kind.capitalize()} {name} is damaged ({reason}).", hint=HINT) from error
    return found


def trailers_of(message: str) -> tuple[tuple[str, str], ...]:
    """Read the trailers of a message: the ``Key: value`` lines of its last paragraph.

    Source:  git-interpret-trailers(1); a paragraph counts where at least one line is a trailer.
    """
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", message[-20_000:].strip()) if part.strip()]
    if len(paragraphs) < 2:
        return ()
    found = (_TRAILER.match(line) for line in paragraphs[-1].split("\n")[:MOST_TRAILERS])
    return tuple((each[1], printable(each[2].strip(), 400)) for each in found if each)


def _hex(name: bytes) -> str:
    text = bytes(name).decode("ascii")
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise ValueError("a name that is none")
    return text
