# SPDX-License-Identifier: Apache-2.0
"""The signing key of this installation: made once, kept in the user's configuration folder."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import platformdirs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safetyboard.evidence.store import machine_faults, write_durably
from safetyboard.terms.errors import EnvironmentFault, UnreadableInput

FILE = "signing.key"


@dataclass(frozen=True)
class SigningKey:
    """Sign with an ed25519 key; `fingerprint` names its public half."""

    secret: Ed25519PrivateKey

    @cached_property
    def public(self) -> bytes:
        """Give the 32 public bytes."""
        return self.secret.public_key().public_bytes_raw()

    @cached_property
    def fingerprint(self) -> str:
        """Name the public key by its SHA-256."""
        return fingerprint_of(self.public)

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes."""
        return self.secret.sign(message)


def fingerprint_of(public: bytes) -> str:
    """Name 32 public bytes, ``sha256:<64 hex digits>``."""
    return "sha256:" + hashlib.sha256(public).hexdigest()


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check one signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def home() -> Path:
    """Say where the key is kept: ``SAFETYBOARD_HOME``, else the user's configuration folder."""
    chosen = os.environ.get("SAFETYBOARD_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("safetyboard"))


def load_key(folder: Path | None = None) -> tuple[SigningKey, bool]:
    """Load this installation's key, making it on first use; returns the key and whether it is new.

    Of several processes that all want to make it, one does, and the others load what it made.

    Raises:  UnreadableInput: the key file is damaged. EnvironmentFault: it cannot be made.
    """
    path = (folder or home()) / FILE
    if not path.exists():
        with suppress(FileExistsError):
            return _made(path), True
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInput(f"{path}: the signing key cannot be read.", hint="Check its permissions.") from error
    try:
        return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))), False
    except ValueError as error:
        raise UnreadableInput(f"{path}: not a signing key.", hint="Move it away and run keygen.") from error


def make_key(folder: Path | None = None) -> SigningKey:
    """Make a key and write it, readable by its owner only; never overwrites one.

    Raises:  EnvironmentFault: a key is there already, or the folder is not writable.
    """
    path = (folder or home()) / FILE
    try:
        return _made(path)
    except FileExistsError:
        raise EnvironmentFault(f"{path}: a key is there already.", hint="Move it away first.") from None


def _made(path: Path) -> SigningKey:
    secret = Ed25519PrivateKey.generate()
    with machine_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_durably(path, (secret.private_bytes_raw().hex() + "\n").encode("ascii"), mode=0o600, fresh=True)
    return SigningKey(secret)
