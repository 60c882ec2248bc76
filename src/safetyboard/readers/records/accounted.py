# SPDX-License-Identifier: Apache-2.0
"""Hold a reader to its account: a fault of its own is named, and other files go on."""

from collections.abc import Iterator
from typing import Any

from safetyboard.readers.account import Account
from safetyboard.readers.records.catalog import CATALOG
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Episode
from safetyboard.terms.errors import SafetyboardError

HINT = "This is a fault of safetyboard, not of the file: report it. The other files are read."


class ReaderFault(SafetyboardError):
    """Refuse a file because its reader broke off, or its account does not add up."""


def accounted(kind: str, reader: Any, stored: Stored, account: Account) -> Iterator[Episode]:
    """Give the episodes of a file as its reader does.

    Raises:  ReaderFault: the reader broke off, or met more or less than it accounts for. SafetyboardError and its
             kin: as the reader does.
    """
    name = f"{stored.name}: the reader {kind if kind in CATALOG else 'of the mapping'}"
    try:
        yield from reader.episodes(stored, account)
    except (SafetyboardError, OSError, MemoryError):
        raise
    except Exception as error:
        said = f"{type(error).__name__} after {account.met} {account.unit}"
        raise ReaderFault(f"{name} broke off ({said}).", hint=HINT) from error
    if not account.balanced:
        parts = f"{account.read} read and {sum(account.left.values())} left"
        raise ReaderFault(f"{name} met {account.met} {account.unit} and accounts for {parts}.", hint=HINT)
