# SPDX-License-Identifier: Apache-2.0
"""An episode as chains see it: what the agent did and said, what came back, and nothing that a monitor noted."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safetyboard.overseers.chains.chain import Result
from safetyboard.overseers.chains.normal_text import NormalText
from safetyboard.overseers.chains.suite_results import Suite, runs_tests, suite_of
from safetyboard.overseers.effects.effect import Effect
from safetyboard.overseers.effects.tools import act_effects
from safetyboard.terms.episode import Episode, Step

LONGEST = 1 << 20
LONGEST_LIST = 1 << 14
_SEEN = ("agent", "user", "tool")
_REFUSED = re.compile(
    r"permission denied|operation not permitted|not permitted|access ?denied|command not found|"
    r"no such file or directory|"
    r"\b(was|is|been) (denied|blocked|refused|rejected)\b|\bblocked by\b|request(ed)? (denied|rejected)|"
    r"\bnot allowed\b|\bunauthori[sz]ed\b|\bforbidden\b|\b40[13]\b|^fatal:|^error:|^rm: cannot|"
    r'^[\w./-]+: error: |"error"\s*:\s*"[^"]|"status"\s*:\s*"(error|fail(ed|ure)?)"|'
    r"\b(crashloopbackoff|imagepullbackoff)\b|"
    r"requires approval|user (declined|rejected|denied)|doesn't want to proceed|read-only file system|"
    r"connection (refused|timed out)|could not resolve host|exit (code|status):? ?(126|127|128|1(?!\d))",
    re.M,
)
_EDITS = ("old_str", "old_string", "edits", "old_content", "search", "target_text", "old")
_REPLACED = ("new_str", "new_string", "new_content", "replace", "code_edit", "new")
_LISTED = re.compile(r"^\D{0,40}?(\d{2,7})\b[^\n]{0,200}$", re.M)
_PATHLIKE = re.compile(r"[\w./~-]{3,300}")


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Hold one step with what it does and what came of it.

    Args:    words: comparable text of it. effects: of an act. existing: targets that were there before it.
             before: how the agent's own last test run ended before it. runs: whether it runs tests.
             edited: what an edit takes away and puts there. last: what came of the agent's last act before it.
    """

    step: Step
    words: NormalText
    effects: tuple[Effect, ...] = ()
    existing: frozenset[str] = frozenset()
    result: Result = "unknown"
    before: Suite = ""
    runs: bool = False
    edited: tuple[str, str] = ("", "")
    last: Result = "unknown"


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """Hold the deeds of an episode in order, and what was not read."""

    deeds: tuple[Deed, ...]
    set_aside: int
    unread: int


def deeds_of(episode: Episode) -> Deeds:
    """Give the deeds of an episode.

    Steps of environments, overseers and unknown actors are left out, and so are outcomes, judgements, conditions, names
    and tags: an answer that reads them would be a peek at the label.
    """
    steps = [step for step in episode.steps if step.actor in _SEEN and step.kind not in ("monitor", "control")]
    results = _results(steps)
    found: list[Deed] = []
    own: set[str] = set()
    met: set[str] = set()
    suite: Suite = ""
    unread = 0
    running: set[str] = set()
    last: Result = "unknown"
    listed: dict[str, str] = {}
    for step in steps:
        text = _words(step)
        unread += max(0, len(text) - LONGEST)
        words = NormalText(text[:LONGEST])
        effects, existing, runs = tuple[Effect, ...](), frozenset[str](), False
        if step.actor == "agent" and step.kind == "act":
            effects = tuple(_named(each, listed) for each in act_effects(step.tool, step.arguments))
            existing = frozenset(_existing(step, effects, words.text, own, met))
            runs = runs_tests(words.text)
            running = running | {step.call} if runs and step.call else running
        answer = results.get(step.index)
        result = _result(answer) if answer else "unknown"
        found.append(
            Deed(
                step=step,
                words=words,
                effects=effects,
                existing=existing,
                result=result,
                before=suite,
                runs=runs,
                edited=_edited(step),
                last=last,
            )
        )
        last = result if step.kind == "act" else last
        if step.kind == "result" and step.actor == "tool":
            listed |= {each[1]: each[0].strip() for each in _LISTED.finditer(words.text[:LONGEST_LIST])}
        if step.kind == "result" and step.actor == "tool" and (step.call in running or _follows_run(found)):
            suite = suite_of(words.text) or suite
        met |= {
            posixpath.basename(each.rstrip(".")) for each in _PATHLIKE.findall(words.text) if "." in each or "/" in each
        }
    return Deeds(deeds=tuple(found), set_aside=len(episode.steps) - len(steps), unread=unread)


def _named(effect: Effect, listed: Mapping[str, str]) -> Effect:
    """Name the process that a number stands for, where the agent was shown a list of processes."""
    if effect.kind != "process signal":
        return effect
    names = [listed[number] for number in re.findall(r"\d{2,7}", effect.target) if number in listed]
    return replace(effect, target=f"{effect.target} {names[0]}"[:200]) if names else effect


def _edited(step: Step) -> tuple[str, str]:
    """Give what an edit takes away and what it puts there, comparable; empty for other acts."""
    old = next((step.arguments[key] for key in _EDITS if isinstance(step.arguments.get(key), str)), "")
    new = next((step.arguments[key] for key in _REPLACED if isinstance(step.arguments.get(key), str)), "")
    return NormalText(str(old)[:LONGEST]).text, NormalText(str(new)[:LONGEST]).text


def _follows_run(found: list[Deed]) -> bool:
    """Tell whether a result without a call id follows a test run at once."""
    return len(found) > 1 and found[-2].runs and not (found[-1].step.call and found[-2].step.call)


def _existing(step: Step, effects: tuple[Effect, ...], text: str, own: set[str], met: set[str]) -> Iterator[str]:
    edits = any(key in step.arguments for key in _EDITS) or re.search(r"\bsed\b.*-i|\*\*\* update file|<<<<<<<", text)
    for effect in effects:
        if effect.kind not in ("write", "delete"):
            continue
        name = effect.target.lower()
        if name in own:
            continue
        if effect.kind == "delete" or edits or posixpath.basename(name) in met:
            yield effect.target
        elif effect.kind == "write":
            own.add(name)


def _results(steps: list[Step]) -> Mapping[int, Step]:
    """Join each act to what came back for it: by call id, or else the next result before another act."""
    by_call = {step.call: step for step in steps if step.kind == "result" and step.call and step.actor != "agent"}
    found: dict[int, Step] = {}
    waiting: Step | None = None
    for step in steps:
        if step.kind == "act":
            waiting = step
            if step.call in by_call and step.call:
                found[step.index] = by_call[step.call]
        elif step.kind == "result" and waiting is not None and waiting.index not in found and not step.call:
            found[waiting.index] = step
            waiting = None
    return found


def _result(step: Step) -> Result:
    extra = step.extra
    if extra.get("is_error") is True or (extra.get("error") not in (None, "", False, {}, [])):
        return "failed"
    code = extra.get("exit_code", extra.get("returncode"))
    if isinstance(code, int) and not isinstance(code, bool) and code not in (0, 1):
        return "failed"
    # What was asked for may be long and speak of errors; a refusal stands at its beginning or its end.
    text = step.content
    ends = NormalText(text if len(text) <= 800 else text[:400] + "\n" + text[-400:]).text
    return "failed" if _REFUSED.search(ends) and not suite_of(ends) else "done"


def _words(step: Step) -> str:
    if step.kind != "act":
        return step.content
    leaves = list(_leaves(step.arguments))
    return "\n".join([step.tool, *leaves] if leaves else [step.tool, step.content])


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        if value and all(isinstance(each, str) for each in value):
            yield " ".join(value)
        else:
            for each in value:
                yield from _leaves(each)
    elif value is not None:
        yield str(value)
