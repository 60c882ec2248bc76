# SPDX-License-Identifier: Apache-2.0
"""Say how an Inspect sample was scored, and by whom: a program, a model or a person."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from safetyboard.readers.records.inspect_events import Walked
from safetyboard.readers.records.inspect_json import as_list, as_object, as_text, is_missing
from safetyboard.readers.records.inspect_sheet import Path, Sheet
from safetyboard.terms.episode import Outcome
from safetyboard.terms.judgement import Judgement

Maker = Literal["program", "human", "learned", "unknown"]
# Scorers that ship with Inspect and compare text: https://inspect.aisi.org.uk/scorers.html, "Built-In Scorers".
PROGRAMS = frozenset(("includes", "match", "pattern", "answer", "exact", "f1", "choice", "math"))
MODELS = ("model_graded_",)


def outcomes(sheet: Sheet, walked: Walked, header: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """Give one outcome a score; a score of several values gives one each, as ``scorer/value``."""
    return tuple(
        Outcome(value=as_text(value), by=maker, source=sheet.source(*place), name=name)
        for name, value, place, maker, _ in _values(sheet, walked, header)
        if not is_missing(value)
    )


def judgements(sheet: Sheet, walked: Walked, header: Mapping[str, Any]) -> tuple[Judgement, ...]:
    """Give the same scores as judgements, with their words; a null or NaN is an abstention, never a zero."""
    return tuple(
        Judgement(
            outcome="ABSTAIN" if is_missing(value) else "VALUE",
            by=f"inspect scorer {name}",
            answer=None if is_missing(value) else as_text(value),
            made_by=maker,
            rationale=sheet.words(score.get("explanation"), (*place[:2], "explanation"))[0],
        )
        for name, value, place, maker, score in _values(sheet, walked, header)
    )


def _values(
    sheet: Sheet, walked: Walked, header: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Path, Maker, Mapping[str, Any]]]:
    scorers = _scorer_names(header)
    for name, score in as_object(sheet.sample.get("scores")).items():
        maker = _maker(scorers.get(name, name), score, walked)
        value = as_object(score).get("value", score if not isinstance(score, dict) else None)
        place: Path = ("scores", name, "value") if isinstance(score, dict) and "value" in score else ("scores", name)
        if isinstance(value, dict):
            yield from ((f"{name}/{key}", value[key], (*place, key), maker, as_object(score)) for key in value)
        else:
            yield name, value, place, maker, as_object(score)


def _maker(scorer: str, score: Any, walked: Walked) -> Maker:
    """Say who scored: the last edit of a person counts; then whether the scorer was seen asking a model."""
    bare = scorer.rsplit("/", 1)[-1]
    edits = as_list(as_object(score).get("history"))
    if any(as_object(as_object(edit).get("provenance")).get("author") for edit in edits):
        return "human"
    asked = bool({scorer, bare} & walked.asking) or "grading" in as_object(as_object(score).get("metadata"))
    if asked or bare.startswith(MODELS):
        return "learned"
    return "program" if bare in PROGRAMS or {scorer, bare} & walked.scorers else "unknown"


def _scorer_names(header: Mapping[str, Any]) -> dict[str, str]:
    """Map a score's name to its scorer's: a task that uses one scorer twice names the second ``name1``."""
    scores = as_list(as_object(header.get("results")).get("scores"))
    return {as_text(as_object(score).get("name")): as_text(as_object(score).get("scorer")) for score in scores}
