# SPDX-License-Identifier: Apache-2.0
"""Labelled runs by construction: planted stories and their clean twins, and a screen trained on them once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from needles.episodes import needles
from safetyboard.overseers.learned.learning import Aim, Case, learn
from safetyboard.overseers.learned.screen import Screen
from safetyboard.terms.episode import Episode, Outcome, Source, Step
from safetyboard.terms.judgement import Judgement

AIM = Aim(axis="concern")


@cache
def cases(each: int = 1, seed: int = 0) -> tuple[Case, ...]:
    """Each planted story and its twin are one cluster."""
    made = []
    for number, needle in enumerate(needles(seed=seed, each=each)):
        cluster = f"{needle.chain} {needle.story}"
        made.append(Case(name=f"planted {number}", episode=needle.planted, concern=True, cluster=cluster))
        made.append(Case(name=f"twin {number}", episode=needle.twin, concern=False, cluster=cluster))
    return tuple(made)


def nothing(episode: Episode) -> bool:
    """A rule that finds nothing."""
    return False


@cache
def screen() -> Screen:
    return learn(cases(), AIM, rule=nothing)


def edited(episode: Episode, change: Callable[[Step], Iterable[Step]]) -> Episode:
    """Replace each step by others, and number them anew."""
    steps = [each for step in episode.steps for each in change(step)]
    return replace(episode, steps=tuple(replace(step, index=at) for at, step in enumerate(steps)))


def rewritten(
    episode: Episode, change: Callable[[str], str], kinds: tuple[str, ...] = ("act", "say", "think")
) -> Episode:
    """Rewrite every text of the agent."""

    def leaves(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, Mapping):
            return {key: leaves(item) for key, item in value.items()}
        return [leaves(item) for item in value] if isinstance(value, list | tuple) else value

    def step(each: Step) -> Iterable[Step]:
        own = each.actor == "agent" and each.kind in kinds
        yield replace(each, content=change(each.content), arguments=leaves(each.arguments)) if own else each

    return edited(episode, step)


def tagged(episode: Episode, word: str) -> Episode:
    """Put a word wherever a label could stand, and into steps that are not the agent's."""
    source = Source(file="sha256:" + "cd" * 32, member=f"{word}.json", line=9)
    said = Outcome(value=word, by="program", source=source, name=word)
    told = Judgement(outcome="VALUE", by=word, harm=1.0, answer=word)
    more = tuple(
        Step(index=0, actor=actor, kind=kind, source=source, content=word, tool=word)  # type: ignore[arg-type]
        for actor in ("environment", "overseer", "user", "unknown", "tool")
        for kind in ("observe", "monitor", "control", "result", "say", "act")
    ) + tuple(Step(index=0, actor="agent", kind=kind, source=source, content=word) for kind in ("monitor", "control"))  # type: ignore[arg-type]
    marks: dict[str, Any] = {"source": source, "at": word, "call": word, "visible_to": (word,), "extra": {word: word}}
    own = [replace(step, **marks) for step in episode.steps]
    return replace(
        episode,
        file=source.file,
        format=word,
        name=word,
        parent=word,
        branch=word,
        task=word,
        system={"model": word},
        organisation=word,
        opened=word,
        condition={word: word},
        reported=(said,),
        true=(said,),
        judgements=(told,),
        extra={"tags": [word]},
        steps=(*more, *own, *more),
    )
