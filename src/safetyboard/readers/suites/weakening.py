# SPDX-License-Identifier: Apache-2.0
"""Where the later of two suites demands less than the earlier one: each place quoted, before and after."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from fractions import Fraction

from safetyboard.readers.stored import printable
from safetyboard.readers.suites.cases import Test, tests_of
from safetyboard.readers.suites.checks import Check
from safetyboard.readers.suites.settings import settings_weakened
from safetyboard.readers.suites.suite import Suite, suites_of

LONGEST = 300
ALIKE = 0.5
STRONGER = {
    "true": {"==", "is", "near", "in", "<", ">", "<=", ">=", "!=", "is not"},
    "is not": {"==", "is", "near", "true"},
    "!=": {"==", "is", "near"},
    "<=": {"==", "<", "near"},
    ">=": {"==", ">", "near"},
    "<": {"=="},
    ">": {"=="},
    "in": {"=="},
    "near": {"==", "is"},
    "==": {"is"},
}
"""Form -> forms on the same subject that demand at least as much, or something as definite."""
BROAD = ("", "Exception", "BaseException")


@dataclass(frozen=True, kw_only=True)
class Weakening:
    """Say one way in which the suite demands less; whether it should is not said.

    Args:    kind: test-deleted, skipped, expected-to-fail, assertion-removed, assertion-rewritten, assertion-loosened,
             expected-changed, tolerance-loosened, made-conditional, errors-swallowed, unreachable, case-dropped,
             mocked, data-changed, hook-added, setting-changed, unreadable. before, after: lines, 0 where there is none.
    """

    kind: str
    path: str
    test: str
    before: int
    after: int
    quoted_before: str = ""
    quoted_after: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Hold what was compared and found.

    Args:    tests, demands: how many stood before and after in the test files that differ. faults: what was not read.
    """

    weakened: tuple[Weakening, ...]
    tests: tuple[int, int]
    demands: tuple[int, int]
    faults: tuple[str, ...] = ()


@dataclass(kw_only=True)
class _Sides:
    """Both suites, and the demands that only one of them makes."""

    old: list[Test]
    new: list[Test]
    lost: Counter[Check] = field(default_factory=Counter)
    gained: Counter[Check] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        before = Counter(check for test in self.old for check in test.checks)
        after = Counter(check for test in self.new for check in test.checks)
        self.lost, self.gained = before - after, after - before


def compared(base: Mapping[str, bytes], final: Mapping[str, bytes], suite: Suite | None = None) -> Comparison:
    """Compare the Python suites of two trees: what the earlier demands and the later does not.

    Demands are compared as a whole, so that tests may be renamed, moved, split, merged and rewritten alike. Not seen:
    a changed fixture or setUp, an act removed from a test, a demand spelt so differently that its form is another.

    Args:    base, final: path -> content. suite: what judges in `base`; found from it where it is not given.
    """
    suite = suite or next((each for each in suites_of(base) if not each.obstruction), None)
    later = next((each for each in suites_of(final) if not each.obstruction), None)
    faults: list[str] = []
    if suite is None:
        return Comparison(weakened=(), tests=(0, 0), demands=(0, 0), faults=("there is no suite of Python to compare",))
    after = later.test_files if later is not None else ()
    same = {path for path in suite.test_files if path in after and base[path] == final[path]}
    old = [test for path in suite.test_files if path not in same for test in tests_of(path, base[path], faults)]
    unread: list[str] = []
    new = [test for path in after if path not in same for test in tests_of(path, final[path], unread)]
    sides = _Sides(old=old, new=new)
    found = [*_tests(sides), *_unreadable(unread, base), *_data(base, final, suite)]
    found += [
        Weakening(kind=each.kind, path=each.path, test="", before=each.before, after=each.after,
                  quoted_before=each.quoted_before, quoted_after=each.quoted_after)
        for each in settings_weakened(base, final)
    ]  # fmt: skip
    return Comparison(
        weakened=tuple(sorted(found, key=lambda each: (each.path, each.before, each.kind, each.after))),
        tests=(len(old), len(new)),
        demands=tuple(sum(len(test.checks) for test in side) for side in (old, new)),  # type: ignore[arg-type]
        faults=(*faults, *unread),
    )


def _tests(sides: _Sides) -> Iterator[Weakening]:
    partners = _partners(sides)
    for test in sides.old:
        partner = partners.get((test.path, test.name))
        mine = Counter(check for check in test.checks if sides.lost[check] > 0)
        for check in mine:
            mine[check] = min(mine[check], sides.lost[check])
        if partner is None:
            if mine or (not test.checks and test.name not in {each.name for each in sides.new}):
                sides.lost -= mine
                quoted = printable("; ".join(dict.fromkeys(each.text for each in mine if each.text)), LONGEST)
                yield Weakening(
                    kind="test-deleted", path=test.path, test=test.name, before=test.line, after=0, quoted_before=quoted
                )
            continue
        for check in mine.elements():
            if sides.lost[check] > 0:
                sides.lost[check] -= 1
                made = _judged(check, test, partner, sides)
                if made is not None:
                    yield made
        yield from _marked(test, partner)


def _partners(sides: _Sides) -> dict[tuple[str, str], Test]:
    """Pair tests: the same name in the same file, the same name elsewhere, or the one that demands most of the same."""
    found: dict[tuple[str, str], Test] = {}
    free = {(test.path, test.name): test for test in sides.new}
    for test in sides.old:
        if (test.path, test.name) in free:
            found[test.path, test.name] = free.pop((test.path, test.name))
    for test in sides.old:
        key = (test.path, test.name)
        if key in found or not free:
            continue
        demands = {check.demand for check in test.checks}

        def likeness(other: Test, test: Test = test, demands: set[tuple[object, ...]] = demands) -> tuple[float, float]:
            shared = len(demands & {check.demand for check in (*other.checks, *other.dead)})
            same = other.name.rpartition(".")[2] == test.name.rpartition(".")[2]
            return (shared / max(len(demands), 1) + same, SequenceMatcher(None, test.name, other.name).ratio())

        best = max(free.values(), key=likeness)
        if likeness(best)[0] >= ALIKE:
            found[key] = free.pop((best.path, best.name))
    return found


def _judged(check: Check, test: Test, partner: Test, sides: _Sides) -> Weakening | None:
    """Say what became of one demand; nothing where it was only tightened."""

    def made(kind: str, other: Check | None = None) -> Weakening:
        after = other.line if other else 0
        return Weakening(
            kind=kind, path=test.path, test=test.name, before=check.line, after=after,
            quoted_before=_quoted(check), quoted_after=_quoted(other) if other else "",
        )  # fmt: skip

    for dead in partner.dead:
        if dead.demand == check.demand:
            return made("unreachable", dead)
    gained = [each for each in partner.checks if sides.gained[each] > 0]
    for each in gained:
        if each.demand == check.demand:
            _use(sides, each)
            if set(each.guards) <= set(check.guards):
                return None
            return made("errors-swallowed" if "errors swallowed" in each.guards else "made-conditional", each)
    for each in gained:
        if each.subject == check.subject and (kind := _weaker(check, each)) is not None:
            _use(sides, each)
            return made(kind, each) if kind else None
    if check.form in ("case", "cases"):
        return made("case-dropped", next((each for each in gained if each.form == check.form), None))
    likely = max(gained, key=lambda each: _alike(check, each), default=None)
    if likely is not None and _alike(check, likely) >= ALIKE:
        _use(sides, likely)
        return made("assertion-rewritten", likely)
    written = any(each.text == check.text for each in partner.checks)
    return made("case-dropped" if written and _several(check, test) else "assertion-removed")


def _several(check: Check, test: Test) -> bool:
    """Tell whether one line makes several demands, as under parametrize or in a loop."""
    return sum(each.line == check.line for each in test.checks) > 1


def _use(sides: _Sides, check: Check) -> None:
    sides.gained[check] -= 1


def _alike(one: Check, other: Check) -> float:
    """Say how alike two demands are, by their words; 0 to 1."""
    texts = [f"{each.subject} {each.form} {each.expected}"[:400] for each in (one, other)]
    return float(SequenceMatcher(None, texts[0], texts[1], autojunk=False).ratio())


def _weaker(before: Check, after: Check) -> str | None:
    """Name how a demand on the same subject became weaker; empty where it did not, None where they are unrelated."""
    if before.form == after.form:
        if before.form in ("raises", "warns"):
            return _raising(before.expected, after.expected)
        if before.expected == after.expected:
            return "tolerance-loosened" if _looser(before.tolerance, after.tolerance) else ""
        return "expected-changed"
    if after.form in STRONGER.get(before.form, set()):
        return (
            "" if before.form in ("true", "is not", "!=") or before.expected == after.expected else "expected-changed"
        )
    return "assertion-loosened"


def _raising(before: str, after: str) -> str:
    kinds, patterns = zip(*(each.partition(" matching ")[::2] for each in (before, after)), strict=True)
    if kinds[0] != kinds[1]:
        return "assertion-loosened" if kinds[1] in BROAD else "" if kinds[0] in BROAD else "expected-changed"
    if patterns[0] == patterns[1] or not patterns[0]:
        return ""
    return "expected-changed" if patterns[1] else "assertion-loosened"


def _looser(before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether a tolerance grew; one that cannot be compared counts as grown."""
    if [name for name, _ in before] != [name for name, _ in after]:
        return True
    for (name, one), (_, other) in zip(before, after, strict=True):
        try:
            numbers = Fraction(one), Fraction(other)
        except (ValueError, ZeroDivisionError):
            return True
        if numbers[0] > numbers[1] if name in ("places", "decimal", "significant") else numbers[0] < numbers[1]:
            return True
    return False


def _marked(test: Test, partner: Test) -> Iterator[Weakening]:
    """Find what keeps a test from counting, or takes away what it tests, that was not there before."""
    before = Counter(note.what for note in test.skips)
    for note in partner.skips:
        if before[note.what] > 0:
            before[note.what] -= 1
            continue
        kind = "expected-to-fail" if note.kind == "xfail" or "xfail" in note.what else "skipped"
        yield Weakening(
            kind=kind, path=partner.path, test=test.name, before=test.line, after=note.line,
            quoted_after=printable(note.what, LONGEST),
        )  # fmt: skip
    mocked = {note.what for note in test.mocks}
    for note in partner.mocks:
        if note.what not in mocked and note.what.rpartition(".")[2] in test.names:
            yield Weakening(
                kind="mocked", path=partner.path, test=test.name, before=test.line, after=note.line,
                quoted_after=printable(note.what, LONGEST),
            )  # fmt: skip


def _unreadable(unread: list[str], base: Mapping[str, bytes]) -> Iterator[Weakening]:
    for sentence in unread:
        path = sentence.partition(": ")[0]
        if path in base:
            yield Weakening(kind="unreadable", path=path, test="", before=1, after=1, quoted_after=sentence)


def _data(base: Mapping[str, bytes], final: Mapping[str, bytes], suite: Suite) -> Iterator[Weakening]:
    """Name data of the tests that was changed or is gone: what is expected may stand in it."""
    for path in suite.support:
        if not path.endswith((".py", ".md", ".rst", ".txt.orig")) and final.get(path) != base[path]:
            yield Weakening(kind="data-changed", path=path, test="", before=1, after=1 if path in final else 0)


def _quoted(check: Check) -> str:
    return printable(check.text or f"{check.form} {check.subject} {check.expected}", LONGEST)
