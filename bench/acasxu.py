# SPDX-License-Identifier: Apache-2.0
"""All 186 ACAS Xu instances: verdicts against the official results, CPU seconds, boxes, certificates.

OPENBLAS_NUM_THREADS=1 python bench/acasxu.py [--only TEXT]     needs SAFETYBOARD_DATA; one process, one thread
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
from pathlib import Path

import numpy as np

from safetyboard.readers.instances import read_instances
from safetyboard.readers.onnx_file import read_network
from safetyboard.readers.vnnlib import read_vnnlib
from safetyboard.surfaces.model.catalog import instrument
from safetyboard.surfaces.model.prove.certificate import certificate_body
from safetyboard.surfaces.model.setting import NetworkSetting, load_settings
from safetyboard.terms.budget import Budget
from safetyboard.terms.claim import Claim
from safetyboard.terms.null import Null
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard.terms.witness import Witness

HERE = Path(__file__).parent
ATTACK, BOXES, SEED = 20_000, 4_000_000, 0


def official(folder: Path) -> dict[tuple[str, str], Counter[str]]:
    """Count what the competition's tools answered on each instance, 2021 to 2025."""
    words = {"sat": "sat", "violated": "sat", "unsat": "unsat", "holds": "unsat"}
    votes: dict[tuple[str, str], Counter[str]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if len(row) > 4 and "acasxu" in row[0] and row[4].strip().lower() in words:
                    key = (row[1].rsplit("/", 1)[-1], row[2].rsplit("/", 1)[-1])
                    votes.setdefault(key, Counter())[words[row[4].strip().lower()]] += 1
    return votes


def decide(settings: tuple[NetworkSetting, ...]) -> tuple[str, int, list[CellProof], str]:
    """Attack every cell briefly, then prove what stands."""
    proofs, boxes, why = [], 0, ""
    for setting in settings:
        found: object = None
        for name in ("projected-gradient", "sampling"):
            found = instrument("attack", name).attack(
                setting, budget=Budget(units=ATTACK), seed=SEED, progress=Silent()
            )
            if isinstance(found, Witness):
                return "sat", boxes, proofs, name
        found = instrument("prove", "input-split").prove(
            setting, budget=Budget(units=BOXES), seed=SEED, progress=Silent()
        )
        if isinstance(found, Witness):
            return "sat", boxes + found.recipe.spent, proofs, "input-split"
        if isinstance(found, Null):
            return "unknown", boxes + found.recipe.spent, proofs, found.obstruction
        boxes += found.spent
        proofs.append(found)
    return "unsat", boxes, proofs, why


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only instances whose names contain this text")
    given = parser.parse_args()
    if "SAFETYBOARD_DATA" not in os.environ:
        print("NOT_RUN: needs SAFETYBOARD_DATA, the folder of test data")
        return 3
    root = Path(os.environ["SAFETYBOARD_DATA"]) / "networks"
    votes = official(root / "official_results")
    begun = time.process_time()
    warm_up(root)
    compiled = time.process_time() - begun
    rows, total = [], 0.0
    for instance in read_instances((root / "acasxu" / "instances.csv").read_bytes(), "instances.csv"):
        names = (instance.network.rsplit("/", 1)[-1], instance.property.rsplit("/", 1)[-1])
        if given.only not in " ".join(names):
            continue
        start = time.process_time()
        settings, content = loaded(root / "acasxu", instance.network, instance.property)
        verdict, boxes, proofs, how = decide(settings)
        body = (
            certificate_body(settings[0].network.content, "sha256:" + "0" * 64, proofs) if verdict == "unsat" else b""
        )
        spent = time.process_time() - start
        total += spent
        consensus = votes.get(names, Counter())
        rows.append(
            {
                "network": names[0], "property": names[1], "verdict": verdict, "cpu_seconds": round(spent, 4),
                "boxes": boxes, "certificate_bytes": len(body), "leaves": sum(p.leaves for p in proofs), "how": how,
                "official": dict(consensus), "network_bytes": len(content),
            }
        )  # fmt: skip
        print(
            f"{names[0]:42} {names[1]:16} {verdict:8} {spent:8.3f} s {boxes:9} boxes  {dict(consensus)} {how}",
            flush=True,
        )
    result = {
        "question": "All ACAS Xu instances: verdicts, CPU seconds, agreement with the competition",
        "command": "python bench/acasxu.py",
        "machine": {"processor": processor(), "python": platform.python_version(), "numpy": np.__version__},
        "threads": 1,
        "compile_or_load_cpu_seconds": round(compiled, 2),
        "total_cpu_seconds": round(total, 2),
        "instances": len(rows),
        "verdicts": dict(Counter(row["verdict"] for row in rows)),
        "against_consensus": [
            f"{r['network']} {r['property']}" for r in rows
            if r["verdict"] != "unknown" and r["official"] and r["verdict"] != max(r["official"], key=r["official"].get)
        ],
        "undecided": [f"{r['network']} {r['property']}: {r['how']}" for r in rows if r["verdict"] == "unknown"],
        "rows": rows,
    }  # fmt: skip
    print({key: value for key, value in result.items() if key != "rows"})
    if not given.only:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "acasxu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if result["against_consensus"] else 0


def loaded(folder: Path, network_name: str, property_name: str) -> tuple[tuple[NetworkSetting, ...], bytes]:
    """Read one pair from its packed files."""
    content = gzip.decompress((folder / f"{network_name}.gz").read_bytes())
    network, _ = read_network(content, network_name)
    text = gzip.decompress((folder / f"{property_name}.gz").read_bytes())
    domain = read_vnnlib(text, property_name, inputs=network.inputs, outputs=network.outputs)
    claim = Claim(
        surface="model", subject=network.content, property=property_name, statement="", overseer="", domain="",
        cells=len(domain.cells),
    )  # fmt: skip
    return load_settings(claim, domain, network, content), content


def warm_up(root: Path) -> None:
    """Compile, or load what was compiled before, on an instance that is decided at once."""
    settings, _ = loaded(root / "acasxu", "onnx/ACASXU_run2a_1_1_batch_2000.onnx", "vnnlib/prop_3.vnnlib")
    decide(settings)


def processor() -> str:
    """Name the processor as the system does."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
