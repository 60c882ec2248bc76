# SPDX-License-Identifier: Apache-2.0
"""The way through one test: which demands are reached, under which conditions, and which never."""

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from safetyboard.readers.suites.checks import Check, called, checks_of, raising
from safetyboard.readers.suites.expressions import literal, meant, opaque, said

Function = ast.FunctionDef | ast.AsyncFunctionDef
DEEPEST = 3
MOST_CHECKS = 5000
MOST_TURNS = 60
LONGEST = 300
ENDING = ("pytest.skip", "pytest.xfail", "self.skipTest", "skipTest")


@dataclass(kw_only=True)
class Walked:
    """Collect what a test demands: reached, never reached, and where it skips itself."""

    checks: list[Check] = field(default_factory=list)
    dead: list[Check] = field(default_factory=list)
    skips: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Here:
    """Where the walk stands: conditions so far, whether anything comes here at all, and how deep in functions."""

    guards: tuple[str, ...] = ()
    dead: str = ""
    depth: int = 0


@dataclass(kw_only=True)
class Flow:
    """Walk tests of one file, statement by statement, with what local names stand for at each place."""

    constants: Mapping[str, ast.expr]
    functions: Mapping[str, Function]
    lines: list[str]

    def walk(self, node: Function, given: Mapping[str, ast.expr]) -> Walked:
        """Walk one test with the values of one case."""
        walked = Walked()
        known = {**self.constants, **{name: meant(value, self.constants) for name, value in given.items()}}
        parameters = {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        for name in parameters - given.keys():
            known.pop(name, None)
        self._block(node.body, known, _Here(), walked)
        return walked

    def _block(self, body: Sequence[ast.stmt], known: dict[str, ast.expr], here: _Here, walked: Walked) -> _Here:
        for statement in body:
            if len(walked.checks) > MOST_CHECKS:
                break
            here = self._statement(statement, known, here, walked)
        return here

    def _statement(self, node: ast.stmt, known: dict[str, ast.expr], here: _Here, walked: Walked) -> _Here:
        if isinstance(node, ast.Assert):
            _keep(self.lines, checks_of(node.test, known), node, here, walked)
            never = isinstance(node.test, ast.Constant) and not node.test.value
            return replace(here, dead="a demand that never holds") if never and not here.dead else here
        if isinstance(node, ast.Expr | ast.Return) and isinstance(node.value, ast.Await | ast.Call):
            call = node.value.value if isinstance(node.value, ast.Await) else node.value
            if isinstance(call, ast.Call) and self._called(call, node, known, here, walked):
                return replace(here, dead=here.dead or ast.unparse(node)[:LONGEST])
        if isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return replace(here, dead=here.dead or ast.unparse(node)[:LONGEST])
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            _assign(node, known)
        elif isinstance(node, ast.If):
            return self._if(node, known, here, walked)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._loop(node, known, here, walked)
        elif isinstance(node, ast.With | ast.AsyncWith):
            return self._with(node, known, here, walked)
        elif isinstance(node, ast.Try):
            return self._try(node, known, here, walked)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                guard = f"match {said(node.subject, known)} case {ast.unparse(case.pattern)}"
                self._block(case.body, dict(known), replace(here, guards=(*here.guards, guard)), walked)
        elif isinstance(node, Function | ast.ClassDef):
            known.pop(node.name, None)
        return here

    def _called(self, call: ast.Call, node: ast.stmt, known: dict[str, ast.expr], here: _Here, walked: Walked) -> bool:
        """Take what a call demands, by its name or by the function it calls; tells whether it ends the test."""
        name = ast.unparse(call.func)
        if name in ENDING:
            if not here.dead:
                walked.skips.append((node.lineno, ast.unparse(node)[:LONGEST]))
            return True
        demands = called(call, known)
        if demands is not None:
            _keep(self.lines, demands, node, here, walked)
            return name.rpartition(".")[2] == "fail"
        if name.endswith(".assertRaises") and len(call.args) > 1:
            inner = ast.Expr(value=ast.Call(func=call.args[1], args=call.args[2:], keywords=call.keywords))
            outer = ast.Call(func=call.func, args=call.args[:1], keywords=[])
            found = raising(outer, [inner], known)
            _keep(self.lines, iter([found] if found else []), node, here, walked)
            return False
        function = self.functions.get(name)
        if function is not None and here.depth < DEEPEST:
            inner_walk = Walked()
            self._block(
                function.body,
                _arguments(function, call, known, self.constants),
                _Here(depth=here.depth + 1),
                inner_walk,
            )
            _keep(self.lines, iter(inner_walk.checks), node, here, walked)
        return False

    def _if(self, node: ast.If, known: dict[str, ast.expr], here: _Here, walked: Walked) -> _Here:
        test = meant(node.test, known)
        value = bool(ast.literal_eval(test)) if literal(test) else None
        condition = said(test, {})
        ends: list[_Here] = []
        branches = ((node.body, value is False, f"if {condition}"), (node.orelse, value is True, f"unless {condition}"))
        for body, never, guard in branches:
            inner = replace(here, dead=here.dead or (f"if {condition}" if never else ""))
            inner = inner if value is not None else replace(inner, guards=(*here.guards, guard))
            branch = dict(known)
            ends.append(self._block(body, branch, inner, walked))
            if not never:
                _merge(known, branch, guard if value is None else "")
        ended = [bool(end.dead) and not here.dead for end in ends]
        if value is not None:
            lives = ends[0] if value else ends[1]
            return replace(here, dead=lives.dead)
        if all(ended) and node.orelse:
            return replace(here, dead=ends[0].dead)
        left = [guard for (_, _, guard), gone in zip(branches[::-1], ended[::1], strict=True) if gone]
        return replace(here, guards=(*here.guards, *left))

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, known: dict[str, ast.expr], here: _Here, walked: Walked
    ) -> None:
        if isinstance(node, ast.While):
            never = isinstance(node.test, ast.Constant) and not node.test.value
            _loosen(node, known)
            self._block(node.body, known, replace(here, dead=here.dead or ("while False" if never else "")), walked)
            return
        over = meant(node.iter, known)
        written = isinstance(over, ast.List | ast.Tuple | ast.Set) and len(over.elts) <= MOST_TURNS
        if written and isinstance(over, ast.List | ast.Tuple | ast.Set) and over.elts:
            for element in over.elts:
                _bind(node.target, element, known)
                self._block(node.body, known, here, walked)
            return
        empty = literal(over) and not ast.literal_eval(over)
        _loosen(node, known)
        _bind(node.target, opaque(f"each of {said(over, {})}"), known)
        self._block(node.body, known, replace(here, dead=here.dead or ("a loop over nothing" if empty else "")), walked)

    def _with(self, node: ast.With | ast.AsyncWith, known: dict[str, ast.expr], here: _Here, walked: Walked) -> _Here:
        swallowing = False
        for item in node.items:
            found = raising(item.context_expr, node.body, known)
            _keep(self.lines, iter([found] if found else []), node, here, walked)
            swallowing |= ast.unparse(item.context_expr).startswith(("contextlib.suppress", "suppress("))
            if item.optional_vars is not None:
                _bind(item.optional_vars, opaque(f"with {said(item.context_expr, known)}"), known)
        inner = replace(here, guards=(*here.guards, "errors swallowed")) if swallowing else here
        self._block(node.body, known, inner, walked)
        return here

    def _try(self, node: ast.Try, known: dict[str, ast.expr], here: _Here, walked: Walked) -> _Here:
        swallowing = any(
            (handler.type is None or any(word in ast.unparse(handler.type) for word in ("Exception", "AssertionError")))
            and not any(isinstance(each, ast.Raise) or _fails(each) for part in handler.body for each in ast.walk(part))
            for handler in node.handlers
        )
        inner = replace(here, guards=(*here.guards, "errors swallowed")) if swallowing else here
        end = self._block([*node.body, *node.orelse], known, inner, walked)
        for handler in node.handlers:
            self._block(handler.body, dict(known), replace(here, guards=(*here.guards, "after an error")), walked)
        after = self._block(node.finalbody, known, here, walked)
        return replace(after, dead=after.dead or (end.dead if not node.handlers else ""))


def _keep(lines: Sequence[str], found: Iterator[Check], node: ast.stmt, here: _Here, walked: Walked) -> None:
    text = lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""
    for each in found:
        guards = tuple(sorted({*here.guards, *each.guards}))
        placed = replace(each, guards=guards, line=node.lineno, text=text[:LONGEST])
        if here.dead:
            walked.dead.append(replace(placed, text=f"{text[:LONGEST]}  ← never reached: {here.dead}"))
        else:
            walked.checks.append(placed)


def _loosen(node: ast.For | ast.AsyncFor | ast.While, known: dict[str, ast.expr]) -> None:
    """Forget what the names stand for that a loop sets: which turn it is, is not known."""
    for number, name in enumerate(_bound(node.body)):
        before = said(known[name], {}) if name in known else ""
        known[name] = opaque(f"{number} set in a loop, before {before}")


def _fails(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("fail", "assertEqual", "assertTrue")
    )


def _arguments(
    function: Function, call: ast.Call, known: Mapping[str, ast.expr], constants: Mapping[str, ast.expr]
) -> dict[str, ast.expr]:
    """Bind the parameters of a function to what a call gives; the rest to their defaults."""
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    names = names[1:] if names[:1] == ["self"] else names
    made = dict(constants)
    plain = [*function.args.defaults]
    made.update(zip(names[len(names) - len(plain) :], plain, strict=False))
    made.update({a.arg: d for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d})
    made.update({name: meant(value, known) for name, value in zip(names, call.args, strict=False)})
    made.update({each.arg: meant(each.value, known) for each in call.keywords if each.arg})
    return made


def _assign(node: ast.Assign | ast.AnnAssign | ast.AugAssign, known: dict[str, ast.expr]) -> None:
    if isinstance(node, ast.AugAssign):
        if isinstance(node.target, ast.Name):
            left = known.get(node.target.id, ast.Name(id=node.target.id, ctx=ast.Load()))
            known[node.target.id] = meant(
                ast.BinOp(left=copy.deepcopy(left), op=node.op, right=meant(node.value, known)), {}
            )
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is not None:
        value = meant(node.value, known)
        for target in targets:
            _bind(target, value, known)


def _bind(target: ast.expr, value: ast.expr, known: dict[str, ast.expr]) -> None:
    """Let a target stand for a value; parts of it for its parts."""
    if isinstance(target, ast.Name):
        known[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
        for number, each in enumerate(target.elts):
            part = (
                parts[number] if parts else ast.Subscript(value=value, slice=ast.Constant(value=number), ctx=ast.Load())
            )
            _bind(each, part, known)
    elif isinstance(target, ast.Starred):
        _bind(target.value, opaque(f"rest of {said(value, {})}"), known)


def _bound(body: Sequence[ast.stmt]) -> list[str]:
    """List the names that statements set, in their order."""
    names = (each for part in body for each in ast.walk(part) if isinstance(each, ast.Name))
    return list(dict.fromkeys(each.id for each in names if isinstance(each.ctx, ast.Store)))


def _merge(known: dict[str, ast.expr], branch: Mapping[str, ast.expr], guard: str) -> None:
    """Bring back what a branch set: as it is where the branch is always taken, else as one of several."""
    for name, value in branch.items():
        before = known.get(name)
        if before is value:
            continue
        known[name] = value if not guard else opaque(f"{said(value, {})} {guard}")
