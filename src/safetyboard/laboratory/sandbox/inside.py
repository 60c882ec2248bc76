# SPDX-License-Identifier: Apache-2.0
"""The first process inside: it furnishes the place, lets the subject in stripped of everything, watches, and reports.

Its text is sent to a bare interpreter, which calls `main`; so it imports the standard library alone.
"""

import ctypes
import hashlib
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import time
from fcntl import ioctl
from typing import Any, BinaryIO

LIBC = ctypes.CDLL(None, use_errno=True)
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC = 1, 2, 4, 8, 32, 4096, 16384
MOUNT_SETATTR, PIVOT_ROOT, KEYCTL = 442, {"x86_64": 155, "aarch64": 41}, {"x86_64": 250, "aarch64": 219}
NEWUSER = 0x10000000
SUBJECT = 1000
SCRATCH = ("/tmp", "/dev/shm")
DEEPEST, INODES, PAGE = 200, 100_000, os.sysconf("SC_PAGE_SIZE")
ACCOUNTS = {"passwd": "root:x:0:0::/:/bin/sh\nsubject:x:1000:1000::/subject:/bin/sh\n"}
ACCOUNTS |= {"group": "root:x:0:\nsubject:x:1000:\n", "hosts": "127.0.0.1 localhost\n::1 localhost\n"}
ACCOUNTS |= {"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}


def checked(answer: int, what: str) -> None:
    """Raise what the kernel said when a call failed."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Attach a file system to the tree."""
    words = (source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode())
    checked(LIBC.mount(*words), f"mounting {target}")


def seal(target: str, flags: int = RDONLY | NOSUID) -> None:
    """Make a mount and all below it read-only; MOUNT_ATTR_* has the values of MS_* for these flags."""
    wish = struct.pack("<QQQQ", flags, 0, 0, 0)
    checked(LIBC.syscall(MOUNT_SETATTR, -100, os.fsencode(target), 0x8000, wish, len(wish)), f"sealing {target}")


def build(system: dict[str, Any]) -> None:
    """Make a new root of the system's read-only parts and leave the old one behind; bubblewrap does the same."""
    kept = {path: os.open(path, os.O_PATH) for path in system["binds"] + system["devices"]}
    root = "/tmp"  # any folder that exists everywhere; covered in this mount namespace alone
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "mode=755,size=16m")
    for path, handle in kept.items():
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            os.makedirs(root + path, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, "ab"):
                pass
        mount(f"/proc/self/fd/{handle}", root + path, "", BIND | REC)
        seal(root + path, RDONLY | NOSUID | (0 if path in system["devices"] else NODEV))
        os.close(handle)
    for path, target in system["links"].items():
        os.symlink(target, root + path)
    for path in system["folders"]:
        os.makedirs(root + path, exist_ok=True)
    mount("proc", root + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    os.mkdir(root + "/.old")
    os.chdir(root)
    old = PIVOT_ROOT[os.uname().machine]
    checked(LIBC.syscall(old, root.encode(), (root + "/.old").encode()), "changing the root")
    os.chdir("/")
    checked(LIBC.umount2(b"/.old", 2), "leaving the old root")
    os.rmdir("/.old")


def furnish(spec: dict[str, Any], stream: BinaryIO) -> None:
    """Lay out writable places of bounded size, unpack the copy, and make all else read-only."""
    owner, room = spec["owner"], spec["limits"]["disk"]
    covered = [path for path in spec["prefixes"] if any(path.startswith(place + "/") for place in SCRATCH)]
    kept = {path: os.open(path, os.O_PATH) for path in covered}
    for place in (*SCRATCH, spec["home"], spec["place"]):
        size = room + (spec["size"] if place == spec["place"] else 0)
        options = f"size={size},nr_inodes={INODES + len(spec['entries'])},mode=755,uid={owner},gid={owner}"
        mount("tmpfs", place, "tmpfs", NOSUID | NODEV, options)
    for path, handle in kept.items():
        # A Python that lies under /tmp would be hidden by the fresh one.
        os.makedirs(path, mode=0o755, exist_ok=True)
        mount(f"/proc/self/fd/{handle}", path, "", BIND | REC)
        seal(path, RDONLY | NOSUID | NODEV)
        os.close(handle)
    for name, text in ACCOUNTS.items():
        with open(f"/etc/{name}", "w", encoding="ascii") as file:
            file.write(text)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")
    unpack(spec, stream)
    for path in spec["pinned"]:
        mount(path, path, "", BIND)
    for path in spec["readonly"]:
        mount(path, path, "", BIND)
        seal(path, RDONLY | NOSUID | NODEV)
    if not spec["writable"]:
        seal(spec["place"], RDONLY | NOSUID | NODEV)
    mount("/proc", "/proc", "", BIND | REC)
    seal("/proc", RDONLY | NOSUID | NODEV | NOEXEC)
    mount("", "/", "", REMOUNT | BIND | RDONLY | NOSUID | NODEV)
    socket.sethostname("cell")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        ioctl(link, 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running


def unpack(spec: dict[str, Any], stream: BinaryIO) -> None:
    """Write the copy from the stream: folders first, then files and links, in the order sent."""
    owner = spec["owner"]
    for entry in spec["entries"]:
        path = os.path.join(spec["place"], entry["path"])
        if entry["kind"] == "folder":
            os.mkdir(path)
        elif entry["kind"] == "link":
            os.symlink(entry["target"], path)
        else:
            with open(path, "xb") as file:
                left = entry["size"]
                while left:
                    piece = stream.read(min(left, 1 << 20))
                    if not piece:
                        raise OSError(f"the copy of {entry['path']} ended early")
                    file.write(piece)
                    left -= len(piece)
        os.chown(path, owner, owner, follow_symlinks=False)
        if entry["kind"] != "link":
            os.chmod(path, entry["mode"])
            os.utime(path, ns=(entry["modified"], entry["modified"]))


def put(folder: int, name: str, text: str) -> None:
    """Write a control file of /proc through the folder kept open before it was sealed."""
    handle = os.open(name, os.O_WRONLY, dir_fd=folder)
    os.write(handle, text.encode())
    os.close(handle)


def let_in(spec: dict[str, Any], proc: int, fault: int) -> None:
    """Become the subject: another user, no groups, no capabilities and no way to new ones; then run the command."""
    try:
        strip(spec, proc)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        os.chdir(spec["place"])
        os.dup2(fault, 3, inheritable=False)
        os.closerange(4, 65536)
        fault = 3
        os.execvpe(spec["command"][0], spec["command"], spec["environment"])  # the one purpose of this file
    except BaseException as error:  # nothing may go on as the subject with our code
        kind = "command" if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError) else "fault"
        os.write(fault, f"{kind}\n{error}".encode("utf-8", "replace")[:2000])
    finally:
        os._exit(127)


def strip(spec: dict[str, Any], proc: int) -> None:
    """Give up everything, in the one order that works."""
    limits, machine, owner = spec["limits"], os.uname().machine, spec["owner"]
    os.setsid()
    os.nice(10)  # the watch must get its turn before the subject, also on a busy machine
    LIBC.syscall(KEYCTL[machine], 1, None)  # a session keyring of its own; kernels without keyrings have none to leave
    bounded = (limits["processes"], limits["processes"])
    if owner:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
        resource.setrlimit(resource.RLIMIT_NPROC, bounded)
    LIBC.prctl(4, 1, 0, 0, 0)  # dumpable again, or its own id maps belong to root
    checked(LIBC.unshare(NEWUSER), "making a user namespace")
    put(proc, "self/setgroups", "deny")
    put(proc, "self/uid_map", f"{SUBJECT} {owner} 1")
    put(proc, "self/gid_map", f"{SUBJECT} {owner} 1")
    put(proc, "sys/user/max_user_namespaces", "0")
    put(proc, "self/oom_score_adj", "1000")
    os.close(proc)
    processor = limits["cpu_seconds"]
    for kind, soft, hard in (
        (resource.RLIMIT_NPROC, *bounded),
        (resource.RLIMIT_AS, 4 * limits["memory"], 4 * limits["memory"]),
        (resource.RLIMIT_CPU, processor, processor + 1),
        (resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))
    LIBC.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    for capability in range(64):
        LIBC.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; the last ones do not exist
    header = struct.pack("<Ii", 0x20080522, 0)
    checked(LIBC.capset(header, bytes(24)), "dropping capabilities")
    checked(LIBC.prctl(38, 1, 0, 0, 0), "refusing new privileges")
    code = ctypes.create_string_buffer(bytes.fromhex(spec["filter"]))
    program = struct.pack("<HxxxxxxQ", (len(code) - 1) // 8, ctypes.addressof(code))
    checked(LIBC.prctl(22, 2, program, 0, 0), "filtering system calls")


def processes() -> dict[str, tuple[int, int, int]]:
    """List threads, resident bytes and processor ticks of every process alive but this one."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or name == "1":
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                words = file.read().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0] not in (b"Z", b"X"):
            found[name] = (int(words[17]), int(words[21]) * PAGE, sum(int(w) for w in words[11:15]))
    return found


def own(process: str) -> int:
    """Measure the memory of one process, with its part of what it shares since a fork: slower than what is resident."""
    try:
        with open(f"/proc/{process}/smaps_rollup", "rb") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"Pss_Anon:"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def reserved(alive: dict[str, tuple[int, int, int]]) -> int:
    """Measure the shared memory that has no name: all that is mapped, for what was written need not be resident."""
    found: dict[bytes, int] = {}
    for process in alive:
        try:
            with open(f"/proc/{process}/maps", "rb") as file:
                lines = [line.split(None, 5) for line in file if line.rstrip().endswith(b"/dev/zero (deleted)")]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for words in lines:
            begin, _, end = words[0].partition(b"-")
            found[words[4]] = max(found.get(words[4], 0), int(words[2], 16) + int(end, 16) - int(begin, 16))
    return sum(found.values())


def shared() -> int:
    """Measure the shared memory of the whole machine: where it has not grown, nobody's need be looked at."""
    with open("/proc/meminfo", "rb") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(b"Shmem:"))


class Watch:
    """Hold the run to the limits that no single process's limit can state."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.limits = spec["limits"]
        self.places = (*SCRATCH, spec["home"], spec["place"])
        self.end = time.monotonic() + self.limits["wall_seconds"]
        self.begun = shared()
        self.tick = os.sysconf("SC_CLK_TCK")
        self.reached: set[str] = set()

    def holds(self, alive: dict[str, tuple[int, int, int]]) -> int:
        """Measure the memory of all processes together, closely only where a rough look says so."""
        held = sum(resident for _, resident, _ in alive.values())
        if shared() - self.begun > self.limits["memory"] // 4:
            held += reserved(alive)
        if held > self.limits["memory"]:
            held = reserved(alive) + sum(own(process) for process in alive)
        return held

    def over(self, ended: int = 0) -> str:
        """Name the limit that is now exceeded, or nothing; `ended` processes are gone but were there until now."""
        alive = processes()
        if sum(threads for threads, _, _ in alive.values()) + ended >= self.limits["processes"]:
            self.reached.add("processes")
        for place in self.places:
            room = os.statvfs(place)
            if room.f_bavail == 0 or room.f_favail == 0:
                self.reached.add("disk")
        if self.holds(alive) > self.limits["memory"]:
            return "memory"
        gone = resource.getrusage(resource.RUSAGE_CHILDREN)
        if (
            sum(ticks for _, _, ticks in alive.values()) / self.tick + gone.ru_utime + gone.ru_stime
            > self.limits["cpu_seconds"]
        ):
            return "CPU seconds"
        return "wall seconds" if time.monotonic() > self.end else ""


def attend(subject: int, lifeline: int, spec: dict[str, Any]) -> dict[str, Any]:
    """Wait for the subject's end or a limit; then end everything else that lives here."""
    watch, killed_by, status = Watch(spec), "", None
    handle = os.pidfd_open(subject)
    while status is None and not killed_by:
        ready = select.select([lifeline, handle], [], [], 0.01)[0]
        if lifeline in ready:
            os._exit(1)  # whoever asked is gone, and so is everything in here
        killed_by = watch.over()
        while True:
            try:
                process, how = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if process == subject:
                status = how
            if not process:
                break
    watch.over(ended=status is not None)
    stragglers = max(0, len(processes()) - (status is None))
    while processes():
        os.kill(-1, signal.SIGKILL)
        time.sleep(0.001)
    while status is None:
        process, how = os.waitpid(-1, 0)
        status = how if process == subject else None
    code = os.waitstatus_to_exitcode(status)
    if not killed_by:
        killed_by = {-signal.SIGXCPU: "CPU seconds", -signal.SIGXFSZ: "file size"}.get(code, "")
    return {"code": code, "killed_by": killed_by, "reached": sorted(watch.reached), "stragglers": stragglers}


def digests(place: str, budget: int) -> dict[str, str]:
    """Digest every file of the copy; nothing is followed, and what is too deep or too much (holes) is said so."""
    found: dict[str, str] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for name in os.listdir(os.path.join(place, folder)):
            path = os.path.join(folder, name)
            full = os.path.join(place, path)
            mode = os.lstat(full).st_mode
            if stat.S_ISDIR(mode) and path.count("/") < DEEPEST and len(full) < 3000:
                waiting.append(path)
            elif stat.S_ISREG(mode) and budget < os.lstat(full).st_size:
                found[path] = "too large to digest"
            elif stat.S_ISREG(mode):
                budget -= os.lstat(full).st_size
                with open(full, "rb") as file:
                    found[path] = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
            else:
                found[path] = (
                    f"-> {os.readlink(full)}" if stat.S_ISLNK(mode) else "neither file nor folder, or too deep"
                )
    return found


def confine(spec: dict[str, Any], stream: BinaryIO, lifeline: int) -> dict[str, Any]:
    """Furnish, let the subject in, wait, look at what it left."""
    LIBC.prctl(4, 0, 0, 0, 0)  # nobody looks into this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the kernel drops all signals to it for which it has no handler
    if spec["system"]:
        build(spec["system"])
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    furnish(spec, stream)
    reading, writing = os.pipe()
    subject = os.fork()
    if not subject:
        let_in(spec, proc, writing)
    os.close(writing)
    os.close(proc)
    for number in (1, 2):
        os.dup2(0, number)
    report = attend(subject, lifeline, spec)
    kind, _, fault = os.read(reading, 4096).decode("utf-8", "replace").partition("\n")
    found = {kind: fault} if kind else {}
    return {**report, **found, "after": digests(spec["place"], 4 * (spec["size"] + spec["limits"]["disk"]))}


def main(stream: BinaryIO, lifeline: int, out: int) -> None:
    """Read what to do from the lifeline, do it, and write the report."""
    os.set_inheritable(lifeline, False)
    os.set_inheritable(out, False)
    try:
        report = confine(json.loads(stream.readline()), stream, lifeline)
    except Exception as error:  # said to whoever asked, who raises it
        report = {"fault": f"{type(error).__name__}: {error}"}
    with os.fdopen(out, "wb") as file:
        file.write(json.dumps(report).encode("ascii"))
