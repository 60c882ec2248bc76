# SPDX-License-Identifier: Apache-2.0
"""Read promptfoo results, one JSON file or one a line: each result is an episode, each assertion a judgement."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.chat_messages import Path, Steps, below, name_of, root_of, text_of
from safetyboard.readers.records.json_lines import parsed, values
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Source
from safetyboard.terms.judgement import Judgement

Found: TypeAlias = 'Literal["VALUE", "ABSTAIN", "REFUSED", "ERROR"]'

_LEARNED = ("llm-rubric", "model-graded", "g-eval", "factuality", "similar", "classifier", "moderation", "context-",
            "answer-relevance", "agent-rubric", "promptfoo:redteam", "select-best", "search-rubric")  # fmt: skip
_FAILED_BY_ERROR = 2
_TAKEN = ("response", "gradingResult", "prompt", "vars", "testCase", "provider", "error", "namedScores")


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file holds promptfoo results."""
    results = b'"gradingResult"' in head or b'"promptIdx"' in head or (b'"testCase"' in head and b'"vars"' in head)
    return head.lstrip()[:1] in (b"{", b"[") and (results or (b'"evalId"' in head and b'"results"' in head))


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each result; a result that ended in an error is judged ERROR, never as a failure of the model.

    Source:  promptfoo documentation, "Output formats" and types EvaluateSummaryV3, EvaluateResult, GradingResult.
    """
    account.unit = "results"
    root = root_of(stored)
    for line, pointer, value in values(stored, account):
        at = Source(file=root.file, line=line, pointer=pointer)
        here, results, summary = _results(value, at)
        if results is None:
            account.pass_unknown("records without results")
            continue
        told = Counter[str]()
        shared = _shared(value, summary)
        for index, result in enumerate(results):
            place = here if results == [value] and here == at else below(here, index)
            if not isinstance(result, dict):
                account.leave("results that are no objects")
                continue
            account.take()
            told[_sort(result)] += 1
            yield _episode(result, place, shared)
        if summary is not None:
            account.discrepancies += _reconciled(summary, told)


def _results(value: Any, at: Source) -> tuple[Source, list[Any] | None, Mapping[str, Any] | None]:
    """Find the results: the list in a summary, in an export that holds one, or the record itself."""
    if not isinstance(value, dict):
        return at, None, None
    for path in (("results", "results"), ("results", "outputs"), ("results",)):
        inner: Any = value
        above: Any = value
        for key in path:
            above, inner = inner, inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, list):
            return below(at, *path), inner, above
    known = ("gradingResult", "promptIdx", "testCase", "response", "success")
    return (at, [value], None) if sum(key in value for key in known) >= 2 else (at, None, None)


def _shared(value: Mapping[str, Any], summary: Mapping[str, Any] | None) -> dict[str, Plain]:
    if summary is None:
        return {}
    config = value.get("config")
    shared: dict[str, Plain] = {"eval": plain_of(value.get("evalId")), "opened": name_of(summary.get("timestamp"))}
    if isinstance(config, dict) and config.get("description"):
        shared["description"] = text_of(config["description"])
    return shared


def _sort(result: Mapping[str, Any]) -> str:
    if result.get("failureReason") == _FAILED_BY_ERROR or (result.get("error") and not result.get("gradingResult")):
        return "errors"
    return "successes" if result.get("success") else "failures"


def _reconciled(summary: Mapping[str, Any], told: Counter[str]) -> Iterator[Discrepancy]:
    """Compare the counts of the summary with the results; older summaries count errors as failures."""
    stats = summary.get("stats")
    if not isinstance(stats, dict):
        return
    found = dict(told)
    if "errors" not in stats:
        found["failures"] = told["failures"] + told["errors"]
    for key in ("successes", "failures", "errors"):
        if isinstance(stats.get(key), int) and stats[key] != found.get(key, 0):
            what = "missing" if stats[key] > found.get(key, 0) else "extra"
            where = f"stats say {stats[key]}, results {found.get(key, 0)}"
            yield Discrepancy(between="stats, results", name=key, what=what, where=where)


def _episode(result: Mapping[str, Any], at: Source, shared: Mapping[str, Plain]) -> Episode:
    steps = Steps()
    _prompt(steps, result, at)
    _response(steps, result, at)
    provider = result.get("provider")
    named = provider if isinstance(provider, dict) else {"id": provider}
    case = result.get("testCase")
    case = case if isinstance(case, dict) else {}
    prompt = result.get("prompt")
    condition: dict[str, Plain] = {"vars": plain_of(result.get("vars", case.get("vars")))}
    if isinstance(prompt, dict) and prompt.get("label") is not None:
        condition["prompt"] = plain_of(prompt["label"])
    for key in ("promptIdx", "testIdx", "promptId"):
        if key in result:
            condition[key] = plain_of(result[key])
    numbers = "/".join(name_of(result.get(key)) for key in ("testIdx", "promptIdx") if key in result)
    extra = {key: plain_of(value) for key, value in result.items() if key not in _TAKEN}
    return Episode(
        file=at.file,
        format="promptfoo",
        name=name_of(result.get("id")) or numbers or (f"line {at.line}" if at.line else at.pointer),
        steps=tuple(steps.made),
        task=text_of(case.get("description", result.get("description"))),
        system={key: text_of(named[key]) for key in ("id", "label") if named.get(key)},
        opened=text_of(shared.get("opened")),
        condition=condition,
        judgements=tuple(_judgements(result)),
        extra={**{key: value for key, value in shared.items() if key != "opened"}, **extra, "testCase": plain_of(case)},
    )


def _at(here: Source, drop: int, path: Path) -> Source:
    return below(here, *path[drop:])


def _prompt(steps: Steps, result: Mapping[str, Any], at: Source) -> None:
    """Add the prompt: chat messages where its text is the JSON of some, else as what the user said."""
    prompt = result.get("prompt")
    raw, here = prompt, below(at, "prompt")
    if isinstance(prompt, dict):
        key = next((key for key in ("raw", "display", "label") if isinstance(prompt.get(key), str)), "")
        raw, here = (prompt.get(key), below(here, key)) if key else (prompt, here)
    if raw is None:
        return
    chat = parsed(raw.encode("utf-8", "surrogatepass"))[0] if isinstance(raw, str) else raw
    if isinstance(chat, list) and chat and all(isinstance(each, dict) and "role" in each for each in chat):
        for index, message in enumerate(chat):
            steps.message(message, partial(_at, below(here, index), 0))
    else:
        steps.add("user", "observe", here, raw)


def _response(steps: Steps, result: Mapping[str, Any], at: Source) -> None:
    response = result.get("response")
    if isinstance(response, dict):
        here = below(at, "response")
        if response.get("output") is not None:
            output = response["output"]
            extra = {"refusal": True} if response.get("isRefusal") else {}
            if isinstance(output, list) and output and all(isinstance(each, dict) for each in output):
                for index, call in enumerate(output):
                    steps.act(call, partial(_at, below(here, "output", index), 0), ())
            else:
                steps.add("agent", "say", below(here, "output"), output, extra=extra)
        if response.get("error"):
            steps.add("environment", "monitor", below(here, "error"), response["error"])
    elif response is not None:
        steps.add("agent", "say", below(at, "response"), response)
    if result.get("error"):
        steps.add("environment", "monitor", below(at, "error"), result["error"])


def _judgements(result: Mapping[str, Any]) -> Iterator[Judgement]:
    """Give what each assertion said, else what the whole grading said; none judges a result that is an error."""
    if _sort(result) == "errors":
        yield Judgement(outcome="ERROR", by="promptfoo", made_by="program", rationale=text_of(result.get("error")))
        return
    grading = result.get("gradingResult")
    parts = grading.get("componentResults") if isinstance(grading, dict) else None
    for part in parts if isinstance(parts, list) and parts else [grading]:
        if isinstance(part, dict):
            yield _judgement(part)
    if not isinstance(grading, dict):
        said = result.get("success")
        outcome: Found = "VALUE" if isinstance(said, bool) else "ABSTAIN"
        yield Judgement(
            outcome=outcome, by="promptfoo", answer=text_of(said) if outcome == "VALUE" else None, made_by="program"
        )


def _judgement(part: Mapping[str, Any]) -> Judgement:
    assertion = part.get("assertion")
    sort = name_of(assertion.get("type")) if isinstance(assertion, dict) else ""
    passed = part.get("pass")
    outcome: Found = "VALUE" if isinstance(passed, bool) else "ABSTAIN"
    return Judgement(
        outcome=outcome,
        by=f"promptfoo {sort}".strip(),
        answer=("pass" if passed else "fail") if outcome == "VALUE" else None,
        made_by="learned" if sort.removeprefix("not-").startswith(_LEARNED) else "program" if sort else "unknown",
        rationale=text_of(part.get("reason")),
        extra={key: plain_of(value) for key, value in part.items() if key not in ("pass", "reason")},
    )
