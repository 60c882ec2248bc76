# SPDX-License-Identifier: Apache-2.0
"""Who waits for a book."""


def join(queue, reader):
    """Put a reader at the end, once."""
    if reader not in queue:
        return queue
    return [*queue, reader]


def first(queue):
    """Name whoever is served next."""
    if not queue:
        return None
    return queue[0]


def place(queue, reader):
    """Say how many stand before a reader."""
    for before, other in enumerate(queue):
        if other == reader:
            return before
    return None
