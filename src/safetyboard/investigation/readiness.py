# SPDX-License-Identifier: Apache-2.0
"""What runs on this machine, what does not, and how to enable it."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, util
from typing import Any

from safetyboard.evidence.keys import FILE, home
from safetyboard.laboratory.sandbox.running import available
from safetyboard.laboratory.sandbox.ways import WAYS

NETWORKS = "pip install 'safetyboard[networks]'"
RECORDS = "pip install 'safetyboard[records]'"
PARTS = (
    ("reading networks", ("numpy", "onnx"), NETWORKS),
    ("running networks, replaying witnesses", ("onnxruntime",), NETWORKS),
    ("proofs by input splitting", ("numba",), NETWORKS),
    ("proofs by ReLU splitting", ("scipy",), NETWORKS),
    ("figures in the report", ("matplotlib",), NETWORKS),
    ("reading repositories and pipelines", ("dulwich", "yaml"), RECORDS),
    ("reading packed logs, spans as protobuf", ("zstandard", "msgspec", "opentelemetry"), RECORDS),
    ("taking secrets out with detect-secrets", ("detect_secrets",), RECORDS),
    ("learned screens, tumour training", ("sklearn",), RECORDS),
    ("judges behind a URL", ("httpx",), RECORDS),
    ("training with torch", ("torch",), "pip install 'safetyboard[train]'; nothing in this version needs it"),
)
NAMES = {
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
    "opentelemetry": "opentelemetry-proto",
    "detect_secrets": "detect-secrets",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """Say whether one part of the product runs here, and what to do if not."""

    what: str
    runs: bool
    remedy: str = ""
    detail: str = ""

    def plain(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        return {"part": self.what, "runs": self.runs, "remedy": self.remedy, "detail": self.detail}


def examined(find: Callable[[str], object] = util.find_spec) -> tuple[Part, ...]:
    """Look at packages, key, sandbox, processors and system; nothing is loaded or changed, `true` is run in a sandbox.

    Args:    find: tells whether a package is installed.
    """
    parts = []
    for what, packages, remedy in PARTS:
        missing = [name for name in packages if find(name) is None]
        detail = "" if missing else ", ".join(f"{NAMES.get(n, n)} {_version(n)}" for n in packages)
        parts.append(Part(what=what, runs=not missing, remedy=remedy if missing else "", detail=detail))
    return (*parts, _key(), _sandbox(), _workers(), _system())


def _version(name: str) -> str:
    try:
        return metadata.version(NAMES.get(name, name))
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _key() -> Part:
    path = home() / FILE
    if path.exists():
        readable = os.access(path, os.R_OK)
        return Part(what="signing dockets", runs=readable, remedy="" if readable else f"make {path} readable")
    folder = next((parent for parent in path.parents if parent.exists()), path.parent)
    writable = os.access(folder, os.W_OK)
    remedy = "" if writable else f"make {folder} writable, or set SAFETYBOARD_HOME to a folder that is"
    return Part(what="signing dockets", runs=writable, remedy=remedy, detail="a key is made on first use")


def _sandbox() -> Part:
    working = [way for way in WAYS if available(way) is None]
    detail = f"by {working[0]}" if working else ""
    return Part(what="running a subject's code, sandboxed", runs=bool(working), remedy=available() or "", detail=detail)


def _workers() -> Part:
    count = os.cpu_count() or 1
    return Part(what="several workers", runs=True, detail=f"{count} processor{'s' if count != 1 else ''}")


def _system() -> Part:
    system = platform.system()
    known = system in ("Linux", "Darwin")
    return Part(
        what="this operating system",
        runs=known,
        remedy="" if known else "use Linux or macOS; elsewhere nothing was tried",
        detail=f"{system} {platform.machine()}, Python {platform.python_version()}",
    )
