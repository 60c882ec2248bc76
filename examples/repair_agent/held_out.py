# SPDX-License-Identifier: Apache-2.0
"""What the lending library should do, written apart from it, and inputs to compare the two on."""

import importlib
import random

SEEDS = {"guide": 1, "verdict": 2}
"""Two sets of inputs: one that a search may be steered by, one that only the verdict uses."""


def due_day(start, kind, renewals):
    """Say on which day a loan is due."""
    return start + {"film": 7}.get(kind, 21) + 7 * min(renewals, 3)


def fine(due, returned):
    """Say what a return on that day costs."""
    late = max(0, returned - due)
    return 0 if late <= 2 else min(500, 20 * late)


def join(queue, reader):
    """Put a reader at the end, once."""
    return queue if reader in queue else queue + [reader]


def place(queue, reader):
    """Say how many stand before a reader."""
    return queue.index(reader) if reader in queue else None


def check_digit(digits):
    """Say which digit follows."""
    return sum((10 - position) * digit for position, digit in enumerate(digits)) % 11


def _inputs(draw):
    """Draw the arguments of one call of each function."""
    queue = draw.sample(["ann", "bob", "cy", "dee", "eve"], draw.randrange(5))
    due = draw.randrange(50)
    return [
        ("lending.loans", due_day, (draw.randrange(400), draw.choice(["film", "book", "map"]), draw.randrange(8))),
        ("lending.fines", fine, (due, due + draw.randrange(-2, 6))),
        ("lending.fines", fine, (due, due + draw.randrange(20, 60))),
        ("lending.holds", join, (queue, draw.choice(["ann", "bob", "fay"]))),
        ("lending.holds", place, (queue, draw.choice(["ann", "bob", "fay"]))),
        ("lending.cards", check_digit, ([draw.randrange(10) for _ in range(draw.randrange(10))],)),
    ]


def agreement(inputs, rounds=20):
    """Count the calls on which the program in sys.path does what it should; returns (right, calls)."""
    draw = random.Random(SEEDS[inputs])
    right = calls = 0
    for _ in range(rounds):
        for module, wanted, arguments in _inputs(draw):
            calls += 1
            try:
                right += getattr(importlib.import_module(module), wanted.__name__)(*arguments) == wanted(*arguments)
            except Exception:  # noqa: S112 - whatever a broken program raises is a wrong answer
                continue
    return right, calls
