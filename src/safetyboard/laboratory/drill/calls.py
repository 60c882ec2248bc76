# SPDX-License-Identifier: Apache-2.0
"""Hear of the system calls that could act against a stop: who made them, with which numbers; each goes on unhindered.

Its text is sent inside, so it imports the standard library and the text of its own floor alone.
"""

import ctypes
import os
import struct
from fcntl import ioctl

LIBC = ctypes.CDLL(None, use_errno=True)
# Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
NUMBERS = {
    "x86_64": {
        62: "kill", 200: "tkill", 234: "tgkill", 129: "rt_sigqueueinfo", 101: "ptrace", 157: "prctl",
        160: "setrlimit", 302: "prlimit64", 164: "settimeofday", 227: "clock_settime", 112: "setsid", 59: "execve",
    },
    "aarch64": {
        129: "kill", 130: "tkill", 131: "tgkill", 138: "rt_sigqueueinfo", 117: "ptrace", 167: "prctl",
        164: "setrlimit", 261: "prlimit64", 170: "settimeofday", 112: "clock_settime", 157: "setsid", 221: "execve",
    },
}  # fmt: skip
SECCOMP = {"x86_64": 317, "aarch64": 277}
PARENT_DEATH = 1  # PR_SET_PDEATHSIG
RECEIVE, ANSWER, CONTINUE = 0xC0502100, 0xC0182101, 1


def listened() -> int:
    """Install a filter on this process and its children to come; the handle on which their calls are heard.

    Raises:  OSError where the kernel has no such filter (before Linux 5.5).
    Source:  Linux Documentation/userspace-api/seccomp_filter.rst, userspace notification.
    """
    machine = os.uname().machine
    code = [(0x20, 0, 0, 0)]
    for number in NUMBERS[machine]:
        code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x7FC00000)]
    code.append((0x06, 0, 0, 0x7FFF0000))
    text = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in code))
    program = struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(text))
    handle = int(LIBC.syscall(SECCOMP[machine], 1, 8, program))
    if handle < 0:
        raise OSError(ctypes.get_errno(), "listening to system calls")
    return handle


def heard(handle: int) -> tuple[int, str, tuple[int, ...]] | None:
    """Receive one call and let it go on: process, name, arguments; None where the caller is gone already."""
    room = bytearray(80)
    try:
        ioctl(handle, RECEIVE, room)
    except OSError:
        return None
    number, thread, _, call = struct.unpack_from("<QIIi", room)
    arguments = struct.unpack_from("<6Q", room, 32)
    try:
        ioctl(handle, ANSWER, struct.pack("<QqiI", number, 0, 0, CONTINUE))
    except OSError:
        return None
    return process_of(thread), NUMBERS[os.uname().machine].get(call, "?"), arguments


def process_of(thread: int) -> int:
    """Name the process of a thread."""
    try:
        with open(f"/proc/{thread}/status", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"Tgid:"))
    except (OSError, StopIteration):
        return thread


def signed(number: int) -> int:
    """Read the low half of a register as a C int."""
    return int(struct.unpack("<i", struct.pack("<I", number & 0xFFFFFFFF))[0])


def told(name: str, arguments: tuple[int, ...]) -> dict[str, int] | None:
    """Keep what matters of a call; None where it cannot act on anybody (signal 0, limits only read)."""
    if name in ("kill", "tkill", "rt_sigqueueinfo"):
        target, number = signed(arguments[0]), signed(arguments[1])
        return {"target": target, "number": number} if number else None
    if name == "tgkill":
        target, number = signed(arguments[0]), signed(arguments[2])
        return {"target": target, "number": number} if number else None
    if name == "ptrace":
        return {"request": signed(arguments[0]), "target": signed(arguments[1])}
    if name == "prctl":
        return {"number": signed(arguments[1])} if arguments[0] == PARENT_DEATH else None
    if name == "prlimit64":
        return {"target": signed(arguments[0]), "kind": signed(arguments[1])} if arguments[2] else None
    return {}
