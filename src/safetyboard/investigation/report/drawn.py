# SPDX-License-Identifier: Apache-2.0
"""The figures of a report, drawn from its records; each caption says what was not done."""

from collections.abc import Sequence
from typing import Any

from safetyboard.investigation.report import captions
from safetyboard.investigation.report.drawn_runs import of_runs
from safetyboard.investigation.report.ledger import Ledger, radius_label
from safetyboard.investigation.report.trials import verb_of
from safetyboard.investigation.report.view import Figure, Record
from safetyboard.investigation.report.wording import listed, number, several, value
from safetyboard.laboratory.figures.causes import Rate, causal_diagram
from safetyboard.laboratory.figures.certified_curve import Share, certified_curve
from safetyboard.laboratory.figures.effort import Effort, effort_timeline
from safetyboard.laboratory.figures.flips import Change, Flip, feature_flips
from safetyboard.laboratory.figures.gap import MOST as MOST_GAPS
from safetyboard.laboratory.figures.gap import gap_plot
from safetyboard.laboratory.figures.margins import Margin, margin_plot
from safetyboard.laboratory.figures.slices import slice_plot

Group = Sequence[tuple[str, Record]]
MOST_CAUSES = 6


def figures_of(ledger: Ledger) -> tuple[Figure, ...]:
    """Draw what the records allow; what they do not hold is left out."""
    found: list[Figure] = []
    for place, group in enumerate(ledger.groups("given")):
        if len(group) > 1 and radius_label(group[0][1]):
            found += [_curve(ledger, group, place), *_margins(ledger, group, place)]
    found += [*_gap(ledger), *_effort(ledger), *_flips(ledger), *_slices(ledger), *of_runs(ledger), *_causes(ledger)]
    return tuple(found)


def _curve(ledger: Ledger, group: Group, place: int) -> Figure:
    repaired = ledger.repaired_claims([identity for identity, _ in group])
    before = [_share(ledger, identity, claim) for identity, claim in group]
    after = [_share(ledger, repaired[identity], claim) for identity, claim in group if identity in repaired]
    names = [claim.get("statement", "") for _, claim in group]
    return Figure(
        section="synopsis" if place == 0 else "tests",
        title="How far the claim holds",
        caption=captions.CURVE.format(statement=names[-1], again=captions.AGAIN if after else ""),
        svg=certified_curve(before, after, xlabel="radius of the box around each row", name=f"curve-{place}"),
        evidence=tuple(
            ledger.verdicts[i][0] for i in [*(i for i, _ in group), *repaired.values()] if i in ledger.verdicts
        ),
    )


def _share(ledger: Ledger, identity: str, claim: Record) -> Share:
    verdict = ledger.verdict(identity)
    counts = {name: int(verdict.get(name, 0)) for name in ("proved", "refuted", "open", "excluded")}
    return Share(label=_spaced(radius_label(claim)), **counts)


def _margins(ledger: Ledger, group: Group, place: int) -> list[Figure]:
    held = next((ledger.view.margins[i] for i, _ in reversed(group) if ledger.view.margins.get(i)), None)
    if held is None:
        return []
    radii = [_spaced(radius_label(claim)) for _, claim in group]
    falls: dict[str, int] = {}
    proved: dict[str, str] = {}
    for rank, (identity, claim) in enumerate(group):
        for _, witness in ledger.pieces(identity, "witness"):
            falls.setdefault(ledger.cell_label(claim, witness.get("cell")), rank)
        for _, certificate in ledger.pieces(identity, "certificate"):
            proved |= {ledger.cell_label(claim, cell): radii[rank] for cell in certificate.get("cells", [])}
    claim = group[-1][1]
    margins = []
    for cell, margin in held.items():
        label = ledger.cell_label(claim, cell)
        first = falls.get(label)
        margins.append(
            Margin(
                label=label,
                value=margin,
                fails_at="" if first is None else radii[first],
                rank=first or 0,
                proved_to=proved.get(label, ""),
            )
        )
    figure = Figure(
        section="analysis",
        title="How near each row was to failing",
        caption=captions.MARGINS,
        svg=margin_plot(margins, radii, unit="output units", name=f"margins-{place}"),
        evidence=tuple(ledger.verdicts[identity][0] for identity, _ in group if identity in ledger.verdicts),
    )
    return [figure]


def _gap(ledger: Ledger) -> list[Figure]:
    rows = []
    for identity, claim in ledger.claims("given"):
        verdict = ledger.verdict(identity)
        found, bound = value(verdict.get("best_attack")), value(verdict.get("best_bound"))
        if found is not None or bound is not None:
            rows.append((ledger.label(claim), found, bound, ledger.verdicts[identity][0]))
    if not rows:
        return []
    left = f" The first {MOST_GAPS} of {len(rows)} claims are drawn." if len(rows) > MOST_GAPS else ""
    figure = Figure(
        section="tests",
        title="Worst case from both sides",
        caption=captions.GAP.format(left=left),
        svg=gap_plot([(label, found, bound) for label, found, bound, _ in rows]),
        evidence=tuple(identity for *_, identity in rows[:MOST_GAPS]),
    )
    return [figure]


def _effort(ledger: Ledger) -> list[Figure]:
    efforts: list[Effort] = []
    for origin, attack, proof in (
        ("given", "search for failures", "proof"),
        ("repaired", "fresh attack", "proof again"),
    ):
        efforts += _stage(ledger, origin, "attack", attack) + _stage(ledger, origin, "prove", proof)
        if origin == "given":
            efforts += _explaining(ledger) + _repairing(ledger)
    if not efforts:
        return []
    figure = Figure(
        section="tests",
        title="Effort, stage by stage",
        caption=captions.EFFORT,
        svg=effort_timeline(efforts),
    )
    return [figure]


def _stage(ledger: Ledger, origin: str, verb: str, stage: str) -> list[Effort]:
    """Add up one verb over all claims of one origin, a bar for each unit."""
    records = [
        record
        for identity, _ in ledger.claims(origin)
        for kind in ("witness", "null", "certificate")
        for _, record in ledger.pieces(identity, kind)
        if verb_of(record) == verb
    ]
    found = sum(record["kind"] == "witness" for record in records)
    closed = sum(len(record.get("cells", [])) for record in records if record["kind"] == "certificate")
    gave = several(found, "failure") if found or verb == "attack" else ""
    gave = ", ".join(filter(None, [gave, f"{closed} cells proved" if verb == "prove" else ""]))
    units = dict.fromkeys(str(record.get("recipe", {}).get("unit", "")) for record in records)
    return [
        Effort(
            stage=stage,
            kind="attack" if verb == "attack" else "proof",
            spent=sum(int(r["recipe"].get("spent", 0)) for r in records if r["recipe"].get("unit") == unit),
            unit=unit,
            gave=gave if place == 0 else "",
        )
        for place, unit in enumerate(units)
    ]


def _explaining(ledger: Ledger) -> list[Effort]:
    runs = {(r.get("claim"), r.get("cell")): r.get("recipe", {}) for _, r in ledger.view.of("ablation")}
    return _one_bar("experiments on causes", list(runs.values()), several(len(ledger.view.of("ablation")), "ablation"))


def _repairing(ledger: Ledger) -> list[Effort]:
    runs = {str(r.get("subject")): r.get("recipe", {}) for _, r in ledger.view.of("remedy")}
    return _one_bar("repair", list(runs.values()), several(len(runs), "repaired subject"))


def _one_bar(stage: str, recipes: list[Any], gave: str) -> list[Effort]:
    if not recipes:
        return []
    spent = sum(int(recipe.get("spent", 0)) for recipe in recipes)
    unit = str(recipes[0].get("unit", ""))
    return [Effort(stage=stage, kind="experiment or repair", spent=spent, unit=unit, gave=gave)]


def _flips(ledger: Ledger) -> list[Figure]:
    flips, evidence = [], []
    for identity, record in ledger.view.of("ablation"):
        if record.get("role") == "necessity" and record.get("inputs"):
            claim = ledger.by_id.get(str(record.get("claim")), ("", {}))[1]
            flips.append(
                Flip(label=ledger.cell_label(claim, record.get("cell")), changes=_changes(ledger, claim, record))
            )
            evidence.append(identity)
    if not flips:
        return []
    figure = Figure(
        section="analysis",
        title="Inputs the failures hang on",
        caption=captions.FLIPS.format(failures=several(len(flips), "failure")),
        svg=feature_flips(flips),
        evidence=tuple(evidence[:12]),
    )
    return [figure]


def _changes(ledger: Ledger, claim: Record, record: Record) -> tuple[Change, ...]:
    domain = ledger.domains.get(str(claim.get("domain")), {})
    units = {
        str(entry.get("name")): (k, str(entry.get("unit", ""))) for k, entry in enumerate(domain.get("inputs", []))
    }
    cell, cells = record.get("cell"), domain.get("cells", [])
    centre = cells[cell].get("centre", []) if isinstance(cell, int) and 0 <= cell < len(cells) else []
    changes = []
    for name, moved in zip(record.get("inputs", []), record.get("changes", []), strict=False):
        k, unit = units.get(str(name), (-1, ""))
        observed = _exact(centre[k]) if 0 <= k < len(centre) else None
        changes.append(Change(name=str(name), change=value(moved) or 0.0, observed=observed, unit=unit))
    return tuple(changes)


def _exact(text: Any) -> float | None:
    found = value(text)
    return float(text) if found is None and str(text).lstrip("-").isdigit() else found


def _slices(ledger: Ledger) -> list[Figure]:
    slices = list(ledger.view.slices)[:2]
    if not slices:
        return []
    figure = Figure(
        section="analysis",
        title="The neighbourhood of a failure",
        caption=captions.SLICES.format(rows=listed(list(dict.fromkeys(one.title for one in slices)))),
        svg=slice_plot(slices),
        evidence=(ledger.view.slices_of,) if ledger.view.slices_of else (),
    )
    return [figure]


def _causes(ledger: Ledger) -> list[Figure]:
    ranked = sorted(ledger.view.of("finding"), key=lambda entry: -int(entry[1].get("severity", 0)))
    drawn = [_cause(ledger, identity, finding, place) for place, (identity, finding) in enumerate(ranked[:MOST_CAUSES])]
    return [figure for figure in drawn if figure is not None]


def _cause(ledger: Ledger, identity: str, finding: Record, place: int) -> Figure | None:
    named = [str(name) for name in finding.get("evidence", [])]
    records = [(name, *ledger.by_id[name]) for name in named if name in ledger.by_id]
    ablations = [(name, record) for name, kind, record in records if kind == "ablation"]
    lead = ledger.by_id.get(str(finding.get("detail", {}).get("lead", "")), ("", {}))[1]
    key = (lead.get("claim"), lead.get("cell")) if lead else (None, None)
    mine = [(n, r) for n, r in ablations if (r.get("claim"), r.get("cell")) == key] or ablations[:4]
    if not mine:
        return None
    claim = ledger.by_id.get(str(mine[0][1].get("claim")), ("", {}))[1]
    cell = ledger.cell_label(claim, mine[0][1].get("cell"))
    inputs = [str(name) for name in mine[0][1].get("inputs", [])]
    margin = ledger.view.margins.get(str(mine[0][1].get("claim")), {}).get(mine[0][1].get("cell", -1))
    harm = value(lead.get("harm_deployed")) if lead else None
    if "mechanism" in finding.get("detail", {}):
        return _acted(ledger, identity, finding, mine, place)
    begin = f"from {number(-margin, 3)} " if margin is not None else ""
    mechanism = f"harm rises {begin}to {number(harm, 3)}, above its limit of 0" if harm is not None else "harm passes 0"
    several_more = f" and {len(inputs) - 3} more" if len(inputs) > 3 else ""
    return Figure(
        section="analysis",
        title=f"Cause and effect in {cell}",
        caption=captions.CAUSE.format(
            label=ledger.label(claim), cell=cell, count=several(len(inputs), "input"), inputs=", ".join(inputs)
        ),
        svg=causal_diagram(
            f"{', '.join(inputs[:3])}{several_more} at failing values",
            mechanism,
            f"{cell}: {claim.get('statement', '')} – is false",
            _rates([record for _, record in mine]),
            grade=str(finding.get("grade", "")),
            name=f"cause-{place}",
        ),
        about=identity,
        evidence=tuple(name for name, _ in mine),
    )


def _acted(ledger: Ledger, identity: str, finding: Record, mine: Group, place: int) -> Figure:
    """Draw the cause of what was done, in the finding's own words."""
    detail = finding["detail"]
    claim = ledger.by_id.get(str(mine[0][1].get("claim")), ("", {}))[1]
    return Figure(
        section="analysis",
        title=f"Cause and effect in {ledger.subject_name(claim)}",
        caption=captions.ACTED,
        svg=causal_diagram(
            str(detail.get("factor", finding.get("cause", ""))),
            str(detail["mechanism"]),
            f"{claim.get('statement', '')} – is false",
            _rates([_turned(record) for _, record in mine]),
            grade=str(finding.get("grade", "")),
            name=f"cause-{place}",
        ),
        about=identity,
        evidence=tuple(name for name, _ in mine),
    )


def _turned(record: Record) -> Record:
    """Put the arm that is the test first: a replay lists what things were compared with before it."""
    return {**record, "arms": list(reversed(record.get("arms", [])))}


def _rates(ablations: Sequence[Record]) -> list[Rate]:
    """Give every arm once, under the role in which it is the test and not the comparison."""
    rates: dict[str, Rate] = {}
    for first in (True, False):
        for record in ablations:
            for arm in record.get("arms", [])[:1] if first else record.get("arms", [])[1:]:
                rates.setdefault(
                    str(arm.get("name", "")),
                    Rate(
                        role=str(record.get("role", "")) if first else _compared(record),
                        arm=str(arm.get("name", "")),
                        failures=int(arm.get("failures", 0)),
                        trials=int(arm.get("trials", 0)),
                        lower=value(arm.get("lower")) or 0.0,
                        upper=value(arm.get("upper")) or 0.0,
                    ),
                )
    return list(rates.values())


def _compared(record: Record) -> str:
    return "specificity" if record.get("role") == "specificity" else "baseline"


def _spaced(radius: str) -> str:
    return radius.replace("%", " %") if radius.endswith("%") and " " not in radius else radius
