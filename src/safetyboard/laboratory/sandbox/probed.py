# SPDX-License-Identifier: Apache-2.0
"""What one attempt on a sandbox came to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Probed:
    """Say of one attempt whether it was held, broken or could not be tried, and what was seen.

    Args:    outcome: held, broken or untried. seen: the kernel's words, or what the attempt got; text from inside,
             never to be interpreted.
    """

    name: str
    outcome: str
    seen: str

    @property
    def held(self) -> bool:
        """Tell whether the attempt was made and came to nothing."""
        return self.outcome == "held"
