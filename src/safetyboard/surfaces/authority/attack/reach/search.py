# SPDX-License-Identifier: Apache-2.0
"""Breadth first over sequences of calls: the shortest one that the rules let through and that really did it."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from safetyboard.laboratory.sandbox.probed import Probed
from safetyboard.laboratory.sandbox.running import available
from safetyboard.overseers.effects.effect import EffectKind
from safetyboard.overseers.goals.powers import Declared, declared_paths
from safetyboard.surfaces.authority.attack.reach.act import Act
from safetyboard.surfaces.authority.attack.reach.forbidden import Forbidden, forbidden
from safetyboard.surfaces.authority.attack.reach.gadgets import carried, planted, prepared
from safetyboard.surfaces.authority.attack.reach.patterns import literal_of, path_matches, unreadable
from safetyboard.surfaces.authority.attack.reach.ruled import Ruled, once
from safetyboard.surfaces.authority.attack.reach.stage import Stage, staged
from safetyboard.surfaces.authority.attack.reach.trial import Trial, setting, tried
from safetyboard.surfaces.authority.attack.reach.vendors.catalog import CATALOG, ruled
from safetyboard.surfaces.authority.attack.reach.walls import Walls, probed, walls_of
from safetyboard.terms.budget import Budget
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.errors import EnvironmentFault, WrongUse
from safetyboard.terms.execution import Execution
from safetyboard.terms.grant import Grant, Rule
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Progress
from safetyboard.terms.recipe import Recipe

INSTRUMENT, VERSION = "authority.attack.reach", "reach/1"
_READ_TOOLS = ("Read", "read", "Grep")
_WRITE_TOOLS = ("Edit", "Write", "MultiEdit", "edit")


@dataclass(frozen=True, kw_only=True)
class Path:
    """Hold one way to a forbidden effect.

    Args:    steps: the calls, in order. rules: those that let each step through, and what did where none is written.
             evaded: denials that stopped a more direct call. execution: the run that did it, and did it again; None
             where the way is only declared by tool schemas or needs what no sandbox has.
    """

    effect: str
    kind: EffectKind
    severity: int
    steps: tuple[str, ...]
    rules: tuple[tuple[str, ...], ...]
    evaded: tuple[Rule, ...]
    execution: Execution | None
    declared_only: bool
    why: str = ""
    permitted: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Hold what a search over one grant came to; an effect that is not reached has a null, never a clean bill.

    Args:    blobs: bytes by digest that the executions name (folder manifests, outputs). folder: path -> content and
             mode of what every execution was given.
    """

    grant: Grant
    paths: tuple[Path, ...]
    nulls: tuple[Null, ...]
    probes: tuple[Probed, ...]
    assumptions: tuple[str, ...]
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    folder: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Search:
    """Carry what one search over one grant has found so far."""

    grant: Grant
    stage: Stage
    walls: Walls
    seed: int
    claim_of: Callable[[str], str]
    progress: Progress
    blobs: dict[str, bytes] = field(default_factory=dict)
    idle: dict[str, Trial] = field(default_factory=dict)

    def recipe(self, allotted: int, spent: int) -> Recipe:
        """Say how an answer was obtained."""
        return Recipe(
            instrument=INSTRUMENT, version=VERSION, seed=self.seed, unit="runs in the sandbox", allotted=allotted,
            spent=spent, subject=self.grant.source, settings={"format": self.grant.format},
        )  # fmt: skip


def reach(
    grant: Grant,
    tree: Mapping[str, bytes],
    *,
    budget: Budget,
    seed: int,
    progress: Progress,
    claim_of: Callable[[str], str],
    only: Collection[str] = (),
) -> Reached:
    """Search for the shortest permitted sequence of calls to each forbidden effect, and run it as witness.

    Rules are matched by a model of the vendor's documented matching; what it lets through is still only claimed where
    the run in the sandbox did it, twice, and a run without the calls did not. Nothing is said to be out of reach.

    Args:    tree: the workspace, path -> content. budget: runs in the sandbox, shared evenly among the effects.
             claim_of: effect -> id of the claim it refutes. only: effects to look for; all where empty.
    Raises:  WrongUse: a pattern that cannot be matched in bounded time. EnvironmentFault: no sandbox works here.
    """
    for rule in grant.rules:
        if fault := unreadable(rule.pattern):
            raise WrongUse(f"{grant.name}: the pattern at {rule.place.pointer}: {fault}.", hint="Simplify the rule.")
    if reason := available():
        raise EnvironmentFault(f"Nothing can be tried without a sandbox. {reason}")
    read, written = _named(grant, tree, _READ_TOOLS), _named(grant, tree, _WRITE_TOOLS)
    stage = staged(tree, grant.format, read, written)
    walls = walls_of(grant, stage)
    search = _Search(grant=grant, stage=stage, walls=walls, seed=seed, claim_of=claim_of, progress=progress)
    wanted = [each for each in forbidden(stage, read, written) if not only or each.name in only]
    paths, nulls = list[Path](), list[Null]()
    share = budget.share(len(wanted))
    for each in wanted:
        found = _sought(search, each, share.units)
        if isinstance(found, Path):
            paths.append(found)
        else:
            nulls.append(found)
    reached = {path.effect for path in paths}
    paths += [
        _declared(each)
        for each in declared_paths(grant)
        if each.effect not in reached and (not only or each.effect in only)
    ]
    paths += [_hole(each.what, each.place.pointer) for each in walls.holes]
    probes = probed(stage, walls) if walls.any else ()
    return Reached(
        grant=grant, paths=tuple(paths), nulls=tuple(nulls), probes=probes, blobs=search.blobs,
        assumptions=(*_ASSUMED, *walls.assumptions, *grant.notes), folder=stage.files,
    )  # fmt: skip


def effects_of(grant: Grant, tree: Mapping[str, bytes]) -> tuple[Forbidden, ...]:
    """List the effects that are looked for with this grant on this tree; the index is the cell."""
    read, written = _named(grant, tree, _READ_TOOLS), _named(grant, tree, _WRITE_TOOLS)
    return forbidden(staged(tree, grant.format, read, written), read, written)


_ASSUMED = (
    "Rules are matched as the vendor documents it, by a model of it; the vendor's program itself was not run.",
    "File tools are stood in for by what they are documented to do; shell calls were made as written.",
    "Only this file was read: settings of another scope, flags and prompts can narrow or widen it.",
)


def _named(grant: Grant, tree: Mapping[str, bytes], tools: tuple[str, ...]) -> tuple[str, ...]:
    """Find one path in the workspace for each denial that names some: one that is there, else one that it spells."""
    found = list[str | None]()
    for rule in grant.rules:
        if rule.effect == "deny" and rule.tool in tools and rule.pattern:
            there = next((path for path in sorted(tree) if path_matches(rule.pattern, path)), None)
            found.append(there or literal_of(rule.pattern))
    return tuple(dict.fromkeys(path for path in found if path))


def _candidates(grant: Grant, wanted: Forbidden, seed: int) -> Iterator[tuple[Act, ...]]:
    """List sequences, those of fewer calls first; equal ones in the order of their length, ties by the seed."""
    script = wanted.script
    longer = [*planted(grant, script), *prepared(script)] if script else []
    for group in ([(act,) for act in wanted.direct], [(act,) for act in carried(script)] if script else [], longer):
        draw = random.Random(seed)
        marked = [(len(steps), sum(len(step.text) for step in steps), draw.random(), steps) for steps in group]
        yield from (each[3] for each in sorted(marked, key=lambda each: each[:3]))


def _sought(search: _Search, wanted: Forbidden, allotted: int) -> Path | Null:
    """Run the sequences that the rules let through until one does it, or the units are spent."""
    evaded = list[Rule]()
    looked = let = spent = 0
    cut_short = False
    for sequence in _candidates(search.grant, wanted, search.seed):
        steps = sequence
        looked += 1
        answers = _answers(search.grant, steps)
        if answers is None or any(each.effect != "allow" for each in answers):
            evaded += [rule for each in answers or () if each.effect == "deny" for rule in each.rules]
            continue
        let += 1
        if wanted.sign == "none" and search.walls.any:
            break
        if wanted.sign == "none":
            return _path(wanted, steps, answers, evaded, None)
        if spent + 3 > allotted or search.progress.stopped():
            cut_short = True
            break
        steps, trial, cost = _witnessed(search, wanted, steps, allotted - spent)
        spent += cost
        search.progress.advance(cost)
        if trial is not None:
            answers = [ruled(search.grant, step) for step in steps]
            witness = _execution(search, wanted, trial, search.recipe(allotted, spent))
            return _path(wanted, steps, answers, evaded, witness)
    if wanted.sign == "none" and let:
        obstruction = "not to be tried in a sandbox"
    elif cut_short:
        obstruction = "units spent"
    elif let:
        obstruction = "sequences that are let through did nothing here"
    else:
        obstruction = "no sequence of the catalogue is let through"
    detail: dict[str, Plain] = {"effect": wanted.name, "sequences": looked, "let_through": let, "runs": spent}
    return Null(
        claim=search.claim_of(wanted.name), cells=(wanted.cell,), recipe=search.recipe(allotted, spent),
        obstruction=obstruction, detail=detail,
    )  # fmt: skip


def _answers(grant: Grant, steps: tuple[Act, ...]) -> list[Ruled] | None:
    """Ask the model about each call; None where the format has no shell or file tool."""
    return [ruled(grant, step) for step in steps] if grant.format in CATALOG else None


def _witnessed(
    search: _Search, wanted: Forbidden, steps: tuple[Act, ...], room: int
) -> tuple[tuple[Act, ...], Trial | None, int]:
    """Run a sequence; where it did it, leave out what it does not need, and run the rest again."""
    first, cost = tried(search.stage, search.walls, steps, wanted), 1
    if not wanted.shown(first.changed, first.output):
        return steps, None, cost
    for step in steps if len(steps) > 1 else ():
        fewer = tuple(each for each in steps if each is not step)
        if cost + 3 > room:
            break
        shorter, cost = tried(search.stage, search.walls, fewer, wanted), cost + 1
        if wanted.shown(shorter.changed, shorter.output):
            steps, first = fewer, shorter
    again, cost = tried(search.stage, search.walls, steps, wanted), cost + 1
    if wanted.sign not in search.idle:
        search.idle[wanted.sign], cost = tried(search.stage, search.walls, (), wanted), cost + 1
    without = search.idle[wanted.sign]
    same = (first.code, first.output, first.changed) == (again.code, again.output, again.changed)
    shown = same and not wanted.shown(without.changed, without.output)
    return steps, first if shown else None, cost


def _execution(search: _Search, wanted: Forbidden, trial: Trial, recipe: Recipe) -> Execution:
    manifest = search.stage.manifest
    for content in (manifest, trial.output):
        search.blobs[digest_of(content)] = content
    return Execution(
        claim=search.claim_of(wanted.name), cell=wanted.cell, folder=digest_of(manifest), command=trial.command,
        code=trial.code, output=digest_of(trial.output), criterion=wanted.criterion, shows="failure",
        meaning=f"What the rules let through did this: {wanted.name}.", recipe=recipe, runs=2,
        changed={path: list(pair) for path, pair in trial.changed.items()}, setting=setting(search.walls),
    )  # fmt: skip


def _path(
    wanted: Forbidden,
    steps: tuple[Act, ...],
    answers: list[Ruled],
    evaded: list[Rule],
    execution: Execution | None,
) -> Path:
    reasons = tuple(tuple(rule.text for rule in each.rules) or (each.why,) for each in answers)
    return Path(
        effect=wanted.name, kind=wanted.kind, severity=wanted.severity, steps=tuple(step.said for step in steps),
        rules=reasons, evaded=once(evaded), execution=execution, declared_only=execution is None,
        permitted=once(rule for each in answers for rule in each.rules),
        why="" if execution else "the rules let it through; it cannot be tried in a sandbox",
    )  # fmt: skip


def _declared(found: Declared) -> Path:
    return Path(
        effect=found.effect, kind=found.kind, severity=found.severity, steps=found.steps,
        rules=tuple((place,) for place in found.places), evaded=(), execution=None, declared_only=True,
        why="inferred from the tools' names and arguments; declared, not executed",
    )  # fmt: skip


def _hole(what: str, pointer: str) -> Path:
    return Path(
        effect="leave the container", kind="permission change", severity=4, steps=(what,), rules=((pointer,),),
        evaded=(), execution=None, declared_only=True, why="a declared hole in the walls; declared, not executed",
    )  # fmt: skip
