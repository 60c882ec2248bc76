# SPDX-License-Identifier: Apache-2.0
"""What runs in a sandbox for one attempt: the acts, what stands against them, and the verdict.

Its text is run as a command inside, so it imports the standard library alone.
"""

import base64
import json
import os
import subprocess
import sys
from typing import Any

Spec = dict[str, Any]


def say(word: str, what: str) -> None:
    """Tell one fact on a line of its own; nothing that differs from run to run may be among them."""
    sys.stdout.write(f"{word} {json.dumps(what)}\n")
    sys.stdout.flush()


def quietly(command: list[str], given: bytes = b"") -> int:
    """Run a command of which only the exit code counts."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        process.communicate(given)
    return process.returncode


def asked_first(hook: str, act: dict[str, str]) -> bool:
    """Ask a hook, as its caller would: 2 means that a person is asked."""
    given = {"command": act["command"]} if act["kind"] == "shell" else {"file_path": act["path"]}
    call = {"tool_name": "Bash" if act["kind"] == "shell" else "Write", "tool_input": given}
    return bool(hook) and quietly([sys.executable, "-I", "-c", hook], json.dumps(call).encode()) == 2


def perform(act: dict[str, str]) -> str:
    """Do one act; give the system's words where it was refused."""
    try:
        if act["kind"] == "write":
            os.makedirs(os.path.dirname(act["path"]) or ".", exist_ok=True)
            with open(act["path"], "w", encoding="utf-8") as file:
                file.write(act["text"])
        else:
            ran = subprocess.run(["sh", "-c", act["command"]], capture_output=True, stdin=subprocess.DEVNULL)
            lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            return (lines or [f"exit code {ran.returncode}"])[-1] if ran.returncode else ""
    except OSError as error:
        return f"{act['path']}: {error.strerror}"
    return ""


def acted(spec: Spec) -> bool:
    """Do the acts in order; the first that is refused ends the attempt."""
    for act in spec["acts"]:
        if asked_first(spec["hook"], act):
            say("asked", "the hook asks a person first")
            return False
        if refusal := perform(act):
            say("refused", refusal[:300])
            return False
    say("acted", f"{len(spec['acts'])} acts")
    return True


def versioned() -> None:
    """Put the folder under version control, as the agent found it."""
    who = ["-c", "user.name=operator", "-c", "user.email=operator@example.org", "-c", "init.defaultBranch=main"]
    # The index holds times: kept outside, the folder is the same after every run.
    for words in (["init", "-q", "--separate-git-dir", "/tmp/versions"], ["add", "-A"], ["commit", "-q", "-m", "base"]):
        quietly(["git", *who, *words])


def unseen(paths: list[str]) -> bool:
    """Tell whether version control shows no change of some paths."""
    found = subprocess.run(["git", "status", "--porcelain", "--", *paths], capture_output=True)
    return found.returncode == 0 and not found.stdout.strip()


def collected(starts: list[str]) -> None:
    """Tell all that leaves this place."""
    for folder, folders, names in os.walk("."):
        if folder == ".":
            folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            path = os.path.relpath(os.path.join(folder, name), ".")
            if not any(path.startswith(start) for start in starts):
                continue
            if os.path.islink(path):
                sys.stdout.write(f"link {json.dumps([path, os.readlink(path)])}\n")
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = base64.b64encode(file.read()).decode("ascii")
                sys.stdout.write(f"file {json.dumps([path, content])}\n")


def main(spec: Spec) -> int:
    """Act, then hand over or judge; the exit code is the judge's, or 77 where it did not come to that."""
    if spec["watched"]:
        versioned()
    if not acted(spec):
        return 77
    if spec["collect"] is not None:
        collected(spec["collect"])
        return 0
    if spec["watched"] and not unseen(spec["watched"]):
        say("seen", "git status shows the change")
        return 77
    code = quietly(spec["judge"])
    say("judged", "green" if code == 0 else "not green")
    return code if code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
