# SPDX-License-Identifier: Apache-2.0
"""Where settings of the runner, conftest.py and thresholds of coverage demand less than before."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from safetyboard.readers.stored import printable
from safetyboard.readers.suites.cases import parsed
from safetyboard.readers.suites.configuration import Section, coverage_section, pytest_section

LONGEST = 300
HOOKS = re.compile(
    r"pytest_(collection_modifyitems|runtest_\w+|ignore_collect|pyfunc_call|collect_file|collection|pycollect_\w+|"
    r"sessionfinish|sessionstart|report_teststatus|generate_tests|configure|cmdline_\w+|load_initial_conftests|"
    r"assertrepr_compare|fixture_setup|itemcollected|deselected|exception_interact|unconfigure|addhooks|"
    r"plugin_registered|assertion_pass|terminal_summary|internalerror|keyboard_interrupt)"
)
TAKING = ("-k", "-m", "-p", "-W", "-o", "-c", "--ignore", "--deselect", "--override-ini")
FEWER = ("-k", "-m", "--ignore", "--ignore-glob", "--deselect", "-p", "--no-cov", "--co", "--collect-only", "--lf",
         "--sw", "--setup-only", "-o", "--override-ini", "--runxfail", "--noconftest", "-c", "--rootdir")  # fmt: skip
STRICT = ("--strict", "--strict-markers", "--strict-config", "-W", "--cov-fail-under", "--cov", "--doctest-modules")
NARROW = ("testpaths", "python_files", "python_classes", "python_functions", "norecursedirs", "collect_imported_tests")
FIRM = ("xfail_strict", "filterwarnings", "required_plugins", "minversion", "usefixtures")


@dataclass(frozen=True, kw_only=True)
class Loosened:
    """Hold one setting or hook that takes something away, with its lines."""

    kind: str
    path: str
    before: int
    after: int
    quoted_before: str
    quoted_after: str


def settings_weakened(base: Mapping[str, bytes], final: Mapping[str, bytes]) -> tuple[Loosened, ...]:
    """Compare the settings that judge, section by section, and what conftest.py files take hold of."""
    ignored: list[str] = []
    found = [*_pytest(base, final, pytest_section(base, ignored), pytest_section(final, ignored))]
    found += _coverage(base, final, coverage_section(base, ignored), coverage_section(final, ignored))
    for path in sorted({*base, *final}):
        if path.rpartition("/")[2] == "conftest.py" and base.get(path) != final.get(path):
            found += _conftest(path, base.get(path, b""), final.get(path, b""))
    return tuple(found)


def _pytest(
    base: Mapping[str, bytes], final: Mapping[str, bytes], old: Section | None, new: Section | None
) -> Iterator[Loosened]:
    before, after = (each.settings if each else {} for each in (old, new))
    words = [each.words("addopts") if each else () for each in (old, new)]
    options = [_options(each) for each in words]
    gone = [
        each for each in options[0] if each not in options[1] and each[0] in STRICT and not _raised(each, options[1])
    ]
    more = [each for each in options[1] if each not in options[0] and each[0] in FEWER]
    changed = ["addopts"] if gone or more else []
    for name in NARROW:
        was, now = set(before.get(name, "").split()), set(after.get(name, "").split())
        if was != now and (now if not was else name == "norecursedirs" or not was < now):
            changed.append(name)
    for name in FIRM:
        was, now = (
            set(before.get(name, "").split("\n")) - {"", "false"},
            set(after.get(name, "").split("\n")) - {"", "false"},
        )
        if was - now or (
            name == "filterwarnings" and any(each.startswith(("ignore", "default")) for each in now - was)
        ):
            changed.append(name)
    yield from (_setting(name, base, final, old, new) for name in changed)


def _coverage(
    base: Mapping[str, bytes], final: Mapping[str, bytes], old: Section | None, new: Section | None
) -> Iterator[Loosened]:
    was, now = (_number(each.settings.get("fail_under", "0")) if each else Fraction(0) for each in (old, new))
    if was is not None and (now is None or now < was):
        yield _setting("fail_under", base, final, old, new)
    for name in ("omit", "exclude_lines", "exclude_also"):
        lists = [set((each.settings.get(name, "") if each else "").split("\n")) - {""} for each in (old, new)]
        if old is not None and lists[1] - lists[0]:
            yield _setting(name, base, final, old, new)


def _options(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pair options with their values, as far as it matters here."""
    found: list[tuple[str, str]] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if not equals and name in TAKING and waiting:
            value = waiting.pop(0)
        elif len(word) > 2 and word[:2] in ("-k", "-m", "-p", "-W", "-o") and word[1] != "-":
            name, value = word[:2], word[2:]
        found.append((name, value))
    return found


def _raised(option: tuple[str, str], others: list[tuple[str, str]]) -> bool:
    """Tell whether a threshold is still there and no lower."""
    numbers = [_number(value) for name, value in others if name == option[0] == "--cov-fail-under"]
    was = _number(option[1])
    return was is not None and any(each is not None and each >= was for each in numbers)


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        return None


def _setting(
    name: str, base: Mapping[str, bytes], final: Mapping[str, bytes], old: Section | None, new: Section | None
) -> Loosened:
    path = old.path if old else new.path if new else ""
    before, said_before = _line(base.get(old.path, b"") if old else b"", name)
    after, said_after = _line(final.get(new.path, b"") if new else b"", name)
    return Loosened(
        kind="setting-changed", path=path, before=before, after=after,
        quoted_before=said_before, quoted_after=said_after,
    )  # fmt: skip


def _line(content: bytes, name: str) -> tuple[int, str]:
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if re.match(rf"\s*{re.escape(name)}\s*[=:]", line):
            return number, printable(line.strip(), LONGEST)
    return 0, ""


def _conftest(path: str, old: bytes, new: bytes) -> Iterator[Loosened]:
    """Find hooks, fixtures used everywhere and lists of what is left out that are new or changed."""
    before, after = _holds(old), _holds(new)
    if new and parsed(new) is None:
        yield Loosened(kind="unreadable", path=path, before=1, after=1, quoted_before="", quoted_after="is no Python")
    for name, (line, text, meaning) in after.items():
        if name not in before or before[name][2] != meaning:
            was = before.get(name, (0, "", ""))
            yield Loosened(
                kind="hook-added" if name not in before else "hook-changed", path=path, before=was[0], after=line,
                quoted_before=was[1], quoted_after=text,
            )  # fmt: skip


def _holds(content: bytes) -> dict[str, tuple[int, str, str]]:
    """Give what takes hold of a run: name -> line, words, meaning."""
    tree = parsed(content)
    found: dict[str, tuple[int, str, str]] = {}
    for node in tree.body if tree else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [ast.unparse(each) for each in node.decorator_list]
            if HOOKS.fullmatch(node.name) or any("autouse=True" in mark.replace(" ", "") for mark in marks):
                found[node.name] = (node.lineno, printable(f"def {node.name}", LONGEST), _meaning(node))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if ast.unparse(target) in ("collect_ignore", "collect_ignore_glob", "pytest_plugins"):
                    found[ast.unparse(target)] = (node.lineno, printable(ast.unparse(node), LONGEST), ast.unparse(node))
    return found


def _meaning(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Write a function without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return "\n".join(ast.unparse(each) for each in (*node.decorator_list, *body))
