# SPDX-License-Identifier: Apache-2.0
"""A small true case to write dockets from: one network, one box, one witness, one verdict."""

from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safetyboard.evidence.docket import DocketWriter, extra_files, result_digest
from safetyboard.evidence.keys import SigningKey
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.case import Case
from safetyboard.terms.claim import Claim
from safetyboard.terms.codec import record_id
from safetyboard.terms.custody import Custody, CustodyItem
from safetyboard.terms.domain import Cell, Domain, Row, Variable
from safetyboard.terms.recipe import Recipe
from safetyboard.terms.subject import Subject
from safetyboard.terms.verdict import Verdict
from safetyboard.terms.witness import Witness

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
REPORT = b"<!doctype html><title>report</title>"
LESSONS = {"lessons/small.json": b"{}\n"}


def network_bytes() -> bytes:
    """The ONNX bytes of y = relu(x0 - 2 x1)."""
    import onnx  # noqa: PLC0415 - optional, only for the tests that replay
    from onnx import helper, numpy_helper  # noqa: PLC0415

    weight = numpy_helper.from_array(np.array([[1.0], [-2.0]], dtype=np.float32), "W")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], ["z"]), helper.make_node("Relu", ["z"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 1])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


class SmallCase:
    """The records of one investigation, in an order in which references look back.

    Args:    network: bytes of the subject. lift: as in the domain. point, outputs: of the witness.
    """

    def __init__(
        self,
        network: bytes,
        *,
        lift: dict[str, Any] | None = None,
        point: tuple[float, ...] = (1.0, 0.25),
        outputs: tuple[float, ...] = (0.5,),
    ) -> None:
        self.network, self.digest = network, digest_of(network)
        item = CustodyItem(path="small.onnx", digest=self.digest, size=len(network), state="used", why="subject")
        lost = CustodyItem(path="link", digest="", size=0, state="unread", why="a link; not followed")
        self.custody = Custody(items=(lost, item), used=1, irrelevant=0, unread=1)
        self.subject = Subject(
            surface="model",
            name="small.onnx",
            media_type="application/onnx",
            digest=self.digest,
            content=self.digest,
            size=len(network),
        )
        row = Row(coefficients=((0, "-1"),), constant="1/4")
        self.domain = Domain(
            inputs=tuple(Variable(name=f"x{number}") for number in range(len(point))),
            outputs=tuple(Variable(name=f"y{number}") for number in range(len(outputs))),
            cells=(Cell(label="box", lower=("0",) * len(point), upper=("1",) * len(point)),),
            unsafe_sets=(((row,),),),
            lift=lift or {"kind": "identity"},
        )
        self.claim = Claim(
            surface="model",
            subject=record_id(self.subject),
            property="small.vnnlib",
            statement="y stays below 1/4",
            overseer="y >= 1/4",
            domain=record_id(self.domain),
            cells=1,
        )
        self.witness = Witness(
            claim=record_id(self.claim),
            cell=0,
            point=tuple(value.hex() for value in point),
            outputs_exact=("1/2",),
            outputs_deployed=tuple(value.hex() for value in outputs),
            harm_exact="1/4",
            harm_deployed=(0.25).hex(),
            error="1/4194304",
            runtime={"name": "onnxruntime"},
            recipe=Recipe(
                instrument="sampling",
                version="1",
                seed=0,
                unit="evaluations",
                allotted=10,
                spent=3,
                subject=self.digest,
            ),
        )
        self.verdict = Verdict(
            claim=record_id(self.claim),
            verdict="REFUTED",
            evidence=(record_id(self.witness),),
            refuted=1,
            proved=0,
            open=0,
            excluded=0,
        )

    def records(self) -> list[Any]:
        """All but the case record."""
        return [self.custody, self.subject, self.domain, self.claim, self.witness, self.verdict]

    def case(
        self,
        files: dict[str, bytes],
        digest: str,
        opened: str = "2026-01-02T03:04:05Z",
        withheld: dict[str, str] | None = None,
    ) -> Case:
        """The case record over these files."""
        loss = dict.fromkeys(("proved", "bounded", "supported", "unknown", "not_run"), 0)
        return Case(
            case="0190163d-8694-739b-aea5-966c26f8ad91",
            title="small",
            opened=opened,
            tool="safetyboard test",
            platform={"python": "3"},
            options={"seed": 0},
            loss={"claims": 1, "refuted": 1, **loss},
            result_digest=digest,
            files={name: digest_of(content) for name, content in files.items()},
            withheld=withheld or {},
        )

    def write(
        self, target: Path, key: SigningKey = KEY, *, weightless: bool = False, replace: bool = False, opened: str = ""
    ) -> Path:
        """Write the whole docket."""
        writer = DocketWriter(target, key, replace=replace)
        try:
            if weightless:
                writer.withhold(self.network, "left out on purpose")
            else:
                writer.put_blob(self.network)
            for record in self.records():
                writer.state(record)
            files = extra_files(REPORT, LESSONS, "small", opened="2026-01-02T03:04:05Z")
            opened = opened or "2026-01-02T03:04:05Z"
            return writer.finish(self.case(files, result_digest(writer.ids), opened, writer.withheld), files)
        except BaseException:
            writer.abandon()
            raise


SMALL = SmallCase(b"not a real network, but bytes all the same")
