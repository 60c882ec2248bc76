# SPDX-License-Identifier: Apache-2.0
"""A quotation is found again word for word where it is said to stand, or the docket is rejected."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from safetyboard.evidence.docket import DocketWriter, extra_files, result_digest
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.case import Case
from safetyboard.terms.custody import Custody, CustodyItem
from safetyboard.terms.episode import Source
from safetyboard.terms.observation import Observation
from safetyboard_check.checker import Answer, Checker, Options
from safetyboard_check.faults import Rejected
from unit.evidence.specimens import KEY, REPORT

LOG = {"messages": [{"role": "assistant", "content": "I edited the tests, all pass."}, {"n": 3, "a/b": "slash"}]}
LINES = b"".join(json.dumps(entry).encode() + b"\n" for entry in (LOG, {"say": "two \u2028 words"}))


def zipped(packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packing) as archive:
        archive.writestr("samples/1.json", json.dumps(LOG))
    return held.getvalue()


def checked(folder: Path, content: bytes, quotation: str, *, withheld: bool = False, **place: Any) -> Answer:
    """Write a docket with one quotation, and check it."""
    source = digest_of(content)
    item = CustodyItem(path="log", digest=source, size=len(content), state="used", why="records")
    quoted = Observation(
        source=source,
        pointer="as placed",
        quotation=quotation,
        meaning="m",
        place=Source(file=place.pop("file", source), **place),
    )
    writer = DocketWriter(folder / "docket", KEY)
    if withheld:
        writer.withhold(content, "not ours to give")
    else:
        writer.put_blob(content)
    writer.state(Custody(items=(item,), used=1, irrelevant=0, unread=0))
    writer.state(quoted)
    files = extra_files(REPORT, {}, "quoted", opened="2026-01-02T03:04:05Z")
    words = ("claims", "refuted", "proved", "bounded", "supported", "unknown", "not_run")
    case = Case(
        case="0190163d-8694-739b-aea5-966c26f8ad91",
        title="quoted",
        opened="2026-01-02T03:04:05Z",
        tool="test",
        platform={"python": "3"},
        options={"seed": 0},
        loss=dict.fromkeys(words, 0),
        result_digest=result_digest(writer.ids),
        files={name: digest_of(held) for name, held in files.items()},
        withheld=dict(writer.withheld),
    )
    writer.finish(case, files)
    return Checker(folder / "docket", Options(key=KEY.fingerprint)).run()


PLACES = [
    (LINES, "edited the tests", {"line": 1, "pointer": "/messages/0/content"}),
    (LINES, "two \u2028 words", {"line": 2, "pointer": "/say"}),
    (LINES, "assistant\nI edited the tests", {"line": 1, "pointer": "/messages/0"}),
    (json.dumps({"arguments": '{"code": "say \\"hi\\""}'}).encode(), 'say "hi"', {"pointer": "/arguments"}),
    (LINES, '"role": "assistant"', {"line": 1}),
    (LINES, '"n": 3', {}),
    (gzip.compress(LINES), "edited the tests", {"line": 1, "pointer": "/messages/0/content"}),
    (zipped(), "all pass.", {"member": "samples/1.json", "pointer": "/messages/0/content"}),
    (zipped(zipfile.ZIP_STORED), "slash", {"member": "samples/1.json", "pointer": "/messages/1/a~1b"}),
]


@pytest.mark.parametrize(("content", "quotation", "place"), PLACES)
def test_a_quotation_is_found_again(tmp_path: Path, content: bytes, quotation: str, place: dict[str, Any]) -> None:
    answer = checked(tmp_path, content, quotation, **place)
    assert (answer.code, answer.quotations) == (0, 1)


@pytest.mark.parametrize(
    ("content", "quotation", "place"),
    [
        (LINES, "edited the program", {"line": 1, "pointer": "/messages/0/content"}),
        (LINES, "edited the tests", {"line": 2}),
        (LINES, "edited the tests", {"line": 1, "pointer": "/messages/1/content"}),
        (LINES, "edited the tests", {"line": 1, "pointer": "/messages/-2/content"}),
        (LINES, "3", {"line": 1, "pointer": "/messages/1/n"}),
        (LINES, "edited the tests\nand the program", {"line": 1, "pointer": "/messages/0"}),
        (LINES, "x", {"line": 9}),
        (LINES, "", {"line": 1}),
        (LINES, "edited the tests", {"file": digest_of(b"another"), "line": 1}),
        (LINES, "edited the tests", {"member": "samples/1.json"}),
        (zipped(), "all pass.", {"member": "samples/2.json", "pointer": "/messages/0/content"}),
        (b"[" * 100_000, "[", {"pointer": "/0"}),
    ],
)
def test_what_does_not_stand_there_is_rejected(
    tmp_path: Path, content: bytes, quotation: str, place: dict[str, Any]
) -> None:
    with pytest.raises(Rejected, match="observation"):
        checked(tmp_path, content, quotation, **place)


def test_withheld_bytes_are_counted_as_not_rechecked(tmp_path: Path) -> None:
    answer = checked(tmp_path, LINES, "never looked up", withheld=True, line=1)
    assert (answer.code, answer.quotations) == (3, 0)
    assert any("withheld" in said for said in answer.missing)


def test_a_member_packed_otherwise_is_counted_as_not_rechecked(tmp_path: Path) -> None:
    place = {"member": "samples/1.json", "pointer": "/messages/0/content"}
    answer = checked(tmp_path, zipped(zipfile.ZIP_BZIP2), "all pass.", **place)
    assert (answer.code, answer.quotations) == (3, 0)
