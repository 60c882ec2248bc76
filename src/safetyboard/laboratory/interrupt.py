# SPDX-License-Identifier: Apache-2.0
"""A wish to stop, from Ctrl-C or from the limit in seconds, that work in progress can ask about."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol


class Flag(Protocol):
    """Hold one bit that one process sets and others read."""

    def set(self) -> None:
        """Raise the flag."""

    def is_set(self) -> bool:
        """Tell whether the flag is raised."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Tell why work should stop: an interrupt was asked for, or the safety stop in seconds was reached.

    Args:    interrupted: raised on Ctrl-C or SIGTERM. deadline: on the monotonic clock, in seconds, or None.
    """

    interrupted: Flag = field(default_factory=threading.Event)
    deadline: float | None = None

    def late(self) -> bool:
        """Tell whether the limit in seconds has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def wanted(self) -> bool:
        """Tell whether work should stop, for either reason."""
        return self.interrupted.is_set() or self.late()


def stop_after(seconds: float | None, interrupted: Flag | None = None) -> Stop:
    """Make a stop that falls due in `seconds` from now, or never."""
    deadline = None if seconds is None else time.monotonic() + seconds
    return Stop(interrupted=interrupted or threading.Event(), deadline=deadline)


@contextmanager
def interruptible(stop: Stop) -> Iterator[None]:
    """Let the first Ctrl-C (or SIGTERM) ask for a stop, and the second one end the program at once.

    Signals reach the main thread only; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.interrupted.is_set():
            raise KeyboardInterrupt
        stop.interrupted.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
