# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes: RFC 8785 JSON without floats, digests and content ids."""

import hashlib
from typing import TypeAlias

import rfc8785

from safetyboard.terms.errors import WrongUse

Plain: TypeAlias = "None | bool | int | str | list[Plain] | dict[str, Plain]"

LARGEST_INTEGER = 2**53 - 1


def canonical_json(value: Plain) -> bytes:
    """Write plain data as RFC 8785 JSON; only integers below 2**53, never floats.

    Raises:  WrongUse: a float, a larger integer, half a surrogate pair or another type is inside, or it is too deep.
    Source:  RFC 8785; the number rule is stricter, so that no reader has to agree on float printing.
    """
    try:
        _refuse_unportable(value)
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise WrongUse(f"The data have no canonical form ({error}).", hint="Text must be Unicode.") from error
    except RecursionError as error:
        raise WrongUse("The data are nested too deep to be written.") from error


def _refuse_unportable(value: object) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise WrongUse(f"The integer {value} is over 2^53.", hint="Write it as a decimal string.")
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_unportable(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise WrongUse(f"The key {key!r} is not text.")
            _refuse_unportable(item)
    else:
        raise WrongUse(f"A {type(value).__name__} has no canonical form.", hint="Write reals as hexadecimal floats.")


def digest_of(content: bytes) -> str:
    """Name bytes by their SHA-256, written ``sha256:<64 hex digits>``."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def content_id(value: Plain) -> str:
    """Name plain data by the digest of its canonical JSON."""
    return digest_of(canonical_json(value))


def well_formed(text: str) -> str:
    """Make text Unicode: halves of surrogate pairs that stand alone become U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def plain_of(value: object) -> Plain:
    """Make parsed JSON plain: reals become hexadecimal text, integers over 2**53 decimal text, text is made Unicode.

    Raises:  WrongUse: another type is inside, or it is too deep.
    """
    try:
        return _plain(value)
    except RecursionError as error:
        raise WrongUse("The data are nested too deep to be written.") from error


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INTEGER else str(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {well_formed(str(key)): _plain(item) for key, item in value.items()}
    raise WrongUse(f"A {type(value).__name__} has no canonical form.", hint="Write reals as hexadecimal floats.")
