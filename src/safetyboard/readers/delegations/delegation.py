# SPDX-License-Identifier: Apache-2.0
"""Who answers for which acts of which agent, from when until when, and who signed that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

ActKind = Literal["network", "message", "money", "push", "publication", "deploy", "deletion", "shared data"]
ACTS: tuple[ActKind, ...] = (
    "network", "message", "money", "push", "publication", "deploy", "deletion", "shared data",
)  # fmt: skip
Fault = Literal["", "forged", "wrong key", "unreadable"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Name who answers: a role or identifier of a legal or natural person, how to reach them, and their key.

    Args:    nature: legal person or natural person, as stated. key: 32 public bytes, in hexadecimal.
    """

    name: str
    nature: str
    contact: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Delegate:
    """Name for whom: every field that is given must fit the run.

    Args:    agent: as the record names it (name, agent, model or scaffold). system: digest of the recorded system.
             runs: pattern of the run's name, or of file digest and name (``*`` and ``?``). key: of a delegate that may
             sign further delegations.
    """

    agent: str = ""
    system: str = ""
    runs: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Say which acts: what is not given is not bounded, but for the kinds of act, which are always given.

    Args:    targets, hosts, repositories: patterns with ``*`` and ``?``; None for any. most: of one payment. unit: of
             money; empty for any.
    """

    effects: tuple[str, ...]
    targets: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    repositories: tuple[str, ...] | None = None
    most: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Delegation:
    """Hold one statement of delegation; one with a fault gives nothing, and is kept so that it can be named.

    Args:    id: digest of the canonical record. parent: id of the delegation it rests on; empty for a root.
             place: which entry of the file.
    """

    KIND: ClassVar[str] = "delegation"
    id: str
    principal: Principal
    delegate: Delegate
    scope: Scope
    begins: datetime
    ends: datetime
    may_delegate: bool
    parent: str
    place: str
    fault: Fault = ""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """Take a delegation back from a moment on; `key` is that of who signed it."""

    KIND: ClassVar[str] = "revocation"
    delegation: str
    at: datetime
    key: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Delegations:
    """Hold what was read of delegation files, and whom the reader of this trusts.

    Args:    trusted: fingerprints of the keys that may begin a chain; they come from outside the file, as a file
             cannot vouch for itself. faults: place -> what is wrong there.
    """

    statements: tuple[Delegation, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    trusted: frozenset[str] = frozenset()
    faults: Mapping[str, str] = field(default_factory=dict)
