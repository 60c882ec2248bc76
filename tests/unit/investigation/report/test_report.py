# SPDX-License-Identifier: Apache-2.0
"""The report is one page that anybody can read offline: whole, linked, escaped, and no wider than a phone."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from safetyboard.investigation.order import Order
from safetyboard.investigation.report.render import render_report
from safetyboard.investigation.report.view import view_of
from safetyboard.investigation.service import investigate
from small_case import write_case

HOSTILE = '<img src=x onerror=alert(1)> & "quoted" {{ 7*7 }}'
EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Page(HTMLParser):
    """Collect what a report holds: tags, ids, links, sections in order, and links inside each conclusion."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.sections: list[str] = []
        self.sentences: list[int] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"] or ""] if tag == "a" and "href" in given else []
        self.sources += [given[name] or "" for name in ("src", "data", "srcset", "action") if name in given]
        self.sections += [given.get("id") or ""] if tag == "section" else []
        if given.get("class") == "sentence":
            self.sentences.append(0)
            self._inside = True
        elif self._inside and tag == "a":
            self.sentences[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "li":
            self._inside = False


@pytest.fixture(scope="module")
def docket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The docket of a small case."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFETYBOARD_HOME", str(folder / "home"))
        investigate(Order(path=write_case(folder / "case"), out=folder / "docket"))
        yield folder / "docket"


@pytest.fixture(scope="module")
def text(docket: Path) -> str:
    return (docket / "report.html").read_text(encoding="utf-8")


@pytest.mark.idea("C7")
def test_the_report_loads_nothing_and_runs_nothing(text: str) -> None:
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "link", "form"} & set(page.tags)
    assert [source for source in page.sources if not source.startswith("data:")] == []
    assert [link for link in page.links if re.match(r"[a-z]+:|//", link)] == []
    assert "@import" not in text
    assert re.findall(r"url\((?!['\"]?(?:#|data:))", text) == []


@pytest.mark.idea("C7")
def test_every_link_leads_somewhere_inside_the_docket(text: str, docket: Path) -> None:
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    inside = [link for link in page.links if link.startswith("#")]
    assert inside
    assert [link for link in inside if link[1:] not in page.ids] == []
    assert [link for link in page.links if not link.startswith("#") and not (docket / link).is_file()] == []


@pytest.mark.idea("C7", "K2")
def test_every_conclusion_names_the_records_it_rests_on(text: str) -> None:
    sentences = Page(text).sentences
    assert len(sentences) > 3
    assert min(sentences) >= 1


def test_facts_stand_apart_from_analysis_and_before_it(text: str) -> None:
    sections = Page(text).sections
    assert (
        sections.index("facts") < sections.index("tests") < sections.index("analysis") < sections.index("conclusions")
    )
    facts = text[text.index('id="facts"') : text.index('id="tests"')]
    assert not re.search(r"cause|grade|because|probable", facts.lower())


def test_figures_are_numbered_as_they_are_read_and_say_what_they_show(text: str) -> None:
    numbers = [int(number) for number in re.findall(r"<strong>Figure (\d+)\.", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 3
    assert text.count('role="img"') == len(re.findall(r"<title id=", text)) == len(numbers)


def test_hostile_names_stay_text() -> None:
    records = [
        {
            "kind": "subject",
            "surface": "model",
            "name": HOSTILE,
            "media_type": "application/onnx",
            "digest": "sha256:" + "0" * 64,
            "content": "sha256:" + "0" * 64,
            "size": 1,
            "tasks": [HOSTILE],
            "interface": {HOSTILE: HOSTILE},
        }
    ]
    written = render_report(view_of(records, title=HOSTILE, signer="sha256:0", opened="now", tool="test")).decode()
    assert "img" not in Page(written).tags
    assert "{{ 7*7 }}" in written
    assert "49 &" not in written


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_screen(text: str, tmp_path: Path, width: int) -> None:
    browser = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no chromium here: apt-get install chromium")
    # The page itself allows no script; this copy does, so that it can be measured inside a frame of that width.
    measured = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    (tmp_path / "page.html").write_text(measured, encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        f"<iframe id=f style='width:{width}px;height:900px;border:0' src=page.html></iframe><p id=out>none</p><script>"
        "f.onload=()=>{let d=f.contentDocument.documentElement;"
        "out.textContent=d.scrollWidth+' '+d.clientWidth}</script>"
    )
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    command += ["--virtual-time-budget=5000", "--window-size=1400,1000", "--dump-dom"]
    command += [(tmp_path / "frame.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'id="out">(\d+) (\d+)<', dumped)
    assert found, dumped[-300:]
    assert int(found.group(1)) <= int(found.group(2)) <= width
