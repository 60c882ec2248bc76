# SPDX-License-Identifier: Apache-2.0
"""The published schemas accept what the engine writes and refuse what it would not."""

import dataclasses
import importlib
import json
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from house.source_files import ROOT
from safetyboard.terms.codec import from_plain, to_plain

sys.path.append(str(ROOT / "tools"))
schemas = importlib.import_module("schemas")
KINDS = schemas.stated_kinds()
CLASSES = schemas.record_classes()
# Records are small and alike, so a few examples say all, and shrinking a fault would cost more than it tells.
few = settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
PLAIN = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(-9, 9) | st.text(max_size=3), max_size=2)


def schema_of(kind: str) -> dict[str, Any]:
    """The committed schema of a kind."""
    found: dict[str, Any] = json.loads((schemas.FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return found


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of one field, whatever the record means by them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (str, int, bool):
        return {str: st.text("ab:", max_size=4), int: st.integers(-9, 9), bool: st.booleans()}[hint]
    if origin in (typing.Union, types.UnionType):
        return st.none() | values(arguments[0])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(each) for each in arguments))
    return records(hint) if dataclasses.is_dataclass(hint) else PLAIN


def records(cls: Any) -> st.SearchStrategy[Any]:
    """Records of a class, with unknown fields in them."""
    hints = typing.get_type_hints(cls)
    fields = {field.name: values(hints[field.name]) for field in dataclasses.fields(cls) if field.name != "extra"}
    unknown = st.dictionaries(st.text("xyz", min_size=4, max_size=6), st.integers(0, 9), max_size=2)
    return st.builds(cls, extra=unknown, **fields)


def test_every_kind_of_the_docket_has_a_record_and_a_schema() -> None:
    assert len(KINDS) >= 16
    assert set(KINDS) <= set(CLASSES)
    assert {file.stem for file in schemas.FOLDER.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_a_written_record_fits_its_schema_and_is_read_back_the_same(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(CLASSES[kind]))
    plain = to_plain(record)
    jsonschema.validate(plain, schema_of(kind))
    read = from_plain(CLASSES[kind], json.loads(json.dumps(plain)))
    assert to_plain(read) == plain
    assert isinstance(read.extra, Mapping)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(data=st.data())
def test_a_record_without_a_required_field_or_of_another_kind_is_refused(kind: str, data: st.DataObject) -> None:
    plain = to_plain(data.draw(records(CLASSES[kind])))
    validator = jsonschema.Draft202012Validator(schema_of(kind))
    for name in schema_of(kind)["required"]:
        assert not validator.is_valid({key: value for key, value in plain.items() if key != name})
    assert not validator.is_valid({**plain, "kind": "another"})
