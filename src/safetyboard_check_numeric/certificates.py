# SPDX-License-Identifier: Apache-2.0
"""Hold each certificate of a docket against its claim, its domain, its subject's bytes, and every leaf of its trees."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from safetyboard_check_numeric.bounds import Frame
from safetyboard_check_numeric.chain import Layer, lifted
from safetyboard_check_numeric.docket import Docket
from safetyboard_check_numeric.fields import Record, items, mapping, parse, rational, real, text, whole
from safetyboard_check_numeric.input_split import InputTree
from safetyboard_check_numeric.operators import read_layers
from safetyboard_check_numeric.refusals import NotADocket, Refusal, Rejected
from safetyboard_check_numeric.relu_split import ReluTree
from safetyboard_check_numeric.unsafe import Row, Unsafe, unsafe_of

SCHEMA = "safetyboard.certificate/1"
METHODS: dict[str, type[InputTree] | type[ReluTree]] = {"input-split": InputTree, "relu-split": ReluTree}


@dataclass(frozen=True, kw_only=True)
class Rechecked:
    """Count what one certificate came to: cells, leaves, and the smallest margin of any leaf."""

    cells: int
    leaves: int
    margin: float


def recheck(docket: Docket, name: str, record: Record, networks: dict[str, tuple[Layer, ...]]) -> Rechecked:
    """Recheck one certificate wholly; `networks` keeps the networks that were read.

    Raises:  Rejected, naming the certificate, the cell and the leaf; BytesWithheld; NotADocket, for a newer format.
    """
    try:
        return _recheck(docket, record, networks)
    except Refusal as refusal:
        raise type(refusal)(f"certificate {name}, {refusal}") from refusal


def _recheck(docket: Docket, record: Record, networks: dict[str, tuple[Layer, ...]]) -> Rechecked:
    claim = docket.record(text(record, "claim"), "claim")
    domain = docket.record(text(claim, "domain"), "domain")
    content = text(docket.record(text(claim, "subject"), "subject"), "content")
    body = mapping(parse(docket.blob(text(record, "body")), "its body"), "its body")
    schema = text(body, "schema")
    if schema != SCHEMA:
        newer = schema.startswith("safetyboard.certificate/")
        raise (NotADocket if newer else Rejected)(f"its body states the schema {schema!r}; {SCHEMA!r} is read")
    if text(body, "slopes") != "adaptive":
        raise Rejected(f"its body asks for the slopes {body['slopes']!r}; 'adaptive' is known")
    recipe = mapping(record.get("recipe"), "its recipe")
    if not content == text(body, "subject") == text(recipe, "subject"):
        raise Rejected("its body or its recipe speaks of another subject than its claim")
    if text(body, "domain") != text(claim, "domain"):
        raise Rejected("its body speaks of another domain than its claim")
    entries = [mapping(entry, "a cell of its body") for entry in items(body, "cells")]
    cells = [whole(entry, "cell") for entry in entries]
    if items(record, "cells") != cells or len(set(cells)) != len(cells):
        raise Rejected(f"it states other cells than its body, or one of them twice: {str(cells)[:60]}")
    if whole(claim, "cells") != len(items(domain, "cells")):
        raise Rejected("its claim states another number of cells than its domain")
    if whole(record, "leaves") != sum(whole(entry, "leaves") for entry in entries):
        raise Rejected("it states another number of leaves than its body")
    if content not in networks:
        networks[content] = read_layers(docket.blob(content))
    layers = lifted(networks[content], mapping(domain.get("lift", {}), "the lift"))
    margins = [recheck_cell(layers, domain, entry) for entry in entries]
    margin = min(margins, default=float("inf"))
    if "slack" in record and -real(record["slack"]) > margin:
        raise Rejected(f"its slack {float.fromhex(record['slack'])!r} promises more than its least margin {margin!r}")
    return Rechecked(cells=len(cells), leaves=whole(record, "leaves"), margin=margin)


def recheck_cell(layers: tuple[Layer, ...], domain: Record, entry: Record) -> float:
    """Recheck the tree of one cell; returns its smallest margin: harm is below minus that, everywhere in the cell.

    Args:    layers: of the network, lifted. domain: the record. entry: the cell's part of the certificate's body.
    Raises:  Rejected, naming the cell and the leaf.
    """
    number = whole(entry, "cell")
    try:
        unsafe, frame = _question(layers, domain, entry)
        method = METHODS.get(text(entry, "method"))
        if method is None:
            raise Rejected(f"its method {entry['method']!r} is not known")
        tree = method(frame, unsafe, entry)
        if tree.leaves != whole(entry, "leaves"):
            raise Rejected(f"its tree has {tree.leaves} leaves, it states {entry['leaves']}")
        # Numbers that leave the range are looked at where they could matter: they are no bounds.
        with np.errstate(over="ignore", invalid="ignore"):
            tree.check()
        return tree.margin
    except Refusal as refusal:
        raise type(refusal)(f"cell {number}, {refusal}") from refusal


def _question(layers: tuple[Layer, ...], domain: Record, entry: Record) -> tuple[Unsafe, Frame]:
    cells, sets = items(domain, "cells"), items(domain, "unsafe_sets")
    number = whole(entry, "cell")
    if number >= len(cells):
        raise Rejected(f"the domain has {len(cells)} cells only")
    cell = mapping(cells[number], "a cell of the domain")
    which = whole(cell, "unsafe", 0)
    if which >= len(sets):
        raise Rejected(f"the domain has no unsafe set {which}")
    exact = [[rational(value) for value in items(cell, end)] for end in ("lower", "upper")]
    root = mapping(entry.get("root"), "its root")
    ends = [[real(value) for value in items(root, end)] for end in ("lower", "upper")]
    inputs = layers[0].weight.shape[1]
    if {*map(len, exact), *map(len, ends)} != {inputs}:
        raise Rejected(f"its box has not {inputs} sides, as the network has inputs")
    for low, high, least, most in zip(*exact, *ends, strict=True):
        if low > high:
            raise Rejected("the domain's box is empty")
        if not Fraction(least) <= low <= high <= Fraction(most):
            raise Rejected("its root does not contain the domain's box")
    unsafe = unsafe_of([_conjunction(rows) for rows in _lists(sets[which])], len(layers[-1].bias))
    return unsafe, Frame(layers, np.array(ends[0]), np.array(ends[1]))


def _lists(value: object) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(item, list) for item in value):
        raise Rejected("an unsafe set is not a list of lists of rows")
    return value


def _conjunction(rows: list[Any]) -> list[Row]:
    made: list[Row] = []
    for row in rows:
        held = mapping(row, "a row of the unsafe set")
        pairs = []
        for pair in _lists(held.get("coefficients", [])):
            index = pair[0] if len(pair) == 2 else None
            if isinstance(index, bool) or not isinstance(index, int):
                raise Rejected("a coefficient is not an index and a rational")
            pairs.append((index, rational(pair[1])))
        made.append((pairs, rational(held.get("constant", "0"))))
    return made
