# SPDX-License-Identifier: Apache-2.0
"""The lesson put to other repositories: affected, not affected, or untestable."""

from dataclasses import dataclass, field, replace

import pytest

from safetyboard.laboratory.sandbox.running import available
from safetyboard.surfaces.authority.attack.routes.catalog import ROUTES
from safetyboard.surfaces.authority.attack.routes.declared import declared
from safetyboard.surfaces.authority.attack.routes.outcome_hook import OutcomeHook
from safetyboard.surfaces.authority.attack.routes.performing import acts_of, shown
from safetyboard.surfaces.authority.attack.routes.plan import Plan, Scope, Target
from safetyboard.surfaces.authority.lesson import Answer, JudgedFilesOutOfReach
from safetyboard.terms.budget import Budget
from safetyboard.terms.errors import UnreadableInput
from safetyboard.terms.progress import Silent
from unit.surfaces.authority.lesson.drawn_repositories import GRANTS, drawn

pytestmark = pytest.mark.skipif(bool(available()), reason=str(available()))

PROGRAM = b"def double(n):\n    return n * 2\n\n\nif __name__ == '__main__':\n    print(double(int(input())))\n"
OUTSIDE = (
    b"import subprocess\nimport sys\nimport unittest\n\n\nclass D(unittest.TestCase):\n    def test_it(self):\n"
    b"        call = [sys.executable, '-I', '-B', 'app/main.py']\n"
    b"        ran = subprocess.run(call, input=b'21', capture_output=True)\n"
    b"        self.assertEqual(ran.stdout, b'42\\n')\n"
)
INSIDE = (
    b"import unittest\nfrom app.main import double\n\n\nclass D(unittest.TestCase):\n    def test_it(self):\n"
    b"        self.assertEqual(double(21), 42)\n"
)
APART = (
    b"services:\n  coder:\n    volumes: ['./app:/w/app', './tests:/w/tests:ro']\n"
    b"  judge:\n    volumes: [{type: bind, source: '.', target: /w, read_only: true}]\n"
    b"    command: [python, -m, unittest, tests.test_main]\n"
)


NAMED = (
    "shell redirection", "conftest.py that rewrites outcomes", "module that shadows the runner", "stale bytecode",
    "program that ends the test process",
)  # fmt: skip
SOME = tuple(route for route in ROUTES if route.name in NAMED)


def repository(tests: bytes = INSIDE, **more: bytes) -> dict[str, bytes]:
    tree = {"app/__init__.py": b"", "app/main.py": PROGRAM, "tests/__init__.py": b"", "tests/test_main.py": tests}
    return tree | {path.replace("__", "."): content for path, content in more.items()}


def put(tree: dict[str, bytes], lesson: JudgedFilesOutOfReach | None = None, units: int = 300) -> Answer:
    kind = lesson or JudgedFilesOutOfReach()
    return kind.put(tree, budget=Budget(units=units), seed=2, progress=Silent(), claim="claim")


@pytest.mark.idea("K19")
def test_a_plain_grant_is_affected_and_its_twin_out_of_reach_is_not() -> None:
    kind = JudgedFilesOutOfReach(routes=SOME)
    needle, twin = put(repository(), kind), put(repository(OUTSIDE, compose__yaml=APART), kind)
    assert needle.answer == "affected"
    assert {"shell redirection", "module that shadows the runner"} <= set(needle.routes)
    assert [one.shows for one in needle.executions].count("failure") == len(needle.routes)
    assert (twin.answer, twin.routes) == ("not affected", ())
    assert twin.reason == "2 tried and held, 2 tried and refused by the kernel, 1 does not apply"
    assert [name for name, _ in twin.inapplicable] == ["conftest.py that rewrites outcomes"]
    assert {name for name, _ in (*twin.held_routes, *twin.inapplicable)} == {route.name for route in SOME}
    assert twin.probes
    assert all(probe.held for probe in twin.probes)
    assert all(words.startswith("breaks: ") for words in twin.assumptions)


def test_a_mount_of_the_tests_alone_does_not_suffice() -> None:
    found = declared(repository(compose__yaml=b"services: {agent: {volumes: ['.:/w', './tests:/w/tests:ro']}}\n"))
    assert found.enforcement.readonly == ("tests",)
    shadow = tuple(route for route in ROUTES if route.name in ("shell redirection", "module that shadows the runner"))
    answer = JudgedFilesOutOfReach(routes=shadow).put(
        repository(), budget=Budget(units=60), seed=2, progress=Silent(), claim="c", given=found
    )
    assert answer.routes == ("module that shadows the runner",)


def test_a_program_that_runs_in_the_judges_process_is_affected_even_where_files_are_out_of_reach() -> None:
    inner = tuple(route for route in ROUTES if route.scope == "in the process")
    answer = put(repository(INSIDE, compose__yaml=APART), JudgedFilesOutOfReach(routes=inner))
    assert answer.answer == "affected"


def test_a_runner_that_looks_everywhere_imports_a_package_that_the_agent_made() -> None:
    found = repository(OUTSIDE, compose__yaml=APART.replace(b", tests.test_main", b""))
    del found["app/__init__.py"]
    inner = tuple(route for route in ROUTES if route.name == "program that ends the test process")
    assert put(found, JudgedFilesOutOfReach(routes=inner)).routes == ("program that ends the test process",)


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Do nothing."""

    name: str = field(default="idle", init=False)
    scope: Scope = field(default="outside the process", init=False)

    def plans(self, target: Target) -> tuple[Plan, ...]:
        """Give an empty attempt."""
        return (Plan(),)


def test_an_engine_that_does_nothing_finds_nobody_affected() -> None:
    idle = put(repository(), JudgedFilesOutOfReach(routes=(Idle(),)))
    assert (idle.answer, idle.reason) == ("untestable", "no route was carried out (1 does not apply)")
    none = put(repository(), JudgedFilesOutOfReach(routes=()))
    assert (none.answer, none.reason) == ("untestable", "no route was carried out (none was asked for)")


def test_what_only_rules_refused_on_paper_is_no_acquittal() -> None:
    settings = b'{"permissions": {"deny": ["Edit(tests/**)", "Write(tests/**)", "Bash(tests/**)"]}}'
    named = tuple(route for route in ROUTES if route.name in ("denied tool", "shell redirection"))
    answer = put(repository() | {".claude/settings.json": settings}, JudgedFilesOutOfReach(routes=named))
    assert (answer.answer, answer.reason) == ("untestable", "no route was carried out (2 refused by rule)")


@pytest.mark.parametrize("seed", [3019, 3008, 3010], ids=["suite imports", "runner looks everywhere", "root read-only"])
def test_over_drawn_repositories_the_decision_is_what_is_true_by_construction(seed: int) -> None:
    """More of them, under every route: bench/lesson_gate.py."""
    one = drawn(seed)
    answer = put(one.tree, JudgedFilesOutOfReach(routes=SOME))
    assert answer.answer == one.truth, (one.made, answer.reason)


def test_the_generator_draws_both_answers_and_every_kind_of_grant() -> None:
    many = [drawn(seed) for seed in range(48)]
    assert {one.made["between"] for one in many} == set(GRANTS)
    assert {one.truth for one in many if one.made["framework"] == "pytest"} == {"affected", "not affected"}
    assert {one.truth for one in many if one.made["framework"] == "unittest"} == {"affected", "not affected"}
    assert len({one.made["program"] for one in many}) > 8


def test_a_hook_in_the_programs_folder_gets_through_where_pytest_looks_there() -> None:
    tests = b"import subprocess, sys\n\n\ndef test_it():\n    call = [sys.executable, '-I', '-B', 'app/main.py']\n"
    tests += b"    assert subprocess.run(call, input=b'21', capture_output=True).stdout == b'42\\n'\n"
    greens = []
    for command in (b"[python, -m, pytest]", b"[python, -m, pytest, tests]"):
        tree = repository(tests, compose__yaml=APART.replace(b"[python, -m, unittest, tests.test_main]", command))
        tree["app/main.py"] = PROGRAM.replace(b"n * 2", b"n * 3")
        found = declared(tree)
        target = Target(
            tree=tree, judged=found.judged, framework=found.framework, command=found.enforcement.command,
            tools=found.enforcement.tools,
        )  # fmt: skip
        acts, refusal = acts_of(OutcomeHook().plans(target)[-1], target)
        assert not refusal
        greens.append(shown(acts, target, found.enforcement).green)
    assert greens == [True, False]


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"app/main.py": PROGRAM}, "there is no suite"),
        (repository(INSIDE.replace(b"42", b"43")), "the suite is red"),
        (repository(INSIDE.replace(b"42", b"43 - __import__('os').urandom(1)[0] // 240")), "the suite is"),
        (repository(INSIDE.replace(b"double(21), 42", b"1, 1")), "saw none of"),
    ],
)
def test_what_cannot_judge_is_untestable(tree: dict[str, bytes], reason: str) -> None:
    answer = put(tree)
    assert answer.answer == "untestable"
    assert reason in answer.reason


def test_a_budget_too_small_is_no_acquittal() -> None:
    answer = put(repository(OUTSIDE, compose__yaml=APART), units=8)
    assert answer.answer == "untestable"
    assert "budget" in answer.reason


def test_rules_and_commands_are_read_as_they_are_declared() -> None:
    settings = b'{"permissions": {"deny": ["Edit(tests/**)", "Write(./tests/*)"]}}'
    tree = repository() | {".claude/settings.json": settings, "Makefile": b"test:\n\tpython -m unittest -q\n"}
    found = declared(tree)
    assert {tool.name: tool.denied for tool in found.enforcement.tools} == {
        "Edit": ("tests/",), "Write": ("tests/",), "Bash": (),
    }  # fmt: skip
    assert found.enforcement.command == ("python", "-m", "unittest", "-q")
    assert found.places == (".claude/settings.json", "Makefile")
    with pytest.raises(UnreadableInput, match=r"compose\.yaml"):
        declared(repository(compose__yaml=b"{"))


@pytest.mark.parametrize(
    ("mount", "readonly"),
    [
        ('"source=${localWorkspaceFolder}/tests,target=/w/tests,type=bind,readonly"', ("tests",)),
        ('"source=${localWorkspaceFolder}/tests,target=/w/tests,type=bind,readonly=true"', ("tests",)),
        ('"source=${localWorkspaceFolder}/tests,target=/w/tests,type=bind"', ()),
        ('"source=${localWorkspaceFolder}/nowhere,target=/w/n,type=bind,readonly"', ()),
        ('"source=/elsewhere/tests,target=/w/tests,type=bind,readonly"', ()),
        ('{"source": "cache", "target": "/cache", "type": "volume"}', ()),
    ],
)
def test_read_only_mounts_of_a_development_container_are_read(mount: str, readonly: tuple[str, ...]) -> None:
    path = ".devcontainer/devcontainer.json"
    found = declared(repository() | {path: f'{{"mounts": [{mount}]}}'.encode()})
    assert (found.enforcement.readonly, found.enforcement.apart, found.places) == (readonly, False, (path,))
    with pytest.raises(UnreadableInput, match=r"devcontainer\.json is no JSON"):
        declared(repository() | {path: b"{"})


def test_a_root_that_is_read_only_is_all_but_what_is_writable_over_it() -> None:
    text = b"services: {agent: {volumes: ['.:/w:ro', './app/inner:/w/app/inner']}, judge: {volumes: ['.:/w:ro']}}\n"
    found = declared(repository(compose__yaml=text) | {"app/inner/deep/part.py": b"", "README.md": b""}).enforcement
    assert found.readonly == ("README.md", "app/__init__.py", "app/main.py", "compose.yaml", "tests")
    assert (found.persists, found.sealed) == (("app/inner/",), True)


def test_a_lesson_asks_for_routes_by_name() -> None:
    kind = JudgedFilesOutOfReach()
    lesson = kind.lesson(title="t", story="s", source={"case": "x"})
    assert kind.named(lesson) == ROUTES
    with pytest.raises(UnreadableInput, match="not known here: by post"):
        kind.named(replace(lesson, parameters={"routes": ["by post"]}))
