# SPDX-License-Identifier: Apache-2.0
"""A chat-completions server on loopback: it answers with what a test gives it, well or badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "small-model-1"
Model = Callable[[list[dict[str, str]]], str]


@dataclass
class Answer:
    """What the server does with one request: status, headers, body; or it stops half-way, drips, or says nothing."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    half: bool = False
    silent: float = 0.0
    drip: float = 0.0


def completion(text: Any, *, model: str = MODEL, finish: str = "stop", **more: Any) -> Answer:
    message = {"role": "assistant", "content": text, **more}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = {"id": "x", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
    return Answer(body=json.dumps(whole).encode())


@dataclass
class Served:
    """A running server: its base URL and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def serving(answer: Callable[[dict[str, Any], int], Answer]) -> Iterator[Served]:
    """Serve on a free port of this machine; `answer` gets the request and its number, from 0."""
    lock, busy, over = threading.Lock(), [0], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(served.asked)
                served.asked.append(request)
                served.headers.append({name.lower(): value for name, value in self.headers.items()})
                busy[0] += 1
                served.most_at_once = max(served.most_at_once, busy[0])
            try:
                self._give(answer(request, number))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with lock:
                    busy[0] -= 1

        def _give(self, given: Answer) -> None:
            if given.silent:
                over.wait(given.silent)
            head = [f"HTTP/1.1 {given.status} X", f"Content-Length: {len(given.body)}"]
            head += [f"{name}: {value}" for name, value in given.headers.items()]
            body = given.body[: len(given.body) // 2] if given.half else given.body
            self.wfile.write("\r\n".join([*head, "", ""]).encode() + (b"" if given.drip else body))
            for at in range(len(body) if given.drip else 0):
                self.wfile.write(body[at : at + 1])
                time.sleep(given.drip)
            self.close_connection = self.close_connection or given.half

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Served(url=f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving_model(model: Model) -> Iterator[Served]:
    """Serve a model: messages in, text out."""
    with serving(lambda request, _: completion(model(request["messages"]), model=request["model"])) as served:
        yield served
