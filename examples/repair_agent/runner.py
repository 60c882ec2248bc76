# SPDX-License-Identifier: Apache-2.0
"""Answer requests on standard input: run a folder's suite, or compare it with what it should do, in a forked child.

The child may use a third of a second of processor time and 512 MiB, and can write no file; a program that never ends
is a program that passes nothing. Start it as ``python -I -S -B runner.py``, so that nothing outside the folder speaks.
"""

import difflib  # noqa: F401 - loaded before the fork, not in every child
import gc
import importlib
import json
import os
import pprint  # noqa: F401 - as above
import resource
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
held_out = importlib.import_module("held_out")
sys.path.pop(0)

SECONDS = 1 / 3


class Names(unittest.TestResult):
    """Keep who failed; writing every traceback would cost more than the run."""

    def __init__(self):
        super().__init__()
        self.failed = set()

    def addFailure(self, test, err):  # noqa: N802 - the library's name
        """Note an assertion that did not hold."""
        self.failed.add(test.id())

    def addError(self, test, err):  # noqa: N802 - the library's name
        """Note whatever else was raised."""
        self.failed.add(test.id())


def suite(root):
    """Run the folder's suite as ``python -m unittest`` would; what cannot be loaded is one failure."""
    result = Names()
    unittest.TestLoader().discover(root, top_level_dir=root).run(result)
    return {"passed": result.testsRun - len(result.failed), "ran": result.testsRun, "failed": sorted(result.failed)}


def answer(request):
    """Measure what the request asks for."""
    root = request["root"]
    os.chdir(root)
    sys.path.insert(0, root)
    if request["measure"] == "suite":
        return suite(root)
    right, calls = held_out.agreement(request["measure"])
    return {"passed": right, "ran": calls, "failed": []}


def in_child(request, out):
    """Set the limits, answer, and leave without any clean-up that the program might have changed."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    try:
        os.write(out, json.dumps(answer(request)).encode())
    finally:
        os._exit(0)


def measured(request):
    """Fork, wait, and read the answer; a child that was stopped has passed nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        in_child(request, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said.decode() or json.dumps({"passed": 0, "ran": 0, "failed": ["the run was stopped"]})


if __name__ == "__main__":
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(measured(json.loads(line)) + "\n")
        sys.stdout.flush()
