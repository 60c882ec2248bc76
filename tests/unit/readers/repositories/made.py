# SPDX-License-Identifier: Apache-2.0
"""Repositories made for tests, honest ones and hostile ones, object by object."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dulwich.objects import Blob, Commit, ShaFile, Tag

from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import digest_of


def stored(name: str, content: bytes) -> Stored:
    return Stored(name=name, size=len(content), load=lambda: content, digest=digest_of(content))


@dataclass
class Made:
    """Collect objects and references; give them as the files of a ``.git`` folder or as a bundle."""

    objects: dict[str, ShaFile | tuple[bytes, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    head: str = "ref: refs/heads/main"

    def add(self, made: ShaFile) -> str:
        self.objects[made.id.decode()] = made
        return made.id.decode()

    def raw(self, kind: bytes, content: bytes) -> str:
        name = hashlib.sha1(b"%s %d\0%s" % (kind, len(content), content)).hexdigest()
        self.objects[name] = (kind, content)
        return name

    def entries(self, entries: Sequence[tuple[int, bytes, str]]) -> str:
        """A tree written as given: nothing is sorted, nothing refused."""
        return self.raw(b"tree", b"".join(b"%o %s\0%s" % (m, n, bytes.fromhex(t)) for m, n, t in entries))

    def folder(self, files: Mapping[str, bytes]) -> str:
        here: list[tuple[int, bytes, str]] = []
        inner: dict[str, dict[str, bytes]] = {}
        for path, content in files.items():
            first, _, rest = path.partition("/")
            if rest:
                inner.setdefault(first, {})[rest] = content
            else:
                here.append((0o100644, first.encode(), self.add(Blob.from_string(content))))
        here += [(0o40000, name.encode(), self.folder(below)) for name, below in inner.items()]
        return self.entries(sorted(here, key=lambda entry: entry[1]))

    def commit(
        self, tree: str, *parents: str, message: str = "A change", author: bytes = b"A <a@x>", at: int = 0
    ) -> str:
        made = Commit()
        made.tree, made.parents = tree.encode(), [parent.encode() for parent in parents]
        made.author, made.committer, made.message = author, author, message.encode()
        made.author_time = made.commit_time = 1_700_000_000 + at
        made.author_timezone = made.commit_timezone = 0
        return self.add(made)

    def tag(self, name: str, target: str) -> str:
        made = Tag()
        made.name, made.tagger, made.message = name.encode(), b"T <t@x>", b"tagged\n"
        made.object = (Commit, target.encode())
        made.tag_time, made.tag_timezone = 1_700_000_000, 0
        return self.add(made)

    def git(self) -> dict[str, Stored]:
        files = {"HEAD": self.head.encode() + b"\n"}
        files |= {name: target.encode() + b"\n" for name, target in self.refs.items()}
        for name, made in self.objects.items():
            kind, content = made if isinstance(made, tuple) else (made.type_name, made.as_raw_string())
            files[f"objects/{name[:2]}/{name[2:]}"] = zlib.compress(b"%s %d\0%s" % (kind, len(content), content))
        return {path: stored(f".git/{path}", content) for path, content in files.items()}

    def pack(self) -> bytes:
        numbers = {b"commit": 1, b"tree": 2, b"blob": 3, b"tag": 4}
        parts = [m if isinstance(m, tuple) else (m.type_name, m.as_raw_string()) for m in self.objects.values()]
        return pack_of(*(sized(numbers[kind], len(content)) + zlib.compress(content) for kind, content in parts))

    def bundle(self, *more: bytes, pack: bytes = b"") -> Stored:
        lines = [b"# v2 git bundle", *more, *(b"%s %s" % (t.encode(), n.encode()) for n, t in self.refs.items())]
        return stored("made.bundle", b"\n".join(lines) + b"\n\n" + (pack or self.pack()))


def sized(kind: int, size: int) -> bytes:
    """The header of a pack entry."""
    first, size = kind << 4 | size & 15, size >> 4
    made = bytearray()
    while size:
        made.append(first | 128)
        first, size = size & 127, size >> 7
    return bytes([*made, first])


def number(value: int) -> bytes:
    """A number as differences write it."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def pack_of(*entries: bytes) -> bytes:
    body = b"PACK" + (2).to_bytes(4, "big") + len(entries).to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def simple(files: Mapping[str, bytes] | None = None) -> tuple[Made, str]:
    """One branch with one commit."""
    made = Made()
    tip = made.commit(made.folder(files or {"a.py": b"pass\n", "tests/test_a.py": b"def test_a(): assert 1\n"}))
    made.refs["refs/heads/main"] = tip
    return made, tip
