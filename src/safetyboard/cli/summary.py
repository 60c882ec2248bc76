# SPDX-License-Identifier: Apache-2.0
"""Say in a terminal what an investigation found, shortly."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from safetyboard.investigation.outcome import Outcome

MOST = 40


def _remedies(remedies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say of each repaired subject what became of the claims, and what it cost."""
    for subject in dict.fromkeys(remedy["subject"] for remedy in remedies):
        own = [remedy for remedy in remedies if remedy["subject"] == subject]
        if own[0].get("through") is not None:
            yield _barred(own[0])
            continue
        held = sum(remedy["held"] for remedy in own)
        verdicts = Counter(remedy["verdict"] for remedy in own)
        fate = f"{held} of {len(own)} claims held under a fresh attack"
        yield ""
        yield f"Remedy:  {subject}: {fate} ({', '.join(f'{count} {word}' for word, count in verdicts.items())})"
        cost = own[0]["cost"]
        if "decisions_changed" in cost:
            changed = f"{cost['decisions_changed']} of {cost['reference_inputs']} decisions"
            yield f"  cost: {changed} changed on {cost['reference']}"
        for label, counts in cost.get("called_wrongly", {}).items():
            yield f"  called wrongly, labelled {label}: {counts['before']} → {counts['after']} of {counts['rows']}"


def _barred(remedy: Mapping[str, Any]) -> str:
    """Say of a remedy for what an agent may do which ways got through, and what it does not promise."""
    if not remedy["held"]:
        through = ", ".join(remedy["through"])
        return f"Remedy:  {remedy['subject']}: " + (f"defeated by {through}" if through else "not every way was tried")
    outside = remedy["cost"].get("outside what it promises, and gets through")
    return f"Remedy:  {remedy['subject']}: held" + (f"; outside what it promises: {outside}" if outside else "")


def summary(outcome: Outcome) -> str:
    """Write verdicts, findings and remedies, then the account and where the docket is."""
    lines: list[str] = []
    if outcome.unsound:
        lines += ["UNSOUND: two engines contradict each other; both are kept in the docket.", *outcome.unsound, ""]
    for entry in outcome.claims[:MOST]:
        name = f"{entry['subject']} · {entry['name'] or entry['property'] or 'no property'}"
        cells = entry["cells"]
        many = f"  cells: {cells['refuted']} refuted, {cells['proved']} proved, {cells['open']} open"
        lines.append(f"{entry['verdict']:8} {name}{many if sum(cells.values()) > 1 else ''}")
        if entry["obstruction"] and entry["verdict"] in ("UNKNOWN", "NOT_RUN"):
            lines.append(f"         {entry['obstruction']}")
    if len(outcome.claims) > MOST:
        lines.append(f"… and {len(outcome.claims) - MOST} more claims")
    for finding in outcome.findings[:MOST]:
        lines += ["", f"Finding: {finding['title']}"]
        lines += [f"  cause ({finding['grade']}): {finding['cause']}"] if finding["grade"] != "unknown" else []
    lines += _remedies(outcome.remedies[:MOST])
    loss = ", ".join(f"{count} {name}" for name, count in outcome.loss.items() if name != "claims" and count)
    lines += ["", f"{outcome.loss.get('claims', 0)} claims: {loss or 'none'}"]
    if outcome.interrupted:
        lines.append("Interrupted; run the same command with --resume to go on.")
    if outcome.stopped_by_time:
        lines.append("Stopped by the limit in seconds.")
    if outcome.docket is not None:
        lines += [f"Docket:  {outcome.docket}  (signed by {outcome.signer})"]
    return "\n".join(lines)
