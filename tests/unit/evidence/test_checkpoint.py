# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is a signed note in its one spelling: size and root, by this key or not at all."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.evidence.checkpoint import key_hash, origin_of, read_checkpoint, write_checkpoint
from safetyboard.terms.errors import UntrustedEvidence
from safetyboard_check import log as checker_log
from safetyboard_check.ed25519 import Verifier
from unit.evidence.specimens import KEY, OTHER_KEY

ROOT = hashlib.sha256(b"root").digest()


def note(text: str, *, name: str | None = None, key: bytes | None = None, signed: str | None = None) -> bytes:
    """A signed note over any text, put together by hand."""
    signer = name or text.split("\n")[0]
    raw = (key or key_hash(signer, KEY.public)) + KEY.sign((signed or text).encode())
    return f"{text}\n\u2014 {signer} {base64.b64encode(raw).decode()}\n".encode()


def test_the_key_hash_is_that_of_the_signed_note_s_own_example() -> None:
    # golang.org/x/mod/sumdb/note: the verifier key of sum.golang.org, name+hash+base64(0x01 || public key).
    name, stated, encoded = ["sum.golang.org", "033de0ae", "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"]
    raw = base64.b64decode(encoded)
    assert raw[0] == 1
    assert key_hash(name, raw[1:]).hex() == stated


@given(size=st.integers(0, 10**15 - 1), root=st.binary(min_size=32, max_size=32))
def test_what_was_written_is_read_by_engine_and_checker(size: int, root: bytes) -> None:
    content = write_checkpoint(size, root, KEY)
    assert read_checkpoint(content, KEY.public) == (size, root)
    assert checker_log.checkpoint(content, Verifier(KEY.public), "kept") == (size, root)


def test_a_checkpoint_has_the_lines_the_format_says() -> None:
    lines = write_checkpoint(7, ROOT, KEY).decode().split("\n")
    origin = "safetyboard/" + hashlib.sha256(KEY.public).hexdigest()[:16]
    assert lines[:4] == [origin, "7", base64.b64encode(ROOT).decode(), ""]
    assert lines[4].startswith(f"\u2014 {origin} ")
    assert lines[5:] == [""]
    assert origin_of(KEY.public) == origin != origin_of(OTHER_KEY.public)


def test_the_note_put_together_by_hand_is_accepted() -> None:
    text = f"{origin_of(KEY.public)}\n7\n{base64.b64encode(ROOT).decode()}\n"
    assert note(text) == write_checkpoint(7, ROOT, KEY)
    assert read_checkpoint(note(text), KEY.public) == (7, ROOT)


def test_another_key_is_refused_whatever_it_calls_itself() -> None:
    content = write_checkpoint(7, ROOT, OTHER_KEY)
    with pytest.raises(UntrustedEvidence, match="not signed by this key"):
        read_checkpoint(content, KEY.public)
    posing = content.replace(origin_of(OTHER_KEY.public).encode(), origin_of(KEY.public).encode())
    with pytest.raises(UntrustedEvidence, match="not signed by this key"):
        read_checkpoint(posing, KEY.public)
    assert read_checkpoint(content, OTHER_KEY.public) == (7, ROOT)


def test_another_size_or_root_under_the_old_signature_is_refused() -> None:
    content = write_checkpoint(7, ROOT, KEY)
    other = base64.b64encode(hashlib.sha256(b"other").digest())
    for changed in (content.replace(b"\n7\n", b"\n8\n"), content.replace(base64.b64encode(ROOT), other)):
        assert changed != content
        with pytest.raises(UntrustedEvidence, match="not signed by this key"):
            read_checkpoint(changed, KEY.public)


@pytest.mark.parametrize(
    "body",
    ["{o}\n07\n{r}\n", "{o}\n-7\n{r}\n", "{o}\n7.0\n{r}\n", "{o}\n\u0667\n{r}\n", "{o}\n1000000000000000\n{r}\n",
     "{o}\n7\n{r}\nmore\n", "{o}\n7\n{short}\n", "{o}\n7\n", "\n7\n{r}\n", "{o}\n7 \n{r}\n", "{o}\n7\n{spare}\n"],
)  # fmt: skip
def test_a_rightly_signed_note_in_another_spelling_is_refused(body: str) -> None:
    encoded = base64.b64encode(ROOT).decode()
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = encoded[:42] + digits[digits.index(encoded[42]) + 1] + "="
    assert base64.b64decode(spare) == ROOT
    words = {"o": origin_of(KEY.public), "r": encoded, "short": encoded[4:], "spare": spare}
    with pytest.raises(UntrustedEvidence):
        read_checkpoint(note(body.format(**words), name=origin_of(KEY.public)), KEY.public)


def test_a_name_or_key_hash_of_another_key_is_refused() -> None:
    text = f"{origin_of(KEY.public)}\n7\n{base64.b64encode(ROOT).decode()}\n"
    with pytest.raises(UntrustedEvidence, match="not signed by this key"):
        read_checkpoint(note(text, name="somebody"), KEY.public)
    with pytest.raises(UntrustedEvidence, match="not signed by this key"):
        read_checkpoint(note(text, key=b"\0\0\0\0"), KEY.public)
    elsewhere = text.replace("safetyboard/", "elsewhere/")
    with pytest.raises(UntrustedEvidence, match="not signed by this key"):
        read_checkpoint(note(elsewhere), KEY.public)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\n\n", b"a\n1\nb\n\n\xe2\x80\x94 a x\n", b"x" * 100_000])
def test_what_is_no_note_is_one_sentence(content: bytes) -> None:
    with pytest.raises(UntrustedEvidence, match="The checkpoint is"):
        read_checkpoint(content, KEY.public)


@given(place=st.integers(0), bit=st.integers(0, 7))
def test_every_changed_bit_is_refused(place: int, bit: int) -> None:
    content = bytearray(write_checkpoint(123_456, ROOT, KEY))
    content[place % len(content)] ^= 1 << bit
    with pytest.raises(UntrustedEvidence):
        read_checkpoint(bytes(content), KEY.public)
