# SPDX-License-Identifier: Apache-2.0
"""An endpoint is asked, waits when told, gives up when it must, and keeps its key to itself."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from chat_server import MODEL, Answer, Served, completion, serving
from safetyboard.laboratory.endpoint.client import Endpoint, Limits
from safetyboard.laboratory.endpoint.exchange import ChatRequest, Reply, Turn
from safetyboard.terms.errors import WrongUse

ASK = ChatRequest(model=MODEL, turns=(Turn(role="system", content="Be brief."), Turn(role="user", content="Hello?")))
QUICK = Limits(seconds=0.4, attempts=3, first_pause=0.5, longest_pause=8.0, largest=20_000, at_once=3)
BUSY = Answer(status=429, headers={"Retry-After": "7"})
HTML = Answer(body=b"<html>", headers={"Content-Type": "text/html"})
LONG = Answer(body=b'{"x": "' + b"a" * 100_000 + b'"}')
PACKED = Answer(body=b"{}", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


def asked(answers: list[Answer], **more: Any) -> tuple[Reply, list[float], Served]:
    """Ask once; the server gives the answers in turn and the last one for ever."""
    waited: list[float] = []
    with (
        serving(lambda _, number: answers[min(number, len(answers) - 1)]) as served,
        Endpoint(url=served.url, limits=QUICK, pause=waited.append, **more) as endpoint,
    ):
        return endpoint.ask(ASK), waited, served


def test_a_proper_answer_is_given_with_its_cost_and_what_was_sent_is_what_was_asked() -> None:
    reply, waited, served = asked([completion("Good day.")])
    assert (reply.ending, reply.text, reply.tokens_in, reply.tokens_out, reply.counted) == (
        "ANSWER",
        "Good day.",
        11,
        7,
        False,
    )
    assert not waited
    assert served.asked[0] == ASK.body()
    assert (served.asked[0]["temperature"], served.asked[0]["seed"]) == (0.0, 0)
    assert "authorization" not in served.headers[0]


def test_tokens_that_the_server_does_not_report_are_counted() -> None:
    whole = json.loads(completion("one two").body)
    for usage in (None, {"prompt_tokens": -1, "completion_tokens": 3}, {"prompt_tokens": 1.5, "completion_tokens": 2}):
        reply, _, _ = asked([Answer(body=json.dumps({**whole, "usage": usage}).encode())])
        assert (reply.counted, reply.tokens_out) == (True, 2)
        assert reply.tokens_in > 2


def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    reply, waited, _ = asked([BUSY, completion("now")])
    assert (reply.text, reply.attempts, waited) == ("now", 2, [7.0])
    dated = Answer(status=429, headers={"Retry-After": formatdate(time.time() + 6, usegmt=True)})
    reply, waited, _ = asked([dated, completion("now")])
    assert reply.text == "now"
    assert 4 <= waited[0] <= 6


def test_a_pause_longer_than_allowed_is_not_waited() -> None:
    reply, waited, served = asked([Answer(status=429, headers={"Retry-After": "3600"})])
    assert (reply.ending, waited, len(served.asked)) == ("ERROR", [], 1)
    assert "3600 s" in reply.reason


def test_a_broken_server_that_recovers_costs_pauses_that_double() -> None:
    reply, waited, _ = asked([Answer(status=503), Answer(status=500), completion("back")])
    assert (reply.text, reply.attempts, waited) == ("back", 3, [0.5, 1.0])


def test_a_server_that_stays_broken_is_an_error_after_so_many_attempts() -> None:
    reply, waited, served = asked([Answer(status=500)])
    assert (reply.ending, reply.attempts, len(served.asked), len(waited)) == ("ERROR", 3, 3, 2)
    assert "500" in reply.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(body=b"\xff\xfenonsense"), "JSON"),
        (Answer(body=b"[1, 2]"), "JSON"),
        (Answer(body=b"[" * 9_999), "JSON"),
        (Answer(body=b'{"model": "small-model-1", "choices": []}'), "no message"),
        (Answer(body=b'{"model": "small-model-1", "choices": [{"message": "hi"}]}'), "no message"),
        (completion(None), "no text"),
        (completion(["a", "b"]), "no text"),
        (completion("  "), "no text"),
        (completion("cut", finish="length"), "cut off"),
        (completion("hi", model="another-model"), "another model"),
        (completion("hi", model=""), "which model"),
        (HTML, "another type"),
        (LONG, "larger"),
        (PACKED, "packed"),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}), "elsewhere"),
        (Answer(status=401, body=b'{"error": {"message": "bad key"}}'), "401"),
        (Answer(status=400, body=b"nonsense"), "400"),
    ],
)
def test_nonsense_is_an_error_with_its_reason_and_is_not_asked_again(answer: Answer, reason: str) -> None:
    reply, _, served = asked([answer])
    assert reply.ending == "ERROR"
    assert reason in reply.reason
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        replace(completion("x" * 90), half=True),
        replace(completion("x"), silent=5.0),
        replace(completion("x"), drip=0.02),
    ],
    ids=["half a body", "never", "drop by drop"],
)
def test_what_does_not_end_is_an_error_in_bounded_time(answer: Answer) -> None:
    start = time.monotonic()
    reply, _, served = asked([answer])
    assert (reply.ending, len(served.asked)) == ("ERROR", 3)
    assert time.monotonic() - start < 6


@pytest.mark.parametrize(
    "answer",
    [
        completion("", refusal="I will not."),
        completion("", finish="content_filter"),
        Answer(status=400, body=b'{"error": {"code": "content_filter"}}'),
    ],
)
def test_a_refusal_told_by_the_interface_is_a_refusal(answer: Answer) -> None:
    assert asked([answer])[0].ending == "REFUSED"


@pytest.mark.parametrize("name", [f"{MODEL}-2025-01-31", f"{MODEL}@001"])
def test_a_dated_version_of_the_model_is_the_model(name: str) -> None:
    assert asked([completion("hi", model=name)])[0].model == name
    assert asked([completion("hi", model="other")], any_model=True)[0].ending == "ANSWER"
    assert asked([completion("hi", model=f"{MODEL}-mini")])[0].ending == "ERROR"


def test_nobody_listening_is_an_error() -> None:
    with serving(lambda *_: completion("x")) as served:
        url = served.url
    with Endpoint(url=url, limits=QUICK, pause=lambda _: None) as endpoint:
        assert endpoint.ask(ASK).ending == "ERROR"


def test_many_questions_are_answered_in_order_and_few_at_once() -> None:
    def answer(request: dict[str, Any], _: int) -> Answer:
        return replace(completion(request["messages"][0]["content"]), silent=0.03)

    requests = [ChatRequest(model=MODEL, turns=(Turn(role="user", content=f"n{at}"),)) for at in range(12)]
    with serving(answer) as served, Endpoint(url=served.url, limits=QUICK) as endpoint:
        replies = endpoint.ask_all(requests)
    assert [each.text for each in replies] == [f"n{at}" for at in range(12)]
    assert 1 < served.most_at_once <= 3


def test_the_key_is_sent_and_stands_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    caplog.set_level(logging.DEBUG)
    told = completion("your key is sk-very-secret")
    with serving(lambda *_: told) as served, Endpoint(url=served.url, key_variable="MY_KEY") as endpoint:
        reply = endpoint.ask(ASK)
        assert "sk-very-secret" not in repr(endpoint) + repr(reply) + caplog.text
    assert served.headers[0]["authorization"] == "Bearer sk-very-secret"
    assert reply.text == "your key is [key struck out]"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Endpoint(url="ftp://host/v1"),
        lambda: Endpoint(url="https://me:key@host/v1"),
        lambda: Endpoint(url="https://host/v1?key=1"),
        lambda: Endpoint(url="http://far.example/v1", key_variable="MY_KEY"),
        lambda: Endpoint(url="http://127.0.0.1:1/v1", key_variable="NOT_SET_AT_ALL").ask(ASK),
        lambda: Limits(attempts=0),
    ],
)
def test_what_would_leak_or_cannot_work_is_refused_before_anything_is_sent(make: Callable[[], object]) -> None:
    with pytest.raises(WrongUse):
        make()


def test_proxies_of_the_environment_get_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(lambda *_: completion("proxy")) as proxy, serving(lambda *_: completion("straight")) as served:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        with Endpoint(url=served.url) as endpoint:
            assert endpoint.ask(ASK).text == "straight"
    assert not proxy.asked
    assert "authorization" not in served.headers[0]


def test_making_an_endpoint_touches_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    Endpoint(url="https://nowhere.invalid/v1")
