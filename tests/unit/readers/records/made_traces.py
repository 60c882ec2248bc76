# SPDX-License-Identifier: Apache-2.0
"""Makes traces and reports of known content, in every form in which tools write them."""

import base64
import json
from typing import Any

QUESTION = {"role": "user", "parts": [{"type": "text", "content": "What is the weather in Ulm?"}]}
CALL = {
    "role": "assistant",
    "parts": [
        {"type": "reasoning", "content": "I need the tool."},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"town": "Ulm", "days": 2}},
    ],
    "finish_reason": "tool_call",
}
SHOWN = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain, 12.5 °C"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}
SAID = ["What is the weather in Ulm?", "I need the tool.", "rain, 12.5 °C", "It rains."]


def value(held: Any) -> dict[str, Any]:
    """Write an OTLP value."""
    if isinstance(held, bool):
        return {"boolValue": held}
    if isinstance(held, int):
        return {"intValue": str(held)}
    if isinstance(held, float):
        return {"doubleValue": held}
    if isinstance(held, list):
        return {"arrayValue": {"values": [value(each) for each in held]}}
    if isinstance(held, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": value(each)} for key, each in held.items()]}}
    return {"stringValue": held}


def span(number: int, parent: int, name: str, times: tuple[int, int], **attributes: Any) -> dict[str, Any]:
    """Write an OTLP span; ``__`` in a name of an attribute is a dot."""
    made = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(1_700_000_000_000_000_000 + times[0]),
        "endTimeUnixNano": str(1_700_000_000_000_000_000 + times[1]),
        "attributes": [{"key": key.replace("__", "."), "value": value(each)} for key, each in attributes.items()],
    }
    return {**made, "parentSpanId": f"{parent:016x}"} if parent else made


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    """Write a request that exports spans."""
    resource = {"attributes": [{"key": "service.name", "value": value("weather desk")}]}
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "made"}, "spans": list(spans)}]}]
    }


def weather(*, as_text: bool) -> list[dict[str, Any]]:
    """Write one agent's trace: two questions to a model, one call of a tool; messages as text of JSON or as lists."""

    def written(*messages: dict[str, Any]) -> Any:
        return json.dumps(messages) if as_text else [dict(each) for each in messages]

    again = {key: CALL[key] for key in ("role", "parts")}
    return [
        span(2, 1, "chat m", (20, 30), gen_ai__operation__name="chat", gen_ai__request__model="m",
             gen_ai__request__temperature=0.25, gen_ai__usage__input_tokens=2**60,
             gen_ai__input__messages=written(QUESTION), gen_ai__output__messages=written(CALL)),
        span(3, 1, "execute_tool weather", (31, 32), gen_ai__operation__name="execute_tool",
             gen_ai__tool__name="weather", gen_ai__tool__call__id="c1",
             gen_ai__tool__call__arguments='{"town": "Ulm", "days": 2}', gen_ai__tool__call__result="rain, 12.5 °C"),
        span(4, 1, "chat m", (33, 40), gen_ai__operation__name="chat", gen_ai__request__model="m",
             gen_ai__input__messages=written(QUESTION, again, SHOWN), gen_ai__output__messages=written(ANSWER)),
        span(1, 0, "invoke_agent desk", (10, 50), gen_ai__operation__name="invoke_agent",
             gen_ai__output__messages=written(ANSWER)),
    ]  # fmt: skip


def wire(made: dict[str, Any]) -> bytes:
    """Write a request in protobuf."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    copy = json.loads(json.dumps(made))
    for each in copy["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in each:
                each[key] = base64.b64encode(bytes.fromhex(each[key])).decode()
    content: bytes = ParseDict(copy, ExportTraceServiceRequest()).SerializeToString()
    return content


def varint(number: int) -> bytes:
    """Write a varint."""
    made = b""
    while number > 0x7F:
        made, number = made + bytes([number & 0x7F | 0x80]), number >> 7
    return made + bytes([number])


def flat_spans() -> list[dict[str, Any]]:
    """Write OpenInference spans as an exporter dumps them: flat keys, one object each."""
    messages, calls = "llm.input_messages", "llm.output_messages.0.message"
    model = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "input.value": "the same once more",
        f"{messages}.0.message.role": "system",
        f"{messages}.0.message.content": "Be brief.",
        f"{messages}.1.message.role": "user",
        f"{messages}.1.message.contents.0.message_content.type": "text",
        f"{messages}.1.message.contents.0.message_content.text": "Weather?",
        f"{messages}.10.message.role": "user",
        f"{messages}.10.message.content": "Quick!",
        f"{calls}.role": "assistant",
        f"{calls}.tool_calls.0.tool_call.id": "c1",
        f"{calls}.tool_calls.0.tool_call.function.name": "weather",
        f"{calls}.tool_calls.0.tool_call.function.arguments": '{"town": "Ulm"}',
    }
    tool = {"openinference.span.kind": "TOOL", "tool.name": "weather", "tool_call.id": "c1",
            "input.value": '{"town": "Ulm"}', "output.value": "rain"}  # fmt: skip
    return [
        {"name": "ask", "context": {"trace_id": "0x0a", "span_id": "0x01"}, "parent_id": None,
         "start_time": "2025-01-01T00:00:00.000001Z", "end_time": "2025-01-01T00:00:01Z", "attributes": model},
        {"name": "weather", "context": {"trace_id": "0x0a", "span_id": "0x02"}, "parent_id": "0x01",
         "start_time": "2025-01-01T00:00:02Z", "end_time": "2025-01-01T00:00:03Z", "attributes": tool,
         "status": {"status_code": "ERROR", "description": "too late"}},
    ]  # fmt: skip


def attempt(seq: int, score: Any, status: int = 2, outputs: int = 1) -> dict[str, Any]:
    """Write one garak attempt."""
    results = {"made.Detector": [score] * outputs} if status == 2 else {}
    return {
        "entry_type": "attempt", "uuid": f"u{seq}", "seq": seq, "status": status, "probe_classname": "made.Probe",
        "prompt": {"turns": [{"role": "user", "content": {"text": f"prompt {seq}"}}]},
        "outputs": [{"text": f"answer {seq}.{index}"} for index in range(outputs)],
        "detector_results": results, "goal": "see", "notes": {},
    }  # fmt: skip


def garak_report(scores: list[Any]) -> list[dict[str, Any]]:
    """Write a garak report with a true eval line."""
    valued = [score for score in scores if score is not None]
    fails = sum(score >= 0.5 for score in valued)
    return [
        {"entry_type": "start_run setup", "plugins.target_name": "m", "run.eval_threshold": 0.5},
        {"entry_type": "init", "garak_version": "0.14", "start_time": "2025-01-01T00:00:00"},
        *(attempt(seq, None, status=1) for seq in range(len(scores))),
        *(attempt(seq, score) for seq, score in enumerate(scores)),
        {"entry_type": "eval", "probe": "made.Probe", "detector": "made.Detector", "passed": len(valued) - fails,
         "fails": fails, "nones": len(scores) - len(valued), "total_evaluated": len(valued),
         "total_processed": len(scores)},
        {"entry_type": "completion", "end_time": "2025-01-01T00:01:00"},
    ]  # fmt: skip


def promptfoo_summary() -> dict[str, Any]:
    """Write promptfoo results: one passed, one failed, one ended in an error."""
    good = {"pass": True, "score": 1, "reason": "as hoped", "assertion": {"type": "equals", "value": "Paris"}}
    bad = {"pass": False, "score": 0.25, "reason": "too rude", "assertion": {"type": "llm-rubric", "value": "polite"}}
    rows = [
        {"id": "r0", "success": True, "score": 1, "response": {"output": "Paris"}, "failureReason": 0,
         "gradingResult": {"pass": True, "score": 1, "reason": "all", "componentResults": [good]}},
        {"id": "r1", "success": False, "score": 0.6, "response": {"output": "Go away."}, "failureReason": 1,
         "gradingResult": {"pass": False, "score": 0.6, "reason": "some", "componentResults": [good, bad]}},
        {"id": "r2", "success": False, "score": 0, "error": "429 from the provider", "failureReason": 2,
         "gradingResult": None},
    ]  # fmt: skip
    chat = json.dumps([{"role": "system", "content": "Be short."}, {"role": "user", "content": "Capital of France?"}])
    shared = {"prompt": {"raw": chat, "label": "chat"}, "vars": {"topic": "towns"}, "provider": {"id": "made:m"},
              "testCase": {"description": "capitals"}, "promptIdx": 0, "testIdx": 0}  # fmt: skip
    stats = {"successes": 1, "failures": 1, "errors": 1}
    results = {"version": 3, "timestamp": "2025-01-01T00:00:00Z", "results": [{**shared, **row} for row in rows]}
    return {"evalId": "eval-1", "results": {**results, "stats": stats}, "config": {"description": "made up"}}
