# SPDX-License-Identifier: Apache-2.0
"""Verdicts that lie beside logs: who said of which recorded run that it is of concern; the format is that of labels."""

import csv
import io
import json
import re
from dataclasses import dataclass, field
from typing import Literal

from safetyboard.overseers.learned.label_file import KNOWN, NEEDED, Answer, read_labels
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Source

SUFFIXES = (".csv", ".jsonl")
_LONGEST = 2_000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Hold one verdict as it was given.

    Args:    file: name, end of the path, or digest of the log. run: id in that log; empty where it holds one. label: of
             concern or not. by: who says so, with version. made_by: what kind of overseer. words: the line as it stands
             in the file, for quoting; hostile text. note: its reason, hostile text too.
    """

    file: str
    run: str
    label: Answer
    axis: str
    by: str
    made_by: Literal["human", "program", "learned", "amplified", "unknown"]
    source: Source
    words: str
    note: str = field(default="")


def sniff(name: str, head: bytes) -> bool:
    """Take a CSV or JSONL file whose head line, or first object, has the columns of a verdict and no others."""
    if not name.lower().endswith(SUFFIXES):
        return False
    text = head.decode("utf-8-sig", "replace").lstrip()
    first = text.split("\n", 1)[0]
    try:
        if text[:1] == "{":
            value = json.loads(first)
            columns = list(value) if isinstance(value, dict) else []
        else:
            columns = [cell.strip() for cell in next(csv.reader(io.StringIO(first)), [])]
    except (ValueError, RecursionError, csv.Error):
        return False
    return set(NEEDED) <= set(columns) <= set(KNOWN)


def verdicts_of(stored: Stored) -> tuple[Verdict, ...]:
    """Read every verdict, with the place it stands at.

    Raises:  SyntaxFault: names the file, the line and the remedy. TooLarge.
    """
    content = stored.load()
    labels = read_labels(content, stored.name)
    text = content.decode("utf-8-sig")
    lines = text.split("\n") if text.lstrip()[:1] == "{" else re.split("\r\n|\r|\n", text)
    return tuple(
        Verdict(
            file=label.file,
            run=label.run,
            label=label.label,
            axis=label.axis,
            by=label.by,
            made_by=label.made_by,
            source=Source(file=stored.digest, line=label.line),
            words=lines[label.line - 1].rstrip("\r")[:_LONGEST],
            note=label.note,
        )
        for label in labels
    )
