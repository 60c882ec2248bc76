# SPDX-License-Identifier: Apache-2.0
"""Read a file of labels: which recorded run, of concern or not, on which axis, according to whom."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from safetyboard.terms.errors import SyntaxFault, TooLarge

Answer = Literal["yes", "no", "unsure"]
ANSWERS = ("yes", "no", "unsure")
NEEDED = ("file", "label", "axis", "by")
KNOWN = (*NEEDED, "run", "weight", "cluster", "note", "made_by")
Makers = Literal["human", "program", "learned", "amplified", "unknown"]
MAKERS: tuple[Makers, ...] = ("human", "program", "learned", "amplified", "unknown")
LARGEST = 64 << 20
_LIKE = "docs/how-to/train-a-screen.md shows one."


@dataclass(frozen=True, kw_only=True)
class Label:
    """Hold one label.

    Args:    file: name or digest of the log. run: id of the run in it; empty where the log holds one run. label: is it
             of concern. by: who says so. weight: in training. cluster: runs that are not independent of one another
             share it; empty where the task tells. place: file and line of the label, for people. made_by: what kind of
             overseer says so. line: of the file, from 1; of several lines the first.
    """

    file: str
    run: str
    label: Answer
    axis: str
    by: str
    place: str
    weight: float = 1.0
    cluster: str = ""
    made_by: Makers = "unknown"
    note: str = ""
    line: int = 0


def read_labels(content: bytes, name: str) -> tuple[Label, ...]:
    """Read labels from CSV with a head line, or from JSONL, told apart by the first character.

    Raises:  SyntaxFault: names the file, the line and the remedy. TooLarge: over 64 MiB.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: over {LARGEST >> 20} MiB of labels.", hint="Split the file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: not UTF-8 at byte {error.start}.", hint="Save it as UTF-8.") from error
    rows = _json_lines(text, name) if text.lstrip()[:1] == "{" else _table(text, name)
    labels = tuple(_label(row, f"{name}, line {last}", first) for row, first, last in rows)
    if not labels:
        raise SyntaxFault(f"{name}: holds no label.", hint=_LIKE)
    return labels


def _json_lines(text: str, name: str) -> Iterator[tuple[Mapping[str, str], int, int]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{name}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SyntaxFault(f"{place}: not JSON.", hint="Write one JSON object a line.") from error
        if not isinstance(value, dict):
            raise SyntaxFault(f"{place}: no JSON object.", hint=_LIKE)
        if any(isinstance(each, dict | list | bool) for each in value.values()):
            raise SyntaxFault(f"{place}: a value is neither text nor a number.", hint=_LIKE)
        yield {key: "" if each is None else str(each) for key, each in value.items()}, number, number


def _table(text: str, name: str) -> Iterator[tuple[Mapping[str, str], int, int]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
        if len(set(head)) != len(head):
            raise SyntaxFault(f"{name}, line 1: a column stands there twice.", hint=_LIKE)
        last = reader.line_num
        for cells in reader:
            first, last = last + 1, reader.line_num
            place = f"{name}, line {last}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                raise SyntaxFault(f"{place}: {len(cells)} cells under {len(head)} columns.", hint=_LIKE)
            yield dict(zip(head, (cell.strip() for cell in cells), strict=True)), first, last
    except csv.Error as error:
        raise SyntaxFault(f"{name}, line {reader.line_num}: not CSV ({error}).", hint=_LIKE) from error


def _label(row: Mapping[str, Any], place: str, line: int) -> Label:
    unknown = [key for key in row if key not in KNOWN]
    if unknown:
        raise SyntaxFault(f"{place}: no such column: {unknown[0][:40]!r}.", hint=f"Known: {', '.join(KNOWN)}.")
    empty = [key for key in NEEDED if not row.get(key)]
    if empty:
        raise SyntaxFault(f"{place}: {empty[0]} is missing.", hint=f"Needed: {', '.join(NEEDED)}.")
    answer = row["label"].lower()
    if answer not in ANSWERS:
        raise SyntaxFault(f"{place}: the label {row['label'][:40]!r} is none.", hint=f"One of {', '.join(ANSWERS)}.")
    made_by = next((each for each in MAKERS if each == (row.get("made_by") or "unknown")), None)
    if made_by is None:
        raise SyntaxFault(f"{place}: made_by is {row['made_by'][:40]!r}.", hint=f"One of {', '.join(MAKERS)}.")
    return Label(
        file=row["file"],
        run=row.get("run", ""),
        label=answer,
        axis=row["axis"],
        by=row["by"],
        place=place,
        weight=_weight(row.get("weight", "") or "1", place),
        cluster=row.get("cluster", ""),
        made_by=made_by,
        note=row.get("note", ""),
        line=line,
    )


def _weight(text: str, place: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and 0 < weight <= 1e6):
        raise SyntaxFault(
            f"{place}: the weight {text[:40]!r} is no number above zero.", hint="Leave it out, or write 1."
        )
    return weight
