# SPDX-License-Identifier: Apache-2.0
"""The signing key is made once, read by its owner alone, and named the same way everywhere."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from safetyboard.evidence.keys import FILE, SigningKey, fingerprint_of, home, load_key, make_key, verifies
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput
from safetyboard_check.ed25519 import Verifier
from unit.evidence.specimens import KEY, OTHER_KEY

# RFC 8032 section 7.1, TEST 1 to 3: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_standard(secret: str, public: str, message: str, signature: str) -> None:
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert verifies(key.public, bytes.fromhex(message), bytes.fromhex(signature))


@given(message=st.binary(max_size=200), place=st.integers(0, 511))
def test_one_changed_bit_of_message_or_signature_is_refused_by_engine_and_checker(message: bytes, place: int) -> None:
    signature = KEY.sign(message)
    changed = bytearray(signature)
    changed[place // 8] ^= 1 << place % 8
    for good in (lambda text, signed: verifies(KEY.public, text, signed), Verifier(KEY.public).good):
        assert good(message, signature)
        assert not good(message, bytes(changed))
        assert not good(message + b"\0", signature)
        assert not good(message, OTHER_KEY.sign(message))
        assert not good(message, signature[:-1])
    assert not verifies(OTHER_KEY.public, message, signature)


@pytest.mark.parametrize("public", [b"", b"\0" * 31, b"\xff" * 32, b"\0" * 33])
def test_what_is_no_key_verifies_nothing(public: bytes) -> None:
    assert not verifies(public, b"message", KEY.sign(b"message"))


def test_the_first_key_is_made_and_said_and_the_second_call_loads_it(tmp_path: Path) -> None:
    made, fresh = load_key(tmp_path / "new" / "folder")
    assert fresh
    loaded, again = load_key(tmp_path / "new" / "folder")
    assert not again
    assert loaded.public == made.public
    assert verifies(loaded.public, b"x", made.sign(b"x"))
    assert load_key(tmp_path / "elsewhere")[0].public != made.public


def test_only_the_owner_may_read_the_key_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_key(tmp_path / "home")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "home" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "home").iterdir()] == [FILE]


def test_a_fingerprint_is_the_digest_of_the_public_bytes() -> None:
    # sha256 of thirty-two zero bytes, as sha256sum prints it.
    zeros = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    assert fingerprint_of(b"\0" * 32) == "sha256:" + zeros
    assert KEY.fingerprint == fingerprint_of(KEY.public)
    assert KEY.fingerprint != OTHER_KEY.fingerprint


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    first = make_key(tmp_path)
    with pytest.raises(EnvironmentFault, match=r"a key is there already\. Move it away first"):
        make_key(tmp_path)
    assert load_key(tmp_path)[0].public == first.public


@pytest.mark.parametrize("content", [b"", b"not hex\n", b"ab" * 31, b"\xff\xfe" * 32, b"ab" * 33])
def test_a_damaged_key_file_is_one_sentence_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UnreadableInput, match=FILE):
        load_key(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_folder_that_cannot_hold_a_key_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        make_key(tmp_path / "file" / "below")


def test_the_environment_says_where_the_key_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFETYBOARD_HOME", str(tmp_path / "chosen"))
    assert home() == tmp_path / "chosen"
    assert load_key()[1]
    assert (tmp_path / "chosen" / FILE).is_file()
    monkeypatch.delenv("SAFETYBOARD_HOME")
    assert home().name == "safetyboard"


def test_processes_that_all_want_the_first_key_end_with_the_same_one(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from safetyboard.evidence.keys import load_key
sys.stdin.readline()
key, fresh = load_key(Path(sys.argv[1]))
print(key.fingerprint, fresh)
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0].split() for process in started]
    assert len({fingerprint for fingerprint, _ in answers}) == 1
    assert [fresh for _, fresh in answers].count("True") == 1
