# SPDX-License-Identifier: Apache-2.0
"""What a CI configuration says is quoted with its line; a hostile one is one sentence and the rest is read."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safetyboard.readers.pipelines.pipeline import Pipelines, pipelines_of
from safetyboard.readers.pipelines.safe_yaml import read_yaml
from safetyboard.terms.errors import SafetyboardError, SyntaxFault, TooLarge

FLOW = ".github/workflows/ci.yml"
RISKY = """\
name: ci
on:
  pull_request_target:
    types: [opened]
  push:
permissions: write-all
jobs:
  test:
    runs-on: ubuntu-latest
    continue-on-error: true
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: |
          echo "${{ github.event.pull_request.title }}"
          make check
          pytest -q \\
            tests || true
        env:
          TOKEN: ${{ secrets.DEPLOY }}
"""
CAREFUL = """\
on: [push]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8
        with:
          persist-credentials: false
      - run: git checkout origin/main -- tests
      - run: python -m pytest
"""
MAKEFILE = "check: lint\n\tpytest tests\n\nlint:\n\t-ruff check .\n\nclean:\n\trm -rf build\n"


def read(**files: str) -> Pipelines:
    names = {"flow": FLOW, "makefile": "Makefile", "gitlab": ".gitlab-ci.yml"}
    return pipelines_of({names[name]: text.encode() for name, text in files.items()})


def told(found: Pipelines, kind: str) -> list[tuple[str, int, str]]:
    return [(fact.path.rpartition("/")[2], fact.line, fact.quotation) for fact in found.of_kind(kind)]


def test_which_commands_judge_is_said_with_their_lines_and_make_is_followed() -> None:
    found = read(flow=RISKY, makefile=MAKEFILE)
    assert told(found, "judges") == [
        ("ci.yml", 17, "make check"), ("Makefile", 5, "-ruff check ."), ("Makefile", 2, "pytest tests"),
        ("ci.yml", 18, "pytest -q  tests || true"),
    ]  # fmt: skip
    assert told(found, "excused") == [
        ("ci.yml", 10, "continue-on-error: true"),
        ("Makefile", 5, "-ruff check ."),
        ("ci.yml", 18, "pytest -q  tests || true"),
    ]


def test_rights_triggers_secrets_and_where_tests_come_from_are_quoted() -> None:
    found = read(flow=RISKY)
    assert told(found, "trigger")[0][:2] == ("ci.yml", 3)
    assert "rights" in found.of_kind("trigger")[0].meaning
    assert told(found, "permissions") == [("ci.yml", 6, "permissions: write-all")]
    assert told(found, "checkout") == [("ci.yml", 14, "ref: ${{ github.event.pull_request.head.sha }}")]
    assert told(found, "credentials") == [("ci.yml", 12, "- uses: actions/checkout@v4")]
    assert told(found, "unpinned") == [("ci.yml", 12, "- uses: actions/checkout@v4")]
    assert told(found, "secret") == [("ci.yml", 21, "TOKEN: ${{ secrets.DEPLOY }}")]
    assert [line for _, line, _ in told(found, "untrusted-text")] == [16]


def test_the_careful_twin_has_none_of_these() -> None:
    found = read(flow=CAREFUL)
    for kind in ("excused", "credentials", "unpinned", "secret", "untrusted-text", "no-permissions"):
        assert told(found, kind) == []
    assert told(found, "protected-checkout") == [("ci.yml", 11, "git checkout origin/main -- tests")]
    assert told(found, "judges") == [("ci.yml", 12, "python -m pytest")]
    assert [fact.meaning for fact in found.of_kind("permissions")] == ["contents: read"]


def test_gitlab_jobs_are_read() -> None:
    text = (
        "include: other.yml\nstages: [test]\nunit:\n  script:\n    - pip install .\n    - pytest\n"
        "soft:\n  allow_failure: true\n  script: tox\n"
    )
    found = read(gitlab=text)
    assert told(found, "judges") == [(".gitlab-ci.yml", 6, "pytest"), (".gitlab-ci.yml", 9, "tox")]
    assert told(found, "excused") == [(".gitlab-ci.yml", 8, "allow_failure: true")]
    assert told(found, "include") == [(".gitlab-ci.yml", 1, "include: other.yml")]


def test_the_project_s_own_makefile_says_what_its_test_target_runs(project_root: Path) -> None:
    flow = "on: push\njobs:\n  t:\n    steps:\n      - run: make test\n"
    found = read(flow=flow, makefile=(project_root / "Makefile").read_text(encoding="utf-8"))
    assert any(fact.path == "Makefile" and "pytest" in fact.quotation for fact in found.of_kind("judges"))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (BOMB, TooLarge, "aliases unfold"),
        ("a: " + "[" * 60 + "]" * 60, TooLarge, "too deep"),
        ("a: [1\nb: 2\n", SyntaxFault, "line 2"),
        ("a: &x [*x]", TooLarge, "aliases unfold"),
        ("!!python/object/apply:os.system ['true']: 1", None, ""),
        ("a\x00b", SyntaxFault, ""),
    ],
)
def test_a_hostile_file_is_one_sentence(text: str, error: type[SafetyboardError] | None, said: str) -> None:
    if error is None:
        read_yaml(text.encode(), "f.yml")
        return
    with pytest.raises(error) as caught:
        read_yaml(text.encode(), "f.yml")
    assert caught.value.message.startswith("f.yml")
    assert said in caught.value.message
    assert "\n" not in str(caught.value)
    found = pipelines_of({FLOW: text.encode(), ".github/workflows/good.yaml": CAREFUL.encode()})
    assert (len(found.faults), found.read) == (1, (".github/workflows/good.yaml",))


@settings(max_examples=200)
@given(
    content=st.one_of(
        st.binary(max_size=80), st.text(alphabet="ab:-[]{}&*!|>'\"\n\t #?,%", max_size=80).map(str.encode)
    )
)
def test_any_bytes_are_read_or_named(content: bytes) -> None:
    found = pipelines_of({FLOW: content, ".gitlab-ci.yml": content})
    assert all("\n" not in fault for fault in found.faults)
    assert len(found.faults) + len(found.read) == 2
