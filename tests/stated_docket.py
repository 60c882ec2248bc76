# SPDX-License-Identifier: Apache-2.0
"""Write a docket of given records over one file, seal it, and have the checker look at it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetyboard.evidence.docket import DocketWriter, extra_files, result_digest
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.case import Case
from safetyboard.terms.custody import Custody, CustodyItem
from safetyboard.terms.verdict import Verdict
from safetyboard_check.checker import Answer, Checker, Options
from unit.evidence.specimens import KEY, REPORT


def checked(folder: Path, name: str, blobs: Sequence[bytes], records: Sequence[Any], verdict: Verdict) -> Answer:
    """State records with their one verdict, and check; the first blob is the file that was used."""
    item = CustodyItem(path=name, digest=digest_of(blobs[0]), size=len(blobs[0]), state="used", why="given")
    writer = DocketWriter(folder / "docket", KEY)
    for blob in blobs:
        writer.put_blob(blob)
    for record in [Custody(items=(item,), used=1, irrelevant=0, unread=0), *records, verdict]:
        writer.state(record)
    files = extra_files(REPORT, {}, name, opened="2026-01-02T03:04:05Z")
    words: Mapping[str, int] = dict.fromkeys(("refuted", "proved", "bounded", "supported", "unknown", "not_run"), 0)
    case = Case(
        case="0190163d-8694-739b-aea5-966c26f8ad91",
        title=name,
        opened="2026-01-02T03:04:05Z",
        tool="test",
        platform={"python": "3"},
        options={"seed": 0},
        loss={"claims": 1, **words, verdict.verdict.lower(): 1},
        result_digest=result_digest(writer.ids),
        files={name: digest_of(content) for name, content in files.items()},
    )
    writer.finish(case, files)
    return Checker(folder / "docket", Options(key=KEY.fingerprint)).run()
