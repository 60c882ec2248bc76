# SPDX-License-Identifier: Apache-2.0
"""An episode as chains see it: what the agent did and said, what came back, and nothing that a monitor noted."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safetyboard.overseers.chains.chain import Result
from safetyboard.overseers.chains.claims import Done, contradicted
from safetyboard.overseers.chains.normal_text import NormalText
from safetyboard.overseers.chains.scripts import unfolded
from safetyboard.overseers.chains.settings import changes, edited
from safetyboard.overseers.chains.suite_results import Suite, runs_tests, suite_of
from safetyboard.overseers.effects.effect import Effect
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
_EDITING = r"\bsed\b.*-i|\*\*\* update file|<<<<<<<|read_text\(\)\.replace|perl -[pi0]*i|\byq\b.*-i|oldtext"
_RECENT = 60
_LISTED = re.compile(r"^\D{0,40}?(\d{2,7})\b[^\n]{0,200}$", re.M)
_PATHLIKE = re.compile(r"[\w./~-]{3,300}")


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Hold one step with what it does and what came of it.

    Args:    words: comparable text of it. effects: of an act. existing: targets that were there before it.
             before: how the agent's own last test run ended before it. runs: whether it runs tests.
             edited: what an edit takes away and puts there. last: what came of the agent's last act before it.
             changes: settings that an edit turns. against: the span of words that its own record contradicts.
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
    changes: str = ""
    against: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """Hold the deeds of an episode in order, and what was not read."""

    deeds: tuple[Deed, ...]
    set_aside: int
    unread: int


class _Reading:
    """Read the steps of one episode in order, each in the light of those before it."""

    def __init__(self, results: Mapping[int, Step]) -> None:
        self.results = results
        self.found: list[Deed] = []
        self.own: set[str] = set()
        self.met: set[str] = set()
        self.suite: Suite = ""
        self.unread = 0
        self.running: set[str] = set()
        self.last: Result = "unknown"
        self.listed: dict[str, str] = {}
        self.scripts: dict[str, str] = {}
        self.done: list[Done] = []
        self.heard: list[str] = []
        self.texts: dict[int, NormalText] = {}

    def take(self, step: Step) -> None:
        """Read one step."""
        is_act = step.actor == "agent" and step.kind == "act"
        text = _words(step)
        self.unread += max(0, len(text) - LONGEST)
        hidden, effects = self._hidden(step) if is_act else ("", ())
        words = self.texts.pop(step.index, None) or NormalText(text[:LONGEST] + hidden)
        deed = Deed(step=step, words=words, before=self.suite, last=self.last, result=self._came(step))
        if is_act:
            deed = self._act(deed, effects)
        elif step.actor == "agent" and step.kind == "say":
            against = contradicted(words.text[:LONGEST_LIST], self.done[-_RECENT:], self.suite, self.heard)
            deed = replace(deed, against=against)
        elif step.actor == "user":
            self.heard.append(words.text[:LONGEST_LIST])
        self.found.append(deed)
        self.last = deed.result if step.kind == "act" else self.last
        if step.kind == "result" and step.actor == "tool":
            self._answer(step, words)
        self.met |= {
            posixpath.basename(each.rstrip(".")) for each in _PATHLIKE.findall(words.text) if "." in each or "/" in each
        }

    def _came(self, step: Step) -> Result:
        answer = self.results.get(step.index)
        return _result(answer) if answer else "unknown"

    def _hidden(self, step: Step) -> tuple[str, tuple[Effect, ...]]:
        """Give the shell lines that an act holds in other forms, and its effects with those of scripts made before."""
        lines, effects = unfolded(step, self.scripts)
        if not lines:
            return "", effects
        own = NormalText(_words(step)).text
        fresh = [each for each in lines if each.lower() not in own]
        return "".join(f"\n{each}" for each in fresh)[:LONGEST_LIST], effects

    def _act(self, deed: Deed, effects: tuple[Effect, ...]) -> Deed:
        step, words = deed.step, deed.words
        named = tuple(_named(each, self.listed) for each in effects)
        existing = frozenset(_existing(step, named, words.text, self.own, self.met))
        runs = runs_tests(words.text)
        if runs and step.call:
            self.running.add(step.call)
        old, new = edited(step.arguments, words.text)
        target = next((each.target for each in named if each.kind in ("write", "delete")), "")
        answer = self.results.get(step.index)
        reply = ""
        if answer:
            self.texts[answer.index] = NormalText(answer.content[:LONGEST])
            reply = self.texts[answer.index].text[:LONGEST_LIST]
        lost = [each.target.lower() for each in named if each.kind == "delete" and each.severity]
        put = [each.lower() for each in existing if each.lower() not in lost]
        failed = deed.result == "failed"
        self.done.append(
            Done(
                words=words.text[:LONGEST_LIST],
                answer=reply,
                failed=failed,
                written=() if failed else tuple(put),
                deleted=() if failed else tuple(lost),
            )
        )
        return replace(
            deed, effects=named, existing=existing, runs=runs, edited=(old, new), changes=changes(old, new, target)
        )

    def _answer(self, step: Step, words: NormalText) -> None:
        self.listed |= {each[1]: each[0].strip() for each in _LISTED.finditer(words.text[:LONGEST_LIST])}
        if step.call in self.running or _follows_run(self.found):
            self.suite = suite_of(words.text) or self.suite


def deeds_of(episode: Episode) -> Deeds:
    """Give the deeds of an episode.

    Steps of environments, overseers and unknown actors are left out, and so are outcomes, judgements, conditions, names
    and tags: an answer that reads them would be a peek at the label.
    """
    steps = [step for step in episode.steps if step.actor in _SEEN and step.kind not in ("monitor", "control")]
    reading = _Reading(_results(steps))
    for step in steps:
        reading.take(step)
    return Deeds(deeds=tuple(reading.found), set_aside=len(episode.steps) - len(steps), unread=reading.unread)


def _named(effect: Effect, listed: Mapping[str, str]) -> Effect:
    """Name the process that a number stands for, where the agent was shown a list of processes."""
    if effect.kind != "process signal":
        return effect
    names = [listed[number] for number in re.findall(r"\d{2,7}", effect.target) if number in listed]
    return replace(effect, target=f"{effect.target} {names[0]}"[:200]) if names else effect


def _follows_run(found: list[Deed]) -> bool:
    """Tell whether a result without a call id follows a test run at once."""
    return len(found) > 1 and found[-2].runs and not (found[-1].step.call and found[-2].step.call)


def _existing(step: Step, effects: tuple[Effect, ...], text: str, own: set[str], met: set[str]) -> Iterator[str]:
    edits = any(key in step.arguments for key in _EDITS) or re.search(_EDITING, text)
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
