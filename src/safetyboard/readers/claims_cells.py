# SPDX-License-Identifier: Apache-2.0
"""The kinds of claims a claims.toml may make, each as cells with what would be unsafe on them."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from safetyboard.readers.claims_book import Book, Box, Made
from safetyboard.readers.claims_classes import Unsafe
from safetyboard.readers.claims_schema import decimal, text_of
from safetyboard.terms.domain import Excluded, Row
from safetyboard.terms.numbers import rational_text


def class_cells(book: Book, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> Made:
    """Make one cell a data row whose class may not change; rows already wrong are excluded."""
    table = book.table
    if table is None or not table.labels:
        raise book.fault("[data]", "this kind of claim needs a data file with a label column.")
    wanted = entry.get("rows")
    if wanted is not None and wanted not in table.labels:
        raise book.fault(place, f"no row is labelled {wanted!r}.")
    if entry["kind"] == "class-never" and wanted is None:
        raise book.fault(place, "class-never needs rows = CLASS.")
    made = Made(outputs=book.network.outputs, measured="one box a data row, every real input in it")
    outputs = np.asarray(book.predict(book.rows()), dtype=np.float64)
    for row, label in enumerate(table.labels):
        if wanted is not None and label != wanted:
            continue
        unsafe = wrong_when(book, entry, place, label)
        if _holds(unsafe, outputs[row]):
            made.excluded.append(Excluded(label=table.names[row], reason="wrong before any change"))
            continue
        made.add(table.names[row], book.box(entry, place, row, radius), unsafe)
    return made


def wrong_when(book: Book, entry: Mapping[str, Any], place: str, label: str) -> Unsafe:
    """Say which outputs are unsafe for a row of class `label`."""
    if entry["kind"] == "class-never":
        return book.classes.called(text_of(entry, "never", f"{book.name}: {place}"), f"{book.name}: {place}")
    return book.classes.wrongly(label, f"{book.name}: {place}")


def range_cells(book: Book, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> Made:
    """Make cells on which an output must stay in a range."""
    output = entry.get("output")
    if not isinstance(output, int) or not 0 <= output < book.network.outputs:
        raise book.fault(place, f"output must be a number below {book.network.outputs}.")
    unsafe: list[tuple[Row, ...]] = []
    if "at_least" in entry:
        limit = decimal(entry["at_least"], f"{book.name}: {place}")
        unsafe.append((Row(coefficients=((output, "1"),), constant=rational_text(-limit)),))
    if "at_most" in entry:
        limit = decimal(entry["at_most"], f"{book.name}: {place}")
        unsafe.append((Row(coefficients=((output, "-1"),), constant=rational_text(limit)),))
    if not unsafe:
        raise book.fault(place, "output-range needs at_least, at_most or both.")
    made = Made(outputs=book.network.outputs, measured="the output's range over every real input of the boxes")
    if "box" in entry:
        made.add("box", named_box(book, entry, place), tuple(unsafe))
    elif book.table is not None:
        for row, name in enumerate(book.table.names):
            made.add(name, book.box(entry, place, row, radius), tuple(unsafe))
    else:
        raise book.fault(place, "output-range needs a box or a data file.")
    return made


def named_box(book: Book, entry: Mapping[str, Any], place: str) -> Box:
    """Make the box that an entry writes out by feature names."""
    ranges = entry["box"]
    book.known(ranges, place, "box")
    lower, upper = [], []
    for i, feature in enumerate(book.features):
        name = str(feature["name"])
        pair = ranges.get(name)
        if pair is None and {"lower", "upper"} <= set(feature):
            pair = [feature["lower"], feature["upper"]]
        if not isinstance(pair, list) or len(pair) != 2:
            raise book.fault(place, f"box needs a range [low, high] for {name!r}.")
        ends = [book.scaled(i, decimal(value, f"{book.name}: {place}")) for value in pair]
        lower.append(ends[0])
        upper.append(ends[1])
    book.reachable([*lower, *upper], place)
    return Box(lower, upper, [])


def monotone_cells(book: Book, entry: Mapping[str, Any], place: str, radius: Fraction | None) -> Made:
    """Make cells over pairs of inputs that differ in one feature, by up to one step."""
    names = [str(feature["name"]) for feature in book.features]
    feature = text_of(entry, "feature", f"{book.name}: {place}")
    output, direction = entry.get("output"), entry.get("direction", "up")
    if feature not in names or direction not in ("up", "down"):
        raise book.fault(place, "monotone needs feature = NAME and direction = up or down.")
    if not isinstance(output, int) or not 0 <= output < book.network.outputs:
        raise book.fault(place, f"output must be a number below {book.network.outputs}.")
    index = names.index(feature)
    step = decimal(entry.get("step", 0), f"{book.name}: {place}") / abs(book.scale[index][1])
    slack = decimal(entry.get("slack", 0), f"{book.name}: {place}")
    if slack <= 0:
        # Two equal inputs are among the pairs: without slack their tie could be neither proved nor refuted.
        raise book.fault(place, "monotone needs slack above zero: how much of the wrong way is still allowed.")
    if step <= 0:
        raise book.fault(place, "monotone needs step above zero: the largest rise compared.")
    sign = 1 if direction == "up" else -1
    # Unsafe: the output moves against the direction by the slack or more, f(x') - f(x) <= -slack for "up".
    pairs = ((output, str(-sign)), (output + book.network.outputs, str(sign)))
    unsafe: Unsafe = ((Row(coefficients=pairs, constant=rational_text(slack)),),)
    made = Made(
        outputs=2 * book.network.outputs,
        lift={"kind": "twin", "feature": index},
        measured=f"pairs of inputs that differ only in {feature}, by up to one step",
    )
    if "box" not in entry and book.table is None:
        raise book.fault(place, "monotone needs a box or a data file.")
    boxes = (
        [("box", named_box(book, entry, place))]
        if "box" in entry
        else [(n, book.box(entry, place, r, radius)) for r, n in enumerate(book.table.names if book.table else [])]
    )
    for name, box in boxes:
        box.lower.append(Fraction(0))
        box.upper.append(step)
        made.add(name, Box(box.lower, box.upper, []), unsafe)
    return made


def _holds(unsafe: Unsafe, outputs: Any) -> bool:
    return any(
        all(
            sum(Fraction(c) * Fraction(float(outputs[i])) for i, c in row.coefficients) + Fraction(row.constant) <= 0
            for row in conjunction
        )
        for conjunction in unsafe
    )


KINDS: Mapping[str, Callable[[Book, Mapping[str, Any], str, Fraction | None], Made]] = {
    "class-never": class_cells,
    "robust-class": class_cells,
    "output-range": range_cells,
    "monotone": monotone_cells,
}
"""Every kind of claim: book, entry, place for messages, radius -> cells."""
