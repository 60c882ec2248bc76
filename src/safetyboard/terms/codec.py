# SPDX-License-Identifier: Apache-2.0
"""Records to plain data and back, keeping every field a newer writer may have added."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from safetyboard.terms.canonical import Plain, content_id
from safetyboard.terms.errors import UnreadableInput

R = TypeVar("R")
_MAPPING = typing.get_origin(Mapping[str, str])


def to_plain(record: Any) -> dict[str, Plain]:
    """Turn a record into plain data: its ``kind``, its fields, and what it carried in ``extra``.

    Fields that are None or empty tuples or mappings are left out, so that adding an optional field later
    does not change old digests.
    """
    plain: dict[str, Plain] = dict(record.extra) if hasattr(record, "extra") else {}
    kind = getattr(type(record), "KIND", None)
    if kind is not None:
        plain["kind"] = kind
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.name != "extra" and value is not None and value not in ((), {}):
            plain[field.name] = _plain(value)
    return plain


def _plain(value: Any) -> Plain:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_plain(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value  # type: ignore[no-any-return]


def from_plain(cls: type[R], plain: Mapping[str, Any]) -> R:
    """Build a record from plain data; unknown fields go to ``extra`` and survive the round trip.

    Raises:  UnreadableInput: a required field is missing or has the wrong type.
    """
    if not isinstance(plain, Mapping):
        raise UnreadableInput(f"A {cls.__name__} must be a JSON object, not {type(plain).__name__}.")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    named = fields.keys() - {"extra"}
    values = {
        name: _value(hints[name], plain[name], f"{cls.__name__}.{name}")
        for name in fields
        if name in named & plain.keys()
    }
    values |= {
        name: empty
        for name in fields.keys() - values.keys()
        if (empty := _empty(fields[name], hints[name])) is not None
    }
    known = named | {"kind"} if hasattr(cls, "KIND") else named
    unknown = {key: item for key, item in plain.items() if key not in known}
    kind = plain.get("kind")
    if "extra" in fields:
        values["extra"] = unknown
    if kind is not None and kind != getattr(cls, "KIND", kind):
        raise UnreadableInput(f"A {cls.__name__} was expected, but the record says kind {kind!r}.")
    try:
        return cls(**values)
    except TypeError as error:
        missing = [
            name
            for name, field in fields.items()
            if name not in values
            and field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING
        ]
        raise UnreadableInput(f"The {cls.__name__} record lacks {', '.join(missing) or error}.") from error


def _empty(field: "dataclasses.Field[Any]", hint: Any) -> Any:
    """Give back what :func:`to_plain` left out of a field without a default: an empty tuple or mapping, else None."""
    if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
        return None
    return {tuple: (), _MAPPING: {}}.get(typing.get_origin(hint))


def _value(hint: Any, item: Any, place: str) -> Any:  # noqa: PLR0911 - one return a type form reads best
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if item is None:
            return None
        return _value(next(a for a in arguments if a is not type(None)), item, place)
    if origin is tuple:
        if not isinstance(item, list | tuple):
            raise UnreadableInput(f"{place} must be a list.")
        if arguments[-1] is not Ellipsis:
            if len(item) != len(arguments):
                raise UnreadableInput(f"{place} must have {len(arguments)} entries.")
            return tuple(_value(form, entry, place) for form, entry in zip(arguments, item, strict=True))
        return tuple(_value(arguments[0], entry, place) for entry in item)
    if origin in (dict, _MAPPING):
        if not isinstance(item, Mapping):
            raise UnreadableInput(f"{place} must be an object.")
        return dict(item)
    if origin is typing.Literal:
        if item not in arguments:
            raise UnreadableInput(f"{place} is {item!r}; expected one of {', '.join(map(str, arguments))}.")
        return item
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, item)  # type: ignore[arg-type]
    if hint in (str, int, bool) and (not isinstance(item, hint) or (hint is int and isinstance(item, bool))):
        raise UnreadableInput(f"{place} must be {hint.__name__}, not {type(item).__name__}.")
    return item


def record_id(record: Any) -> str:
    """Name a record by the digest of its canonical JSON."""
    return content_id(to_plain(record))
