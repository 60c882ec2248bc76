# SPDX-License-Identifier: Apache-2.0
"""What the checker may conclude: rejected, unsound, not a docket; each with its exit code."""


class Rejected(Exception):
    """The docket does not hold: names the place, what stands there and what should."""

    code = 1


class Unsound(Rejected):
    """A cell has both an accepted witness and an accepted certificate."""

    code = 70


class NotADocket(Rejected):
    """There is no docket here, or one of a newer format."""

    code = 2


def need(condition: object, message: str) -> None:
    """Reject unless the condition holds."""
    if not condition:
        raise Rejected(message)
