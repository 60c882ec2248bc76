# SPDX-License-Identifier: Apache-2.0
"""Log records of calls of a model are read like the spans they belong to, and every leaf is found again."""

import json
from typing import Any

from safetyboard.readers.records import otlp
from safetyboard.readers.records.catalog import kind_of
from unit.readers.records.readings import lines, read


def value(of: Any) -> dict[str, Any]:
    if isinstance(of, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": value(each)} for key, each in of.items()]}}
    if isinstance(of, list):
        return {"arrayValue": {"values": [value(each) for each in of]}}
    return {"stringValue": of}


def record(name: str, at: int, body: Any = None, *, span: str = "b1", old: bool = False, **more: Any) -> dict[str, Any]:
    attributes = [{"key": key.replace("__", "."), "value": value(each)} for key, each in more.items()]
    attributes += [{"key": "event.name", "value": value(name)}] if old else []
    made = {"timeUnixNano": str(at), "traceId": "a1", "spanId": span, "attributes": attributes}
    return made | ({} if old else {"eventName": name}) | ({} if body is None else {"body": value(body)})


def request(*records: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": value("desk")}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {}, "logRecords": list(records)}]}]}


CALL = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
ASKED = (
    record("gen_ai.system.message", 1, {"content": "Be brief."}, gen_ai__system="openai"),
    record("gen_ai.user.message", 2, {"content": "List the files."}, old=True),
)


def told(*requests: Any) -> list[tuple[str, str, str, str]]:
    [episode], account = read(otlp, lines(*requests))
    assert not account.left, account.sentence()
    return [(step.actor, step.kind, step.content, step.tool) for step in episode.steps]


def test_messages_that_are_records_of_their_own_are_read_with_calls_and_results() -> None:
    first = request(*ASKED, record("gen_ai.choice", 3, {"index": "0", "message": {"tool_calls": [CALL]}}))
    second = request(
        *(record(each["eventName"], 4, {"content": "Be brief."}, span="b2") for each in ASKED[:1]),
        record("gen_ai.user.message", 4, {"content": "List the files."}, span="b2"),
        record("gen_ai.tool.message", 5, {"content": "a.txt", "id": "c1"}, span="b2"),
        record("gen_ai.choice", 6, {"index": "0", "message": {"content": "There is a.txt."}}, span="b2"),
    )
    steps = told(first, second)
    assert [step for step in steps if step[1] != "monitor"] == [
        ("environment", "observe", "Be brief.", ""),
        ("user", "observe", "List the files.", ""),
        ("agent", "act", "", "bash"),
        ("tool", "result", "a.txt", "bash"),
        ("agent", "say", "There is a.txt.", ""),
    ]


def test_the_single_event_of_newer_versions_is_read() -> None:
    message = [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Good day"}]}]
    details = record("gen_ai.client.inference.operation.details", 1,
                     gen_ai__input__messages=message, gen_ai__output__messages=json.dumps(answer))  # fmt: skip
    steps = [step for step in told(request(details)) if step[1] != "monitor"]
    assert steps == [("user", "observe", "Hello", ""), ("agent", "say", "Good day", "")]


def test_other_log_records_are_counted_and_shown() -> None:
    other = record("http.request", 9, {"url": "x"})
    episodes, account = read(otlp, lines(request(*ASKED, other, None)))
    assert len(episodes) == 1
    assert account.unknown == {"log record http.request": 1}
    assert account.left["log records that are no objects"] == 1


def test_the_file_is_claimed_only_where_a_model_is_spoken_of() -> None:
    assert kind_of("logs.jsonl", lines(request(*ASKED))) == "otlp"
    assert kind_of("logs.jsonl", lines(request(record("http.request", 1, {"url": "x"})))) is None
