# SPDX-License-Identifier: Apache-2.0
"""A client for any chat-completions URL: bounded in time, size, attempts and simultaneous requests."""

import ipaddress
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from safetyboard.laboratory.endpoint.exchange import ChatRequest, Reply
from safetyboard.laboratory.endpoint.reply_reading import read_reply, refused_by_status, rough_tokens
from safetyboard.terms.canonical import Plain
from safetyboard.terms.errors import EnvironmentFault, WrongUse

_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bound what one question may take.

    Args:    seconds: for one attempt as a whole. attempts: at most. first_pause, longest_pause: seconds between
             attempts, doubled each time; a server that asks for a longer pause gets none and the reply is an error.
             largest: bytes of a response. at_once: simultaneous requests.
    """

    seconds: float = 120.0
    attempts: int = 4
    first_pause: float = 1.0
    longest_pause: float = 60.0
    largest: int = 4_000_000
    at_once: int = 4

    def __post_init__(self) -> None:
        if min(self.seconds, self.attempts, self.largest, self.at_once) <= 0 or self.first_pause < 0:
            raise WrongUse("The limits of an endpoint must be above zero.", hint="Give larger numbers.")


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """Hold what one attempt gave: a reply, and after how long to try again (None: never)."""

    reply: Reply
    again: float | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Ask the model behind a base URL, such as ``https://host/v1``; nothing is sent before the first question.

    The key is read from the environment at each attempt and kept nowhere; where a server sends it back, it is struck
    out. Redirects, proxies of the environment and ``.netrc`` are not followed.

    Args:    key_variable: name of the environment variable that holds the key; empty where none is needed.
             any_model: take answers of a model with another name.
    Raises:  WrongUse: no such address, a key in the address, or a key that would travel unencrypted to another host.
    """

    url: str
    key_variable: str = ""
    limits: Limits = field(default_factory=Limits)
    any_model: bool = False
    pause: Callable[[float], None] = time.sleep
    _client: list[Any] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WrongUse("The address of the endpoint is no http or https URL.", hint="Give https://HOST/v1.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise WrongUse(
                "The address of the endpoint holds more than host and path.",
                hint="Put the key into an environment variable and give its name.",
            )
        if self.key_variable and parts.scheme == "http" and not _is_here(parts.hostname):
            raise WrongUse(
                f"The key would travel unencrypted to {parts.hostname}.", hint="Give an https URL, or no key."
            )
        self._client.append(_client(self.limits))

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client[0].close()

    def ask(self, request: ChatRequest) -> Reply:
        """Ask, and ask again where the server says it is busy or broken; what fails in the end is an error reply.

        Raises:  WrongUse: the environment variable of the key is not set.
        """
        key = self._key()
        for attempt in range(1, self.limits.attempts + 1):
            got = self._once(request, key)
            reply = replace(got.reply, attempts=attempt)
            if got.again is None or attempt == self.limits.attempts:
                return reply
            wait = max(got.again, min(self.limits.first_pause * 2 ** (attempt - 1), self.limits.longest_pause))
            if wait > self.limits.longest_pause:
                return replace(
                    reply, reason=f"{reply.reason}; asked to wait {wait:.0f} s, which is longer than allowed"
                )
            self.pause(wait)
        raise EnvironmentFault("No attempt was made.")

    def ask_all(self, requests: Sequence[ChatRequest]) -> list[Reply]:
        """Ask many things, so many at once as the limits say; replies come in the order of the questions."""
        with ThreadPoolExecutor(max_workers=self.limits.at_once) as pool:
            return list(pool.map(self.ask, requests))

    def _key(self) -> str:
        if not self.key_variable:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise WrongUse(
                f"The environment variable {self.key_variable} holds no key.", hint=f"Set {self.key_variable}."
            )
        return key

    def _once(self, request: ChatRequest, key: str) -> _Attempt:
        import httpx

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        address = self.url.rstrip("/") + "/chat/completions"
        late = time.monotonic() + self.limits.seconds
        try:
            with self._client[0].stream("POST", address, json=request.body(), headers=headers) as response:
                fault, content = _content(response, self.limits.largest, late)
                status, told = response.status_code, response.headers
        except httpx.TimeoutException:
            return _Attempt(reply=_spent(request, "no response in time"), again=0.0)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return _Attempt(reply=_spent(request, f"the connection failed ({type(error).__name__})"), again=0.0)
        if status in _AGAIN:
            return _Attempt(reply=_spent(request, f"the server answered {status}"), again=_asked_pause(told))
        if 300 <= status < 400:
            return _Attempt(reply=_spent(request, "the server points elsewhere, which is not followed"))
        if status == 400 and refused_by_status(content):
            return _Attempt(reply=replace(_spent(request, "a content filter refused"), ending="REFUSED"))
        if status != 200:
            return _Attempt(reply=_spent(request, f"the server answered {status}"))
        if fault:
            return _Attempt(reply=_spent(request, fault), again=0.0 if fault == _LATE else None)
        reply = read_reply(request, content, any_model=self.any_model)
        return _Attempt(reply=_without(key, reply))


_LATE = "the response did not end in time"


def _client(limits: Limits) -> Any:
    try:
        import httpx
    except ImportError as error:
        raise EnvironmentFault("Asking a model needs httpx.", hint="pip install 'safetyboard[records]'") from error
    pool = httpx.Limits(max_connections=limits.at_once, max_keepalive_connections=limits.at_once)
    return httpx.Client(timeout=limits.seconds, limits=pool, follow_redirects=False, trust_env=False)


def _content(response: Any, largest: int, late: float) -> tuple[str, bytes]:
    """Read the body, but no more than `largest` bytes and no longer than until `late`."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return "the response is packed, which was not asked for", b""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status_code == 200 and kind != "application/json" and not kind.endswith("+json"):
        return "the response is of another type than JSON", b""
    parts, size = [], 0
    for part in response.iter_raw():
        size += len(part)
        if size > largest:
            return f"the response is larger than {largest} bytes", b""
        if time.monotonic() > late:
            return _LATE, b""
        parts.append(part)
    return "", b"".join(parts)


def _asked_pause(headers: Mapping[str, str]) -> float:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); what makes no sense asks for no pause."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0


def _spent(request: ChatRequest, reason: str) -> Reply:
    asked = sum(rough_tokens(turn.content) for turn in request.turns)
    return Reply(ending="ERROR", reason=reason, tokens_in=asked, counted=True)


def _without(key: str, reply: Reply) -> Reply:
    if not key:
        return reply
    calls: list[Plain] = [
        {name: text.replace(key, "[key struck out]") for name, text in asdict(each).items()} for each in reply.calls
    ]
    return replace(
        reply,
        text=reply.text.replace(key, "[key struck out]"),
        model=reply.model.replace(key, "[key struck out]"),
        extra={**reply.extra, "tool_calls": calls} if calls else reply.extra,
    )


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
