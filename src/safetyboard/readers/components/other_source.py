# SPDX-License-Identifier: Apache-2.0
"""Models in JavaScript, TypeScript, Go and Rust: imports, model names and addresses outside comments."""

import re
from collections.abc import Iterator

from safetyboard.readers.components.component import Component, shown
from safetyboard.readers.components.suppliers import GO, PACKAGES, RUST, host_supplier, is_dated, supplier_of_model

SCRIPTS = (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts")
LANGUAGES = (*SCRIPTS, ".go", ".rs")
_HIDDEN = "\x00"
_FROM = re.compile(r"\b(?:from|import|require\s*\(|import\s*\()\s*([\"'])(\x00*)\1")
_GO_IMPORT = re.compile(r"^\s*(?:import\s+)?(?:[\w.]+\s+)?\"(\x00+)\"\s*$", re.M)
_USE = re.compile(r"\b(?:use|extern\s+crate)\s+(?:::)?(\w+)")
_NAMED = re.compile(
    r"[\"']?\b(\w*(?:[mM]odel|MODEL)(?:[_-]?(?:[nN]ame|NAME|[iI]d|ID))?)\b[\"']?\s*(?::=|[:=(])\s*"
    r"(?:&?str\s*=\s*|string\s*=\s*)?([\"'`])(\x00+)\2"
)
_STRING = re.compile(r"([\"'`])(\x00+)\1")
_SPOKEN = re.compile(
    r"(?:console\.\w+|print(?:ln|f)?!?|log\.\w+|logger\.\w+|fmt\.\w+|Error|panic!?|throw\s+\w*)\s*\(\s*$"
)


def skeleton(text: str, *, raw: bool = False) -> str:
    """Blank comments, and hide what stands inside strings, so that places stay where they are.

    Args:    raw: Rust, where a quotation mark alone may begin a lifetime and not a string.
    """
    out, at, end = list(text), 0, len(text)
    while at < end:
        two = text[at : at + 2]
        if two in ("//", "/*"):
            stop = text.find("\n" if two == "//" else "*/", at + 2)
            stop = end if stop < 0 else stop + (two == "/*") * 2
            out[at:stop] = [sign if sign == "\n" else " " for sign in text[at:stop]]
            at = stop
        elif text[at] in ('"`' if raw else "\"'`"):
            at = _string(text, out, at)
        else:
            at += 1
    return "".join(out)


def _string(text: str, out: list[str], start: int) -> int:
    quote, at = text[start], start + 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\n" and quote != "`":
            return at
        step = 2 if text[at] == "\\" else 1
        for place in range(at, min(at + step, len(text))):
            out[place] = "\n" if text[place] == "\n" else _HIDDEN
        at += step
    return at + 1


def source_components(path: str, content: bytes) -> Iterator[Component]:
    """Find models in one file; what is only mentioned in comments, messages or other strings is not counted."""
    text = content.decode("utf-8", "replace")
    hidden, lines = skeleton(text, raw=path.endswith(".rs")), text.splitlines()

    def at(place: int) -> tuple[int, str]:
        line = text.count("\n", 0, place) + 1
        return line, shown(lines, line)

    for name, supplier, place in _libraries(path, text, hidden):
        line, quotation = at(place)
        yield Component(kind="library", name=name, supplier=supplier, file=path, line=line, quotation=quotation)
    for match in _NAMED.finditer(hidden):
        model = text[match.start(3) : match.end(3)]
        by = supplier_of_model(model)
        if by is not None:
            line, quotation = at(match.start(3))
            yield Component(
                kind="model", name=model, supplier=by, file=path, line=line, quotation=quotation, pinned=is_dated(model)
            )
    for match in _STRING.finditer(hidden):
        address = text[match.start(2) : match.end(2)]
        by = host_supplier(address)
        if by is not None and not _SPOKEN.search(hidden[max(0, match.start() - 40) : match.start()]):
            line, quotation = at(match.start())
            host = address.split("/")[2].lower()
            yield Component(kind="endpoint", name=host, supplier=by, file=path, line=line, quotation=quotation)


def _libraries(path: str, text: str, hidden: str) -> Iterator[tuple[str, str, int]]:
    if path.endswith(SCRIPTS):
        for match in _FROM.finditer(hidden):
            given = text[match.start(2) : match.end(2)]
            name = next((each for each in PACKAGES if given == each or given.startswith(each + "/")), None)
            if name is not None:
                yield name, PACKAGES[name], match.start()
    elif path.endswith(".go"):
        for match in _GO_IMPORT.finditer(hidden):
            given = text[match.start(1) : match.end(1)]
            name = next((each for each in GO if given == each or given.startswith(each + "/")), None)
            if name is not None:
                yield name, GO[name], match.start(1)
    else:
        for match in _USE.finditer(hidden):
            if match[1] in RUST:
                yield match[1], RUST[match[1]], match.start()
