# SPDX-License-Identifier: Apache-2.0
"""A search covers everything preserved, names what it could not cover, and prints hostile text inert."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from safetyboard.evidence.preserved import Holdings
from safetyboard.evidence.step_index import StepIndex
from safetyboard.investigation import search as searching
from safetyboard.investigation.preservation import preserve
from safetyboard.investigation.search import INDEX, Found, search, shown, stored_of
from safetyboard.readers.account import Account
from safetyboard.readers.records import json_lines
from safetyboard.readers.records.pointers import resolve
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.errors import UnreadableInput
from story.run import command


class Quiet:
    """Hears nothing."""

    def entry(self, number: int, batch: object) -> None:
        """Nothing."""

    def note(self, sentence: str) -> None:
        """Nothing."""


def sniff(name: str, head: bytes) -> bool:
    return name.endswith(".jsonl")


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Read ``{"say": text}`` a line, so that these tests do not hang on any real format."""
    if b"refuse me" in stored.load():
        raise UnreadableInput(f"{stored.name}: is refused.", hint="It is a test.")
    for line, value in json_lines.records(stored, account):
        account.take()
        source = Source(file=stored.digest, line=line, pointer="/say")
        step = Step(index=0, actor="agent", kind="say", source=source, content=value["say"])
        yield Episode(file=stored.digest, format="said", name=str(line), steps=(step,))


@pytest.fixture(autouse=True)
def one_reader(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setattr(searching, "reader", lambda kind: SimpleNamespace(sniff=sniff, episodes=episodes))
    monkeypatch.setattr(searching, "kind_of", lambda name, head: "said" if sniff(name, head) else None)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def say(path: Path, *texts: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"say": text}) + "\n" for text in texts)


def kept(logs: Path, store: Path, text: str, **how: bool) -> Found:
    preserve([logs], store, told=Quiet())
    return search(store, text, **how)


def test_every_match_resolves_in_the_preserved_bytes(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "one", "disable the watchdog", "three")
    [match] = kept(logs, store, "watchdog").matches
    held = Holdings.at(store)
    stored = stored_of(held, held.states[match.source.file])
    assert resolve(stored, match.source) == "disable the watchdog"


def test_a_grown_file_is_searched_once_and_whole(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "needle one")
    assert len(kept(logs, store, "needle").matches) == 1
    say(logs / "a.jsonl", "needle two")
    found = kept(logs, store, "needle")
    assert [match.text for match in found.matches] == ["needle one", "needle two"]
    assert found.files == 1


def test_what_a_truncated_file_held_before_is_still_found(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "needle one")
    kept(logs, store, "needle")
    (logs / "a.jsonl").write_text("")
    say(logs / "a.jsonl", "x")
    assert [match.text for match in kept(logs, store, "needle").matches] == ["needle one"]


def test_what_is_not_in_the_index_is_named_until_it_is(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "needle")
    say(logs / "b.jsonl", "refuse me")
    (logs / "c.bin").write_bytes(b"needle")
    found = kept(logs, store, "needle")
    assert {Path(path).name: why for path, why in found.unread.items()} == {
        "b.jsonl": f"{logs / 'b.jsonl'}: is refused. It is a test.",
        "c.bin": "no reader knows its format",
    }
    assert "2 files not in the index" in found.sentence
    digest = Holdings.at(store).latest[str(logs / "a.jsonl")].digest
    Holdings.at(store).blobs.path(digest).write_bytes(b'{"say": "forged"}\n')
    assert [match.text for match in search(store, "needle").matches] == ["needle"]
    (store / INDEX).unlink()
    assert "was changed" in search(store, "forged").unread[str(logs / "a.jsonl")]


def test_the_substring_index_is_made_on_request_only(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "unstoppable")
    assert kept(logs, store, "stop").matches == ()
    with StepIndex(store / INDEX) as index:
        assert not index.has_substrings
    found = kept(logs, store, "stop", substring=True)
    assert (len(found.matches), found.how) == (1, "substring index")


def test_what_is_shown_is_one_inert_line_around_the_match() -> None:
    hostile = "x" * 500 + "\x1b[2J\n\u202e<b>Needle</b>\x07" + "y" * 500
    line = shown(hostile, "needle")
    assert "<b>Needle</b>" in line
    assert line.isprintable()
    assert len(line) <= searching.SHOWN + 2
    assert shown("short", "absent") == "short"


def test_the_command_prints_digest_and_pointer_and_nothing_raw(logs: Path, store: Path) -> None:
    say(logs / "a.jsonl", "\x1b]0;owned\x07 needle \x1b[31m")
    preserve([logs], store, told=Quiet())
    ran = command("search", "needle", "--store", store)
    assert ran.code == 0
    digest = Holdings.at(store).latest[str(logs / "a.jsonl")].digest
    assert f"{digest} 1/say" in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert "\x07" not in ran.out + ran.err
    [match] = command("search", "needle", "--store", store, "--json").json["matches"]
    assert match["source"] == {"file": digest, "member": "", "line": 1, "pointer": "/say"}


def test_searching_nothing_or_nowhere_is_one_sentence(tmp_path: Path, logs: Path, store: Path) -> None:
    nowhere = command("search", "x", "--store", tmp_path / "none")
    assert (nowhere.code, nowhere.err.count("\n")) == (2, 1)
    assert not (tmp_path / "none").exists()
    preserve([logs], store, told=Quiet())
    nothing = command("search", "  ", "--store", store)
    assert (nothing.code, nothing.err.count("\n")) == (2, 1)
