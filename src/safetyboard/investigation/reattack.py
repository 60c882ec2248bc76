# SPDX-License-Identifier: Apache-2.0
"""Reattack: ask every claim again of a repaired subject, with another seed, another family and more effort."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from safetyboard.investigation.attack import FRESH
from safetyboard.investigation.dossier import File, Repaired
from safetyboard.investigation.examination import Effort
from safetyboard.investigation.order import Order
from safetyboard.investigation.repair import Repair
from safetyboard.readers.compressed import bare_name
from safetyboard.readers.onnx_file import read_network
from safetyboard.stats.binomial import clopper_pearson
from safetyboard.surfaces.model.repair.repaired import wrong_calls
from safetyboard.terms.canonical import Plain, digest_of
from safetyboard.terms.codec import record_id
from safetyboard.terms.errors import UntrustedEvidence
from safetyboard.terms.numbers import float_text
from safetyboard.terms.remedy import Remedy
from safetyboard.terms.subject import Subject

MORE = 4
"""How much more the fresh attack spends than the one that found the failures."""
OTHER_SEED = 7919


def repaired_subject(original: Subject, made: Repair, number: int) -> Repaired:
    """Describe a repaired network as a subject of its own."""
    if made.content is None:
        raise UntrustedEvidence("A repair without bytes cannot be examined.")
    stem = bare_name(original.name).removesuffix(".onnx")
    name = f"{stem}.repaired-{number}.onnx"
    _, facts = read_network(made.content, name)
    subject = Subject(
        surface=original.surface,
        name=name,
        media_type="application/onnx",
        digest=digest_of(made.content),
        content=digest_of(made.content),
        size=len(made.content),
        origin="repaired",
        interface=facts,
        tasks=original.tasks,
    )
    return Repaired(subject=subject, content=made.content, original=original.name, made=made)


def asked_again(file: File, repaired: Repaired) -> File:
    """Put the same claim to the repaired subject."""
    claim = replace(file.asked.claim, subject=record_id(repaired.subject))
    question = file.asked.question
    again = None if question is None else replace(question, claim=claim, content=repaired.content)
    asked = replace(
        file.asked,
        claim=claim,
        subject_name=repaired.subject.name,
        question=again,
        content=repaired.subject.content,
    )
    return File(asked=asked)


def fresh_effort(order: Order, cells: int, *, trusted: bool) -> Effort:
    """Allot the fresh attack: another seed, another family, at least four times the effort; then the proof."""
    return Effort(
        search=MORE * order.search_units(cells),
        proof=order.proof_units,
        seed=order.seed + OTHER_SEED,
        methods=FRESH,
        trusted=trusted,
    )


def remedies(originals: Mapping[str, File], repaired: Repaired) -> Sequence[Remedy]:
    """State what became of every claim that was refuted on the original."""
    made = repaired.made
    if made is None or made.recipe is None:
        return []
    broken = [
        name
        for name, file in repaired.files.items()
        if file.verdict is not None
        and file.verdict.verdict == "REFUTED"
        and (before := originals[name].verdict) is not None
        and before.verdict != "REFUTED"
    ]
    stated = []
    for name, file in repaired.files.items():
        before, after = originals[name].verdict, file.verdict
        if before is None or after is None or before.verdict != "REFUTED":
            continue
        cost: dict[str, Plain] = {
            **made.cost,
            **_intervals(made.cost),
            **_calls(originals[name], repaired),
            "cells": file.asked.claim.cells,
            "refuted_before": before.refuted,
            "refuted_after": after.refuted,
            "proved_before": before.proved,
            "proved_after": after.proved,
            "claims_newly_refuted": len(broken),
        }
        stated.append(
            Remedy(
                claim=name,
                subject=repaired.subject.content,
                media_type=repaired.subject.media_type,
                method=made.recipe.instrument,
                repaired_claim=record_id(file.asked.claim),
                held=after.refuted == 0,
                verdict=after.verdict,
                evidence=after.evidence,
                recipe=made.recipe,
                cost=cost,
                diff=made.diff,
            )
        )
    return stated


def _calls(original: File, repaired: Repaired) -> dict[str, Plain]:
    """Count the labelled rows called wrongly, before and after, where there are labels."""
    question = original.asked.question
    if question is None or question.reference is None or question.labelled is None or repaired.content is None:
        return {}
    before, _ = read_network(question.content, original.asked.subject_name)
    after, _ = read_network(repaired.content, repaired.subject.name)
    held = question.labelled
    return {"called_wrongly": wrong_calls(before, after, question.reference, held.labels, held.wrong)}


def _intervals(cost: Mapping[str, Plain]) -> dict[str, Plain]:
    """Put a 95 % interval on the share of reference inputs that are now decided otherwise."""
    changed, total = cost.get("decisions_changed"), cost.get("reference_inputs")
    if not isinstance(changed, int) or not isinstance(total, int) or total < 1:
        return {}
    lower, upper = clopper_pearson(changed, total)
    return {"decisions_changed_lower": float_text(lower), "decisions_changed_upper": float_text(upper)}
