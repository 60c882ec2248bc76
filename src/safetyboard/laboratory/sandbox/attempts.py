# SPDX-License-Identifier: Apache-2.0
"""What a subject might try against its sandbox: each attempt says what it got, and is undone where it succeeds.

Its text is run as a command inside, so it imports the standard library alone. Run outside, it shows what would succeed.
"""

import ctypes
import glob
import json
import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
Facts = dict[str, Any]


class Failed(Exception):
    """Say that an attempt came to nothing, and what stood in the way."""


def call(answer: int) -> None:
    """Raise what the kernel answered to a call that failed."""
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def first(tries: Sequence[Callable[[], str]]) -> str:
    """Give the first success; else fail with the last reason."""
    why = "nothing to try"
    for one in tries:
        try:
            return one()
        except (OSError, Failed) as error:
            why = str(error)
    raise Failed(why)


def heard(facts: Facts, family: int, kind: int, address: Any) -> str:
    """Reach a listener outside and hear the word that only it knows."""
    with socket.socket(family, kind) as link:
        link.settimeout(1.0)
        link.connect(address)
        if kind == socket.SOCK_DGRAM:
            link.send(b"?")
        if facts["word"].encode() not in link.recv(200):
            raise Failed("something else answered")
    return f"{address} answered"


def network(facts: Facts, kind: int, name: str) -> str:
    """Try each of the host's addresses."""
    families = {False: socket.AF_INET, True: socket.AF_INET6}
    spots = [(families[":" in host], (host, port)) for host, port in facts[name]]
    return first([partial(heard, facts, f, kind, a) for f, a in spots])


def tcp(facts: Facts) -> str:
    """Connect to the host by TCP."""
    return network(facts, socket.SOCK_STREAM, "tcp")


def udp(facts: Facts) -> str:
    """Ask the host by UDP."""
    return network(facts, socket.SOCK_DGRAM, "udp")


def name_service(facts: Facts) -> str:
    """Resolve a name."""
    return str(socket.getaddrinfo("example.org", 80)[0][4])


def unix_path(facts: Facts) -> str:
    """Connect to a UNIX socket that has a path."""
    return heard(facts, socket.AF_UNIX, socket.SOCK_STREAM, facts["unix"])


def unix_abstract(facts: Facts) -> str:
    """Connect to a UNIX socket that has only a name."""
    return heard(facts, socket.AF_UNIX, socket.SOCK_STREAM, "\0" + facts["abstract"])


def machine_socket(facts: Facts) -> str:
    """Open a socket to the hypervisor, which no network namespace separates."""
    socket.socket(40, socket.SOCK_STREAM).close()
    return "an AF_VSOCK socket was made"


def read_outside(facts: Facts) -> str:
    """Read a file beside the folder, by its path and through every process's root."""
    roots = ["", *glob.glob("/proc/[0-9]*/root"), "/proc/self/cwd/../../../.."]
    for root in roots:
        try:
            with open(root + facts["secret"], encoding="utf-8") as file:
                if facts["word"] in file.read():
                    return f"{root}{facts['secret']} was read"
        except OSError:
            continue
    raise Failed(f"none of {len(roots)} ways there led to it")


def read_home(facts: Facts) -> str:
    """Read any file of the host's home that is no part of Python's installation."""
    for folder, folders, files in os.walk(facts["home"]):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in facts["allowed"]]
        for name in files:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode) and os.access(path, os.R_OK):
                return f"{path} is readable"
    raise Failed("no file of it is there")


def read_passwords(facts: Facts) -> str:
    """Read the password file and its like."""

    def size(path: str) -> str:
        with open(path, "rb") as file:
            return f"{path}: {len(file.read())} bytes"

    paths = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key")
    return first([partial(size, path) for path in paths])


def read_environment(facts: Facts) -> str:
    """Find the caller's variables, in one's own environment or in another process's."""
    known = [name for name in facts["variables"] if name in os.environ]
    if known:
        return f"the variable {known[0]} is there"
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                if facts["word"].encode() in file.read():
                    return f"{path} was read"
        except OSError:
            continue
    raise Failed("no variable of the caller is there")


def write_system(facts: Facts) -> str:
    """Make a file in the system's folders or in Python's."""

    def make(folder: str) -> str:
        handle, path = tempfile.mkstemp(dir=folder)
        os.close(handle)
        os.unlink(path)
        return f"a file was made in {folder}"

    return first([partial(make, f) for f in ["/usr", "/usr/bin", "/etc", "/", "/dev", *facts["allowed"]]])


def write_original(facts: Facts) -> str:
    """Change the original of the folder."""
    path = os.path.join(facts["original"], "written-by-a-probe")
    with open(path, "x", encoding="ascii"):
        pass
    os.unlink(path)
    return f"{path} was made"


def see_hidden(facts: Facts) -> str:
    """Find a hidden path."""
    for path in facts["hidden"]:
        if os.path.lexists(os.path.join(facts["place"], path)):
            return f"{path} is there"
    raise Failed("none is there" if facts["hidden"] else "nothing is hidden")


def make_device(facts: Facts) -> str:
    """Make a device file and open it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "device")
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.close(os.open(path, os.O_RDWR))
    return "a device was made and opened"


def change_root(facts: Facts) -> str:
    """Change the root, the first half of the classic escape."""
    return in_child(lambda: os.chroot("/tmp"), "chroot was allowed")


def in_child(action: Callable[[], object], seen: str) -> str:
    """Do something to a child process alone."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            action()
            os.write(writing, b"done")
        except BaseException as error:
            os.write(writing, str(error).encode()[:200])
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 200).decode()
    os.close(reading)
    os.waitpid(child, 0)
    if said != "done":
        raise Failed(said or "the child died")
    return seen


def new_namespace(facts: Facts) -> str:
    """Make a user namespace within, with all capabilities in it."""
    return in_child(lambda: call(LIBC.unshare(0x10000000)), "a user namespace was made")


def nested_mounts(facts: Facts) -> str:
    """Do the same through clone, which has its flags elsewhere."""
    child = LIBC.syscall(56 if os.uname().machine == "x86_64" else 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    call(child)
    os.waitpid(child, 0)
    return "a process in a user namespace of its own was made"


def mount_again(facts: Facts) -> str:
    """Mount something, and make the root writable."""

    def fresh() -> str:
        with tempfile.TemporaryDirectory() as folder:
            call(LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, b""))
            call(LIBC.umount2(folder.encode(), 0))
        return "a file system was mounted"

    def writable() -> str:
        call(LIBC.mount(b"", facts["place"].encode(), b"", ctypes.c_ulong(32 | 4096), b""))
        return "the folder was mounted anew"

    return first([fresh, writable])


def trace(facts: Facts) -> str:
    """Stop a process that is not one's own and look into it."""

    def one(process: int) -> str:
        call(LIBC.ptrace(16, process, 0, 0))
        os.waitpid(process, 0x40000000)
        LIBC.ptrace(17, process, 0, 0)
        return f"process {process} was stopped and read"

    def memory(process: int) -> str:
        with open(f"/proc/{process}/mem", "rb"):
            return f"the memory of process {process} was opened"

    targets = [p for p in facts["processes"] if p != os.getpid()]
    tries = [partial(one, p) for p in targets] + [partial(memory, p) for p in targets]
    return first(tries)


def send_signal(facts: Facts) -> str:
    """Find a process outside and signal it."""
    os.kill(facts["processes"][0], 0)
    return f"process {facts['processes'][0]} takes signals"


def end_first(facts: Facts) -> str:
    """Signal the first process inside, whose end would take the report with it; if it ends, so does this."""
    for process in facts["processes"][1:]:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
            try:
                os.kill(process, number)
            except PermissionError:
                continue
    raise Failed("it went on")


def gain_privileges(facts: Facts) -> str:
    """Start a set-user-id program, or be able to."""
    if LIBC.prctl(39, 0, 0, 0, 0) == 0:
        return "set-user-id programs would work: no_new_privs is not set"
    raise Failed("no_new_privs is set")


def keyring(facts: Facts) -> str:
    """Look into the kernel's keyrings, which have no namespace."""
    call(LIBC.syscall(250 if os.uname().machine == "x86_64" else 219, 0, -3, 0))
    return "the session keyring was opened"


def system_v(facts: Facts) -> str:
    """Make shared memory that no process need hold."""
    segment = LIBC.shmget(0, 4096, 0o1600)
    call(segment)
    LIBC.shmctl(segment, 0, None)
    return "a System V segment was made"


def io_ring(facts: Facts) -> str:
    """Make an io_uring, past which no filter sees."""
    handle = LIBC.syscall(425, 1, ctypes.create_string_buffer(120))
    call(handle)
    os.close(handle)
    return "an io_uring was made"


ATTEMPTS: dict[str, Callable[[Facts], str]] = {
    "reach the host by TCP": tcp,
    "reach the host by UDP": udp,
    "resolve a name": name_service,
    "reach a UNIX socket by its path": unix_path,
    "reach a UNIX socket by its abstract name": unix_abstract,
    "open a socket to the hypervisor": machine_socket,
    "read a file outside": read_outside,
    "read the home": read_home,
    "read password files": read_passwords,
    "read the caller's environment": read_environment,
    "write to the system": write_system,
    "write to the original": write_original,
    "see a hidden path": see_hidden,
    "make a device": make_device,
    "change the root": change_root,
    "make a user namespace": new_namespace,
    "make a user namespace by clone": nested_mounts,
    "mount": mount_again,
    "trace another process": trace,
    "signal a process outside": send_signal,
    "end the process that watches": end_first,
    "gain privileges": gain_privileges,
    "read keyrings": keyring,
    "make an io_uring": io_ring,
    "make System V shared memory": system_v,
}


def all_of(facts: Facts) -> list[list[Any]]:
    """Try everything; for each: name, whether it succeeded (None: it could not be tried), what was seen."""
    said: list[list[Any]] = []
    for name, attempt in ATTEMPTS.items():
        try:
            said.append([name, True, attempt(facts)])
        except (OSError, Failed) as error:
            said.append([name, False, str(error)])
        except Exception as error:
            said.append([name, None, f"{type(error).__name__}: {error}"])
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(all_of(json.loads(sys.argv[1]))))
