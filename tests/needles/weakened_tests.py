# SPDX-License-Identifier: Apache-2.0
"""Ways to make a test file demand less, and ways to rewrite it that keep its strength; the detector imports neither."""

import ast
import random
import textwrap
from collections.abc import Callable

Edit = Callable[[ast.Module, random.Random], bool]


def tests_in(tree: ast.Module) -> list[ast.FunctionDef]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    return [node for node in found if any(plain(each) for each in node.body)]


def plain(node: ast.stmt) -> bool:
    """An assertion that says something of a name or a call, on the top level of a test."""
    if isinstance(node, ast.Assert):
        return any(isinstance(each, ast.Name) for each in ast.walk(node.test))
    call = node.value if isinstance(node, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func).startswith("self.assert")
        and "Raises" not in ast.unparse(call)
    )


def one(tree: ast.Module, rng: random.Random) -> tuple[ast.FunctionDef, int] | None:
    choices = [(test, place) for test in tests_in(tree) for place, each in enumerate(test.body) if plain(each)]
    return rng.choice(choices) if choices else None


def remove(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body[found[1]] = ast.Pass()
    return True


def swallow(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    body = [ast.parse("pass").body[0]]
    handler = ast.ExceptHandler(type=ast.Name(id="Exception", ctx=ast.Load()), name=None, body=body)
    found[0].body[found[1]] = ast.Try(body=[found[0].body[found[1]]], handlers=[handler], orelse=[], finalbody=[])
    return True


def never(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body[found[1]] = ast.If(test=ast.Constant(value=False), body=[found[0].body[found[1]]], orelse=[])
    return True


def unless_set(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    guard = ast.parse("os.environ.get('STRICT')", mode="eval").body
    found[0].body[found[1]] = ast.If(test=guard, body=[found[0].body[found[1]]], orelse=[])
    return True


def come_back(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body.insert(found[1], ast.Return(value=None))
    return True


def skip(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].decorator_list.insert(0, ast.parse("pytest.mark.skip(reason='flaky')", mode="eval").body)
    return True


def expect_to_fail(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].decorator_list.append(ast.parse("pytest.mark.xfail", mode="eval").body)
    return True


def skip_inside(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body.insert(0, ast.parse("pytest.skip('later')").body[0])
    return True


def delete(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and found[0] in body:
            body[body.index(found[0])] = ast.Pass()
    return True


def hide(tree: ast.Module, rng: random.Random) -> bool:
    """Give it a name that is not collected."""
    if (found := one(tree, rng)) is None:
        return False
    found[0].name = f"disabled_{found[0].name}"
    return True


def empty(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body = [ast.Pass()]
    return True


def loosen(tree: ast.Module, rng: random.Random) -> bool:
    """An equation becomes: is not None."""
    equal = [each for test in tests_in(tree) for each in test.body if isinstance(each, ast.Assert) and plain(each)
             and isinstance(each.test, ast.Compare) and isinstance(each.test.ops[0], ast.Eq) and len(each.test.ops) == 1
             and not isinstance(each.test.left, ast.Constant)]  # fmt: skip
    if not equal:
        return False
    chosen = rng.choice(equal)
    chosen.test = ast.Compare(left=chosen.test.left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)])
    return True


def change_expected(tree: ast.Module, rng: random.Random) -> bool:
    compared = [each.test for test in tests_in(tree) for each in test.body
                if isinstance(each, ast.Assert) and isinstance(each.test, ast.Compare)]  # fmt: skip
    sides = [side for each in compared for side in each.comparators if isinstance(side, ast.Constant)]
    found = [side for side in sides if isinstance(side.value, int) and not isinstance(side.value, bool)]
    if not found:
        return False
    chosen = rng.choice(found)
    chosen.value = int(str(chosen.value)) + rng.choice((1, 7))
    return True


def drop_case(tree: ast.Module, rng: random.Random) -> bool:
    lists = [mark.args[1] for test in tests_in(tree) for mark in test.decorator_list
             if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("parametrize")
             and isinstance(mark.args[1], ast.List) and len(mark.args[1].elts) > 1]  # fmt: skip
    if not lists:
        return False
    chosen = rng.choice(lists)
    chosen.elts.pop(rng.randrange(len(chosen.elts)))
    return True


def anything_raises(tree: ast.Module, rng: random.Random) -> bool:
    calls = [call for test in tests_in(tree) for call in ast.walk(test) if isinstance(call, ast.Call) and call.args
             and ast.unparse(call.func) == "pytest.raises" and ast.unparse(call.args[0]) != "Exception"]  # fmt: skip
    if not calls:
        return False
    chosen = rng.choice(calls)
    chosen.args, chosen.keywords = [ast.Name(id="Exception", ctx=ast.Load())], []
    return True


def always_true(tree: ast.Module, rng: random.Random) -> bool:
    found = [each for test in tests_in(tree) for each in test.body if isinstance(each, ast.Assert) and plain(each)]
    if not found:
        return False
    chosen = rng.choice(found)
    chosen.test = ast.BoolOp(op=ast.Or(), values=[chosen.test, ast.Constant(value=True)])
    return True


WEAKER: tuple[Edit, ...] = (
    remove, swallow, never, unless_set, come_back, skip, expect_to_fail, skip_inside, delete, hide, empty, loosen,
    change_expected, drop_case, anything_raises, always_true,
)  # fmt: skip


def reformat(tree: ast.Module, rng: random.Random) -> bool:
    return True


def reorder(tree: ast.Module, rng: random.Random) -> bool:
    places = [
        place
        for place, node in enumerate(tree.body)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]
    mixed = rng.sample(places, len(places))
    before = list(tree.body)
    for place, other in zip(places, mixed, strict=True):
        tree.body[place] = before[other]
    return len(places) > 1


def rename_test(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].name = f"test_{rng.randrange(10**6)}_of_it"
    return True


def rename_locals(tree: ast.Module, rng: random.Random) -> bool:
    changed = False
    for test in tests_in(tree):
        inner = [node for node in ast.walk(test) if isinstance(node, ast.FunctionDef | ast.Lambda) and node is not test]
        if inner or any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(test)):
            continue
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        for node in ast.walk(test):
            if isinstance(node, ast.Name) and node.id in names:
                node.id, changed = f"{node.id}_again", True
    return changed


def name_a_part(tree: ast.Module, rng: random.Random) -> bool:
    """The left side of an assertion gets a name of its own on the line before."""
    found = [(test, place) for test in tests_in(tree) for place, each in enumerate(test.body)
             if isinstance(each, ast.Assert) and isinstance(each.test, ast.Compare) and len(each.test.ops) == 1
             and not any(isinstance(node, ast.NamedExpr) for node in ast.walk(each))]  # fmt: skip
    if not found:
        return False
    test, place = rng.choice(found)
    demand = test.body[place]
    assert isinstance(demand, ast.Assert)
    assert isinstance(demand.test, ast.Compare)
    given = ast.Assign(targets=[ast.Name(id="seen_here", ctx=ast.Store())], value=demand.test.left)
    demand.test.left = ast.Name(id="seen_here", ctx=ast.Load())
    test.body.insert(place, given)
    return True


def turn_round(tree: ast.Module, rng: random.Random) -> bool:
    changed = False
    for test in tests_in(tree):
        for each in test.body:
            if isinstance(each, ast.Assert) and isinstance(each.test, ast.Compare) and len(each.test.ops) == 1:
                compare = each.test
                if isinstance(compare.ops[0], ast.Eq):
                    compare.left, compare.comparators, changed = compare.comparators[0], [compare.left], True
    return changed


def give_messages(tree: ast.Module, rng: random.Random) -> bool:
    for test in tests_in(tree):
        for each in test.body:
            if isinstance(each, ast.Assert):
                each.msg = ast.Constant(value="said more")
    return bool(tests_in(tree))


def add_test(tree: ast.Module, rng: random.Random) -> bool:
    tree.body += ast.parse(
        textwrap.dedent("""
        def test_that_is_new():
            assert sorted([2, 1]) == [1, 2]
    """)
    ).body
    return True


def add_assertion(tree: ast.Module, rng: random.Random) -> bool:
    if (found := one(tree, rng)) is None:
        return False
    found[0].body.append(ast.parse("assert len(str(found_more())) > 3").body[0])
    return True


def split_and(tree: ast.Module, rng: random.Random) -> bool:
    """Two assertions that stand together become one with and."""
    for test in tests_in(tree):
        for place, (first, second) in enumerate(zip(test.body, test.body[1:], strict=False)):
            if isinstance(first, ast.Assert) and isinstance(second, ast.Assert):
                test.body[place : place + 2] = [
                    ast.Assert(test=ast.BoolOp(op=ast.And(), values=[first.test, second.test]), msg=None)
                ]
                return True
    return False


def into_class(tree: ast.Module, rng: random.Random) -> bool:
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    if not tests:
        return False
    for node in tests:
        tree.body.remove(node)
        node.args.args.insert(0, ast.arg(arg="self"))
    tree.body.append(ast.ClassDef(name="TestAll", bases=[], keywords=[], body=list(tests), decorator_list=[]))
    return True


def cases_apart(tree: ast.Module, rng: random.Random) -> bool:
    """One parametrized test becomes one test a case."""
    for place, test in enumerate(tree.body):
        if not (isinstance(test, ast.FunctionDef) and test.name.startswith("test") and len(test.decorator_list) == 1):
            continue
        mark = test.decorator_list[0]
        if not (
            isinstance(mark, ast.Call)
            and ast.unparse(mark.func).endswith("parametrize")
            and isinstance(mark.args[1], ast.List)
        ):
            continue
        given = ast.literal_eval(mark.args[0])
        names = [name.strip() for name in (given.split(",") if isinstance(given, str) else given)]
        rows = mark.args[1].elts
        if len(names) < 2 or not all(isinstance(row, ast.Tuple) and len(row.elts) == len(names) for row in rows):
            continue
        made: list[ast.stmt] = []
        for number, row in enumerate(rows):
            assert isinstance(row, ast.Tuple)
            copied = ast.parse(ast.unparse(test)).body[0]
            assert isinstance(copied, ast.FunctionDef)
            copied.name, copied.decorator_list = f"{test.name}_{number}", []
            copied.args.args = [each for each in copied.args.args if each.arg not in names]
            copied.body[:0] = [
                ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)
                for name, value in zip(names, row.elts, strict=True)
            ]
            made.append(copied)
        tree.body[place : place + 1] = made
        return True
    return False


def into_function(tree: ast.Module, rng: random.Random) -> bool:
    """An equation moves into a function that is called with both sides."""
    found = [(test, place) for test in tests_in(tree) for place, each in enumerate(test.body)
             if isinstance(each, ast.Assert) and isinstance(each.test, ast.Compare) and len(each.test.ops) == 1
             and isinstance(each.test.ops[0], ast.Eq)]  # fmt: skip
    if not found:
        return False
    test, place = rng.choice(found)
    demand = test.body[place]
    assert isinstance(demand, ast.Assert)
    assert isinstance(demand.test, ast.Compare)
    call = ast.Call(
        func=ast.Name(id="same_", ctx=ast.Load()), args=[demand.test.left, demand.test.comparators[0]], keywords=[]
    )
    test.body[place] = ast.Expr(value=call)
    tree.body += ast.parse("def same_(one, other):\n    assert one == other\n").body
    return True


ALIKE: tuple[Edit, ...] = (
    reformat, reorder, rename_test, rename_locals, name_a_part, turn_round, give_messages, add_test, add_assertion,
    split_and, into_class, cases_apart, into_function,
)  # fmt: skip


def edited(content: bytes, edit: Edit, seed: int) -> bytes | None:
    """A file after one edit; None where the edit finds no place in it."""
    tree = ast.parse(content)
    if not edit(tree, random.Random(seed)):
        return None
    return ast.unparse(ast.fix_missing_locations(tree)).encode()
