# SPDX-License-Identifier: Apache-2.0
"""The RO-Crate metadata of a docket: what its files are, for programs that archive research data."""

from collections.abc import Iterable

from safetyboard.terms.canonical import Plain, canonical_json

DESCRIBED = {
    "docket.json": ("application/json", "manifest: a table of contents"),
    "log/statements.jsonl": ("application/jsonl", "every record, signed, in order"),
    "log/checkpoint": ("text/plain", "signed size and root of the log"),
    "keys/signer.pub": ("text/plain", "ed25519 public key of the signer"),
    "replay.py": ("text/x-python", "replays the witnesses with onnxruntime"),
    "report.html": ("text/html", "report for people; readable offline"),
}
BLOBS = "blobs/sha256/"


def crate_metadata(names: Iterable[str], title: str, *, opened: str = "") -> bytes:
    """Write ``ro-crate-metadata.json`` for a docket.

    Args:    names: files beside the records. title: of the case. opened: RFC 3339, when the case was opened.
    Source:  RO-Crate 1.1, sections "Root Data Entity" and "Data Entities".
    """
    listed = sorted({*DESCRIBED, *names})
    parts: list[Plain] = [{"@id": name} for name in (*listed, BLOBS)]
    root: dict[str, Plain] = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": "The complete evidence of one investigation; recheck it with safetyboard_check.",
        "hasPart": parts,
    }
    if opened:
        root["datePublished"] = opened
    descriptor: Plain = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    blobs: Plain = {"@id": BLOBS, "@type": "Dataset", "name": "files by their SHA-256"}
    graph: list[Plain] = [descriptor, root, *(_file(name) for name in listed), blobs]
    return canonical_json({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}) + b"\n"


def _file(name: str) -> Plain:
    media_type, what = DESCRIBED.get(name, ("application/json", "a lesson: a test that runs on another system"))
    return {"@id": name, "@type": "File", "name": what, "encodingFormat": media_type}
