# SPDX-License-Identifier: Apache-2.0
"""Find words in recorded steps: a table of episodes and steps with their sources, in SQLite with full-text search."""

import fcntl
import os
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from safetyboard.evidence.store import machine_faults
from safetyboard.terms.canonical import canonical_json
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.errors import EnvironmentFault, UntrustedEvidence

VERSION = 2
BATCH_STEPS, BATCH_CHARACTERS = 2_000, 4 << 20
SHORTEST_SUBSTRING = 3
"""Characters in a trigram: a shorter substring is found by looking at every step."""
TABLES = """
CREATE TABLE files (id INTEGER PRIMARY KEY, digest TEXT UNIQUE NOT NULL, name TEXT NOT NULL, format TEXT NOT NULL,
  whole INTEGER NOT NULL, account TEXT NOT NULL);
CREATE TABLE episodes (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, name TEXT NOT NULL, task TEXT NOT NULL,
  opened TEXT NOT NULL);
CREATE TABLE steps (id INTEGER PRIMARY KEY, episode INTEGER NOT NULL, place INTEGER NOT NULL, actor TEXT NOT NULL,
  kind TEXT NOT NULL, at TEXT NOT NULL, tool TEXT NOT NULL, member TEXT NOT NULL, line INTEGER NOT NULL,
  pointer TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX episodes_of_a_file ON episodes (file);
CREATE INDEX steps_of_an_episode ON steps (episode);
CREATE VIRTUAL TABLE words USING fts5 (text, content='steps', content_rowid='id',
  tokenize='unicode61 remove_diacritics 2');
"""
# Without positions the index is a quarter as large; candidates are then looked at one by one, which costs no more.
SUBSTRINGS = """CREATE VIRTUAL TABLE parts USING fts5 (text, content='steps', content_rowid='id', tokenize='trigram',
  detail='none')"""
COLUMNS = """SELECT files.digest, files.name, episodes.name, steps.place, steps.actor, steps.kind, steps.tool, steps.at,
  steps.member, steps.line, steps.pointer, steps.text FROM """
JOINED = " JOIN episodes ON episodes.id = steps.episode JOIN files ON files.id = episodes.file WHERE "
# A cross join keeps the order: matches come out of the full-text index one by one, and no more than are wanted.
THROUGH = {
    table: f"{COLUMNS} {table} CROSS JOIN steps ON steps.id = {table}.rowid {JOINED} {table} MATCH ? {more} "
    f"ORDER BY {table}.rowid LIMIT ?"
    for table, more in (("words", ""), ("parts", "AND held_in(?, steps.text)"))
}
ONE_BY_ONE = f"{COLUMNS} steps {JOINED} held_in(?, steps.text) ORDER BY steps.id LIMIT ?"
SAMPLED, LONGEST_SAMPLED = 4_000, 10_000
MOST_PIECES, ASKED_FOR = 500, 6
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts, by the beginning of their letters' names, that put no spaces between words: the word index sees no words."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """Hold one step in which the text was found, and where it stands. Its text is hostile: print it inert."""

    source: Source
    name: str
    episode: str
    index: int
    actor: str
    kind: str
    tool: str
    at: str
    text: str


class StepIndex:
    """Keep the index in one file; it holds nothing that cannot be made again from the stored bytes.

    Args:    path: the file; made when missing.
    Raises:  EnvironmentFault: the disk is full or the file not writable. UntrustedEvidence: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with machine_faults(path):
            self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # Two processes that index the same file would take each other's steps for an attempt that was killed.
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._open(path)
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, path: Path) -> None:
        with self._faults():
            self.database = sqlite3.connect(path, isolation_level=None)
            self.database.execute("PRAGMA journal_mode = WAL")
            self.database.execute("PRAGMA synchronous = NORMAL")
            self.database.execute("PRAGMA cache_size = -16384")
            (version,) = self.database.execute("PRAGMA user_version").fetchone()
            if not version:
                self.database.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version != VERSION:
                raise UntrustedEvidence(f"{path}: is an index of another version.", hint="Remove it; it is made again.")
            for (digest,) in self.database.execute("SELECT digest FROM files WHERE NOT whole").fetchall():
                self.remove(digest)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            hint = "Free some space, or wait for the process that writes it."
            raise EnvironmentFault(f"{self.path}: cannot be written ({error}).", hint=hint) from error
        except sqlite3.DatabaseError as error:
            hint = "Remove it; it is made again."
            raise UntrustedEvidence(f"{self.path}: is damaged ({error}).", hint=hint) from error

    @property
    def has_substrings(self) -> bool:
        """Tell whether the substring index was made."""
        return bool(self.database.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchone())

    def make_substrings(self) -> None:
        """Make the substring index of everything that is in; from now on it is kept up."""
        with self._faults():
            if not self.has_substrings:
                self.database.execute("BEGIN")
                self.database.execute(SUBSTRINGS)
                self.database.execute("INSERT INTO parts (parts) VALUES ('rebuild')")
                _note_common(self.database)
                self.database.execute("COMMIT")

    def files(self) -> dict[str, tuple[str, str, str]]:
        """List the files that are in: digest -> name, format, account."""
        with self._faults():
            rows = self.database.execute("SELECT digest, name, format, account FROM files WHERE whole")
            return {digest: (name, kind, account) for digest, name, kind, account in rows}

    def counts(self) -> tuple[int, int]:
        """Count episodes and steps."""
        with self._faults():
            (episodes,) = self.database.execute("SELECT count(*) FROM episodes").fetchone()
            (steps,) = self.database.execute("SELECT count(*) FROM steps").fetchone()
        return episodes, steps

    @contextmanager
    def adding(self, digest: str, name: str, kind: str) -> Iterator["Adding"]:
        """Add a file; it is in only when this ends well, though memory is bounded by the largest episode."""
        with self._faults():
            # Of an earlier attempt that was killed, or that the reader refused.
            self.remove(digest)
            row = (digest, name.encode("utf-8", "replace").decode(), kind)
            inserted = "INSERT INTO files (digest, name, format, whole, account) VALUES (?, ?, ?, 0, '')"
            number = self.database.execute(inserted, row).lastrowid or 0
        adding = Adding(self.database, number, substrings=self.has_substrings)
        try:
            with self._faults():
                yield adding
                adding.flush()
                ended = "UPDATE files SET whole = 1, account = ? WHERE id = ?"
                self.database.execute(ended, (adding.account, number))
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            self.remove(digest)
            raise

    def remove(self, digest: str) -> None:
        """Take a file out, with all its steps."""
        with self._faults():
            found = self.database.execute("SELECT id FROM files WHERE digest = ?", (digest,)).fetchone()
            if not found:
                return
            of_file = "FROM steps WHERE episode IN (SELECT id FROM episodes WHERE file = ?)"
            self.database.execute("BEGIN")
            for table in ("words", "parts") if self.has_substrings else ("words",):
                self.database.execute(f"INSERT INTO {table} ({table}, rowid, text) SELECT 'delete', id, text {of_file}", found)  # fmt: skip  # noqa: E501
            self.database.execute(f"DELETE {of_file}", found)
            self.database.execute("DELETE FROM episodes WHERE file = ?", found)
            self.database.execute("DELETE FROM files WHERE id = ?", found)
            self.database.execute("COMMIT")

    def search(self, text: str, *, substring: bool = False, most: int = 50) -> tuple[list[Match], str]:
        """Find steps, in the order they were indexed; returns them, and how they were looked for.

        As words: every word must occur, without regard to case and accents; what stands between spaces is one phrase,
        so ``rm -rf`` asks for ``rm`` and ``rf``. As substring: exactly these characters, without regard to case.

        Args:    substring: through the substring index where it was made, else by looking at every step.
        """
        phrases = " ".join('"' + word.replace('"', '""') + '"' for word in text.replace("\0", " ").split())
        bound: tuple[str, ...]
        if not substring and _has_words(text):
            query, bound, how = THROUGH["words"], (phrases,), "words"
        elif len(text) >= SHORTEST_SUBSTRING and self.has_substrings and "\0" not in text:
            query, bound, how = THROUGH["parts"], (_pieces(self.database, text), text.casefold()), "substring index"
        else:
            query, bound, how = ONE_BY_ONE, (text.casefold(),), "every step looked at"
        with self._faults():
            self.database.create_function("held_in", 2, _held_in, deterministic=True)
            rows = self.database.execute(query, (*map(_clean, bound), most)).fetchall()
        return [_match(row) for row in rows], how

    def close(self) -> None:
        """Close the file, and let other processes open it."""
        self.database.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "StepIndex":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Adding:
    """Take the episodes of one file, writing them in batches."""

    def __init__(self, database: sqlite3.Connection, file: int, *, substrings: bool) -> None:
        self.database, self.file, self.substrings, self.account = database, file, substrings, ""
        self._steps: list[tuple[object, ...]] = []
        self._characters = 0
        (self._next,) = database.execute("SELECT coalesce(max(id), 0) + 1 FROM steps").fetchone()

    def add(self, episodes: Iterable[Episode]) -> None:
        """Take episodes as they come."""
        inserted = "INSERT INTO episodes (file, name, task, opened) VALUES (?, ?, ?, ?)"
        for episode in episodes:
            if not self.database.in_transaction:
                self.database.execute("BEGIN")
            row = (self.file, *(map(_clean, (episode.name, episode.task, episode.opened))))
            number = self.database.execute(inserted, row).lastrowid
            for step in episode.steps:
                self._take(number or 0, step)

    def _take(self, episode: int, step: Step) -> None:
        text, place = text_of(step), step.source
        words = map(_clean, (step.actor, step.kind, step.at, step.tool, place.member))
        self._steps.append((self._next, episode, step.index, *words, place.line, _clean(place.pointer), text))
        self._next += 1
        self._characters += len(text)
        if len(self._steps) >= BATCH_STEPS or self._characters >= BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._steps:
            marks = ", ".join("?" * len(self._steps[0]))
            self.database.executemany(f"INSERT INTO steps VALUES ({marks})", self._steps)
            pairs = [(row[0], row[-1]) for row in self._steps]
            for table in ("words", "parts") if self.substrings else ("words",):
                self.database.executemany(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", pairs)
        if self.database.in_transaction:
            self.database.execute("COMMIT")
        self._steps, self._characters = [], 0


def text_of(step: Step) -> str:
    """Give what of a step can be found: what was said, the tool, and its arguments."""
    arguments = canonical_json(dict(step.arguments)).decode("utf-8") if step.arguments else ""
    return _clean("\n".join(part for part in (step.content, step.tool, arguments) if part))


def _clean(text: str) -> str:
    """Write text so that SQLite takes all of it: half surrogates become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _has_words(text: str) -> bool:
    """Tell whether the word index can find a text; where not, it would find nothing, whatever stands there."""
    letters = [letter for letter in text if unicodedata.category(letter)[0] in "LN"]
    return bool(letters) and not any(unicodedata.name(letter, "").startswith(UNSPACED) for letter in letters)


def _note_common(database: sqlite3.Connection) -> None:
    """Note in how many steps of a sample each trigram stands, so that a search asks for the rare ones."""
    (last,) = database.execute("SELECT coalesce(max(id), 0) FROM steps").fetchone()
    rows = database.execute("SELECT text FROM steps WHERE id % ? = 0", (last // SAMPLED + 1,))
    counts: Counter[str] = Counter()
    for (text,) in rows:
        lowered = text[:LONGEST_SAMPLED].lower()
        counts.update({lowered[at : at + 3] for at in range(len(lowered) - 2)})
    common = [(piece, count) for piece, count in counts.items() if count > SAMPLED // 1000]
    database.execute("CREATE TABLE common (piece TEXT PRIMARY KEY, steps INTEGER NOT NULL) WITHOUT ROWID")
    database.executemany("INSERT INTO common VALUES (?, ?)", common)


def _pieces(database: sqlite3.Connection, text: str) -> str:
    """Ask for the rarest trigrams of a text: what has them all is looked at, and long lists are never opened."""
    pieces = list(dict.fromkeys(text[at : at + 3] for at in range(len(text) - 2)))[:MOST_PIECES]
    query = f"SELECT piece, steps FROM common WHERE piece IN ({', '.join('?' * len(pieces))})"
    known = dict(database.execute(query, [_clean(piece.lower()) for piece in pieces]))
    rarest = sorted(pieces, key=lambda piece: known.get(piece.lower(), 0))[:ASKED_FOR]
    return " AND ".join('"' + piece.replace('"', '""') + '"' for piece in rarest)


def _held_in(folded: str, text: str) -> bool:
    return folded in text.casefold()


def _match(row: tuple[str | int, ...]) -> Match:
    digest, name, episode, place, actor, kind, tool, at, member, line, pointer, text = row
    return Match(
        source=Source(file=str(digest), member=str(member), line=int(line), pointer=str(pointer)),
        name=str(name),
        episode=str(episode),
        index=int(place),
        actor=str(actor),
        kind=str(kind),
        tool=str(tool),
        at=str(at),
        text=str(text),
    )
