# SPDX-License-Identifier: Apache-2.0
"""One investigation: its id, what it was asked, and the loss account. Times live here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Case:
    """Head a docket: identity, time, settings and the account of every claim.

    Args:    case: UUIDv7. opened: RFC 3339 in UTC. tool: name and version. platform: versions of packages
             that results depend on. options: as given. loss: the claims counted by verdict, which add up to
             all of them. files: digests of report, replay script and the like. result_digest: over claims,
             verdicts and evidence, without times or hosts.
    """

    KIND: ClassVar[str] = "case"
    case: str
    title: str
    opened: str
    tool: str
    platform: Mapping[str, Plain]
    options: Mapping[str, Plain]
    loss: Mapping[str, Plain]
    result_digest: str
    files: Mapping[str, Plain] = field(default_factory=dict)
    withheld: Mapping[str, Plain] = field(default_factory=dict)
    stopped_by_time: bool = False
    unsound: bool = False
    not_run: tuple[str, ...] = ()
    trust_assumptions: tuple[Mapping[str, Plain], ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
