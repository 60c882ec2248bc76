# SPDX-License-Identifier: Apache-2.0
"""A program that reads hostile files within four gigabytes and prints what was not refused in time."""

import gzip
import resource
import time

from onnx import TensorProto, helper

from safetyboard.readers import vnnlib, vnnlib_words
from safetyboard.readers.compressed import inflated
from safetyboard.readers.data_table import read_table
from safetyboard.readers.onnx_file import read_network
from safetyboard.readers.vnnlib import read_vnnlib
from safetyboard.terms.errors import SafetyboardError

# Ten times smaller than they are, so that the test is quick; cost grows with them in proportion.
vnnlib.MOST_CONDITIONS, vnnlib_words.MOST_WORDS = 100_000, 400_000


def chain(shape: list[int], *operators: str) -> bytes:
    nodes = [helper.make_node(o, [f"t{i}"], [f"t{i + 1}"]) for i, o in enumerate(operators)]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("t0", f"t{len(nodes)}")]
    return helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:])).SerializeToString()


HEAD = b"(declare-const X_0 Real)(declare-const Y_0 Real)"


def property_of(text: bytes) -> None:
    read_vnnlib(text, "p.vnnlib", inputs=1, outputs=1)


CASES = {
    "wide layers": lambda: read_network(chain([1, 4096], *["Relu"] * 40), "n.onnx"),
    "one layer too wide": lambda: read_network(chain([1, 5000], "Relu"), "n.onnx"),
    "an input without end": lambda: read_network(chain([1, 1 << 40, 1 << 20], "Relu"), "n.onnx"),
    "no layer, wide": lambda: read_network(chain([1, 1 << 20], "Identity"), "n.onnx"),
    "too many nodes": lambda: read_network(chain([1, 2], *["Relu"] * 10_001), "n.onnx"),
    "a zip bomb": lambda: inflated(gzip.compress(bytes(64 << 20), 9), "b.gz", limit=1 << 30),
    "a bomb of bombs": lambda: inflated(gzip.compress(bytes(16 << 20), 9) * 40, "b.gz", limit=256 << 20),
    "countless members": lambda: inflated(gzip.compress(b"") * 200_000, "b.gz"),
    "a million conditions": lambda: property_of(HEAD + b"(assert (and" + b"(= X_0 1)" * 50_001 + b"))"),
    "disjuncts times conditions": lambda: property_of(
        HEAD + b"(assert (or" + (b"(and" + b"(<= Y_0 1)" * 50 + b")") * 2100 + b"))"
    ),
    "brackets": lambda: property_of(b"(" * 10_000_000),
    "words": lambda: property_of(b"(assert " + b"a " * 400_001),
    "exponents": lambda: read_table(b"a\n1e-999999999999\n", "d.csv", label=None, row=None),
}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    for name, case in CASES.items():
        begun = time.process_time()
        try:
            case()
            print(name, "was read")
        except SafetyboardError:
            pass
        except BaseException as error:
            print(name, repr(error)[:200])
        if time.process_time() - begun > 20:
            print(name, "took", time.process_time() - begun)


if __name__ == "__main__":
    main()
