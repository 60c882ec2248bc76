# SPDX-License-Identifier: Apache-2.0
"""Every reader stands in the catalogue, is documented, and keeps a loss account that adds up."""

import gzip
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from oracle.made_up_networks import onnx_bytes
from safetyboard.readers.catalog import CATALOG, kind_of, reader
from safetyboard.readers.claims_schema import KEYS, KEYS_OF_ALL, KEYS_OF_KIND
from safetyboard.readers.claims_toml import read_claims, read_header
from safetyboard.readers.data_table import read_table
from safetyboard.readers.onnx_file import read_network
from safetyboard.readers.stored import Reading, Stored
from safetyboard.terms.errors import TooLarge

CONTENT = onnx_bytes([(np.eye(2), np.zeros(2), False)])
NETWORK, _ = read_network(CONTENT, "net.onnx")
ROWS = b"id,speed,texture,class\n1,0.5,0.25,benign\n\n2,0.25,0.5,malignant\n"
PROPERTY = (
    "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (or (and (<= X_0 1) (<= Y_0 0))"
    "(and (<= X_0 -1) (<= Y_0 1)) (and (<= X_0 1) (>= Y_0 5))))"
)


@pytest.fixture(scope="module")
def claims_page(project_root: Path) -> str:
    return (project_root / "docs" / "reference" / "claims.md").read_text(encoding="utf-8")


def stored(name: str, content: bytes) -> Stored:
    return Stored(name=name, size=len(content), load=lambda: content)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("net.onnx", "onnx"), ("a/NET.ONNX.gz", "onnx"), ("p.vnnlib.gz", "vnnlib"), ("instances.csv", "instances"),
        ("deep/instances.csv", "instances"), ("deep/claims.toml", "claims"), ("x.npz", "table"), ("log.txt.gz", "gzip"),
        ("my.claims.toml", ""), ("notes.txt", ""), ("onnx", ""),
    ],
)  # fmt: skip
def test_a_file_is_claimed_by_its_name_alone(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_every_reader_is_a_module_with_two_functions_and_has_a_section(project_root: Path) -> None:
    page = (project_root / "docs" / "reference" / "readers.md").read_text(encoding="utf-8")
    for kind in CATALOG:
        assert callable(reader(kind).sniff)
        assert callable(reader(kind).read)
        section = page.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        assert all(f"**{word}**" in section for word in ("Read", "Refused", "Lost")), kind


def test_every_loss_account_adds_up() -> None:
    model = onnx.load_model_from_string(CONTENT)
    model.graph.value_info.add().name = "z0"
    model.metadata_props.add().key = "author"
    readings: list[Reading[object]] = [
        reader("onnx").read(stored("n.onnx", model.SerializeToString())),
        reader("vnnlib").read(stored("p.vnnlib", PROPERTY.encode()), inputs=1, outputs=1),
        reader("instances").read(stored("instances.csv", b"a.onnx,b.vnnlib,1\n\nc.onnx,d.vnnlib\n")),
        reader("table").read(stored("d.csv", ROWS), label="class", row="id"),
        reader("gzip").read(stored("x.gz", gzip.compress(b"abc"))),
    ]
    assert [reading.met for reading in readings] == [5, 3, 3, 3, 1]
    assert [reading.read for reading in readings] == [3, 2, 2, 2, 1]
    assert readings[1].loss == "2 of 3 disjuncts read; left: 1 with an empty box"
    assert readings[4].loss == ""


def test_a_file_over_the_limit_is_not_even_loaded() -> None:
    def never() -> bytes:
        raise AssertionError("it was loaded")

    with pytest.raises(TooLarge, match=r"big.onnx: 524288000 bytes is over the limit"):
        reader("onnx").read(Stored(name="big.onnx", size=500 << 20, load=never))


def test_every_key_of_a_claims_file_is_documented(claims_page: str) -> None:
    for table, keys in KEYS.items():
        for key in keys:
            place = f"| `[[{table}]]` |" if table in ("features", "classes") else f"| `[{table}]` |"
            rows = [
                line for line in claims_page.splitlines() if line.startswith(("| `", "| (top)")) and f"`{key}`" in line
            ]
            if table == "claims":
                assert rows, key
            else:
                assert any(row.startswith(place if table else "| (top) |") for row in rows), (table, key)


def test_every_kind_of_claim_has_its_keys_and_an_example(claims_page: str) -> None:
    kinds = claims_page.partition("## The kinds")[2]
    for kind, keys in KEYS_OF_KIND.items():
        assert f"**`{kind}`**" in kinds
        assert f'kind = "{kind}"' in claims_page
        section = kinds.partition(f"**`{kind}`**")[2].partition("\n**`")[0] + claims_page.partition("## The kinds")[0]
        assert [key for key in (*keys, *KEYS_OF_ALL) if f"`{key}`" not in section] == []


def test_every_example_of_the_page_is_read(claims_page: str) -> None:
    examples = re.findall(r"```toml\n(.*?)```", claims_page, re.DOTALL)
    assert len(examples) == len(KEYS_OF_KIND)
    for example in examples:
        header = read_header(example.encode(), "claims.toml")
        table = None if header.data is None else read_table(ROWS, header.data, **header.columns)
        drafts = read_claims(header, table=table, network=NETWORK, predict=lambda batch: batch[:, ::-1])
        assert all(draft.domain.cells or draft.domain.excluded for draft in drafts)
