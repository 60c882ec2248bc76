# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a step is found, by word or by substring, and the match says where it stands."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.evidence import step_index
from safetyboard.evidence.step_index import StepIndex
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.errors import EnvironmentFault, UntrustedEvidence

FILE = digest_of(b"a file")
OTHER = digest_of(b"another file")


def episode(*texts: str, file: str = FILE, name: str = "run", **fields: object) -> Episode:
    steps = tuple(
        Step(
            index=place,
            actor="agent",
            kind="say",
            source=Source(file=file, line=place + 1, pointer="/content"),
            content=text,
            **fields,
        )
        for place, text in enumerate(texts)
    )
    return Episode(file=file, format="plain", name=name, steps=steps)


def filled(path: Path, *texts: str) -> StepIndex:
    index = StepIndex(path)
    with index.adding(FILE, "a.jsonl", "plain") as adding:
        adding.add([episode(*texts)])
    return index


def places(index: StepIndex, text: str, **how: bool) -> list[int]:
    return [match.index for match in index.search(text, **how)[0]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


def test_a_match_says_digest_line_and_pointer(path: Path) -> None:
    with filled(path, "nothing here", "the Watchdog was disabled") as index:
        [match], how = index.search("watchdog")
    assert match.source == Source(file=FILE, line=2, pointer="/content")
    assert (match.name, match.episode, match.index, match.text) == ("a.jsonl", "run", 1, "the Watchdog was disabled")
    assert how == "words"


def test_every_word_must_occur_and_case_and_accents_do_not_matter(path: Path) -> None:
    with filled(path, "Café au lait", "cafe noir", "lait entier") as index:
        assert places(index, "CAFE") == [0, 1]
        assert places(index, "lait café") == [0]
        assert places(index, "caf") == []
        assert places(index, "caf", substring=True) == [0, 1]


def test_tools_and_arguments_are_found_too(path: Path) -> None:
    with StepIndex(path) as index:
        with index.adding(FILE, "a", "plain") as adding:
            adding.add([episode("", tool="bash", arguments={"command": ["rm", "-rf", "~"]})])
        assert places(index, "bash") == [0]
        assert places(index, '"rm","-rf"') == [0]


@pytest.mark.parametrize("substring", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        '"quoted"', "a AND b", "NEAR(a b)", "text:a", "a*", "-a", "'; DROP TABLE steps; --", "(", "^a", "a + b",
        "rm -rf", "--", "~/", "日本", "本", "ไทย", "ß", "x\0y", "\u202eabc", "𝕏", "_", "a_b",
    ],
)  # fmt: skip
def test_a_query_is_only_ever_text(path: Path, text: str, substring: bool) -> None:
    with filled(path, f"before {text} behind", "nothing of the kind: 0123456789") as index:
        assert places(index, text, substring=substring) == [0]
        index.make_substrings()
        assert places(index, text, substring=substring) == [0]


@settings(max_examples=60)
@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=5), data=st.data())
def test_the_substring_index_finds_what_looking_at_every_step_finds(
    texts: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = data.draw(st.sampled_from([*texts, "abc"]))
    start = data.draw(st.integers(0, max(0, len(source) - 1)))
    wanted = source[start : start + data.draw(st.integers(1, 8))]
    with filled(tmp_path_factory.mktemp("index") / "i", *texts) as index:
        if not wanted:
            return
        expected = [place for place, text in enumerate(texts) if wanted.casefold() in text.casefold()]
        assert places(index, wanted, substring=True) == expected
        index.make_substrings()
        # Case is folded letter by letter in the index, and never less than exactly.
        exact = {place for place, text in enumerate(texts) if wanted in text}
        assert exact <= set(places(index, wanted, substring=True))


def test_the_substring_index_is_kept_up_when_files_come_and_go(path: Path) -> None:
    with filled(path, "unstoppable") as index:
        index.make_substrings()
        with index.adding(OTHER, "b", "plain") as adding:
            adding.add([episode("stopping", file=OTHER)])
        matches, how = index.search("stop", substring=True)
        assert (len(matches), how) == (2, "substring index")
        index.remove(FILE)
        assert [match.text for match in index.search("stop", substring=True)[0]] == ["stopping"]
        assert [match.text for match in index.search("unstoppable")[0]] == []
        index.database.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        index.database.execute("INSERT INTO parts (parts, rank) VALUES ('integrity-check', 1)")


def test_a_reader_that_fails_in_the_middle_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_index, "BATCH_STEPS", 2)

    def failing() -> Iterator[Episode]:
        yield episode("needle", "needle", "needle")
        raise ValueError

    with filled(path, "hay") as index:
        with pytest.raises(ValueError), index.adding(OTHER, "b", "plain") as adding:
            adding.add(failing())
        assert places(index, "needle") == []
        assert index.counts() == (1, 1)
        assert list(index.files()) == [FILE]


def test_a_file_whose_indexing_was_killed_is_taken_out_on_opening(path: Path) -> None:
    with filled(path, "needle") as index:
        index.database.execute("UPDATE files SET whole = 0")
    with StepIndex(path) as index:
        assert index.counts() == (0, 0)
        assert places(index, "needle") == []


def test_a_damaged_index_and_one_of_another_version_say_so(path: Path) -> None:
    path.write_bytes(b"no database, by no means at all" * 100)
    with pytest.raises(UntrustedEvidence, match="damaged"):
        StepIndex(path)
    path.unlink()
    sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.close()
    with pytest.raises(UntrustedEvidence, match="another version"):
        StepIndex(path)
    with pytest.raises(EnvironmentFault):
        StepIndex(path / "no" / "folder")


def test_a_second_process_waits_until_the_first_has_closed_it(path: Path) -> None:
    first, opened = filled(path, "needle"), []
    second = threading.Thread(target=lambda: opened.append(StepIndex(path).counts()))
    second.start()
    time.sleep(0.1)
    assert opened == []
    first.close()
    second.join(10)
    assert opened == [(1, 1)]


def test_half_surrogates_are_stored_as_question_marks(path: Path) -> None:
    with filled(path, "broken \ud800 needle") as index:
        assert index.search("needle")[0][0].text == "broken ? needle"


def test_no_more_than_wanted_come_back_in_the_order_they_were_indexed(path: Path) -> None:
    with filled(path, *("needle",) * 20) as index:
        assert [match.index for match in index.search("needle", most=7)[0]] == list(range(7))


FILLING = """
import resource, sys
from pathlib import Path
from safetyboard.evidence.step_index import StepIndex
from safetyboard.terms.episode import Episode, Source, Step
from safetyboard.terms.errors import EnvironmentFault
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
source = Source(file="f")
steps = tuple(Step(index=n, actor="agent", kind="say", source=source, content=f"needle{n} " * 900) for n in range(900))
try:
    with StepIndex(Path(sys.argv[1])) as index, index.adding("f", "a", "plain") as adding:
        adding.add([Episode(file="f", format="plain", name="run", steps=steps)])
except EnvironmentFault as error:
    print(error)
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_indexed(path: Path) -> None:
    command = [sys.executable, "-c", FILLING, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.count("\n") == 1
    assert "cannot be written" in answer.stdout
    with StepIndex(path) as index:
        assert index.counts() == (0, 0)
        assert index.search("needle1") == ([], "words")
