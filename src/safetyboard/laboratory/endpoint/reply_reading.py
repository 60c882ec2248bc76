# SPDX-License-Identifier: Apache-2.0
"""Read what a chat-completions server sent; whatever is not a whole, proper answer becomes an error with a reason."""

import json
import re
from typing import Any

from safetyboard.laboratory.endpoint.exchange import ChatRequest, Reply
from safetyboard.terms.canonical import LARGEST_INTEGER, Plain, well_formed

_PIECES = re.compile(r"\w{1,6}|[^\w\s]")
_REFUSING_CODES = frozenset(("content_filter", "content_policy_violation", "safety"))
_LONGEST_NAME = 200
_MOST_CALLS = 128


def read_reply(request: ChatRequest, content: bytes, *, any_model: bool = False) -> Reply:
    """Read the body of a response with status 200.

    An answer that was cut off at its longest length, or that another model gave, is an error: it is not what was asked.

    Source:  OpenAI API reference, "The chat completion object": choices, finish_reason, message.refusal, usage.
    """
    whole = _parsed(content)
    if not isinstance(whole, dict):
        return Reply(ending="ERROR", reason="the response is not a JSON object")
    model = whole.get("model")
    model = well_formed(model)[:_LONGEST_NAME] if isinstance(model, str) else ""
    choices = whole.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Reply(ending="ERROR", reason="the response holds no message", model=model)
    words = message.get("content")
    text = well_formed(words) if isinstance(words, str) else ""
    tokens_in, tokens_out, counted = _tokens(request, text, whole.get("usage"))

    calls = _calls(message) if request.tools else []

    def made(ending: Any, reason: str) -> Reply:
        return Reply(
            ending=ending,
            text=text,
            reason=reason,
            model=model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            counted=counted,
            extra={"tool_calls": list(calls)} if calls else {},
        )

    if not any_model and not same_model(request.model, model):
        return made("ERROR", "another model answered" if model else "the response does not say which model answered")
    refusal = message.get("refusal")
    finish = choice.get("finish_reason")
    if (isinstance(refusal, str) and refusal.strip()) or finish in _REFUSING_CODES:
        return made("REFUSED", "the interface says that the model refused")
    if finish == "length":
        return made("ERROR", "the answer was cut off at its longest length")
    if calls is None:
        return made("ERROR", "the response calls tools in no proper form")
    if not calls and (not isinstance(words, str) or not text.strip()):
        return made("ERROR", "the response holds no text")
    return made("ANSWER", "")


def _calls(message: dict[str, Any]) -> list[Plain] | None:
    """Read the calls of tools; None where one of them is not in the form of the interface."""
    told = message.get("tool_calls")
    if told is None:
        return []
    found: list[Plain] = []
    for each in told if isinstance(told, list) and len(told) <= _MOST_CALLS else [None]:
        function = each.get("function") if isinstance(each, dict) else None
        name, arguments = (function.get("name"), function.get("arguments")) if isinstance(function, dict) else (0, 0)
        if not isinstance(name, str) or not isinstance(arguments, str):
            return None
        call = each.get("id") if isinstance(each, dict) else ""
        found.append({
            "call": well_formed(call)[:_LONGEST_NAME] if isinstance(call, str) else "",
            "name": well_formed(name)[:_LONGEST_NAME], "arguments": well_formed(arguments),
        })  # fmt: skip
    return found


def refused_by_status(content: bytes) -> bool:
    """Tell whether the body of a response with status 400 says that a content filter refused the request."""
    whole = _parsed(content)
    error = whole.get("error") if isinstance(whole, dict) else None
    return isinstance(error, dict) and any(
        isinstance(error.get(key), str) and error[key] in _REFUSING_CODES for key in ("code", "type")
    )


def same_model(asked: str, answered: str) -> bool:
    """Tell whether the named model answered: itself, a dated version of it, or it without its vendor's prefix."""
    names = {asked, asked.rpartition("/")[2]}
    return any(
        answered == name or (name != "" and re.fullmatch(re.escape(name) + r"[-@:]\d[\d.-]*", answered))
        for name in names
    )


def rough_tokens(text: str) -> int:
    """Count tokens roughly: pieces of words and signs; for servers that report none."""
    return sum(1 for _ in _PIECES.finditer(text))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _tokens(request: ChatRequest, text: str, usage: Any) -> tuple[int, int, bool]:
    told = [usage.get(key) for key in ("prompt_tokens", "completion_tokens")] if isinstance(usage, dict) else []
    whole = [each for each in told if type(each) is int and 0 <= each <= LARGEST_INTEGER]
    if len(whole) == 2:
        return whole[0], whole[1], False
    return sum(rough_tokens(turn.content) for turn in request.turns), rough_tokens(text), True
