# SPDX-License-Identifier: Apache-2.0
"""Write a JSON Schema for every kind of record a docket may state, from the dataclasses themselves."""

import dataclasses
import importlib
import json
import pkgutil
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetyboard.terms

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference" / "schema"
MAPPING = typing.get_origin(Mapping[str, str])
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def stated_kinds() -> list[str]:
    """Read the kinds of records from the docket's own document."""
    text = (ROOT / "docs" / "reference" / "docket.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("Kinds:"))
    return re.findall(r"`([a-z]+)`", line)


def record_classes() -> dict[str, type]:
    """Find the record of every kind in the vocabulary."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(safetyboard.terms.__path__):
        for value in vars(importlib.import_module(f"safetyboard.terms.{module.name}")).values():
            kind = getattr(value, "KIND", None)
            if isinstance(value, type) and dataclasses.is_dataclass(value) and isinstance(kind, str):
                found[kind] = value
    return found


def schema_of(kind: str, cls: type) -> dict[str, Any]:
    """Describe one record: a field left out means none or empty, and unknown fields are kept."""
    definitions: dict[str, Any] = {}
    body = _record(cls, definitions)
    schema = {
        "$schema": DRAFT,
        "$id": f"urn:safetyboard:{kind}:1",
        "title": kind,
        **body,
        "required": ["kind", *body["required"]],
    }
    schema["properties"] = {"kind": {"const": kind}, **body["properties"]}
    if definitions:
        schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def _record(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.name != "extra"]
    return {
        "description": " ".join((cls.__doc__ or "").split()),
        "type": "object",
        "properties": {field.name: _form(hints[field.name], definitions) for field in fields},
        "required": [field.name for field in fields if _is_required(field, hints[field.name])],
        "additionalProperties": True,
    }


def _is_required(field: "dataclasses.Field[Any]", hint: Any) -> bool:
    has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    may_be_empty = typing.get_origin(hint) in (tuple, dict, MAPPING)
    return not has_default and not may_be_empty


def _form(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    plain = {str: "string", bool: "boolean", int: "integer"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in plain:
        return {"type": plain[hint]}
    if origin in (typing.Union, types.UnionType):
        return _form(next(each for each in arguments if each is not type(None)), definitions)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _form(arguments[0], definitions)}
    if origin is tuple:
        forms = [_form(each, definitions) for each in arguments]
        return {"type": "array", "prefixItems": forms, "minItems": len(forms), "maxItems": len(forms)}
    if origin in (dict, MAPPING):
        return {"type": "object"}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        definitions.setdefault(hint.__name__, {})
        definitions[hint.__name__] = _record(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise TypeError(f"{hint!r} has no place in a record: canonical JSON holds text, whole numbers and truth values")


def pages() -> dict[Path, str]:
    """Return every generated file with its text."""
    classes = record_classes()
    return {
        FOLDER / f"{kind}.json": json.dumps(schema_of(kind, classes[kind]), indent=2, ensure_ascii=False) + "\n"
        for kind in stated_kinds()
    }
