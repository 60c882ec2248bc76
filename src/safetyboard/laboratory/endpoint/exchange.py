# SPDX-License-Identifier: Apache-2.0
"""What is asked of a language model and what came back: inert records with a digest and plain forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from safetyboard.terms.canonical import Plain, content_id, plain_of, well_formed

Ending = Literal["ANSWER", "REFUSED", "ERROR"]


@dataclass(frozen=True, kw_only=True)
class Called:
    """Hold one call of a tool that a message makes.

    Args:    arguments: as the text that was or would be sent, mostly JSON; hostile where a model wrote it.
    """

    call: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Hold one message: who is made to speak, and the words.

    Args:    calls: tools that the assistant called with it. answers: the call whose result it is; of a tool alone.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[Called, ...] = ()
    answers: str = ""

    def message(self) -> dict[str, Any]:
        """Give what is sent for it.

        Source:  OpenAI API reference, "Create chat completion": messages, tool_calls, tool_call_id.
        """
        sent: dict[str, Any] = {"role": self.role, "content": well_formed(self.content)}
        if self.calls:
            sent["tool_calls"] = [
                {
                    "id": well_formed(each.call),
                    "type": "function",
                    "function": {"name": well_formed(each.name), "arguments": well_formed(each.arguments)},
                }
                for each in self.calls
            ]
        if self.answers:
            sent["tool_call_id"] = well_formed(self.answers)
        return sent


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """Ask a model one thing, with everything that its answer may depend on.

    Args:    sample: tells repeated askings of the same thing apart; it is not sent. longest: tokens of the answer.
             tools: what it may call, each {"name", "description", "parameters": JSON schema}; with none, it answers in
             words alone, and calls are no answer.
    """

    KIND: ClassVar[str] = "chat_request"
    model: str
    turns: tuple[Turn, ...]
    temperature: float = 0.0
    seed: int = 0
    longest: int = 1024
    sample: int = 0
    tools: tuple[Mapping[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        """Give what is sent, as parsed JSON.

        Source:  OpenAI API reference, "Create chat completion"; `max_tokens` because servers of others know that name.
        """
        offered = [{"type": "function", "function": dict(each)} for each in self.tools]
        return {
            "model": self.model,
            "messages": [turn.message() for turn in self.turns],
            "temperature": self.temperature,
            "seed": self.seed,
            "max_tokens": self.longest,
            "stream": False,
            **({"tools": offered} if offered else {}),
        }

    @property
    def digest(self) -> str:
        """Name the request by its content; the address it is sent to and the key are no part of it."""
        return content_id({"body": plain_of(self.body()), "sample": self.sample})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Hold what came back: an answer, a refusal told by a field of the interface, or an error with its reason.

    Args:    text: hostile as any text of a model. model: as the server named it. tokens_in, tokens_out: as reported;
             where `counted`, our own rough count (words and signs). attempts: requests made for it. extra: `tool_calls`
             where the answer calls tools.
    """

    KIND: ClassVar[str] = "chat_reply"
    ending: Ending
    text: str = ""
    reason: str = ""
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = False
    attempts: int = 1
    extra: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Count tokens both ways."""
        return self.tokens_in + self.tokens_out

    @property
    def calls(self) -> tuple[Called, ...]:
        """Give the tools that the answer calls, in order."""
        told = self.extra.get("tool_calls")
        return tuple(
            Called(call=str(each["call"]), name=str(each["name"]), arguments=str(each["arguments"]))
            for each in (told if isinstance(told, list) else ())
            if isinstance(each, dict)
        )

    def plain(self) -> dict[str, Plain]:
        """Give its plain form."""
        return {
            "ending": self.ending,
            "text": self.text,
            "reason": self.reason,
            "model": self.model,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "counted": self.counted,
            "attempts": self.attempts,
            "extra": dict(self.extra),
        }


class Answerer(Protocol):
    """Answer questions: a live endpoint, one with a ledger, or a ledger alone."""

    def ask(self, request: ChatRequest) -> Reply:
        """Give the reply; what went wrong on the way is a reply too."""
        ...
