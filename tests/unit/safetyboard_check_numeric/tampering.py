# SPDX-License-Identifier: Apache-2.0
"""Ask both checkers about the trees of made-up networks, as they are and after they were tampered with."""

import base64
import copy
import json
import random
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from oracle import certificate_reference
from oracle.made_up_networks import Case, Rows, onnx_bytes
from safetyboard.surfaces.model.prove.certificate import certificate_body
from safetyboard.terms.budget import Budget
from safetyboard.terms.numbers import rational_text
from safetyboard.terms.progress import Silent
from safetyboard.terms.proof import CellProof
from safetyboard_check_numeric.certificates import recheck_cell
from safetyboard_check_numeric.operators import read_layers
from safetyboard_check_numeric.refusals import Rejected

Entry = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Proved:
    """A made-up question, its unsafe set as it is asked now, and the tree that is to answer it."""

    made_up: Case
    unsafe: Sequence[Rows]
    entry: Entry

    def numerically(self) -> float | None:
        """The least margin the numeric checker finds; None when it rejects."""
        sets = [
            [
                {"coefficients": [[i, rational_text(c)] for i, c in pairs], "constant": rational_text(constant)}
                for pairs, constant in rows
            ]
            for rows in self.unsafe
        ]
        ends = {"lower": self.made_up.lower, "upper": self.made_up.upper}
        cell = {end: [rational_text(value) for value in values] for end, values in ends.items()}
        domain = {"cells": [{**cell, "unsafe": 0}], "unsafe_sets": [sets]}
        try:
            return recheck_cell(read_layers(onnx_bytes(self.made_up.weights)), domain, self.entry)
        except Rejected:
            return None

    def exactly(self) -> bool:
        """Whether the literal rational checker accepts."""
        body = json.dumps({"schema": "safetyboard.certificate/1", "slopes": "adaptive", "cells": [self.entry]}).encode()
        cells = [(self.made_up.lower, self.made_up.upper, self.unsafe)]
        try:
            certificate_reference.check(body, self.made_up.setting.network.layers, cells)
        except (certificate_reference.Rejected, IndexError, struct.error, ValueError, zlib.error):
            return False
        return True

    def asked(self, unsafe: Sequence[Rows]) -> "Proved":
        return Proved(made_up=self.made_up, unsafe=unsafe, entry=self.entry)

    def tampered(self, generator: random.Random) -> "Proved":
        entry = copy.deepcopy(self.entry)
        generator.choice(CHANGES[entry["method"]])(entry, generator)
        return Proved(made_up=self.made_up, unsafe=self.unsafe, entry=entry)


def proved(engine: Any, made_up: Case) -> Proved | None:
    answer = engine.prove(made_up.setting, budget=Budget(units=1000), seed=0, progress=Silent())
    if not isinstance(answer, CellProof):
        return None
    entry = json.loads(certificate_body("subject", "domain", [answer]))["cells"][0]
    return Proved(made_up=made_up, unsafe=made_up.unsafe, entry=entry)


def unpacked(entry: Entry, name: str) -> bytearray:
    return bytearray(zlib.decompress(base64.b64decode(entry[name])))


def pack(entry: Entry, name: str, content: bytes) -> None:
    entry[name] = base64.b64encode(zlib.compress(bytes(content))).decode()


def move_a_value(entry: Entry, generator: random.Random) -> None:
    content = unpacked(entry, "values")
    if content:
        place = 8 * generator.randrange(len(content) // 8)
        value = struct.unpack_from("<d", content, place)[0]
        moved = generator.choice((value + generator.uniform(-0.3, 0.3), value * 3, -value, float("nan")))
        struct.pack_into("<d", content, place, moved)
    pack(entry, "values", content)


def drop_a_split(entry: Entry, generator: random.Random) -> None:
    """Call a whole subtree one leaf."""
    codes, values = unpacked(entry, "nodes"), unpacked(entry, "values")
    splits = [at for at, code in enumerate(codes) if code < 127]
    if not splits:
        return
    at = generator.choice(splits)
    used, need, end = sum(code != 255 for code in codes[:at]), 1, at
    while need:
        need += 1 if codes[end] < 127 else -1 if codes[end] == 255 else 0
        end += 1
    gone = sum(code != 255 for code in codes[at:end])
    entry["leaves"] -= sum(code >= 127 for code in codes[at:end]) - 1
    pack(entry, "nodes", codes[:at] + b"\xff" + codes[end:])
    pack(entry, "values", values[: 8 * used] + values[8 * (used + gone) :])


def drop_the_last_leaf(entry: Entry, generator: random.Random) -> None:
    pack(entry, "nodes", unpacked(entry, "nodes")[:-1])
    entry["leaves"] -= 1


def change_a_code(entry: Entry, generator: random.Random) -> None:
    content = unpacked(entry, "nodes")
    content[generator.randrange(len(content))] = generator.choice((0, 1, 2, 127, 128, 191, 192, 255, 77))
    pack(entry, "nodes", content)


def grow_the_root(entry: Entry, generator: random.Random) -> None:
    side = generator.choice(("lower", "upper"))
    place = generator.randrange(len(entry["root"][side]))
    by = generator.choice((-1, 1)) * generator.choice((2.0**-40, 0.01, 0.2))
    entry["root"][side][place] = (float.fromhex(entry["root"][side][place]) + by).hex()


def change_a_multiplier(entry: Entry, generator: random.Random) -> None:
    content = unpacked(entry, "leaf_data")
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
    pack(entry, "leaf_data", content)


def change_a_split(entry: Entry, generator: random.Random) -> None:
    content = unpacked(entry, "splits")
    if content:
        place = 4 * generator.randrange(len(content) // 4)
        struct.pack_into("<I", content, place, generator.randrange(8))
    pack(entry, "splits", content)


CHANGES = {
    "input-split": (move_a_value, drop_a_split, drop_the_last_leaf, change_a_code, grow_the_root),
    "relu-split": (change_a_multiplier, change_a_split, drop_the_last_leaf, change_a_code, grow_the_root),
}


def raised(unsafe: Sequence[Rows], by: Fraction) -> list[Rows]:
    """Raise every harm: the rows' constants shrink."""
    return [[(pairs, constant - by) for pairs, constant in rows] for rows in unsafe]
