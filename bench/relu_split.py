# SPDX-License-Identifier: Apache-2.0
"""ReLU splitting: nodes and CPU seconds a cell, on trained networks and on the competition's.

python bench/relu_split.py [--part trained|tumour|mnist_fc|rl_benchmarks]     one process, one thread; the last two need
SAFETYBOARD_DATA, the first scikit-learn; a cell ends undecided after --seconds
"""

import argparse
import csv
import gzip
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from safetyboard.readers.instances import read_instances
from safetyboard.readers.onnx_file import read_network
from safetyboard.readers.vnnlib import read_vnnlib
from safetyboard.surfaces.model.prove.certificate import certificate_body
from safetyboard.surfaces.model.prove.relu_split import ReluSplit
from safetyboard.surfaces.model.setting import NetworkSetting, load_settings
from safetyboard.terms.budget import Budget
from safetyboard.terms.claim import Claim
from safetyboard.terms.domain import Cell, Domain, Row, Variable
from safetyboard.terms.numbers import rational_text
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

HERE = Path(__file__).parent
NODES = 10**7
KINDS = {CellProof: "proved", Witness: "refuted"}
SHARES = ("1/200", "1/100", "1/50", "1/20", "1/10")


class Watch:
    """Stop after some CPU seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds

    def advance(self, units: int) -> None:
        pass

    def stopped(self) -> bool:
        return time.process_time() > self.end


def decide(setting: NetworkSetting, seconds: float) -> dict[str, object]:
    """Prove one cell, attack left out: what the splitting alone does."""
    start = time.process_time()
    found = ReluSplit().prove(setting, budget=Budget(units=NODES), seed=0, progress=Watch(seconds))
    spent = time.process_time() - start
    row = {"verdict": KINDS.get(type(found), "undecided"), "cpu_seconds": round(spent, 4)}
    if isinstance(found, CellProof):
        body = certificate_body(setting.network.content, "sha256:" + "0" * 64, [found])
        return row | {"nodes": found.nodes, "slack": found.slack, "certificate_bytes": len(body)}
    row["nodes"] = found.recipe.spent
    if row["verdict"] == "undecided":
        row |= {"obstruction": found.obstruction, **found.detail}
    return row


def cells_around(content: bytes, name: str, boxes: list[tuple[list, list, int]], unsafe: list) -> tuple:
    """Ask one question a box; `unsafe[i]` is the unsafe set number i."""
    network, _ = read_network(content, name)
    domain = Domain(
        inputs=tuple(Variable(name=f"x{i}") for i in range(network.inputs)),
        outputs=tuple(Variable(name=f"y{i}") for i in range(network.outputs)),
        cells=tuple(
            Cell(
                label=str(i),
                lower=tuple(map(rational_text, low)),
                upper=tuple(map(rational_text, high)),
                unsafe=which,
            )
            for i, (low, high, which) in enumerate(boxes)
        ),
        unsafe_sets=tuple(unsafe),
        lift={"kind": "identity"},
    )
    claim = Claim(surface="model", subject=name, property=name, statement="", overseer="", domain="", cells=len(boxes))
    return load_settings(claim, domain, network, content)


def tumour() -> Iterator[tuple[str, NetworkSetting, str]]:
    """Every malignant held-out row of the example, at each share of its measurements."""
    folder = HERE.parent / "examples" / "tumour"
    with (folder / "held_out.csv").open(newline="", encoding="utf-8") as file:
        rows = [[Fraction(v) for v in row[1:-1]] for row in csv.reader(file) if row[-1] == "malignant"]
    benign = ((Row(coefficients=((0, "-1"),)),),)
    for share in SHARES:
        part = Fraction(share)
        boxes = [([v - abs(v) * part for v in row], [v + abs(v) * part for v in row], 0) for row in rows]
        for setting in cells_around((folder / "tumour.onnx").read_bytes(), "tumour", boxes, [benign]):
            yield f"30-16-16-1 share {share}", setting, ""


def trained() -> Iterator[tuple[str, NetworkSetting, str]]:
    """Forty held-out rows of two data sets inside scikit-learn, in boxes around them."""
    from sklearn.datasets import load_breast_cancer, load_digits
    from sklearn.neural_network import MLPClassifier

    for name, load, hidden in (
        ("wdbc", load_breast_cancer, (16, 16)),
        ("wdbc", load_breast_cancer, (32, 32)),
        ("digits", load_digits, (32, 32)),
    ):
        data = load()
        scale = 16.0 if name == "digits" else data.data.std(axis=0)
        rows = (data.data if name == "digits" else data.data - data.data.mean(axis=0)) / scale
        held = np.arange(data.target.size) % 4 == 0
        network = MLPClassifier(hidden, max_iter=400, random_state=0).fit(rows[~held], data.target[~held])
        weights = [w.T for w in network.coefs_], list(network.intercepts_)
        if weights[0][-1].shape[0] == 1:
            weights[0][-1] = np.vstack([-weights[0][-1], weights[0][-1]]) / 2
            weights[1][-1] = np.concatenate([-weights[1][-1], weights[1][-1]]) / 2
        classes = weights[0][-1].shape[0]
        unsafe = [
            tuple((Row(coefficients=((own, "1"), (other, "-1"))),) for other in range(classes) if other != own)
            for own in range(classes)
        ]
        for share in SHARES:
            # The range of a digit's pixel is 1, that of a standardised measurement about 4 deviations.
            radius = Fraction(share) * (1 if name == "digits" else 4)
            boxes = []
            for row, own in list(zip(rows[held], data.target[held], strict=True))[:40]:
                exact = [Fraction(float(np.float32(v))) for v in row]
                boxes.append(([v - radius for v in exact], [v + radius for v in exact], int(own)))
            sizes = "-".join(map(str, (rows.shape[1], *hidden, classes)))
            for setting in cells_around(written(*weights), name, boxes, unsafe):
                yield f"{name} {sizes} share {share}", setting, ""


def written(weights: list, biases: list) -> bytes:
    """Write a trained network as ONNX: Gemm and Relu in float32."""
    nodes, constants, name = [], [], "x"
    for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        constants += [numpy_helper.from_array(v.astype(np.float32), f"{n}{k}") for n, v in (("w", weight), ("b", bias))]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        name = f"z{k}"
        if k < len(weights) - 1:
            nodes.append(helper.make_node("Relu", [name], [f"a{k}"]))
            name = f"a{k}"
    ends = [
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, size])]
        for n, size in (("x", weights[0].shape[1]), (name, weights[-1].shape[0]))
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "trained", *ends, constants),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    return model.SerializeToString(deterministic=True)


def suite(name: str, step: int, most: int) -> Iterator[tuple[str, NetworkSetting, str]]:
    """Every `step`-th instance of a suite of the competition, with what its tools said."""
    root = Path(os.environ["SAFETYBOARD_DATA"]) / "networks"
    votes = official(root / "official_results", name)
    instances = read_instances((root / name / "instances.csv").read_bytes(), "instances.csv")
    for instance in list(instances)[: most * step : step]:
        content = gzip.decompress((root / name / f"{instance.network}.gz").read_bytes())
        network, _ = read_network(content, instance.network)
        text = gzip.decompress((root / name / f"{instance.property}.gz").read_bytes())
        domain = read_vnnlib(text, instance.property, inputs=network.inputs, outputs=network.outputs)
        claim = Claim(
            surface="model", subject="", property=instance.property, statement="", overseer="", domain="",
            cells=len(domain.cells),
        )  # fmt: skip
        key = tuple(part.rsplit("/", 1)[-1] for part in (instance.network, instance.property))
        said = votes.get(key, Counter())
        for setting in load_settings(claim, domain, network, content):
            yield f"{name} {key[0]}", setting, f"{key[1]} {dict(said)}"


def official(folder: Path, name: str) -> dict[tuple[str, ...], Counter[str]]:
    """Count what the competition's tools answered on each instance of a suite."""
    words = {"sat": "refuted", "violated": "refuted", "unsat": "proved", "holds": "proved"}
    votes: dict[tuple[str, ...], Counter[str]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if len(row) > 4 and name in row[0] and row[4].strip().lower() in words:
                    key = tuple(part.rsplit("/", 1)[-1] for part in row[1:3])
                    votes.setdefault(key, Counter())[words[row[4].strip().lower()]] += 1
    return votes


def measure(part: str, questions: Iterator[tuple[str, NetworkSetting, str]], seconds: float) -> list[dict[str, object]]:
    """Decide every question of a part; prints a line a group."""
    groups: dict[str, list[dict[str, object]]] = {}
    rows = []
    for group, setting, note in questions:
        row = {"part": part, "group": group, "cell": setting.cell, "note": note} | decide(setting, seconds)
        rows.append(row)
        groups.setdefault(group, []).append(row)
        if note:
            print(part, group, note, row["verdict"], row["nodes"], row["cpu_seconds"], flush=True)
    for group, members in groups.items():
        spent = [float(str(row["cpu_seconds"])) for row in members]
        nodes = [int(str(row["nodes"])) for row in members]
        counts = dict(Counter(row["verdict"] for row in members))
        print(f"{group:40} {counts} nodes {sum(nodes)} most {max(nodes)}  {sum(spent):.2f} s most {max(spent):.2f} s")
    return rows


def main() -> int:
    """Run the parts asked for and keep their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="", choices=["", "tumour", "trained", "mnist_fc", "rl_benchmarks"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--step", type=int, default=10, help="every n-th instance of rl_benchmarks")
    given = parser.parse_args()
    parts = {"tumour": tumour, "trained": trained}
    if "SAFETYBOARD_DATA" in os.environ:
        parts |= {
            "mnist_fc": lambda: suite("mnist_fc", 1, 30),
            "rl_benchmarks": lambda: suite("rl_benchmarks", given.step, 296),
        }
    else:
        print("NOT_RUN: mnist_fc and rl_benchmarks need SAFETYBOARD_DATA, the folder of test data")
    path = HERE / "results" / "relu_split.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    for part, questions in parts.items():
        if given.part in ("", part):
            kept = [row for row in kept if row["part"] != part] + measure(part, questions(), given.seconds)
    result = {
        "question": "ReLU splitting: verdicts, nodes and CPU seconds a cell",
        "command": "python bench/relu_split.py",
        "machine": {"python": platform.python_version(), "numpy": np.__version__},
        "threads": 1,
        "rows": kept,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
