# SPDX-License-Identifier: Apache-2.0
"""Recheck one docket from the first byte to the last verdict."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from safetyboard_check import rules
from safetyboard_check.canonical import decode, number, real
from safetyboard_check.certificate import Cell, Tree
from safetyboard_check.claims import Claims
from safetyboard_check.docket import read_docket
from safetyboard_check.executions import LIFT, check_execution
from safetyboard_check.faults import Rejected, Unsound, need
from safetyboard_check.graph import check_graphs, check_recommendations
from safetyboard_check.input_tree import InputTree
from safetyboard_check.log import short
from safetyboard_check.quotations import check_recorded, find_again
from safetyboard_check.relu_tree import ReluTree
from safetyboard_check.singles import check_inside
from safetyboard_check.witness import replay

TREES: dict[str, Callable[[Cell], Tree]] = {"input-split": InputTree, "relu-split": ReluTree}
MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError, RecursionError)


@dataclass
class Answer:
    """What was rechecked and what was not."""

    signer: str = ""
    known_signer: bool = False
    witnesses: int = 0
    quotations: int = 0
    executions: int = 0
    leaves: int = 0
    rechecked: int = 0
    statements: int = 0
    custody: str = ""
    missing: list[str] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def code(self) -> int:
        """0: accepted, signer verified; 3: something from outside or some bytes are missing."""
        return 0 if self.known_signer and not self.missing else 3

    def first_line(self) -> str:
        """Count what was not rechecked."""
        left = self.leaves - self.rechecked
        parts = [f"accepted, {self.rechecked} of {self.leaves} leaves rechecked in rationals"]
        parts.append(f"{left} leaves sampled away" if left else "no leaf left out")
        if self.executions:
            parts.append(f"{self.executions} executions read and not run again")
        parts.append(f"{len(self.missing)} things not rechecked" if self.missing else "nothing withheld")
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to check: key (fingerprint), checkpoint bytes, leaves to recheck, seed for the sample."""

    key: str | None = None
    checkpoint: bytes | None = None
    leaf_budget: int = 200
    seed: int = 0


class Checker:
    """Hold one docket while it is checked."""

    def __init__(self, path: Path, options: Options) -> None:
        self.path, self.options, self.answer = path, options, Answer()
        self.refuted: dict[str, set[int]] = {}
        self.proved: dict[str, set[int]] = {}

    def run(self) -> Answer:
        """Check everything; raises Rejected at the first thing that does not hold."""
        try:
            self._run()
        except MALFORMED as error:
            raise Rejected(f"a record lacks a field or holds a wrong one ({type(error).__name__}: {error})") from error
        return self.answer

    def _run(self) -> None:
        docket = self.docket = read_docket(self.path, self.options.key, self.options.checkpoint)
        records = docket.records
        self.answer.signer, self.answer.known_signer = docket.signer, self.options.key is not None
        self.answer.statements = len(records)
        self.answer.missing += [f"{name}: withheld ({reason})" for name, reason in docket.withheld.items()]
        self.answer.custody = rules.check_custody(docket.custody, docket.has)
        rules.check_references(records)
        self.claims = Claims(docket)
        self.claims.check()
        self._witnesses()
        self._certificates()
        self.answer.missing += rules.check_all_trials(self.docket.records, self.docket.files.blob)
        self._quotations()
        self._executions()
        self._verdicts()
        rules.check_findings(records)
        rules.check_remedies(records)
        check_graphs(records)
        check_recommendations(records)
        rules.check_case(docket.case, records)

    def _witnesses(self) -> None:
        for name, record in self.docket.of_kind("witness").items():
            place, claim = f"witness {short(name)}", record["claim"]
            cell = self.claims.cell(claim, record["cell"], place)
            self.refuted.setdefault(claim, set()).add(record["cell"])
            lower, upper = rules.read_box(cell, place)
            check_inside([real(text, place) for text in record["point"]], lower, upper, place)
            layers = self.claims.network(claim)
            if layers is None:
                self.answer.missing.append(f"{place}: the network is withheld")
                continue
            need(layers[0].width == len(lower), f"{place}: the network takes {layers[0].width} inputs")
            replay(layers, self.claims.unsafe(claim, cell, layers, place), record, place)
            self.answer.witnesses += 1

    def _certificates(self) -> None:
        """Check the shape of every tree, then recheck as many leaves as the budget allows."""
        trees: list[Tree] = []
        for name, record in self.docket.of_kind("certificate").items():
            place, claim = f"certificate {short(name)}", record["claim"]
            self.proved.setdefault(claim, set()).update(record["cells"])
            body = self._body(record, place)
            if self.claims.network(claim) is None:
                self.answer.missing.append(f"{place}: the network is withheld")
                continue
            trees += [self._tree(record, entry, place) for entry in body["cells"]]
        self.answer.leaves = sum(tree.leaves for tree in trees)
        budget = min(self.options.leaf_budget, self.answer.leaves)
        generator = random.Random(self.options.seed)  # noqa: S311 - a sample, not a secret
        chosen = sorted(generator.sample(range(self.answer.leaves), budget))
        self.answer.rechecked = budget
        start = at = 0
        for tree in trees:
            stop = at
            while stop < budget and chosen[stop] < start + tree.leaves:
                stop += 1
            tree.check([leaf - start for leaf in chosen[at:stop]])
            start, at = start + tree.leaves, stop

    def _body(self, record: dict[str, Any], place: str) -> dict[str, Any]:
        content = self.docket.files.blob(record["body"])
        need(content is not None, f"{place}: its body is withheld, so it proves nothing")
        body = decode(content or b"", f"{place}: body")
        need(isinstance(body, dict) and isinstance(body.get("cells"), list), f"{place}: body has no cells")
        wanted = {
            "schema": "safetyboard.certificate/1",
            "slopes": "adaptive",
            "subject": self.claims.subject(record["claim"])["content"],
            "domain": self.docket.records[record["claim"]]["domain"],
        }
        for name, value in wanted.items():
            need(body.get(name) == value, f"{place}: body: {name} is {str(body.get(name))[:80]!r}, not {value!r}")
        cells = [entry["cell"] for entry in body["cells"]]
        need(cells == record.get("cells", []), f"{place}: cells are not those of the body")
        need(len(set(cells)) == len(cells), f"{place}: a cell stands twice")
        leaves = sum(entry["leaves"] for entry in body["cells"])
        need(leaves == record["leaves"], f"{place}: leaves is {record['leaves']}, the body has {leaves}")
        return dict(body)

    def _tree(self, record: dict[str, Any], entry: dict[str, Any], certificate: str) -> Tree:
        claim, place = record["claim"], f"{certificate}: cell {entry['cell']}"
        layers, cell = self.claims.network(claim) or [], self.claims.cell(claim, entry["cell"], certificate)
        slack = max(Fraction(0), -number(record["slack"], place)) if "slack" in record else Fraction(0)
        held = Cell(layers, self.claims.unsafe(claim, cell, layers, place), entry, place, slack)
        held.contains(*rules.read_box(cell, place))
        method = str(entry.get("method"))
        need(method in TREES, f"{place}: method is {method[:40]!r}, not one of {', '.join(TREES)}")
        return TREES[method](held)

    def _quotations(self) -> None:
        for name, record in self.docket.of_kind("observation").items():
            if "place" in record:
                where = f"observation {short(name)}"
                missing = find_again(self.docket, record, where)
                self.answer.missing += [f"{where}: {missing}"] if missing else []
                self.answer.quotations += not missing
            if record.get("shows") == "failure":
                claim = check_recorded(self.claims, record, f"observation {short(name)}")
                self.refuted.setdefault(claim, set()).add(record["cell"])

    def _executions(self) -> None:
        """Count a failure that was executed; what it says of itself must agree, running it again is for a sandbox."""
        for name, record in self.docket.of_kind("execution").items():
            where, claim = f"execution {short(name)}", record["claim"]
            need(self.claims.domain(claim)["lift"] == LIFT, f"{where}: its claim is not about executions")
            self.claims.cell(claim, record["cell"], where)
            self.answer.missing += check_execution(self.docket, record, where)
            self.answer.executions += 1
            if record["shows"] == "failure":
                self.refuted.setdefault(claim, set()).add(record["cell"])

    def _verdicts(self) -> None:
        stated: dict[str, dict[str, Any]] = {}
        for record in self.docket.of_kind("verdict").values():
            need(record["claim"] not in stated, f"claim {short(record['claim'])} has two verdicts")
            stated[record["claim"]] = record
        for name in self.docket.of_kind("claim"):
            need(name in stated, f"claim {short(name)} has no verdict")
            refuted, proved = self.refuted.get(name, set()), self.proved.get(name, set())
            if both := sorted(refuted & proved):
                raise Unsound(f"UNSOUND: claim {short(name)}: cells {both} are refuted and proved")
            domain = self.claims.domain(name)
            sets, cells = domain.get("unsafe_sets", []), domain.get("cells", [])
            speaks = any(sets[cell["unsafe"]] for cell in cells)
            facts = (len(cells), len(domain.get("excluded", [])), speaks)
            rules.check_verdict(stated[name], self.docket.records, refuted, proved, facts)
            self.answer.verdicts[stated[name]["verdict"]] += 1
