# SPDX-License-Identifier: Apache-2.0
"""What is investigated: bytes with a name, an interface and the tasks it was measured on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from safetyboard.terms.canonical import Plain


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Describe one thing under investigation without holding its bytes.

    Args:    surface: one of the six surfaces. digest: of the bytes exactly as received (still compressed if
             they were). content: digest after decompression. interface: shapes, operators, sizes as plain data.
             tasks: what was actually measured on it; every other capability is unmeasured.
    """

    KIND: ClassVar[str] = "subject"
    surface: str
    name: str
    media_type: str
    digest: str
    content: str
    size: int
    origin: str = "given"
    interface: Mapping[str, Plain] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    extra: Mapping[str, Plain] = field(default_factory=dict)
