# SPDX-License-Identifier: Apache-2.0
"""A repository that wants to harm its reader gets one sentence, or is read without what harms."""

import hashlib
import zlib

import pytest
from dulwich.objects import Blob
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.readers.repositories import packs, tree
from safetyboard.readers.repositories.pack_entries import applied
from safetyboard.readers.repositories.packs import Pack
from safetyboard.readers.repositories.repository import bundle_of, repository_of
from safetyboard.terms.errors import SafetyboardError, TooLarge, UnreadableInput
from unit.readers.repositories.made import Made, number, pack_of, simple, sized, stored

FILE, FOLDER = 0o100644, 0o40000


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"..", "leads elsewhere"), (b".", "leads elsewhere"), (b"/etc/passwd", "leads elsewhere"),
        (b"a/../../b", "leads elsewhere"), (b"a\\..\\b", "leads elsewhere"), (b"", "leads elsewhere"),
        (b".git", "version control"), (b".GIT", "version control"), (b".git. ", "version control"),
        ("\u200c.git".encode(), "version control"), (b"GIT~1", "version control"), (b".git::$INDEX", "version control"),
        (b"a\x1b[2Jb", "not seen"), ("a\u202eyp.tset".encode(), "not seen"), (b"\xff\xfe", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_name_that_plays_a_trick_is_named_and_left_out(name: bytes, why: str) -> None:
    made = Made()
    blob = made.add(Blob.from_string(b"x"))
    made.refs["refs/heads/main"] = tip = made.commit(made.entries([(FILE, b"good", blob), (FILE, name, blob)]))
    found = repository_of("r", made.git()).tree(tip)
    assert dict(found.files) == {"good": b"x"}
    [odd] = found.discrepancies
    assert why in odd.where
    assert odd.name.isprintable()


def test_twins_are_left_out_and_what_lies_below_them_too() -> None:
    made = Made()
    blob = made.add(Blob.from_string(b"x"))
    inner = made.entries([(FILE, b"f", blob)])
    top = made.entries([
        (FILE, b"two", blob), (FILE, b"two", blob), (FOLDER, b"Tests", inner), (FOLDER, b"tests", inner),
        (FILE, "\u00e9".encode(), blob), (FILE, "e\u0301".encode(), blob), (FILE, b"good", blob),
    ])  # fmt: skip
    made.refs["refs/heads/main"] = tip = made.commit(top)
    found = repository_of("r", made.git()).tree(tip)
    assert set(found.files) == {"good"}
    assert len(found.discrepancies) == 6


def test_links_and_submodules_are_told_and_not_followed_and_unknown_modes_left_out() -> None:
    made = Made()
    blob = made.add(Blob.from_string(b"/etc/passwd"))
    top = made.entries(
        [(0o120000, b"l", blob), (0o160000, b"m", "1" * 40), (0o100755, b"x", blob), (0o60000, b"d", blob)]
    )
    made.refs["refs/heads/main"] = tip = made.commit(top)
    found = repository_of("r", made.git()).tree(tip)
    assert (dict(found.links), dict(found.submodules)) == ({"l": "/etc/passwd"}, {"m": "1" * 40})
    assert (dict(found.modes), [odd.name for odd in found.discrepancies]) == ({"x": 0o755}, ["d"])


def test_a_tree_that_doubles_at_every_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_ENTRIES", 2000)
    made = Made()
    here = made.entries([(FILE, b"f", made.add(Blob.from_string(b"x")))])
    for _ in range(40):
        here = made.entries([(FOLDER, b"a", here), (FOLDER, b"b", here)])
    made.refs["refs/heads/main"] = tip = made.commit(here)
    with pytest.raises(TooLarge, match="more than 2000 entries"):
        repository_of("r", made.git()).tree(tip)


def test_a_packed_bomb_is_refused_by_what_it_states_and_by_what_it_holds() -> None:
    stated = pack_of(sized(3, 1 << 40) + zlib.compress(b"x"))
    with pytest.raises(TooLarge, match="states"):
        Pack(name="p", content=stated).walk()
    lying = pack_of(sized(3, 10) + zlib.compress(bytes(10_000_000)))
    with pytest.raises(UnreadableInput, match="not of its stated size"):
        Pack(name="p", content=lying).walk()


def test_differences_that_grow_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "MOST_WORK", 50 << 20)
    base = sized(3, 65536) + zlib.compress(bytes(65536))
    copy_all = b"\x80"  # copies 65,536 bytes from the start of the base
    delta = number(65536) + number(65536 * 200) + copy_all * 200
    entries, here = [base], len(base)
    for _ in range(6):
        entries.append(sized(6, len(delta)) + back(here) + zlib.compress(delta))
        here += len(entries[-1])
    with pytest.raises(TooLarge, match="unpacks to more than|takes more than"):
        Pack(name="p", content=pack_of(*entries)).walk()


def back(distance: int) -> bytes:
    made = [distance & 127]
    distance >>= 7
    while distance:
        distance -= 1
        made.append(128 | distance & 127)
        distance >>= 7
    return bytes(reversed(made))


def test_a_difference_may_not_copy_past_its_stated_result() -> None:
    with pytest.raises(UnreadableInput, match="is damaged"):
        applied(bytes(65536), number(65536) + number(10) + b"\x80" * 1000, "p")
    with pytest.raises(TooLarge):
        applied(b"x", number(1) + number(1 << 50) + b"\x80", "p")


def test_differences_that_name_one_another_in_a_circle_end() -> None:
    one, two = bytes.fromhex("11" * 20), bytes.fromhex("22" * 20)
    delta = zlib.compress(number(1) + number(1) + b"\x01x")
    pack = Pack(name="p", content=pack_of(sized(7, 4) + two + delta, sized(7, 4) + one + delta))
    assert pack.walk() == ("11" * 20, "22" * 20)
    pack.offsets = {one.hex(): 12, two.hex(): 12 + len(sized(7, 4)) + 20 + len(delta)}
    with pytest.raises(UnreadableInput, match="in a circle"):
        pack.get(one.hex())


def test_an_index_that_lies_is_found_out() -> None:
    made, tip = simple()
    other = made.add(Blob.from_string(b"other"))
    pack = Pack(name="p", content=made.pack())
    pack.walk()
    pack.offsets[tip] = pack.offsets[other]
    with pytest.raises(UnreadableInput, match="not what its name says"):
        pack.get(tip)


def test_an_object_of_another_name_is_found_out() -> None:
    made, tip = simple()
    held = made.git()
    held[f"objects/{tip[:2]}/{tip[2:]}"] = stored("o", zlib.compress(b"commit 1\0x"))
    with pytest.raises(UnreadableInput, match="not what its name says"):
        repository_of("r", held)


@pytest.mark.parametrize(
    "content",
    [b"", b"# v9 git bundle\n", b"# v2 git bundle\n", b"# v2 git bundle\nhello\n\nPACK", b"# v2 git bundle\n\n",
     b"# v3 git bundle\n@object-format=sha256\n\nPACK" + bytes(40)],
)  # fmt: skip
def test_what_is_no_bundle_is_one_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableInput) as caught:
        bundle_of(stored("b.bundle", content))
    assert "b.bundle" in caught.value.message
    assert "\n" not in str(caught.value)


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_bundle_is_one_sentence_and_never_a_traceback(data: st.DataObject) -> None:
    made, tip = simple()
    content = bytearray(made.bundle().load())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        body = bytes(content[content.find(b"PACK") : -20])
        content = content[: content.find(b"PACK")] + body + hashlib.sha1(body).digest()
    try:
        found = bundle_of(stored("b.bundle", bytes(content)))
        found.commits(10)
        found.tree(tip)
    except SafetyboardError as error:
        assert "\n" not in str(error)


@settings(max_examples=150)
@given(kind=st.sampled_from([b"commit", b"tree", b"tag"]), content=st.binary(max_size=200))
def test_an_object_of_any_bytes_is_one_sentence_and_never_a_traceback(kind: bytes, content: bytes) -> None:
    made = Made()
    made.refs["refs/heads/main"] = name = made.raw(kind, content)
    inner = made.raw(b"commit", b"tree %s\n%s" % (name.encode(), content))
    made.refs["refs/heads/other"] = inner
    try:
        found = repository_of("r", made.git())
        found.commits(10)
        found.tree(inner)
    except SafetyboardError as error:
        assert "\n" not in str(error)
