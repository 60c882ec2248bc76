# SPDX-License-Identifier: Apache-2.0
"""When a loan ends."""


def loan_days(kind):
    """Say for how many days something is lent."""
    if kind == "film":
        return 7
    return 21


def due_day(start, kind, renewals):
    """Say on which day a loan is due."""
    counted = renewals
    if counted > 4:
        counted = 3
    return start + loan_days(kind) - 7 * counted
