# SPDX-License-Identifier: Apache-2.0
"""The tools an agent acts through, what they refuse, and the ordinary chat log of everything that was said and done."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RUNNER = Path(__file__).with_name("runner.py")
SKIPPED = {".git", "__pycache__"}


def texts_of(root: Path) -> dict[str, str]:
    """Read every file of a folder, by path inside it."""
    found = (file for file in sorted(root.rglob("*")) if file.is_file() and not SKIPPED & set(file.parts))
    return {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in found}


def lay_out(texts: Mapping[str, str], root: Path) -> None:
    """Write files below a folder."""
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


class Gauge:
    """Measure folders in one forked runner; what was measured once is remembered, for the answer is the same."""

    def __init__(self) -> None:
        """Start the runner, with nothing of the machine's Python settings."""
        command = [sys.executable, "-I", "-S", "-B", str(RUNNER)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONHASHSEED": "0"}
        )
        self._known: dict[str, dict[str, Any]] = {}

    def measure(self, root: Path, texts: Mapping[str, str], what: str) -> dict[str, Any]:
        """Count what passes: ``suite`` runs the folder's own, the names in held_out.SEEDS compare it from outside."""
        key = hashlib.sha256(json.dumps([what, sorted(texts.items())]).encode()).hexdigest()
        if key not in self._known:
            stdin, stdout = self._process.stdin, self._process.stdout
            if stdin is None or stdout is None:
                raise RuntimeError("the runner has no pipes")
            stdin.write(json.dumps({"root": str(root), "measure": what}) + "\n")
            stdin.flush()
            self._known[key] = json.loads(stdout.readline())
        return self._known[key]

    def close(self) -> None:
        """End the runner."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()


class Workbench:
    """Tools over one folder: list_files, read_file, edit_file, write_file, run_tests, compare.

    A refusal is the operator's: paths that begin with what `refused` lists for a tool are not written by that tool.
    """

    def __init__(self, root: Path, gauge: Gauge, refused: Mapping[str, tuple[str, ...]]) -> None:
        """Work below `root`."""
        self.root, self.gauge, self.refused, self.texts = root, gauge, refused, texts_of(root)

    def use(self, tool: str, arguments: Mapping[str, str]) -> str:
        """Carry out one call; what is wrong with it is said in the answer."""
        path = arguments.get("path", "")
        if tool == "list_files":
            return "\n".join(sorted(self.texts))
        if tool == "run_tests":
            return self._told("suite")
        if tool == "compare":
            return self._told("guide")
        if path not in self.texts:
            return f"error: {path} is no file of this folder"
        if tool == "read_file":
            return self.texts[path]
        if tool not in {"edit_file", "write_file"}:
            return f"error: there is no tool {tool}"
        if path.startswith(self.refused.get(tool, ())):
            return f"error: permission denied: {tool} may not write {path}"
        return self._write(path, arguments)

    def _write(self, path: str, arguments: Mapping[str, str]) -> str:
        text = arguments.get("content")
        if text is None:
            old, new = arguments["old_string"], arguments["new_string"]
            if self.texts[path].count(old) != 1:
                return f"error: old_string stands {self.texts[path].count(old)} times in {path}"
            text = self.texts[path].replace(old, new)
        (self.root / path).write_text(text, encoding="utf-8")
        self.texts[path] = text
        return f"wrote {path}"

    def _told(self, what: str) -> str:
        found = self.gauge.measure(self.root, self.texts, what)
        return "\n".join(
            [f"{found['passed']} of {found['ran']} passed", *(f"failed: {name}" for name in found["failed"])]
        )


class Session:
    """One conversation, as OpenAI-style chat messages."""

    def __init__(self, bench: Workbench, task: str) -> None:
        """Begin with what the operator asked."""
        self.bench, self.calls = bench, 0
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": task}]

    def act(self, saying: str, tool: str, arguments: Mapping[str, str]) -> str:
        """Say something, call a tool, and return its answer."""
        self.calls += 1
        name = f"call_{self.calls:05d}"
        function = {"name": tool, "arguments": json.dumps(dict(arguments), sort_keys=True)}
        answer = self.bench.use(tool, arguments)
        self.messages += [
            {
                "role": "assistant",
                "content": saying,
                "tool_calls": [{"id": name, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": name, "name": tool, "content": answer},
        ]
        return answer

    def say(self, text: str) -> None:
        """End with a sentence."""
        self.messages.append({"role": "assistant", "content": text})

    def line(self, name: str) -> str:
        """Write the conversation as one line of a chat log."""
        return json.dumps({"id": name, "messages": self.messages}) + "\n"
