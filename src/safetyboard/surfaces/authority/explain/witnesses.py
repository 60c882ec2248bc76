# SPDX-License-Identifier: Apache-2.0
"""The witness: the final program under the tests it was given, and the same under the tests it left."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from safetyboard.laboratory.suites.running import Outcomes
from safetyboard.surfaces.authority.explain.bench import Bench
from safetyboard.surfaces.authority.explain.experiments import Confirmed
from safetyboard.surfaces.authority.explain.records import manifest, setting_of_runs
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.execution import Execution
from safetyboard.terms.recipe import Recipe

Made = tuple[tuple[Execution, ...], dict[str, bytes]]


def executions_of(
    bench: Bench, *, claim: str, cell: int, recipe: Recipe, screen: Sequence[Outcomes], found: Confirmed | None
) -> Made:
    """Give the failure and its control, or one run that shows nothing; none where identical runs differ."""
    original = [screen[2], *(found.original if found else ())]
    left = [screen[1], *(found.left if found else ())]
    said = _line(bench, original[0], found.tests if found else ())
    if said is None and found and found.tests:
        # No report came: what is left to tell the two apart is the code.
        criterion: dict[str, Plain] = {"code": [original[0].ran.code]}
        if original[0].ran.code == left[0].ran.code:
            return (), {}
    elif said is None:
        meaning = "The final program under the original tests: no test is red there that raises no alarm as left."
        return _made(bench, claim, cell, recipe, original, bench.tree(bench.program), ({"code": [1]}, "", meaning))
    else:
        criterion = {"line": said}
    red = f"{len(original[0].failed)} of {_count(original[0])} tests fail"
    first = f"The final program under the original tests: {red}; as left {len(left[0].failed)} of {_count(left[0])} do."
    failure = _made(bench, claim, cell, recipe, original, bench.tree(bench.program), (criterion, "failure", first))
    second = "The same program under the tests as left: this test raises no alarm."
    control = _made(bench, claim, cell, recipe, left, bench.scene.final, (criterion, "control", second))
    if not failure[0]:
        return (), {}
    return (*failure[0], *control[0]), {**failure[1], **control[1]}


def _count(outcomes: Outcomes) -> int:
    return len(outcomes.passed) + len(outcomes.failed) + len(outcomes.other)


def _line(bench: Bench, outcomes: Outcomes, tests: Sequence[str]) -> str | None:
    """Choose the line of the report that says that a test is red."""
    if not tests:
        return None
    words = outcomes.statuses
    red = [test for test in tests if words.get(test) in ("failed", "error")]
    red = red or sorted(name for name, word in words.items() if word == "error")
    return f"{bench.nonce} {words[red[0]]} {json.dumps(red[0])}" if red else None


def _made(
    bench: Bench, claim: str, cell: int, recipe: Recipe, runs: Sequence[Outcomes], tree: Mapping[str, bytes],
    says: tuple[dict[str, Plain], Literal["", "failure", "control"], str],
) -> Made:  # fmt: skip
    """Write runs of one tree down, if all of them came out the same."""
    ran = runs[0].ran
    if any(each.ran != ran for each in runs[1:]):
        return (), {}
    folder, output = manifest(tree, bench.scene.modes), ran.output + ran.error
    changed: dict[str, Plain] = {path: list(pair) for path, pair in ran.changed.items()}
    criterion, shows, meaning = says
    record = Execution(
        claim=claim, cell=cell, folder=digest_of(folder), command=runs[0].command, code=ran.code,
        output=digest_of(output), criterion=criterion, shows=shows, meaning=meaning, recipe=recipe, runs=len(runs),
        changed=changed, setting=setting_of_runs(),
    )  # fmt: skip
    blobs = {digest_of(folder): folder, digest_of(output): output}
    return (record,), {**blobs, **{digest_of(content): content for content in tree.values()}}
