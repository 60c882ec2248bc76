# SPDX-License-Identifier: Apache-2.0
"""What a reenactment gave, as records, and as the plain data in which a journal keeps it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from safetyboard.investigation.inventory import Asked
from safetyboard.surfaces.authority.repair.remedies import Tried
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.codec import from_plain, to_plain
from safetyboard.terms.execution import Execution
from safetyboard.terms.null import Null

KINDS: Mapping[str, Any] = {"execution": Execution, "ablation": Ablation, "null": Null}


@dataclass(frozen=True, kw_only=True)
class Tested:
    """Hold what one reenactment gave, as records; `facts` is plain data of its own."""

    records: tuple[Any, ...]
    blobs: Mapping[str, bytes]
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mended:
    """Hold one remedy that was tried."""

    name: str
    path: str
    diff: bytes
    media_type: str
    enforcement: str
    held: bool
    records: tuple[Any, ...]
    blobs: Mapping[str, bytes]
    assumptions: tuple[str, ...]
    cost: Mapping[str, Plain]
    held_routes: Mapping[str, str]
    inapplicable: Mapping[str, str]
    kinds: Mapping[str, str]
    untried: tuple[str, ...]
    probes: tuple[Mapping[str, Plain], ...]
    residual: tuple[str, ...]
    runs: int


def plain_result(
    records: Sequence[Any], blobs: Mapping[str, bytes], facts: Mapping[str, Plain], word: str
) -> dict[str, Plain]:
    """Write what a piece of work gave, with the word that is shown when it is done."""
    return {
        "records": [to_plain(record) for record in records],
        "blobs": {digest: base64.b64encode(content).decode("ascii") for digest, content in blobs.items()},
        "facts": dict(facts),
        "word": word,
    }


def plain_remedy(one: Tried) -> dict[str, Plain]:
    """Write one remedy that was tried."""
    return {
        "name": one.name,
        "path": one.path,
        "diff": base64.b64encode(one.diff).decode("ascii"),
        "media_type": one.media_type,
        "enforcement": one.enforcement,
        "held": one.held,
        "records": [to_plain(each) for each in (*one.executions, *one.residual)],
        "blobs": {digest: base64.b64encode(content).decode("ascii") for digest, content in one.blobs.items()},
        "assumptions": list(one.assumptions),
        "cost": dict(one.cost),
        "held_routes": {name: words[:300] for name, words in one.held_routes},
        "inapplicable": {name: words[:300] for name, words in one.inapplicable},
        "kinds": {name: str(kind) for name, kind in one.kinds.items()},
        "untried": list(one.untried),
        "probes": [asdict(probe) for probe in one.probes],
        "residual": [str(each.extra["route"]) for each in one.residual],
        "runs": one.runs,
    }


def detailed(held: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Plain]:
    """Say of every way that came to nothing how far it came, and in which words it was stopped."""
    return {name: f"{kinds.get(name, 'executed')}: {words[:300]}" for name, words in held.items()}


def obstructions(inapplicable: Mapping[str, str], untried: Sequence[str]) -> list[str]:
    """Say why some ways were not tried: there was nothing to do, or it did not come to it."""
    idle = "; ".join(f"{name} ({words[:300]})" for name, words in inapplicable.items())
    told = [f"does not apply: {idle}." if idle else "", f"not reached, or broken off: {', '.join(untried)}."]
    return [told[0]] * bool(idle) + [told[1]] * bool(untried)


def tested_of(result: Mapping[str, Any], asked: Asked) -> Tested:
    """Turn a plain result back into records about one claim."""
    return Tested(
        records=tuple(_about(from_plain(KINDS[plain["kind"]], plain), asked) for plain in result["records"]),
        blobs=_unpacked(result["blobs"]),
        facts=result["facts"],
    )


def mended_of(result: Mapping[str, Any]) -> list[Mended]:
    """Turn a plain result back into remedies."""
    return [
        Mended(
            name=plain["name"],
            path=plain["path"],
            diff=base64.b64decode(plain["diff"]),
            media_type=plain["media_type"],
            enforcement=plain["enforcement"],
            held=plain["held"],
            records=tuple(from_plain(KINDS[each["kind"]], each) for each in plain["records"]),
            blobs=_unpacked(plain["blobs"]),
            assumptions=tuple(plain["assumptions"]),
            cost=plain["cost"],
            held_routes=plain["held_routes"],
            inapplicable=plain["inapplicable"],
            kinds=plain["kinds"],
            untried=tuple(plain["untried"]),
            probes=tuple(plain["probes"]),
            residual=tuple(plain["residual"]),
            runs=plain["runs"],
        )
        for plain in result.get("tried", ())
    ]


def _unpacked(blobs: Mapping[str, str]) -> dict[str, bytes]:
    found = {digest: base64.b64decode(text) for digest, text in blobs.items()}
    if any(digest_of(content) != digest for digest, content in found.items()):
        raise ValueError("a journalled file does not match its digest")
    return found


def _about(record: Any, asked: Asked) -> Any:
    """Let a record answer to a claim, with a recipe that names the claim's own subject."""
    recipe = replace(record.recipe, subject=asked.content)
    return replace(record, claim=asked.claim_id, recipe=recipe)


def about(records: Sequence[Any], asked: Asked) -> list[Any]:
    """Let records answer to another claim, as a remedy's do."""
    return [_about(record, asked) for record in records]
