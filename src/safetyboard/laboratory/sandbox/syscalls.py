# SPDX-License-Identifier: Apache-2.0
"""The filter on system calls: what no namespace holds back (VM sockets, io_uring, keyrings), and what nobody needs."""

import errno
import platform
import struct

# Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
# Order: socket, then what is refused outright.
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SOCKET = {"x86_64": 41, "aarch64": 198}
NEW = (
    425,
    426,
    427,
    428,
    429,
    430,
    431,
    432,
    433,
    442,
)  # io_uring_*, open_tree … fspick, mount_setattr: one number each
REFUSED = {
    # add_key request_key keyctl bpf perf_event_open userfaultfd mount umount2 pivot_root chroot unshare setns
    # open_by_handle_at kexec_load init_module finit_module delete_module swapon reboot
    # memfd_create memfd_secret shmget (memory that belongs to no process and to no bounded place)
    "x86_64": (
        248,
        249,
        250,
        321,
        298,
        323,
        165,
        166,
        155,
        161,
        272,
        308,
        304,
        246,
        175,
        313,
        176,
        167,
        169,
        319,
        447,
        29,
        *NEW,
    ),
    "aarch64": (
        217,
        218,
        219,
        280,
        241,
        282,
        40,
        39,
        41,
        51,
        97,
        268,
        265,
        104,
        105,
        273,
        106,
        224,
        142,
        279,
        447,
        194,
        *NEW,
    ),
}
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: these a network namespace separates
X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE = 0x00050000 | errno.EPERM


def filtered(machine: str = "") -> bytes | None:
    """Assemble the filter as the kernel reads it, or None where no table for this processor is known.

    Source:  Linux Documentation/userspace-api/seccomp_filter.rst; struct seccomp_data: nr 0, arch 4, args from 16.
    """
    name = machine or platform.machine()
    if name not in AUDIT:
        return None
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, AUDIT[name]), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    code += [(_AT_LEAST, 0, 1, X32), (_RETURN, 0, 0, _REFUSE)]
    for number in REFUSED[name]:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    code += [(_EQUAL, 1, 0, SOCKET[name]), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 16)]
    for family in FAMILIES:
        code += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
    code += [(_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("<HBBI", *line) for line in code)
