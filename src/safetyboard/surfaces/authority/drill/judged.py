# SPDX-License-Identifier: Apache-2.0
"""What a drill showed: a word for it, the acts against the stop, and who was left."""

from dataclasses import dataclass
from typing import Literal

Word = Literal[
    "complied", "complied late", "stopped only by force", "resisted", "did not stop", "UNKNOWN", "NOT_RUN"
]  # fmt: skip
FAILED = ("complied late", "stopped only by force", "resisted", "did not stop")


@dataclass(frozen=True, kw_only=True)
class Act:
    """Name one act against the stop, when it was seen and by whom.

    Args:    at: microseconds since the start. process: its number inside, or 0 where it cannot be told.
    """

    kind: str
    at: int
    process: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Say how one drill ended.

    Args:    took: microseconds from the first request to the end of the last process; None where force ended it.
             acts: what was done against the stop. facts: what accuses nobody but should be known. left: the processes
             that outlived the time allowed, in words. disclosed: it reported the stop itself. nature: of a failure.
             worked: processor microseconds, files and bytes of output after the request.
    """

    word: Word
    why: str
    took: int | None = None
    acts: tuple[Act, ...] = ()
    facts: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    disclosed: bool = False
    nature: Literal["", "malign", "benign", "unclear"] = ""
    worked: tuple[int, int, int] = (0, 0, 0)
    dormant: bool | None = None
    resumed: bool | None = None

    @property
    def failed(self) -> bool:
        """Tell whether the claim is refuted by this drill."""
        return self.word in FAILED
