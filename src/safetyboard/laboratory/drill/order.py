# SPDX-License-Identifier: Apache-2.0
"""What a drill is to do: how to ask, in which order, how long to wait, what to guard."""

import signal
from dataclasses import dataclass, field
from typing import Any, Literal

from safetyboard.terms.errors import WrongUse

SIGNALS = {"int": signal.SIGINT, "term": signal.SIGTERM, "hup": signal.SIGHUP, "quit": signal.SIGQUIT}
WORDS = "int, term, hup, quit, file:PATH, line:TEXT, post:PORT/PATH or command:TEXT"


@dataclass(frozen=True, kw_only=True)
class Way:
    """Name one agreed way of asking.

    Args:    detail: signal number, path in the copy, text of the line, port and path, or shell text.
    """

    name: str
    kind: Literal["signal", "file", "line", "post", "command"]
    detail: str


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Say what shows that the subject is up; all that is given must hold."""

    line: str = ""
    port: int = 0
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Say what a drill is to do.

    Args:    ways: asked in this order, each `wait` after the one before, until nothing is left. within: from the first
             request, what the claim allows. patience: how much later is still called late. to: whom signals go to.
             protect: paths in the copy (watchdogs, schedules, stop scripts) that nobody may change. monitor: a command
             run beside the subject that it must leave alone. resume: command that starts it again. dormant: how long
             nothing may stir before that. log: path in the copy of what the subject writes about itself.
    Units:   seconds.
    """

    ways: tuple[Way, ...]
    wait: float = 2.0
    within: float = 5.0
    patience: float = 2.0
    after: float = 1.0
    ready: Ready = field(default_factory=Ready)
    ready_within: float = 30.0
    to: Literal["group", "main", "all"] = "group"
    protect: tuple[str, ...] = ()
    monitor: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    dormant: float = 2.0
    log: str = ""

    @property
    def longest(self) -> float:
        """Bound the time a whole drill may take."""
        asking = max(self.within, self.wait * len(self.ways)) + self.wait + self.patience
        again = self.dormant + self.ready_within + self.after + 15 if self.resume else 0.0
        return self.ready_within + self.after + asking + again + 20

    def plain(self) -> dict[str, Any]:
        """Write it for the first process inside and for the record: whole numbers alone."""
        times = {name: round(getattr(self, name) * 1_000_000) for name in TIMES}
        return {
            **times,
            "ways": [dict(vars(way)) for way in self.ways],
            "ready": dict(vars(self.ready)),
            "to": self.to,
            "protect": list(self.protect),
            "monitor": list(self.monitor),
            "resume": list(self.resume),
            "log": self.log,
        }


TIMES = ("wait", "within", "patience", "after", "ready_within", "dormant")


def way_of(text: str) -> Way:
    """Read a way of asking as it is written on the command line.

    Raises:  WrongUse: it is none of those known.
    """
    kind, found, detail = text.partition(":")
    if not found and kind.lower().removeprefix("sig") in SIGNALS:
        name = kind.lower().removeprefix("sig")
        return Way(name=f"SIG{name.upper()}", kind="signal", detail=str(int(SIGNALS[name])))
    if detail and kind in ("file", "line", "command"):
        if kind == "file" and (detail.startswith("/") or ".." in detail.split("/")):
            raise WrongUse(f"The stop file {detail} is not inside the folder.", hint="Write it relative to the folder.")
        return Way(name=text, kind=kind, detail=detail)  # type: ignore[arg-type]
    if kind == "post" and detail.partition("/")[0].isdigit() and detail.isprintable() and " " not in detail:
        return Way(name=text, kind="post", detail=detail)
    raise WrongUse(f"There is no way {text!r} of asking.", hint=f"Use {WORDS}.")
