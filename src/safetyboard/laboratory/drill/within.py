# SPDX-License-Identifier: Apache-2.0
"""Conduct a drill from the first process inside: let the subject run, ask it to stop, watch, and end it in any case.

Its text is sent inside, so it imports the standard library and the texts sent with it alone.
"""

import json
import os
import select
import signal
import socket
import time
from typing import Any, BinaryIO

from safetyboard.laboratory.drill.asking import ask
from safetyboard.laboratory.drill.calls import heard, listened, told
from safetyboard.laboratory.drill.looking import (
    changes,
    command_of,
    digest,
    entry,
    listening,
    listing,
    look,
    program_of,
)
from safetyboard.laboratory.sandbox.inside import LIBC, SCRATCH, Watch, build, furnish, let_in

TURN, MOST_CALLS, KEPT, ENDING = 0.01, 20_000, 1 << 20, 10_000_000


class Conduct:
    """Hold what is known of a drill while it runs; all times are microseconds since the subject was let in."""

    def __init__(self, spec: dict[str, Any], lifeline: int, proc: int) -> None:
        self.spec, self.orders, self.lifeline, self.proc = spec, spec["drill"], lifeline, proc
        self.places = [spec["place"], spec["home"], *SCRATCH]
        self.watch, self.begun = Watch(spec), time.monotonic_ns()
        self.listener, self.looked, self.looks = -1, -1, 0
        self.output, self.written, self.empty, self.mine = bytearray(), 0, 0, os.getsid(0)
        self.hooks: dict[int, int] = {}
        self.late: list[list[int]] = []
        self.alive: dict[tuple[int, int], dict[str, Any]] = {}
        self.processes: dict[tuple[int, int], dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.ended: dict[int, int] = {}
        self.guarded: dict[str, list[dict[str, Any]]] = {}
        self.standing: dict[str, list[int] | None] = {}
        self.subject, self.out, self.into, self.fault, self.limit = 0, -1, -1, -1, ""

    def now(self) -> int:
        """Tell the time."""
        return (time.monotonic_ns() - self.begun) // 1000

    def start(self, command: list[str], *, subject: bool) -> int:
        """Let a command in, as the subject is let in; the subject alone is given pipes and listened to."""
        mine, its = socket.socketpair() if subject else (None, None)
        reading, writing = os.pipe()
        into, out = (os.pipe(), os.pipe()) if subject else (None, None)
        child = os.fork()
        if not child:
            if into and out and its:
                os.dup2(into[0], 0)
                os.dup2(out[1], 1)
                os.dup2(out[1], 2)
                try:
                    socket.send_fds(its, [b"1"], [listened()])
                except OSError:
                    its.send(b"0")
            let_in({**self.spec, "command": command}, self.proc, writing)
        os.close(writing)
        if into and out and mine and its:
            os.close(into[0])
            os.close(out[1])
            its.close()
            self.subject, self.into, self.out, self.fault = child, into[1], out[0], reading
            handles = socket.recv_fds(mine, 1, 1)[1]
            self.listener = handles[0] if handles else -1
            mine.close()
            os.set_blocking(self.out, False)
            os.set_blocking(self.into, False)
        else:
            os.close(reading)
            self.hooks[child] = self.now()
        return child

    def pump(self, until: int, done: Any = None) -> bool:
        """Serve, look and reap until a time, or until something holds; tells whether it held."""
        while True:
            if self.now() - self.looked >= TURN * 1_000_000:
                self.see()
            if done is not None and done():
                return True
            if self.now() >= until or self.limit:
                return False
            handles = [one for one in (self.lifeline, self.listener, self.out) if one >= 0]
            ready = select.select(handles, [], [], TURN)[0]
            if self.lifeline in ready:
                os._exit(1)  # whoever asked is gone, and so is everything in here
            if self.out in ready:
                self.hear()
            if self.listener in ready:
                self.serve()

    def hear(self) -> None:
        """Take in what the subject writes; beyond a bound it is counted only."""
        try:
            piece = os.read(self.out, 1 << 16)
        except BlockingIOError:
            return
        if not piece:
            os.close(self.out)
            self.out = -1
            return
        self.output += piece[: KEPT - len(self.output)]
        self.written += len(piece)

    def serve(self) -> None:
        """Let a system call go on, and keep what matters of it."""
        got = heard(self.listener)
        if got is None:
            return
        process, name, arguments = got
        kept = told(name, arguments)
        if kept is not None and len(self.calls) < MOST_CALLS:
            self.calls.append({"at": self.now(), "process": process, "call": name, **kept})

    def see(self) -> None:
        """Look at all processes and guarded paths once, and reap the dead."""
        at = self.now()
        every = look()
        self.alive = {key: one for key, one in every.items() if one["session"] not in (*self.hooks, self.mine)}
        self.empty = 0 if self.alive else self.empty + 1
        for key, one in self.alive.items():
            known = self.processes.setdefault(key, {"first": at, "was": one})
            if "command" not in known or self.looks % 10 == 0:
                words = command_of(key[0])
                known |= {"command": words, "program": program_of(key[0])} if words else {}
            known |= {"last": at, "is": one}
        for path, before in self.standing.items():
            if (after := entry(path)) != before:
                how = "gone" if after is None else "made" if before is None else "changed"
                self.guarded.setdefault(path, []).append({"at": at, "how": how})
                self.standing[path] = after
        self.looks, self.looked = self.looks + 1, at
        self.limit = self.limit or self.watch.over()
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            if process == self.subject or process in self.hooks:
                self.ended[process] = os.waitstatus_to_exitcode(status)

    def over(self) -> bool:
        """Tell whether no process of the subject is left: in two looks, for one may miss a child just born."""
        return self.empty > 1

    def up(self) -> bool:
        """Tell whether the subject says, or shows, that it is up."""
        ready = self.orders["ready"]
        return (
            (not ready["line"] or ready["line"].encode() in self.output)
            and (not ready["port"] or listening(ready["port"]))
            and (not ready["file"] or entry(os.path.join(self.spec["place"], ready["file"])) is not None)
        )

    def marked(self, when: str) -> None:
        """Note every process as it is now: what is compared later."""
        for key, one in self.alive.items():
            self.processes[key][when] = one

    def ticks(self) -> int:
        """Sum the processor ticks of all processes ever seen, as last seen."""
        return sum(known["is"]["ticks"] for known in self.processes.values())


def drilled(run: Conduct) -> dict[str, Any]:
    """Run the drill from beginning to end."""
    orders, place = run.orders, run.spec["place"]
    guarded = [os.path.normpath(os.path.join(place, path)) for path in orders["protect"]]
    run.standing = {path: entry(path) for path in guarded}
    at_start = listing(run.places)
    monitor = run.start(orders["monitor"], subject=False) if orders["monitor"] else 0
    run.start(run.spec["command"], subject=True)
    run.begun = time.monotonic_ns()
    up = run.pump(orders["ready_within"], lambda: run.up() or run.subject in run.ended) and run.up()
    run.pump(run.now() + orders["after"], lambda: run.over() and run.subject in run.ended)
    facts: dict[str, Any] = {"up": up, "alive_before": len(run.alive), "monitor": monitor}
    facts |= {"listened": run.listener >= 0, "subject": run.subject, "group": run.subject}
    before, own = listing(run.places), owned(run, at_start)
    early = [path for path, how in changes(at_start, before).items() if how == "made" and path not in own][:2000]
    habit = {path: found for path in early if (found := digest(path)) in own.values()} if own else {}
    # Content that was being copied about before, as a build does, says nothing when it is copied once more.
    own = {path: found for path, found in own.items() if found not in habit.values()}
    before = listing(run.places)
    facts["early_copies"] = sorted(habit)[:100]
    facts |= {"asked": [], "asked_at": run.now(), "written_before": run.written}
    if up and run.alive and not run.limit:
        run.marked("asked")
        ticks = run.ticks()
        facts["asked_at"] = run.now()
        facts["asked"] = asked_in_turn(run, facts["asked_at"])
        facts |= {"ended_at": run.looked if run.over() else None, "ticks": run.ticks() - ticks}
    facts |= {"left": [list(key) for key in run.alive], "monitor_ended": run.ended.get(monitor)}
    facts |= {"written_after": run.written - facts["written_before"]}
    facts["said_after"] = bytes(run.output[facts["written_before"] :]).decode("utf-8", "replace")[-20_000:]
    facts["logged_after"] = logged(run, before)
    after = listing(run.places)
    facts["files"] = files_of(run, before, after, own)
    facts["early_files"] = list(changes(at_start, before).items())[:500]
    facts["force"] = forced(run)
    facts |= resumed(run) if orders["resume"] and facts["asked"] else {}
    return {**facts, **closing(run)}


def asked_in_turn(run: Conduct, begun: int) -> list[dict[str, Any]]:
    """Ask in each way in turn, until nothing is left or patience ends."""
    said: list[dict[str, Any]] = []
    orders = run.orders
    for number, way in enumerate(orders["ways"]):
        if run.over():
            break
        one: dict[str, Any] = {"way": way["name"], "at": run.now(), "alive": len(run.alive)}
        path = os.path.normpath(os.path.join(run.spec["place"], way["detail"])) if way["kind"] == "file" else ""
        one["occupied"] = bool(path) and entry(path) is not None
        one["how"] = ask(run, way)
        if path:
            run.standing[path] = entry(path)
        said.append(one)
        last = number == len(orders["ways"]) - 1
        until = one["at"] + orders["wait"]
        run.pump(max(until, begun + orders["within"]) if last else until, run.over)
        one |= {"left": len(run.alive), "ended": run.looked if run.over() else None}
    run.late = [list(key) for key in run.alive]
    run.marked("late")
    run.pump(run.now() + orders["patience"], run.over)
    return said


def logged(run: Conduct, before: dict[str, list[int]]) -> str:
    """Read what the subject's own log gained since the request."""
    path = os.path.normpath(os.path.join(run.spec["place"], run.orders["log"]))
    if not run.orders["log"] or not digest(path):
        return ""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        old = before.get(path, [0, 0])[1]
        file.seek(old if old <= os.fstat(file.fileno()).st_size else 0)
        return file.read(20_000).decode("utf-8", "replace")


def owned(run: Conduct, at_start: dict[str, list[int]]) -> dict[str, str]:
    """Digest the subject's own program files: those in writable places that its processes were started with."""
    names = {word for known in run.processes.values() for word in known.get("command", [])}
    paths = {os.path.normpath(os.path.join(run.spec["place"], name)) for name in names if name}
    paths |= {known.get("program", "") for known in run.processes.values()}
    mine = [path for path in sorted(paths) if any(path.startswith(place + "/") for place in run.places)]
    return {path: found for path in mine if path in at_start and (found := digest(path))}


def files_of(
    run: Conduct, before: dict[str, list[int]], after: dict[str, list[int]], own: dict[str, str]
) -> dict[str, Any]:
    """Say which files changed after the request, and which of them hold the subject's own program."""
    found = changes(before, after)
    made = [path for path, how in found.items() if how != "gone" and path not in own][:2000]
    copies = [path for path in made if digest(path) in set(own.values())] if own else []
    return {"changed": list(found.items())[:500], "count": len(found), "copies": copies, "own": sorted(own)}


def forced(run: Conduct) -> dict[str, Any]:
    """Break the glass: freeze the whole namespace of processes, then end it; nothing in it is asked."""
    if not run.alive:
        sweep()
        return {"needed": False}
    begun = run.now()
    count = len(run.alive)
    sent(signal.SIGSTOP)
    frozen = run.pump(begun + 2_000_000, lambda: all(one["state"] in "TtZX" for one in run.alive.values()))
    after = run.now()
    sent(signal.SIGKILL)
    gone = run.pump(after + ENDING, run.over)
    return {
        "needed": True, "at": begun, "processes": count, "frozen": frozen, "freeze": after - begun,
        "gone": gone, "kill": run.now() - after,
    }  # fmt: skip


def sweep() -> None:
    """End what else lives here: hooks and the monitor."""
    sent(signal.SIGKILL)


def sent(number: int) -> None:
    """Signal every process of the namespace but this one."""
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return


def resumed(run: Conduct) -> dict[str, Any]:
    """See that nothing stirs for a while, then start again and see that it comes up."""
    run.hooks = {}
    run.pump(run.now() + 200_000)
    ticks, before = run.ticks(), listing(run.places)
    quiet = not run.pump(run.now() + run.orders["dormant"], lambda: bool(run.alive))
    still = changes(before, listing(run.places))
    dormant = quiet and not still and run.ticks() == ticks
    run.output.clear()
    run.ended.clear()
    begun = run.now()
    run.start(run.orders["resume"], subject=True)
    up = run.pump(begun + run.orders["ready_within"], lambda: run.up() or run.subject in run.ended) and run.up()
    run.pump(run.now() + run.orders["after"], lambda: run.over() and run.subject in run.ended)
    alive = bool(run.alive) or run.ended.get(run.subject) == 0
    sent(signal.SIGKILL)
    run.pump(run.now() + ENDING, run.over)
    return {"dormancy": {"dormant": dormant, "files": list(still), "resumed": up and alive, "at": begun}}


def closing(run: Conduct) -> dict[str, Any]:
    """Give what was seen of every process, every call and every guarded path."""
    rows = [
        {"process": key[0], "start": key[1], **{name: known[name] for name in known if name != "was"}}
        | {"born": known["was"]}
        for key, known in run.processes.items()
    ]
    return {
        "processes": rows, "calls": run.calls, "guarded": run.guarded, "hooks": sorted(run.hooks),
        "looks": run.looks, "limit": run.limit, "output_cut": run.written > KEPT, "ended": run.now(),
        "late": run.late, "code": run.ended.get(run.subject),
    }  # fmt: skip


def main(stream: BinaryIO, lifeline: int, out: int) -> None:
    """Read what to do from the lifeline, do it, and write the report."""
    os.set_inheritable(lifeline, False)
    os.set_inheritable(out, False)
    try:
        spec = json.loads(stream.readline())
        LIBC.prctl(4, 0, 0, 0, 0)  # nobody looks into this process
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if spec["system"]:
            build(spec["system"])
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        furnish(spec, stream)
        run = Conduct(spec, lifeline, proc)
        report = drilled(run)
        if run.fault >= 0 and not report["processes"]:
            os.set_blocking(run.fault, False)
        kind, _, why = faults(run.fault).partition("\n")
        report |= {kind: why} if kind else {}
    except Exception as error:  # said to whoever asked, who raises it
        report = {"fault": f"{type(error).__name__}: {error}"}
    with os.fdopen(out, "wb") as file:
        file.write(json.dumps(report).encode("ascii"))


def faults(handle: int) -> str:
    """Read why the command could not be started; empty where it was."""
    os.set_blocking(handle, False)
    try:
        return os.read(handle, 4096).decode("utf-8", "replace")
    except BlockingIOError:
        return ""
