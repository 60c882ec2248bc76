# SPDX-License-Identifier: Apache-2.0
"""Change dockets as an attacker would: single bytes, or records with everything hashed and signed again."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safetyboard.evidence.checkpoint import write_checkpoint
from safetyboard.evidence.docket import FORMAT, result_digest
from safetyboard.evidence.keys import SigningKey
from safetyboard.evidence.merkle import Tree
from safetyboard.evidence.statements import signed_line
from safetyboard.terms.canonical import canonical_json, content_id, digest_of

Records = list[dict[str, Any]]
Blobs = dict[str, bytes]
Change = Callable[[Records, Blobs], None]


@dataclass
class Opened:
    """A docket taken apart: records in log order, blobs by digest, the files beside them."""

    records: Records
    blobs: Blobs
    files: dict[str, bytes]


def attacker_key() -> SigningKey:
    """A key that is always the same and nobody's."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))


def take_apart(docket: Path) -> Opened:
    """Read a docket without checking it."""
    lines = (docket / "log" / "statements.jsonl").read_bytes().splitlines()
    records = [json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"] for line in lines]
    blobs = {"sha256:" + path.name: path.read_bytes() for path in (docket / "blobs").rglob("*") if path.is_file()}
    manifest = json.loads((docket / "docket.json").read_text())
    return Opened(records, blobs, {name: (docket / name).read_bytes() for name in manifest["files"]})


def reissue(docket: Path, target: Path, change: Change, key: SigningKey) -> Path:
    """Change records and blobs, then hash, refer and sign everything again with the attacker's key."""
    held = take_apart(docket)
    old = [content_id(record) for record in held.records]
    change(held.records, held.blobs)
    renamed = {name: digest_of(content) for name, content in held.blobs.items()}
    for _ in range(2):
        # A certificate's body names its subject and domain, so blobs are renamed once more after their contents.
        held.blobs = {name: _inside(content, renamed) for name, content in held.blobs.items()}
        renamed = {**renamed, **{name: digest_of(content) for name, content in held.blobs.items()}}
    records = []
    for name, record in zip(old, held.records, strict=True):
        fresh = _replaced(record, renamed)
        if record["kind"] == "domain":
            renamed[name] = content_id(fresh)
            held.blobs = {n: _inside(content, {name: renamed[name]}) for n, content in held.blobs.items()}
            renamed |= {n: digest_of(content) for n, content in held.blobs.items()}
        records.append(fresh)
        renamed[name] = content_id(fresh)
    return _write(target, records, held, key)


def _inside(content: bytes, renamed: dict[str, str]) -> bytes:
    if not content.startswith(b'{"cells":'):
        return content
    for old, new in renamed.items():
        content = content.replace(old.encode(), new.encode())
    return content


def _replaced(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, renamed) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, renamed) for item in value]
    return renamed.get(value, value) if isinstance(value, str) else value


def _write(target: Path, records: Records, held: Opened, key: SigningKey) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    ids = {content_id(record): str(record["kind"]) for record in records[:-1]}
    records[-1]["result_digest"] = result_digest(ids)
    tree, lines = Tree(), [signed_line(record, key) for record in records]
    for line in lines:
        tree.append(line)
    counts: dict[str, int] = {}
    for record in records:
        counts[record["kind"]] = counts.get(record["kind"], 0) + 1
    manifest = {
        "format": FORMAT, "case": records[-1]["case"], "signer": key.fingerprint,
        "result_digest": records[-1]["result_digest"], "counts": counts, "statements": len(records),
        "withheld": records[-1].get("withheld", {}),
        "files": {name: digest_of(content) for name, content in held.files.items()},
    }  # fmt: skip
    parts = {
        "log/statements.jsonl": b"".join(line + b"\n" for line in lines),
        "log/checkpoint": write_checkpoint(len(tree), tree.root(), key),
        "keys/signer.pub": (key.public.hex() + "\n").encode(),
        "docket.json": canonical_json(manifest) + b"\n",
        **held.files,
        **{f"blobs/sha256/{digest_of(c)[7:9]}/{digest_of(c)[7:]}": c for c in held.blobs.values()},
    }
    for name, content in parts.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return target


def of_kind(records: Records, kind: str) -> Records:
    """Pick records of one kind."""
    return [record for record in records if record["kind"] == kind]
