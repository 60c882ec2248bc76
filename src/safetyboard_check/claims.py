# SPDX-License-Identifier: Apache-2.0
"""What each claim is about: its domain's cells, its network read from the ONNX bytes, its unsafe sets."""

from typing import Any

from safetyboard_check.docket import Docket
from safetyboard_check.faults import need
from safetyboard_check.files import decompressed
from safetyboard_check.layers import Layer, lifted
from safetyboard_check.log import short
from safetyboard_check.normal_form import read
from safetyboard_check.onnx import graph
from safetyboard_check.rules import ABOUT, read_box
from safetyboard_check.unsafe import Unsafe, read_unsafe


class Claims:
    """Answer questions about claims; a network is read once."""

    def __init__(self, docket: Docket) -> None:
        self.docket = docket
        self._networks: dict[tuple[str, str], list[Layer] | None] = {}

    def subject(self, claim: str) -> dict[str, Any]:
        """Give the subject record of a claim."""
        return self.docket.records[self.docket.records[claim]["subject"]]

    def domain(self, claim: str) -> dict[str, Any]:
        """Give the domain record of a claim."""
        return self.docket.records[self.docket.records[claim]["domain"]]

    def cell(self, claim: str, number: Any, place: str) -> dict[str, Any]:
        """Give one cell of a claim's domain."""
        cells = self.domain(claim).get("cells", [])
        need(isinstance(number, int) and 0 <= number < len(cells), f"{place}: there is no cell {number}")
        return dict(cells[number])

    def network(self, claim: str) -> list[Layer] | None:
        """Read the claim's network with its lift; None when its bytes are withheld."""
        content, lift = self.subject(claim)["content"], self.domain(claim)["lift"]
        key = (content, str(lift))
        if key not in self._networks:
            blob = self.docket.files.blob(content)
            self._networks[key] = None if blob is None else lifted(read(graph(blob)), lift)
        return self._networks[key]

    def unsafe(self, claim: str, cell: dict[str, Any], layers: list[Layer], place: str) -> Unsafe:
        """Read the unsafe set of a cell, sized to the network's outputs."""
        return read_unsafe(self.domain(claim)["unsafe_sets"][cell["unsafe"]], len(layers[-1].rows), place)

    def check(self) -> None:
        """Check subjects, domains, claims, and that every recipe names the claim's own subject."""
        for name, record in self.docket.of_kind("subject").items():
            self._check_subject(record, f"subject {short(name)}")
        for name, record in self.docket.of_kind("domain").items():
            _check_domain(record, f"domain {short(name)}")
        for name, record in self.docket.of_kind("claim").items():
            cells = len(self.domain(name).get("cells", []))
            need(record["cells"] == cells, f"claim {short(name)}: cells is {record['cells']}, its domain has {cells}")
        for kind in ABOUT:
            for name, record in self.docket.of_kind(kind).items():
                recipe, place = record["recipe"], f"{kind} {short(name)}"
                own = recipe["subject"] == self.subject(record["claim"])["content"]
                need(own, f"{place}: its recipe names another subject")
                need(recipe["spent"] <= recipe["allotted"], f"{place}: more was spent than allotted")

    def _check_subject(self, record: dict[str, Any], place: str) -> None:
        """Hold the content to the bytes as received, where both are here."""
        files, received, content = self.docket.files, record["digest"], record["content"]
        if received == content:
            return
        packed, opened = files.blob(received), files.blob(content)
        if packed is not None and opened is not None:
            need(decompressed(packed, place) == opened, f"{place}: content is not what the bytes as received unpack to")


def _check_domain(domain: dict[str, Any], place: str) -> None:
    inputs, sets = len(domain.get("inputs", [])), domain.get("unsafe_sets", [])
    for number, cell in enumerate(domain.get("cells", [])):
        lower, _ = read_box(cell, f"{place}: cell {number}")
        need(len(lower) == inputs, f"{place}: cell {number} has {len(lower)} dimensions for {inputs} inputs")
        need(cell["unsafe"] < len(sets), f"{place}: cell {number}: there is no unsafe set {cell['unsafe']}")
