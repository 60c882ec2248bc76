# SPDX-License-Identifier: Apache-2.0
"""A docket that was changed is rejected: byte by byte, and after everything was hashed and signed again."""

import base64
import json
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from docket_forgery import Blobs, Records, attacker_key, of_kind, reissue, take_apart
from safetyboard.evidence.keys import SigningKey, load_key
from safetyboard.investigation.order import Order
from safetyboard.investigation.service import investigate
from safetyboard.terms.canonical import canonical_json
from safetyboard_check.checker import Checker, Options
from safetyboard_check.faults import NotADocket, Rejected, Unsound
from small_case import write_case

MUTATIONS = 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, SigningKey]]:
    """A real docket of a small case, and the key that signed it."""
    folder = tmp_path_factory.mktemp("case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAFETYBOARD_HOME", str(folder / "home"))
        investigate(Order(path=write_case(folder / "case"), out=folder / "docket"))
        yield folder / "docket", load_key()[0]


def check(docket: Path, **options: Any) -> Any:
    return Checker(docket, Options(leaf_budget=10**6, **options)).run()


@pytest.mark.idea("C8", "A13")
def test_the_untouched_docket_is_accepted_with_its_key(made: tuple[Path, SigningKey]) -> None:
    docket, key = made
    answer = check(docket, key=key.fingerprint)
    assert answer.code == 0
    assert answer.verdicts["REFUTED"] == 1
    assert answer.verdicts["PROVED"] >= 1
    assert answer.rechecked == answer.leaves > 0
    assert answer.witnesses > 0
    assert check(docket).code == 3


def test_reissuing_without_a_change_is_accepted_so_that_the_harness_is_no_reason_to_reject(
    made: tuple[Path, SigningKey], tmp_path: Path
) -> None:
    again = reissue(made[0], tmp_path / "again", lambda records, blobs: None, attacker_key())
    assert check(again).code == 3


@pytest.mark.slow
@pytest.mark.idea("C8")
def test_a_thousand_single_byte_changes_are_all_rejected(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    docket, generator = tmp_path / "copy", random.Random(1)
    shutil.copytree(made[0], docket)
    files = sorted(path for path in docket.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    accepted = []
    for _ in range(MUTATIONS):
        path = generator.choices(files, [min(size, 20_000) for size in sizes])[0]
        whole = path.read_bytes()
        place = generator.randrange(len(whole))
        changed = bytes([whole[place] ^ generator.randrange(1, 256)])
        path.write_bytes(whole[:place] + changed + whole[place + 1 :])
        try:
            check(docket)
            accepted.append((path.relative_to(docket), place, changed))
        except Rejected:
            pass
        path.write_bytes(whole)
    assert accepted == []
    assert check(docket).code == 3


def one(records: Records, kind: str, generator: random.Random) -> dict[str, Any]:
    found = of_kind(records, kind)
    if not found:
        raise LookupError(kind)
    return generator.choice(found)


def verdict_word(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "verdict", generator)
    words = {"REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "NOT_RUN", "UNKNOWN"} - {record["verdict"]}
    record["verdict"] = generator.choice(sorted(words))
    record["obstruction"] = "because"


def verdict_count(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "verdict", generator)
    record[generator.choice(("refuted", "proved", "open", "excluded"))] += generator.choice((-1, 1))


def claim_cells(records: Records, blobs: Blobs, generator: random.Random) -> None:
    one(records, "claim", generator)["cells"] += generator.choice((-1, 1, 5))


def domain_wider(records: Records, blobs: Blobs, generator: random.Random) -> None:
    cell = generator.choice(one(records, "domain", generator)["cells"])
    index = generator.randrange(len(cell["lower"]))
    side, step = generator.choice((("lower", Fraction(-1, 7)), ("upper", Fraction(1, 7))))
    cell[side][index] = str(Fraction(cell[side][index]) + step)


def domain_stricter(records: Records, blobs: Blobs, generator: random.Random) -> None:
    """Call much more unsafe: what was proved no longer is."""
    for domain in of_kind(records, "domain"):
        for unsafe in domain["unsafe_sets"]:
            for row in unsafe[0]:
                row["constant"] = str(Fraction(row.get("constant", "0")) - 1000)


def witness_point(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "witness", generator)
    index = generator.randrange(len(record["point"]))
    record["point"][index] = (float.fromhex(record["point"][index]) + generator.choice((-0.5, 0.25, 2.0**-20))).hex()


def witness_output(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "witness", generator)
    name = generator.choice(("outputs_exact", "harm_exact", "harm_deployed", "outputs_deployed", "error"))
    if name == "outputs_exact":
        record[name][0] = str(Fraction(record[name][0]) + Fraction(1, 2**90))
    elif name == "outputs_deployed":
        record[name][0] = (float.fromhex(record[name][0]) + 0.01).hex()
    elif name == "harm_deployed":
        record[name] = (float.fromhex(record[name]) * 1.5).hex()
    else:
        record[name] = str(Fraction(record[name]) * 3)


def witness_cell(records: Records, blobs: Blobs, generator: random.Random) -> None:
    one(records, "witness", generator)["cell"] += 1


def witness_dropped(records: Records, blobs: Blobs, generator: random.Random) -> None:
    """Take a witness away and call its claim undecided: the certificate-less UNKNOWN must name what is left."""
    witnesses = of_kind(records, "witness")
    claim = generator.choice(witnesses)["claim"]
    for record in of_kind(records, "verdict"):
        if record["claim"] == claim:
            record["verdict"] = "PROVED"


def certificate_leaves(records: Records, blobs: Blobs, generator: random.Random) -> None:
    one(records, "certificate", generator)["leaves"] += generator.choice((-1, 1))


def certificate_cells(records: Records, blobs: Blobs, generator: random.Random) -> None:
    one(records, "certificate", generator)["cells"] = [7]


def certificate_slack(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "certificate", generator)
    record["slack"] = (float.fromhex(record["slack"]) - 100.0).hex()


def network_weight(records: Records, blobs: Blobs, generator: random.Random) -> None:
    """Change the subject: witnesses no longer replay as recorded.

    A last bias reaches every output; a weight of a neuron that sleeps at every witness might leave a true docket, about
    another network.
    """
    given = next(record for record in of_kind(records, "subject") if record.get("origin", "given") == "given")
    model = onnx.load_from_string(blobs[given["content"]])
    bias = next(held for held in model.graph.initializer if held.name == "b2")
    numbers = numpy_helper.to_array(bias).copy()
    numbers[generator.randrange(2)] += np.float32(generator.choice((-0.1, 1e-3, 0.5)))
    bias.CopyFrom(numpy_helper.from_array(numbers, "b2"))
    blobs[given["content"]] = model.SerializeToString()


def loss_account(records: Records, blobs: Blobs, generator: random.Random) -> None:
    records[-1]["loss"][generator.choice(sorted(records[-1]["loss"]))] += 1


def custody_count(records: Records, blobs: Blobs, generator: random.Random) -> None:
    records[0][generator.choice(("used", "irrelevant", "unread"))] += 1


def ablation_count(records: Records, blobs: Blobs, generator: random.Random) -> None:
    arm = generator.choice(one(records, "ablation", generator)["arms"])
    arm["failures"] = arm["failures"] - 1 if arm["failures"] else 1


def interval(records: Records, blobs: Blobs, generator: random.Random) -> None:
    arm = generator.choice(one(records, "ablation", generator)["arms"])
    arm["upper"] = (0.5 * (float.fromhex(arm["lower"]) + float.fromhex(arm["upper"])) - 0.001).hex()


def remedy_verdict(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "remedy", generator)
    record["verdict"] = "BOUNDED" if record["verdict"] != "BOUNDED" else "PROVED"


def foreign_recipe(records: Records, blobs: Blobs, generator: random.Random) -> None:
    found = [record for record in records if "recipe" in record and "claim" in record and record["kind"] != "remedy"]
    generator.choice(found)["recipe"]["subject"] = "sha256:" + "0" * 64


def grade_up(records: Records, blobs: Blobs, generator: random.Random) -> None:
    record = one(records, "finding", generator)
    record["grade"] = "established"
    record["rivals"] = [{"factor": "anything", "status": "untested"}]


Changer = Callable[[Records, Blobs, random.Random], None]
CHANGES: tuple[Changer, ...] = (
    verdict_word, verdict_count, claim_cells, domain_wider, domain_stricter, witness_point, witness_output,
    witness_cell, witness_dropped, certificate_leaves, certificate_cells, certificate_slack, network_weight,
    loss_account, custody_count, ablation_count, interval, remedy_verdict, foreign_recipe, grade_up,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.idea("C8")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_rejected_although_everything_was_signed_again(
    made: tuple[Path, SigningKey], tmp_path: Path, change: Changer
) -> None:
    key, accepted = attacker_key(), []
    for seed in range(MUTATIONS // len(CHANGES)):
        generator = random.Random(seed)
        forged = reissue(made[0], tmp_path / "forged", lambda r, b, g=generator: change(r, b, g), key)  # type: ignore[misc]
        try:
            check(forged)
            accepted.append(seed)
        except (Rejected, Unsound):
            pass
    assert accepted == []


def test_a_changed_title_is_found_by_the_key_alone(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    def retitle(records: Records, blobs: Blobs) -> None:
        records[-1]["title"] = "Nothing to see here"

    forged = reissue(made[0], tmp_path / "forged", retitle, attacker_key())
    assert check(forged).code == 3
    with pytest.raises(Rejected, match="signed by"):
        check(forged, key=made[1].fingerprint)


def test_a_split_history_is_found_by_a_kept_checkpoint(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    docket, key = made
    kept = (docket / "log" / "checkpoint").read_bytes()
    assert check(docket, checkpoint=kept).code == 3

    def retitle(records: Records, blobs: Blobs) -> None:
        records[-1]["title"] = "Another history"

    other = reissue(docket, tmp_path / "other", retitle, key)
    assert check(other, key=key.fingerprint).code == 0
    with pytest.raises(Rejected, match="split"):
        check(other, key=key.fingerprint, checkpoint=kept)


def certificate_of(blobs: Blobs) -> str:
    return next(name for name, content in blobs.items() if b'"input-split"' in content)


@pytest.mark.idea("E1", "A13")
@pytest.mark.parametrize("bit", range(0, 60, 3))
def test_a_damaged_proof_tree_is_rejected_although_signed_again(
    made: tuple[Path, SigningKey], tmp_path: Path, bit: int
) -> None:
    def damage(records: Records, blobs: Blobs) -> None:
        name = certificate_of(blobs)
        body = json.loads(blobs[name])
        entry = body["cells"][0]
        field = ("nodes", "values")[bit % 2]
        content = bytearray(zlib.decompress(base64.b64decode(entry[field])))
        if not content:
            field = "nodes"
            content = bytearray(zlib.decompress(base64.b64decode(entry[field])))
        if bit % 5 == 0:
            content = content[:-1]
        elif field == "nodes":
            content[bit % len(content)] ^= 0x80
        else:
            # The highest byte of a split's place: a last digit changed might leave another proof that holds.
            content[8 * (bit % (len(content) // 8)) + 7] ^= 0x40
        entry[field] = base64.b64encode(zlib.compress(bytes(content))).decode()
        blobs[name] = canonical_json(body)

    forged = reissue(made[0], tmp_path / "forged", damage, attacker_key())
    with pytest.raises(Rejected):
        check(forged)


@pytest.mark.parametrize("counted", [False, True])
def test_an_empty_certificate_proves_nothing(made: tuple[Path, SigningKey], tmp_path: Path, counted: bool) -> None:
    """The null engine: a prover that answers with no trees at all cannot carry PROVED."""

    def empty(records: Records, blobs: Blobs) -> None:
        for record in of_kind(records, "certificate"):
            record["cells"], record["leaves"] = [], 0
            body = json.loads(blobs[record["body"]])
            body["cells"] = []
            blobs[record["body"]] = canonical_json(body)
        for record in of_kind(records, "verdict") if counted else []:
            record["open"], record["proved"] = record["open"] + record["proved"], 0

    with pytest.raises(Rejected, match="PROVED needs" if counted else "derived 0"):
        check(reissue(made[0], tmp_path / "forged", empty, attacker_key()))


def test_a_witness_beside_a_certificate_is_unsound(made: tuple[Path, SigningKey], tmp_path: Path) -> None:
    held = take_apart(made[0])
    witness = of_kind(held.records, "witness")[0]

    def clash(records: Records, blobs: Blobs) -> None:
        """Let the first certificate claim the cell that the witness refutes."""
        certificate = of_kind(records, "certificate")[0]
        certificate["claim"] = witness["claim"]
        certificate["recipe"]["subject"] = witness["recipe"]["subject"]

    with pytest.raises(Rejected):
        check(reissue(made[0], tmp_path / "forged", clash, attacker_key()))


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"format": "safetyboard.docket/9"}\n'])
def test_what_is_no_docket_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "docket.json").write_bytes(content)
    with pytest.raises(Rejected):
        check(tmp_path)


def test_a_newer_format_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "docket.json").write_bytes(b'{"format":"safetyboard.docket/2"}\n')
    with pytest.raises(NotADocket, match="newer"):
        check(tmp_path)
