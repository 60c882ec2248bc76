# SPDX-License-Identifier: Apache-2.0
"""Files that hold a trained model, told by name and first bytes; none is opened by the library it was made for."""

import re
from typing import Literal

from safetyboard.readers.components.component import Component
from safetyboard.readers.components.suppliers import WEIGHTS
from safetyboard.terms.canonical import digest_of

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)")
_UNSAFE = "opening it with its library can run code of whoever made it; it was not opened"
_PICKLES = (
    b"\x80",
    b"PK\x03\x04",
    b"x\x9c",
    b"x\x01",
    b"x\xda",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"(lp",
    b"ccopy_reg",
)
_BEGINS: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(("pt", "pth", "ckpt", "pkl", "pickle", "joblib"), _PICKLES),
    "gguf": (b"GGUF",),
    "h5": (b"\x89HDF",),
    "keras": (b"PK\x03\x04", b"\x89HDF"),
    "onnx": (b"\x08", b"\x12", b"\x3a"),
    "cbm": (b"CBM1",),
}
_FORMATS = {"pt": "PyTorch", "pth": "PyTorch", "ckpt": "PyTorch", "joblib": "joblib", "pkl": "pickle"}


def weights_component(path: str, content: bytes) -> Component | None:
    """Tell whether a file holds a model; None for one that only has such a name.

    A pickle may hold anything: it is listed, as nothing short of opening it would tell.
    """
    match = WEIGHTS.search(path) or re.search(r"(?:^|/)(?:pytorch_model|model)[\w-]*\.(bin)$", path)
    if match is None:
        return None
    kind, pointer = match[1].lower(), _POINTER.match(content)
    if pointer is None and not _begins(kind, content):
        return None
    unsafe = kind in ("pt", "pth", "ckpt", "pkl", "pickle", "joblib", "bin") or kind in ("h5", "keras")
    digest = f"sha256:{pointer[1].decode()}" if pointer else digest_of(content)
    stands = "a pointer; the file itself is not here" if pointer else f"{len(content)} bytes"
    return Component(
        kind="weights",
        name=path,
        supplier="",
        file=path,
        line=0,
        quotation=f"{_FORMATS.get(kind, kind)}, {stands}",
        pinned=True,
        digest=digest,
        warning=_UNSAFE if unsafe else "",
    )


def _begins(kind: str, content: bytes) -> bool:
    if kind == "safetensors":
        return len(content) > 9 and int.from_bytes(content[:8], "little") <= len(content) and content[8:9] == b"{"
    if kind == "tflite":
        return content[4:8] == b"TFL3"
    if kind == "bin":
        return content.startswith(_PICKLES)
    known: tuple[bytes, ...] | Literal[False] = _BEGINS.get(kind, False)
    return bool(content) and (not known or content.startswith(known))
