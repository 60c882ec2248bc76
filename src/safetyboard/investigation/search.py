# SPDX-License-Identifier: Apache-2.0
"""Search: index the steps of everything that is preserved, and find words in them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetyboard.evidence.preserved import Holdings, Item
from safetyboard.evidence.redaction import installation_salt, redacted
from safetyboard.evidence.step_index import Match, StepIndex
from safetyboard.evidence.store import CHUNK
from safetyboard.readers.account import Account
from safetyboard.readers.records.accounted import ReaderFault, accounted
from safetyboard.readers.records.catalog import kind_of, reader
from safetyboard.readers.stored import Stored, printable
from safetyboard.terms.errors import UnreadableInput, UntrustedEvidence, WrongUse

SCHEMA = "safetyboard.search/1"
INDEX = "index.sqlite"
HEAD = 1 << 16
SHOWN = 160
AROUND = 2_000
"""Characters around a match in which secrets are looked for before any of them is shown."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold what a search gave, and what of the store it could look at.

    Args:    how: words, substring index, or every step looked at. more: there are further matches. unread: path -> why
             its bytes are not in the index.
    """

    text: str
    matches: tuple[Match, ...]
    how: str
    more: bool
    files: int
    episodes: int
    steps: int
    unread: dict[str, str]
    salt: bytes = field(default=b"", repr=False)

    def shown(self, match: Match) -> str:
        """Cut out of a match what is shown of it."""
        return shown(match.text, self.text, salt=self.salt)

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        return {
            "schema": SCHEMA,
            "text": redacted(self.text, salt=self.salt).text,
            "how": self.how,
            "matches": [
                {**vars(match), "source": place_of(match), "text": self.shown(match)} for match in self.matches
            ],
            "more": self.more,
            "indexed": {"files": self.files, "episodes": self.episodes, "steps": self.steps},
            "unread": [{"path": path, "why": why} for path, why in sorted(self.unread.items())],
        }

    @property
    def sentence(self) -> str:
        """Say what was looked at."""
        count = f"{len(self.matches)}{'+' if self.more else ''} match{'es' if len(self.matches) != 1 else ''}"
        unread = f"; {len(self.unread)} files not in the index" if self.unread else ""
        return f"{count} by {self.how}, in {self.steps} steps of {self.episodes} episodes of {self.files} files{unread}"


def search(store: Path, text: str, *, substring: bool = False, most: int = 50) -> Found:
    """Bring the index of a folder of preserved files up to date, and look for a text in it.

    Raises:  UnreadableInput: nothing is preserved there, or there is nothing to look for. UntrustedEvidence: the log
             was changed.
    """
    if not text.strip():
        raise UnreadableInput("There is nothing to look for.", hint="Give some text.")
    held = Holdings.at(store)
    with StepIndex(store / INDEX) as index:
        unread = bring_up(index, held)
        if substring:
            index.make_substrings()
        matches, how = index.search(text, substring=substring, most=most + 1)
        episodes, steps = index.counts()
        read = len(index.files())
    return Found(
        text=text,
        matches=tuple(matches[:most]),
        how=how,
        more=len(matches) > most,
        files=read,
        episodes=episodes,
        steps=steps,
        unread=unread,
        salt=installation_salt(),
    )


def bring_up(index: StepIndex, held: Holdings) -> dict[str, str]:
    """Index every state that is not in yet; one that a later state begins with goes out. Gives what is not read."""
    prefixes = {item.prefix for item in held.states.values()}
    wanted = {digest: item for digest, item in held.states.items() if digest not in prefixes}
    known = index.files()
    for digest in known.keys() - wanted.keys():
        index.remove(digest)
    unread = {}
    for digest, item in wanted.items():
        if digest in known:
            continue
        try:
            why = _indexed(index, held, item)
        except (UnreadableInput, UntrustedEvidence, WrongUse, ReaderFault) as error:
            why = str(error)
        if why:
            unread[item.path] = why
    return unread


def _indexed(index: StepIndex, held: Holdings, item: Item) -> str:
    """Index one state, verified; returns why not, or nothing."""
    stored, account = stored_of(held, item), Account()
    with stored.open() as file:
        kind = kind_of(stored.name, file.read(HEAD))
    if kind is None:
        return "no reader knows its format"
    held.verify(item.digest)
    with index.adding(item.digest, item.path, kind) as adding:
        adding.add(accounted(kind, reader(kind), stored, account))
        adding.account = account.sentence()
    return ""


def stored_of(held: Holdings, item: Item) -> Stored:
    """Hand a state to readers."""

    def load() -> bytes:
        with held.open(item.digest) as file:
            return b"".join(iter(lambda: file.read(CHUNK), b""))

    return Stored(name=item.path, size=item.size, load=load, digest=item.digest, stream=lambda: held.open(item.digest))


def place_of(match: Match) -> dict[str, Any]:
    """Write where a match stands."""
    place = match.source
    return {"file": place.file, "member": place.member, "line": place.line, "pointer": place.pointer}


def shown(text: str, wanted: str, most: int = SHOWN, *, salt: bytes = b"") -> str:
    """Cut out the place where a word was found, as one inert line without secrets."""
    place = _found_at(text, wanted)
    begin = max(0, place - AROUND)
    more = text[place + AROUND :] != ""
    text = redacted(text[begin : place + AROUND], salt=salt).text
    start = max(0, _found_at(text, wanted) - most // 4)
    line = " ".join(text[start : start + most].split())
    cut = "…" if len(text) > start + most or more else ""
    return ("…" if start or begin else "") + printable(line, most) + cut


def _found_at(text: str, wanted: str) -> int:
    words, lowered = wanted.casefold().split(), text.casefold()
    return next((place for word in (wanted.casefold(), *words) if (place := lowered.find(word)) >= 0), 0)
