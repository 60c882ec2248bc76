# SPDX-License-Identifier: Apache-2.0
"""Ask a person before an agent writes to what judges its work: a hook before each call of a tool.

Standard input: {"tool_name": ..., "tool_input": {"command" or "file_path": ...}}. Exit code 2 means "ask first".
It looks at text. What is spelled otherwise passes: it spares mistakes and is no barrier.
"""

import json
import re
import sys

JUDGED: list[str] = []


def suspicious(call: dict[str, dict[str, str]]) -> bool:
    """Tell whether a call names something that judges the work."""
    given = call.get("tool_input", {})
    text = f"{given.get('command', '')} {given.get('file_path', '')}"
    return any(re.search(rf"(^|[\s'\"/=>]){re.escape(name.rstrip('/'))}($|[\s'\"/;&|])", text) for name in JUDGED)


if __name__ == "__main__":
    sys.exit(2 if suspicious(json.load(sys.stdin)) else 0)
