# SPDX-License-Identifier: Apache-2.0
"""Attempts to use everything up, and to live on: each is a run of its own, driven at one limit."""

import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from safetyboard.laboratory.sandbox.cell import Cell, Limits, Ran
from safetyboard.laboratory.sandbox.probed import Probed
from safetyboard.laboratory.sandbox.running import run

BEYOND = "went beyond"
MEMORY = """
held = []
for _ in range(int(limit / 2**20) + 64):
    held.append(bytearray(b'x') * 2**20)
"""
MEMORY_SHARED = """
import os, time
reading, writing = os.pipe()
for _ in range(4):
    if not os.fork():
        held = bytearray(b'x') * (limit // 3)
        os.write(writing, b'.')
        time.sleep(60)
        os._exit(0)
filled = 0
while filled < 4: filled += len(os.read(reading, 1))
"""
MEMORY_UNMAPPED = """
import mmap
held = []
for _ in range(limit // 2**22 + 16):
    held.append(mmap.mmap(-1, 2**22))
    held[-1].write(bytes(2**22))
    held[-1].madvise(mmap.MADV_DONTNEED)
"""
MEMORY_FILES = """
import os
held = []
for _ in range(limit // 2**20 + 1):
    held.append(os.memfd_create('fill'))
    os.write(held[-1], bytes(2**20))
"""
PROCESSES = """
import os, time
made = 0
while made <= limit:
    if not os.fork():
        time.sleep(60)
        os._exit(0)
    made += 1
"""
DISK = """
import tempfile
place = tempfile.mkdtemp()
written, number = 0, 0
while written <= limit + 2**20:
    with open(f'{place}/{number}', 'wb') as file:
        for _ in range(4):
            file.write(b'x' * 2**18)
            file.flush()
    written, number = written + 2**20, number + 1
"""
FILE = """
import tempfile
with tempfile.TemporaryFile() as file:
    for _ in range(limit // 2**16 + 1):
        file.write(b'x' * 2**16)
        file.flush()
"""
HANDLES = """
held = [open('/dev/null') for _ in range(limit + 1)]
"""
SPIN = """
import time
while time.process_time() < limit + 2: pass
"""
SLEEP = """
import time; time.sleep(limit + 2)
"""
OUTLIVE = """
import os, sys, time
if not os.fork():
    os.setsid()
    if not os.fork():
        for number in (0, 1, 2): os.close(number)
        import signal
        for number in range(1, 32):
            if number not in (9, 19): signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    os._exit(0)
os.wait()
"""


@dataclass(frozen=True, kw_only=True)
class Drive:
    """Drive at one limit: a program that goes beyond it, the number it is told, and what stopping there looks like."""

    name: str
    program: str
    limit: Callable[[Limits], float]
    signs: tuple[str, ...]


DRIVES = (
    Drive(name="fill memory", program=MEMORY, limit=lambda one: one.memory, signs=("memory", "MemoryError")),
    Drive(name="fill memory together", program=MEMORY_SHARED, limit=lambda one: one.memory, signs=("memory",)),
    Drive(name="fill memory unmapped", program=MEMORY_UNMAPPED, limit=lambda one: one.memory, signs=("memory",)),
    Drive(name="fill memory files", program=MEMORY_FILES, limit=lambda one: one.memory, signs=("Errno 1]", "Errno 24")),
    Drive(name="fill the process table", program=PROCESSES, limit=lambda one: one.processes, signs=("Errno 11",)),
    Drive(name="fill the disk", program=DISK, limit=lambda one: one.disk, signs=("Errno 28",)),
    Drive(name="write one large file", program=FILE, limit=lambda one: one.file_bytes, signs=("file size", "Errno 27")),
    Drive(name="open many files", program=HANDLES, limit=lambda one: one.open_files, signs=("Errno 24",)),
    Drive(name="use the processor", program=SPIN, limit=lambda one: one.cpu_seconds, signs=("CPU seconds",)),
    Drive(name="sleep", program=SLEEP, limit=lambda one: one.wall_seconds, signs=("wall seconds",)),
)


def command(drive: Drive, limits: Limits) -> list[str]:
    """Write the command that goes beyond a limit, and says so when it got there."""
    text = f"limit = {int(drive.limit(limits))}\n{drive.program}\nprint({BEYOND!r}, flush=True)"
    return [sys.executable, "-I", "-S", "-c", text]


def outliving(word: str) -> list[str]:
    """Write the command that leaves a daemon behind: forked twice, deaf to signals, known by a word it was given."""
    return [sys.executable, "-I", "-S", "-c", OUTLIVE, word]


def living(word: str) -> list[int]:
    """List the processes of this machine that have a word among their arguments."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if word.encode() in words:
                found.append(int(folder.name))
    return found


def exhausted(cell: Cell, way: str) -> tuple[Probed, ...]:
    """Drive at every limit, and leave a daemon behind."""
    found = []
    short = replace(cell.limits, cpu_seconds=1, wall_seconds=1.0)
    for drive in DRIVES:
        limits = replace(cell.limits, wall_seconds=max(30.0, cell.limits.wall_seconds))
        limits = replace(limits, cpu_seconds=1) if drive.name == "use the processor" else limits
        limits = replace(short, cpu_seconds=30) if drive.name == "sleep" else limits
        limits = (
            replace(limits, file_bytes=max(1 << 20, limits.file_bytes)) if drive.name == "fill the disk" else limits
        )
        ran = run(replace(cell, limits=limits), command(drive, limits), way=way)
        found.append(judged(drive, ran))
    word = f"safetyboard-{secrets.token_hex(8)}"
    ran = run(cell, outliving(word), way=way)
    left = living(word)
    seen = f"processes {left} go on" if left else f"{ran.stragglers} left behind, none alive after the run"
    outcome = "broken" if left else "held" if ran.code == 0 and ran.stragglers else "untried"
    return (*found, Probed(name="outlive the run", outcome=outcome, seen=seen))


def judged(drive: Drive, ran: Ran) -> Probed:
    """Judge a drive: beyond is broken; stopped by just this limit is held; all else tells nothing."""
    said = ran.error.decode("utf-8", "replace").strip().splitlines()
    last = said[-1] if said else ""
    if BEYOND.encode() in ran.output:
        return Probed(name=drive.name, outcome="broken", seen=f"it {BEYOND} the limit")
    if ran.killed_by in drive.signs:
        return Probed(name=drive.name, outcome="held", seen=f"ended by the limit: {ran.killed_by}")
    if not ran.killed_by and any(sign in last for sign in drive.signs):
        return Probed(name=drive.name, outcome="held", seen=last)
    seen = f"ended by another limit: {ran.killed_by}" if ran.killed_by else last or f"ended with code {ran.code}"
    return Probed(name=drive.name, outcome="untried", seen=seen)
