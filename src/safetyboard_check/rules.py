# SPDX-License-Identifier: Apache-2.0
"""The rules that join records: references, custody, counts, verdicts from evidence, causes, remedies."""

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from safetyboard_check.binomial import check_interval
from safetyboard_check.canonical import decode, digest, encode, number
from safetyboard_check.faults import need
from safetyboard_check.log import short
from safetyboard_check.records import is_digest

Records = dict[str, dict[str, Any]]
ABOUT = ("witness", "null", "bound", "ablation", "certificate", "execution")
WORDS = ("REFUTED", "PROVED", "BOUNDED", "SUPPORTED", "UNKNOWN", "NOT_RUN")


def of_kind(records: Records, kind: str) -> Records:
    """Pick the records of one kind, in log order."""
    return {name: record for name, record in records.items() if record["kind"] == kind}


def check_references(records: Records) -> None:
    """Reject a reference to a record that does not stand earlier in the log, or is of the wrong kind."""
    seen: dict[str, str] = {}
    for name, record in records.items():
        kind, where = record["kind"], f"{record['kind']} {short(name)}"
        for field, item, kinds in _references(record):
            known = seen.get(item) in kinds
            need(known, f"{where}: {field} refers to {short(str(item))}, which is no earlier {' or '.join(kinds)}")
            if kind == "verdict" and field == "evidence":
                need(records[item].get("claim") == record["claim"], f"{where}: evidence about another claim")
        seen[name] = kind


EVIDENCE = (*ABOUT, "observation", "attestation")
_SINGLE: dict[str, dict[str, tuple[str, ...]]] = {
    **{kind: {"claim": ("claim",)} for kind in (*EVIDENCE, "verdict")},
    "claim": {"subject": ("subject",), "domain": ("domain",)},
    "ablation": {"claim": ("claim",), "proved": ("certificate",)},
    "remedy": {"claim": ("claim",), "repaired_claim": ("claim",)},
    "recommendation": {"verification": ("lesson",)},
}
_SEVERAL: dict[str, dict[str, tuple[str, ...]]] = {
    "verdict": {"evidence": EVIDENCE},
    "finding": {"claims": ("claim",), "evidence": EVIDENCE},
    "remedy": {"evidence": EVIDENCE},
    "recommendation": {"findings": ("finding",), "remedies": ("remedy",)},
}
_INNER = {
    "finding": (("rivals", EVIDENCE),),
    "graph": tuple((part, (*EVIDENCE, "finding", "verdict", "remedy")) for part in ("factors", "links")),
}


def _references(record: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """List what a record refers to: field, id, and the kinds it may be of; what must be there is in the field table."""
    kind = record["kind"]
    for field, kinds in _SINGLE.get(kind, {}).items():
        if field in record or (field == "claim" and kind not in ("observation", "attestation")):
            yield field, record.get(field, ""), kinds
    for field, kinds in _SEVERAL.get(kind, {}).items():
        for item in record.get(field, []):
            yield field, item, kinds
    for part, kinds in _INNER.get(kind, ()):
        for entry in record.get(part, []):
            for item in entry.get("evidence", []):
                yield part, item, kinds


def check_custody(custody: dict[str, Any], held: Callable[[str], bool]) -> str:
    """Recount custody; returns the sentence about what was unread."""
    items = custody.get("items", [])
    counted = Counter(item["state"] for item in items)
    for state in ("used", "irrelevant", "unread"):
        need(
            custody.get(state) == counted.get(state, 0), f"custody: {state} is {custody.get(state)}, counted otherwise"
        )
    need(sum(counted.values()) == len(items) and set(counted) <= {"used", "irrelevant", "unread"}, "custody: states")
    need(len({item["path"] for item in items}) == len(items), "custody: a path stands twice")
    for item in items:
        never = item["state"] == "unread" and item["digest"] == ""
        need(never or is_digest(item["digest"]), f"custody: {item['path']}: its digest is {item['digest'][:80]!r}")
        need(item["state"] != "used" or held(item["digest"]), f"custody: {item['path']}: its bytes are missing")
    return f"{len(items)} items: {counted['used']} used, {counted['irrelevant']} irrelevant, {counted['unread']} unread"


def check_all_trials(records: Records, blob: Callable[[str], bytes | None]) -> list[str]:
    """Recheck every bound and ablation; returns what could not be looked up."""
    missing = []
    for name, record in records.items():
        if record["kind"] in ("bound", "ablation"):
            place = f"{record['kind']} {short(name)}"
            content = blob(record["data"]) if "data" in record else None
            if "data" in record and content is None:
                missing.append(f"{place}: its single outcomes are withheld")
            check_trials(record, place, content)
    return missing


def check_trials(record: dict[str, Any], place: str, content: bytes | None) -> None:
    """Recheck the intervals of a bound or an ablation, and recount its arms from the single outcomes, where given."""
    arms = record.get("arms", [])
    if record["kind"] == "bound":
        arms = [
            {"name": "trials", "failures": record["events"], **{k: record[k] for k in ("trials", "lower", "upper")}}
        ]
    need("confidence" in record or not arms, f"{place}: intervals without a confidence")
    listed = _listed(content, place)
    for arm in arms:
        where = f"{place}: arm {arm['name'][:60]!r}"
        limits = number(arm["lower"], where), number(arm["upper"], where)
        check_interval((arm["failures"], arm["trials"]), number(record["confidence"], where), *limits, where)
        if content is not None:
            outcomes = listed.get(arm["name"])
            need(isinstance(outcomes, list) and all(v in (0, 1) for v in outcomes), f"{where}: has no list of trials")
            counts = sum(outcomes or []), len(outcomes or [])
            stated = arm["failures"], arm["trials"]
            need(counts == stated, f"{where}: states {stated[0]} of {stated[1]}, counted {counts[0]} of {counts[1]}")


def _listed(content: bytes | None, place: str) -> dict[str, Any]:
    """Read the single outcomes of each arm."""
    if content is None:
        return {}
    plain = decode(content, f"{place}: data")
    good = isinstance(plain, dict) and plain.get("schema") == "safetyboard.trials/1"
    need(good and isinstance(plain.get("arms"), dict), f"{place}: data is no table of trials")
    return {name: arm.get("failures") for name, arm in plain["arms"].items()}


def check_verdict(
    record: dict[str, Any], records: Records, refuted: set[int], proved: set[int], facts: tuple[int, int, bool]
) -> None:
    """Derive the verdict of one claim and compare.

    Args:    refuted, proved: cells with accepted witnesses and certificates. facts: the claim's cells, excluded
             labels, and whether any cell has a non-empty unsafe set.
    """
    cells, excluded, speaks = facts
    word, where = record["verdict"], f"verdict of claim {short(record['claim'])}"
    kinds = [records[item]["kind"] for item in record.get("evidence", [])]
    proved = proved - refuted
    need(record["refuted"] == len(refuted), f"{where}: refuted is {record['refuted']}, derived {len(refuted)}")
    need(record["proved"] == len(proved), f"{where}: proved is {record['proved']}, derived {len(proved)}")
    need(record["open"] == cells - len(refuted) - len(proved), f"{where}: open is {record['open']}")
    need(record["excluded"] == excluded, f"{where}: excluded is {record['excluded']}, derived {excluded}")
    need(word in WORDS, f"{where}: unknown word {word!r}")
    everything = cells > 0 and len(proved) == cells and speaks
    if word == "REFUTED":
        shown = any(records[item].get("shows") == "failure" for item in record.get("evidence", []))
        need(refuted and ("witness" in kinds or shown), f"{where}: REFUTED needs a witness, of what kind ever")
        return
    bounded_by_target = word == "BOUNDED" and "target" in records[record["claim"]]
    need(not refuted or bounded_by_target, f"{where}: {word}, but a witness replays")
    if word == "PROVED":
        need(
            everything and "certificate" in kinds, f"{where}: PROVED needs accepted certificates for all {cells} cells"
        )
    elif word == "BOUNDED":
        need(cells > 0 and speaks and "bound" in kinds, f"{where}: BOUNDED needs a bound")
    elif word == "SUPPORTED":
        only = kinds and set(kinds) <= {"null", "observation", "attestation", "execution", "ablation"}
        need(
            only and not everything, f"{where}: SUPPORTED needs evidence that neither proves nor refutes, and only that"
        )
    elif word == "UNKNOWN":
        enough = {"null", "certificate"} & set(kinds) and record.get("obstruction") and not everything
        need(enough, f"{where}: UNKNOWN needs a null or certificate and an obstruction, and something open")
    else:
        none = not proved and not any(
            r["kind"] in ("witness", "certificate") and r["claim"] == record["claim"] for r in records.values()
        )
        need(record.get("obstruction") and none, f"{where}: NOT_RUN needs an obstruction and no proof or witness")


def check_findings(records: Records) -> None:
    """Reject a cause graded above what its ablations carry."""
    for name, record in of_kind(records, "finding").items():
        where = f"finding {short(name)}"
        held = [records[item] for item in record.get("evidence", [])]
        ablations = [item for item in held if item["kind"] == "ablation"]
        roles = {item["role"] for item in ablations if item["outcome"] == "for"}
        if record["grade"] == "established":
            complete = {"necessity", "sufficiency", "specificity"} <= roles
            tested = all(rival["status"] != "untested" for rival in record.get("rivals", []))
            need(complete and tested, f"{where}: 'established' needs all three roles for it, and no untested rival")
        elif record["grade"] == "probable":
            need(roles, f"{where}: 'probable' needs an ablation that speaks for it")
        elif record["grade"] == "possible":
            need(held, f"{where}: 'possible' needs evidence")
        for rival in record.get("rivals", []):
            untested = rival["status"] == "untested"
            need(untested or rival.get("evidence"), f"{where}: rival {rival['factor']!r} is judged without evidence")


def check_remedies(records: Records) -> None:
    """Reject a remedy that says more than its re-attack and its claim's verdict."""
    verdicts = {record["claim"]: record["verdict"] for record in of_kind(records, "verdict").values()}
    attacked = {record["claim"] for record in of_kind(records, "witness").values()}
    attacked |= {r["claim"] for r in of_kind(records, "execution").values() if r["shows"] == "failure"}
    contents = {r["content"] for r in of_kind(records, "subject").values() if r.get("origin") == "repaired"}
    for name, record in of_kind(records, "remedy").items():
        where = f"remedy {short(name)}"
        claim = record["repaired_claim"]
        need(record["verdict"] == verdicts.get(claim), f"{where}: its verdict is not that of the repaired claim")
        need(not (record["held"] and claim in attacked), f"{where}: held, but a witness stands against it")
        need(record["subject"] in contents, f"{where}: its subject is not a repaired one")
        about = records[records[claim]["subject"]]
        need(about["content"] == record["subject"], f"{where}: the repaired claim is about another subject")
        need(records[claim]["domain"] == records[record["claim"]]["domain"], f"{where}: the domain was changed")


def check_case(case: dict[str, Any], records: Records) -> None:
    """Recount the loss account and the result digest."""
    verdicts = {record["claim"]: record["verdict"] for record in of_kind(records, "verdict").values()}
    given = [
        name
        for name, record in of_kind(records, "claim").items()
        if records[record["subject"]].get("origin", "given") == "given"
    ]
    counted = Counter(verdicts[name].lower() for name in given)
    derived = {"claims": len(given), **{word.lower(): counted.get(word.lower(), 0) for word in WORDS}}
    need(case.get("loss") == derived, f"case: the loss account is {case.get('loss')}, derived {derived}")
    kept = sorted(name for name, record in records.items() if record["kind"] not in ("case", "custody"))
    need(case.get("result_digest") == digest(encode(kept)), "case: the result digest is wrong")


def read_box(cell: dict[str, Any], where: str) -> tuple[list[Fraction], list[Fraction]]:
    """Read a cell's exact box; lower must not exceed upper."""
    lower = [number(text, where) for text in cell.get("lower", [])]
    upper = [number(text, where) for text in cell.get("upper", [])]
    need(len(lower) == len(upper), f"{where}: the box has two sizes")
    need(all(a <= b for a, b in zip(lower, upper, strict=True)), f"{where}: the box is empty")
    return lower, upper
