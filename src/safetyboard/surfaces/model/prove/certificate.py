# SPDX-License-Identifier: Apache-2.0
"""Bind the proofs of a claim's cells into one certificate file."""

import base64
import zlib
from collections.abc import Sequence

from safetyboard.terms.canonical import Plain, canonical_json
from safetyboard.terms.proof import CellProof

SCHEMA = "safetyboard.certificate/1"
SEMANTICS = "float32 with any order of summation, and real arithmetic"


def certificate_body(subject: str, domain: str, proofs: Sequence[CellProof]) -> bytes:
    """Write the certificate file of docs/reference/certificate.md section 6; the same proofs give the same bytes.

    Args:    subject: content digest of the ONNX bytes. domain: id of the domain record.
    """
    cells: list[Plain] = []
    for proof in sorted(proofs, key=lambda p: p.cell):
        entry: dict[str, Plain] = {
            "cell": proof.cell,
            "method": proof.method,
            "root": {"lower": list(proof.root_lower), "upper": list(proof.root_upper)},
            "leaves": proof.leaves,
        }
        for name, content in proof.payload.items():
            entry[name] = base64.b64encode(zlib.compress(content, 6)).decode("ascii")
        cells.append(entry)
    body: Plain = {"schema": SCHEMA, "subject": subject, "domain": domain, "slopes": "adaptive", "cells": cells}
    return canonical_json(body)
