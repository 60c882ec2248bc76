# SPDX-License-Identifier: Apache-2.0
"""The two ways in: bubblewrap, or Linux namespaces through unshare; and which part of the system is shown."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetyboard.laboratory.sandbox.cell import HOME, PLACE
from safetyboard.terms.errors import EnvironmentFault

WAYS = ("bubblewrap", "unshare")
PROGRAMS = {"bubblewrap": "bwrap", "unshare": "unshare"}
TREES = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FOLDERS = ("/etc", "/dev", "/dev/shm", "/tmp", "/proc", HOME, PLACE)  # places inside, not here
INSTALL = {
    "bubblewrap": "Install it (Debian: apt-get install bubblewrap).",
    "unshare": "Install it (Debian: apt-get install util-linux).",
}
ALLOW = "Allow namespaces here: root needs CAP_SYS_ADMIN, others user namespaces (sysctl user.max_user_namespaces)."


@dataclass(frozen=True, kw_only=True)
class System:
    """Name what of the machine is shown inside, all of it read-only."""

    binds: tuple[str, ...]
    links: dict[str, str]
    devices: tuple[str, ...] = DEVICES
    folders: tuple[str, ...] = FOLDERS


def shown() -> System:
    """Find the system's programs and libraries and this Python, and nothing of anybody's data.

    Raises:  EnvironmentFault where Python lies so that showing it would show a home.
    """
    links = {path: os.readlink(path) for path in TREES if os.path.islink(path)}
    binds = [path for path in (*TREES, *SETTINGS) if os.path.exists(path) and path not in links]
    binds += [path for path in prefixes() if not any(Path(path).is_relative_to(tree) for tree in TREES)]
    return System(binds=tuple(binds), links=links)


def prefixes() -> tuple[str, ...]:
    """List the folders that hold this Python: the installation, and the virtual environment where there is one."""
    found: list[str] = []
    home = Path(os.path.expanduser("~")).resolve()
    for prefix in (sys.base_prefix, sys.base_exec_prefix, sys.prefix):
        path = Path(prefix).resolve()
        if home.is_relative_to(path) and not path.is_relative_to("/usr"):
            message = f"Python is installed in {path}, and showing it to a subject would show the home folder {home}."
            raise EnvironmentFault(
                message, hint="Use a Python that has a folder of its own, e.g. a virtual environment."
            )
        if not any(path.is_relative_to(other) for other in found):
            found.append(str(path))
    return tuple(found)


def interpreter() -> str:
    """Name the bare interpreter, past the links of a virtual environment."""
    return os.path.realpath(sys.executable)


def entrance(way: str, system: System, inner: Sequence[str]) -> list[str]:
    """Spell the command that makes the namespaces and starts the first process in them.

    As root no user namespace is made yet: the mounts then belong to the real root, whom the subject never becomes.
    """
    program = shutil.which(PROGRAMS[way])
    if program is None:
        raise EnvironmentFault(f"The program {PROGRAMS[way]} is not installed.", hint=INSTALL[way])
    root = os.geteuid() == 0
    if way == "unshare":
        user = [] if root else ["--user", "--map-root-user"]
        spaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"]
        return [program, *user, *spaces, "--", *inner]
    words = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]
    words += ["--as-pid-1", "--die-with-parent", "--cap-add", "ALL"]
    words += [] if root else ["--unshare-user", "--uid", "0", "--gid", "0"]
    for path in folders_for(system):
        words += ["--perms", "0755", "--dir", path]
    for path in system.binds:
        words += ["--ro-bind", path, path]
    for path in system.devices:
        words += ["--dev-bind", path, path]
    for path, target in system.links.items():
        words += ["--symlink", target, path]
    return [*words, "--proc", "/proc", "--chdir", "/", "--", *inner]


def folders_for(system: System) -> list[str]:
    """List every folder that must exist before anything is mounted, parents first, open to be passed through."""
    wanted = {Path(path) for path in system.folders}
    for path in (*system.folders, *system.binds, *system.devices):
        wanted |= set(Path(path).parents)
    for path in system.binds:
        wanted = {one for one in wanted if not (one.is_relative_to(path) and one != Path(path))}
    return [str(path) for path in sorted(wanted - {Path("/")})]
