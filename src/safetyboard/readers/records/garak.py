# SPDX-License-Identifier: Apache-2.0
"""Read garak reports: each generation of an attempt is an episode; a null score is an abstention, never zero."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isnan
from typing import Any, Literal

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.chat_messages import Path, Steps, below, name_of, root_of, text_of
from safetyboard.readers.records.json_lines import records
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, canonical_json, digest_of, plain_of
from safetyboard.terms.episode import Episode, Source
from safetyboard.terms.judgement import Judgement

_KNOWN = ("start_run setup", "config", "init", "eval", "completion", "digest")
_EVALUATED = 2
_USUAL_THRESHOLD = 0.5
_KEPT = ("notes", "targets", "probe_params", "seq", "uuid", "status", "goal", "trigger", "intent", "lang")


@dataclass(kw_only=True)
class _Tally:
    """Count the scores of one detector on one probe."""

    passed: int = 0
    fails: int = 0
    nones: int = 0
    places: set[int] = field(default_factory=set)


@dataclass(kw_only=True)
class _Report:
    """Hold what the whole report says, before any attempt is read."""

    system: dict[str, Plain] = field(default_factory=dict)
    opened: str = ""
    version: str = ""
    threshold: float = _USUAL_THRESHOLD
    evaluated: Counter[str] = field(default_factory=Counter)
    tallies: dict[tuple[str, str], _Tally] = field(default_factory=dict)
    evals: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file is a garak report."""
    return b'"entry_type"' in head and (b'"probe_classname"' in head or b'"start_run setup"' in head)


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each generation of each attempt; reconcile scores with the eval lines at the end.

    An attempt's row of status 1 is its state before its row of status 2 and adds no episode where that one exists.

    Source:  garak documentation, "Reporting", Report JSONL.
    """
    account.unit = "entries"
    report = _surveyed(stored)
    file = root_of(stored).file
    seen: Counter[str] = Counter()
    for line, entry in records(stored, account):
        kind = entry.get("entry_type") if isinstance(entry, dict) else None
        if not isinstance(kind, str):
            account.leave("lines that are no entries")
        elif kind != "attempt" and kind not in _KNOWN:
            account.pass_unknown(kind)
        else:
            account.take()
            if kind == "attempt":
                yield from _attempt(entry, Source(file=file, line=line), report, seen, account)
    account.discrepancies += _reconciled(report)


def _surveyed(stored: Stored, threshold: float = _USUAL_THRESHOLD) -> _Report:
    """Read the report for what stands in no particular order; again where the threshold is not as thought."""
    report = _Report(threshold=threshold)
    for _, entry in records(stored, Account()):
        kind = entry.get("entry_type") if isinstance(entry, dict) else None
        if kind == "start_run setup":
            _set_up(report, entry)
        elif kind == "init":
            report.opened, report.version = name_of(entry.get("start_time")), name_of(entry.get("garak_version"))
        elif kind == "attempt" and entry.get("status") == _EVALUATED:
            report.evaluated[_key(entry)] += 1
            _count(report, entry)
        elif kind == "eval":
            detector = name_of(entry.get("detector")).removeprefix("detector ")
            report.evals[name_of(entry.get("probe")), detector] = entry
    if report.threshold != threshold:
        return _surveyed(stored, report.threshold)
    return report


def _set_up(report: _Report, entry: Mapping[str, Any]) -> None:
    threshold = entry.get("run.eval_threshold")
    if threshold is not None and _is_score(threshold):
        report.threshold = float(threshold)
    for name, keys in (
        ("model", ("plugins.target_name", "plugins.model_name")),
        ("provider", ("plugins.target_type", "plugins.model_type")),
    ):
        told = next((entry[key] for key in keys if entry.get(key)), None)
        if told is not None:
            report.system[name] = plain_of(told)
    parameters = {key: entry[key] for key in ("run.seed", "run.generations", "run.system_prompt") if key in entry}
    report.system |= {"parameters": plain_of(parameters)} if parameters else {}


def _key(entry: Mapping[str, Any]) -> str:
    """Name an attempt: by its id, place and probe, or by its content where it has no id."""
    probe, uuid = text_of(entry.get("probe_classname")), entry.get("uuid")
    if uuid:
        return f"{text_of(uuid)}/{text_of(entry.get('seq'))}/{probe}"
    return f"{probe}/{digest_of(canonical_json(plain_of([entry.get('prompt'), entry.get('outputs')])))}"


def _scores(entry: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    found = entry.get("detector_results")
    for detector, scores in found.items() if isinstance(found, dict) else ():
        yield detector, scores if isinstance(scores, list) else [scores]


def _is_score(score: Any) -> bool:
    return isinstance(score, int | float) and not isinstance(score, bool) and not isnan(score)


def _count(report: _Report, entry: Mapping[str, Any]) -> None:
    for detector, scores in _scores(entry):
        tally = report.tallies.setdefault((name_of(entry.get("probe_classname")), detector), _Tally())
        if isinstance(entry.get("seq"), int):
            tally.places.add(entry["seq"])
        for score in scores:
            if not _is_score(score):
                tally.nones += 1
            elif score < report.threshold:
                tally.passed += 1
            else:
                tally.fails += 1


def _reconciled(report: _Report) -> Iterator[Discrepancy]:
    """Compare each eval line with the scores of the attempts; a null is none of passed and failed."""
    for pair, said in report.evals.items():
        found = report.tallies.get(pair, _Tally())
        # Old reports know `total` only, which counts what was judged.
        pairs = [
            ("passed", found.passed),
            ("fails", found.fails),
            ("nones", found.nones),
            ("total_evaluated", found.passed + found.fails),
            ("total_processed", found.passed + found.fails + found.nones),
            ("total", found.passed + found.fails),
        ]
        wrong = [(key, said[key], count) for key, count in pairs if key in said and said[key] != count]
        if not wrong:
            continue
        gaps = sorted(set(range(min(max(found.places, default=-1), 100_000))) - found.places)[:5]
        told = ", ".join(f"{key} {text_of(claimed)[:20]}, attempts {count}" for key, claimed, count in wrong)
        totals = [(claimed, count) for key, claimed, count in wrong if key.startswith("total") and _is_score(claimed)]
        what = "edited"
        if totals:
            what = "missing" if totals[-1][0] > totals[-1][1] else "extra"
        lost = "; no attempt with seq " + ", ".join(map(str, gaps)) if gaps else ""
        yield Discrepancy(between="eval, attempts", name=" ".join(pair), what=what, where=f"eval says {told}{lost}")
    for pair in report.tallies.keys() - report.evals.keys():
        yield Discrepancy(between="eval, attempts", name=" ".join(pair), what="missing", where="no eval line")


def _attempt(
    entry: Mapping[str, Any], at: Source, report: _Report, seen: Counter[str], account: Account
) -> Iterator[Episode]:
    key = _key(entry)
    final = entry.get("status") == _EVALUATED
    if not final and report.evaluated[key]:
        return
    name = "/".join(name_of(entry.get(part)) for part in ("uuid", "seq") if entry.get(part) is not None) or key
    if not final:
        account.discrepancies.append(
            Discrepancy(between="attempts", name=name, what="missing", where="no row of status 2: not evaluated")
        )
    seen[key] += 1
    if seen[key] > 1:
        account.discrepancies.append(
            Discrepancy(between="attempts", name=name, what="duplicate", where=f"line {at.line}")
        )
    outputs = entry.get("outputs")
    generations = outputs if isinstance(outputs, list) else []
    for detector, scores in _scores(entry):
        if len(scores) != len(generations):
            where = f"{len(scores)} scores of {detector}, {len(generations)} outputs"
            account.discrepancies.append(
                Discrepancy(between="scores, outputs", name=name, what="edited", where=where)
            )  # fmt: skip
    for index in range(max(1, len(generations))):
        yield Episode(
            file=at.file,
            format="garak",
            name=name,
            branch=str(index) if len(generations) > 1 else "",
            task=text_of(entry.get("goal")),
            steps=_steps(entry, index, generations, at),
            system={**report.system, "scaffold": f"garak {report.version}".strip()},
            opened=report.opened,
            condition={"probe": text_of(entry.get("probe_classname"))},
            judgements=tuple(_judgements(entry, index, report)),
            extra={kept: plain_of(entry[kept]) for kept in _KEPT if kept in entry},
        )


def _steps(entry: Mapping[str, Any], index: int, outputs: list[Any], at: Source) -> tuple[Any, ...]:
    """Write the conversation of one generation: its own where it is kept, else the prompt and the output."""
    steps = Steps()
    conversations = entry.get("conversations")
    if isinstance(conversations, list) and len(conversations) == len(outputs) and outputs:
        conversation = conversations[index]
        turns = conversation.get("turns") if isinstance(conversation, dict) else None
        if isinstance(turns, list) and turns:
            _turns(steps, turns, below(at, "conversations", index, "turns"))
            # A generation that failed leaves an output of null and no turn.
            if outputs[index] is None:
                _say(steps, None, below(at, "outputs", index))
            return tuple(steps.made)
    prompt = entry.get("prompt")
    turns = prompt.get("turns") if isinstance(prompt, dict) else None
    if isinstance(turns, list):
        _turns(steps, turns, below(at, "prompt", "turns"))
    elif prompt is not None:
        steps.add("user", "observe", below(at, "prompt"), prompt)
    if index < len(outputs):
        _say(steps, outputs[index], below(at, "outputs", index))
    return tuple(steps.made)


def _turns(steps: Steps, turns: list[Any], at: Source) -> None:
    for place, turn in enumerate(turns):
        here = below(at, place)
        content = turn.get("content") if isinstance(turn, dict) else None
        if isinstance(content, dict) and "text" in content:
            message = {"role": turn.get("role"), "content": content["text"]}
            path: tuple[str, ...] = ("content", "text")
        else:
            message, path = turn, ("content",)
        steps.message(message, partial(_inside, here, path))


def _inside(here: Source, content: tuple[str, ...], path: Path) -> Source:
    return below(here, *(content if path else ()), *path[1:])


def _say(steps: Steps, output: Any, at: Source) -> None:
    if isinstance(output, dict) and "text" in output:
        steps.add("agent", "say", below(at, "text"), output["text"])
    else:
        steps.add("agent", "say", at, output)


def _judgements(entry: Mapping[str, Any], index: int, report: _Report) -> Iterator[Judgement]:
    """Give each detector's score of one generation: harm is the score where garak counts a hit, else below zero."""
    for detector, scores in _scores(entry):
        score = scores[index] if index < len(scores) else None
        harm = None
        outcome: Literal["VALUE", "ABSTAIN", "ERROR"] = "ABSTAIN" if score is None else "ERROR"
        if score is not None and _is_score(score):
            outcome, harm = "VALUE", float(score if score >= report.threshold else score - report.threshold)
        yield Judgement(
            outcome=outcome,
            by=f"{detector} of garak {report.version}".strip(),
            harm=harm,
            answer=repr(score) if harm is not None else None if score is None else text_of(score),
            made_by="learned" if detector.startswith("judge.") else "unknown",
            extra={"threshold": report.threshold.hex()},
        )
