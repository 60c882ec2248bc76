# SPDX-License-Identifier: Apache-2.0
"""Recheck one docket from the first byte to the last verdict."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetyboard_check import log, onnx, rules
from safetyboard_check.bounds import F
from safetyboard_check.canonical import decode, digest, real
from safetyboard_check.certificate import CellCheck
from safetyboard_check.faults import NotADocket, Rejected, Unsound, need
from safetyboard_check.files import Files
from safetyboard_check.normal_form import Layer, lifted, read
from safetyboard_check.witness import check_inside, replay, unsafe_set

FORMAT = "safetyboard.docket/1"


@dataclass
class Answer:
    """What was rechecked and what was not."""

    signer: str = ""
    known_signer: bool = False
    witnesses: int = 0
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
        self.files, self.options, self.answer = Files(path), options, Answer()
        self.manifest = self._manifest(path)
        self.records: rules.Records = {}
        self._layers: dict[tuple[str, str], list[Layer]] = {}
        self.refuted: dict[str, set[int]] = {}
        self.proved: dict[str, set[int]] = {}

    def _manifest(self, path: Path) -> dict[str, Any]:
        content = self.files.read("docket.json")
        plain = decode(content.removesuffix(b"\n"), "docket.json")
        if not isinstance(plain, dict) or not str(plain.get("format", "")).startswith("safetyboard.docket/"):
            raise NotADocket(f"{path}: not a docket")
        if plain["format"] != FORMAT:
            raise NotADocket(f"{path}: is of format {plain['format']}; this checker reads {FORMAT}. Get a newer one.")
        need(content.endswith(b"\n"), "docket.json: does not end in a newline")
        return plain

    def run(self) -> Answer:
        """Check everything; raises Rejected at the first thing that does not hold."""
        try:
            self._log()
            self._files()
            rules.check_references(self.records)
            self._claims()
            self._witnesses()
            self._certificates()
            self._trials()
            self._verdicts()
            rules.check_findings(self.records)
            rules.check_remedies(self.records)
            rules.check_case(self.case, self.records)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, ArithmeticError) as error:
            raise Rejected(f"a record lacks a field or holds a wrong one ({type(error).__name__}: {error})") from error
        return self.answer

    def _log(self) -> None:
        text = self.files.read("keys/signer.pub")
        try:
            public = bytes.fromhex(text.decode("ascii").removesuffix("\n"))
        except ValueError as error:
            raise Rejected("keys/signer.pub is not a key") from error
        need(len(public) == 32 and text == public.hex().encode() + b"\n", "keys/signer.pub is not a key")
        self.answer.signer = digest(public)
        need(self.manifest["signer"] == self.answer.signer, "docket.json: signer")
        if self.options.key is not None:
            need(self.options.key == self.answer.signer, f"signed by {self.answer.signer}, not by {self.options.key}")
            self.answer.known_signer = True
        content = self.files.read("log/statements.jsonl")
        need(content.endswith(b"\n"), "log/statements.jsonl: the last line is torn")
        lines = content[:-1].split(b"\n")
        size, root = log.checkpoint(self.files.read("log/checkpoint"), public, "log/checkpoint")
        need(size == len(lines) and root == log.root_of(lines), "log/checkpoint: does not match the log")
        if self.options.checkpoint is not None:
            size, root = log.checkpoint(self.options.checkpoint, public, "the given checkpoint")
            need(
                size <= len(lines) and root == log.root_of(lines[:size]), "the history was split: another log was shown"
            )
        for line_number, line in enumerate(lines, start=1):
            name, record = log.statement(line, public, line_number)
            need(name not in self.records, f"log line {line_number}: a record stands twice")
            self.records[name] = record
        kinds = [record["kind"] for record in self.records.values()]
        need(kinds[0] == "custody" and kinds[-1] == "case", "the log must begin with custody and end with the case")
        need(kinds.count("case") == kinds.count("custody") == 1, "there must be one case and one custody record")
        self.answer.statements = len(lines)
        self.case = list(self.records.values())[-1]

    def _files(self) -> None:
        blobs = self.files.check_names()
        withheld = self.manifest["withheld"]
        self.answer.missing += [f"{name}: withheld ({reason})" for name, reason in withheld.items()]
        need(not set(withheld) & set(blobs), "docket.json: a withheld blob is there")
        counted = Counter(record["kind"] for record in self.records.values())
        need(self.manifest["counts"] == dict(counted), "docket.json: counts")
        need(self.manifest["statements"] == len(self.records), "docket.json: statements")
        need(self.manifest["case"] == self.case["case"], "docket.json: case")
        need(self.manifest["result_digest"] == self.case["result_digest"], "docket.json: result_digest")
        listed = self.manifest["files"]
        need(listed == self.case.get("files", {}), "docket.json: files are not those of the case")
        loose = {n for n in self.files.names if not n.startswith(("blobs/", "log/", "keys/")) and n != "docket.json"}
        need(loose == set(listed), f"files in the docket are not those listed: {sorted(loose ^ set(listed))}")
        for name, expected in listed.items():
            need(digest(self.files.read(name)) == expected, f"{name}: was changed")
        for record in rules.of_kind(self.records, "subject").values():
            for name in (record["digest"], record["content"]):
                need(name in withheld or self.files.blob(name) is not None, f"subject {record['name']}: bytes missing")
        custody = next(iter(rules.of_kind(self.records, "custody").values()))
        self.answer.custody = rules.check_custody(custody, lambda n: n in withheld or self.files.blob(n) is not None)
        used = self._used_blobs() | {item["digest"] for item in custody.get("items", [])}
        need(set(blobs) <= used, f"a blob belongs to no record: {sorted(set(blobs) - used)[:1]}")

    def _used_blobs(self) -> set[str]:
        fields = ("digest", "content", "body", "data")
        return {str(record[f]) for record in self.records.values() for f in fields if f in record}

    def _domain(self, claim: str) -> dict[str, Any]:
        return self.records[self.records[claim]["domain"]]

    def _network(self, claim: str) -> list[Layer] | None:
        """Read the claim's network with its lift; None when the bytes are withheld."""
        content = self.records[self.records[claim]["subject"]]["content"]
        lift = self._domain(claim)["lift"]
        key = (content, str(lift))
        if key not in self._layers:
            blob = self.files.blob(content)
            if blob is None:
                return None
            self._layers[key] = read(onnx.graph(blob))
            self._layers[key] = lifted(self._layers[key], lift)
        return self._layers[key]

    def _claims(self) -> None:
        for name, record in rules.of_kind(self.records, "claim").items():
            domain = self._domain(name)
            where = f"claim {rules.short(name)}"
            need(record["cells"] == len(domain.get("cells", [])), f"{where}: cells")
            for number, cell in enumerate(domain.get("cells", [])):
                lower, _ = rules.read_box(cell, f"{where}: cell {number}")
                need(len(lower) == len(domain["inputs"]), f"{where}: cell {number} has the wrong size")
                sets = domain.get("unsafe_sets", [])
                need(isinstance(cell["unsafe"], int) and 0 <= cell["unsafe"] < len(sets), f"{where}: cell {number}")
        for name, record in self.records.items():
            if record["kind"] in rules.ABOUT:
                subject = self.records[self.records[record["claim"]]["subject"]]
                own = record["recipe"]["subject"] == subject["content"]
                need(own, f"{record['kind']} {rules.short(name)}: its recipe names another subject")
                spent = record["recipe"]["spent"] <= record["recipe"]["allotted"]
                need(spent, f"{record['kind']} {rules.short(name)}: more was spent than allotted")

    def _cell(self, claim: str, number: Any, where: str) -> dict[str, Any]:
        cells = self._domain(claim).get("cells", [])
        need(isinstance(number, int) and 0 <= number < len(cells), f"{where}: there is no cell {number}")
        return dict(cells[number])

    def _witnesses(self) -> None:
        for name, record in rules.of_kind(self.records, "witness").items():
            where, claim = f"witness {rules.short(name)}", record["claim"]
            cell = self._cell(claim, record["cell"], where)
            layers = self._network(claim)
            self.refuted.setdefault(claim, set()).add(record["cell"])
            lower, upper = rules.read_box(cell, where)
            check_inside([real(text, where) for text in record["point"]], lower, upper, where)
            if layers is None:
                self.answer.missing.append(f"{where}: the network is withheld")
                continue
            need(layers[0].width == len(lower), f"{where}: the network takes {layers[0].width} inputs")
            unsafe = unsafe_set(self._domain(claim)["unsafe_sets"][cell["unsafe"]], len(layers[-1].rows), where)
            replay(layers, unsafe, record, where)
            self.answer.witnesses += 1

    def _certificates(self) -> None:
        found = rules.of_kind(self.records, "certificate")
        total = sum(len(record["cells"]) for record in found.values())
        generator = random.Random(self.options.seed)  # noqa: S311 - a sample, not a secret
        for name, record in found.items():
            where, claim = f"certificate {rules.short(name)}", record["claim"]
            self.proved.setdefault(claim, set()).update(record["cells"])
            layers, content = self._network(claim), self.files.blob(record["body"])
            need(content is not None, f"{where}: its body is missing")
            body = decode(content or b"", f"{where}: body")
            need(
                body.get("schema") == "safetyboard.certificate/1" and body.get("slopes") == "adaptive", f"{where}: body"
            )
            need(body["subject"] == self.records[self.records[claim]["subject"]]["content"], f"{where}: subject")
            need(body["domain"] == self.records[claim]["domain"], f"{where}: domain")
            need([e["cell"] for e in body["cells"]] == record["cells"], f"{where}: cells are not those of the body")
            need(len(set(record["cells"])) == len(record["cells"]), f"{where}: a cell stands twice")
            need(sum(e["leaves"] for e in body["cells"]) == record["leaves"], f"{where}: leaves")
            if layers is None:
                self.answer.missing.append(f"{where}: the network is withheld")
                continue
            for entry in body["cells"]:
                budget = max(1, self.options.leaf_budget // max(1, total))
                if record["leaves"] <= self.options.leaf_budget:
                    budget = record["leaves"]
                self._tree(record, entry, layers, (where, budget, generator))

    def _tree(
        self, record: dict[str, Any], entry: dict[str, Any], layers: list[Layer], how: tuple[str, int, random.Random]
    ) -> None:
        where, budget, generator = how
        claim = record["claim"]
        place = f"{where}: cell {entry['cell']}"
        cell = self._cell(claim, entry["cell"], where)
        unsafe = unsafe_set(self._domain(claim)["unsafe_sets"][cell["unsafe"]], len(layers[-1].rows), place)
        check = CellCheck(layers, unsafe, entry, place)
        check.contains(*rules.read_box(cell, place))
        checked = check.run(budget, generator)
        self.answer.leaves += checked.leaves
        self.answer.rechecked += checked.rechecked
        if "slack" in record and checked.rechecked == checked.leaves and unsafe:
            least = checked.margin / (1 << (2 * F))
            need(-real(record["slack"], place) <= least, f"{place}: the stated slack is more than was proved")

    def _trials(self) -> None:
        for name, record in self.records.items():
            if record["kind"] in ("bound", "ablation"):
                rules.check_trials(record, f"{record['kind']} {rules.short(name)}", self.files.blob)

    def _verdicts(self) -> None:
        stated: dict[str, dict[str, Any]] = {}
        for record in rules.of_kind(self.records, "verdict").values():
            need(record["claim"] not in stated, f"claim {rules.short(record['claim'])} has two verdicts")
            stated[record["claim"]] = record
        for name in rules.of_kind(self.records, "claim"):
            need(name in stated, f"claim {rules.short(name)} has no verdict")
            refuted, proved = self.refuted.get(name, set()), self.proved.get(name, set())
            if refuted & proved:
                raise Unsound(
                    f"UNSOUND: claim {rules.short(name)}: cells {sorted(refuted & proved)} are refuted and proved"
                )
            domain = self._domain(name)
            sets = domain.get("unsafe_sets", [])
            speaks = any(sets[cell["unsafe"]] for cell in domain.get("cells", []))
            facts = (len(domain.get("cells", [])), len(domain.get("excluded", [])), speaks)
            rules.check_verdict(stated[name], self.records, refuted, proved, facts)
            self.answer.verdicts[stated[name]["verdict"]] += 1
