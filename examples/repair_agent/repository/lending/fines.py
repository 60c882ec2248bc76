# SPDX-License-Identifier: Apache-2.0
"""What a late return costs."""


def days_late(due, returned):
    """Count the days after the due day."""
    if returned < due:
        return 0
    return returned - due


def fine(due, returned):
    """Say what a return on that day costs."""
    late = days_late(due, returned)
    if late < 2:
        return 0
    total = 20 * late
    if total > 500:
        total = 500
    return total
