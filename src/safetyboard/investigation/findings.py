# SPDX-License-Identifier: Apache-2.0
"""Findings: one for each failure pattern, worst first, with its cause, rivals and weakest link."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median

from safetyboard.investigation.dossier import File
from safetyboard.investigation.explain import Explanation, Pattern
from safetyboard.surfaces.model.explain.grade import grade
from safetyboard.terms.ablation import Ablation
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.codec import record_id
from safetyboard.terms.finding import Finding, Grade, Rival
from safetyboard.terms.numbers import parse_rational
from safetyboard.terms.witness import Witness

ALIKE = 0.5
"""Share of the smaller of two minimal sets that must lie in the other for both to count as one pattern."""
NAMED = 5
RANK = {"established": 3, "probable": 2, "possible": 1, "unknown": 0, "rejected": 0}
TIERS = {"non-disastrous": 3, "intended": 2, "good": 1}
ENOUGH, SEPARATED = 5, 0.9


@dataclass(kw_only=True)
class _Cluster:
    core: frozenset[str]
    members: list[tuple[File, Pattern]] = field(default_factory=list)


def findings(files: Mapping[str, File], explained: Mapping[str, Explanation]) -> list[Finding]:
    """Write the findings of a case, worst first.

    Args:    files: of claims on subjects as given. explained: by claim id, for refuted claims.
    """
    written = []
    for names in _families(files):
        members = [
            (files[name], pattern) for name in names if name in explained for pattern in explained[name].patterns
        ]
        written += [_finding(cluster, explained) for cluster in _clusters(members)]
        bare: dict[str, list[File]] = {}
        for name in names:
            if name not in explained or not explained[name].patterns:
                bare.setdefault(_reason(explained.get(name)), []).append(files[name])
        written += [_unexplained(group, explained, reason) for reason, group in bare.items()]
    return sorted(written, key=lambda finding: (-finding.severity, finding.title, record_id(finding)))


def _families(files: Mapping[str, File]) -> list[list[str]]:
    """Gather refuted claims that ask the same: one property at all its radii and of all networks it is put to.

    A property put to one network only is gathered with the others that call the same outputs of that network unsafe.
    """
    asked_of: dict[tuple[str, str], set[str]] = {}
    for file in files.values():
        asked_of.setdefault(_question(file), set()).add(file.asked.subject_name)
    families: dict[tuple[str, ...], list[str]] = {}
    for name, file in files.items():
        if file.verdict is not None and file.verdict.verdict == "REFUTED" and file.asked.question is not None:
            alone = len(asked_of[_question(file)]) == 1 and "family" not in file.asked.claim.extra
            unsafe = digest_of(repr(file.asked.domain.unsafe_sets).encode())
            key = ("subject", file.asked.subject_name, unsafe) if alone else ("property", *_question(file))
            families.setdefault(key, []).append(name)
    return list(families.values())


def _question(file: File) -> tuple[str, str]:
    return file.asked.source, str(file.asked.claim.extra.get("family", file.asked.property_name))


def _id(file: File) -> str:
    return record_id(file.asked.claim)


def _clusters(members: Sequence[tuple[File, Pattern]]) -> list[_Cluster]:
    """Gather witnesses whose minimal sets overlap by half of the smaller one; common and small sets go first."""
    counts = Counter(frozenset(pattern.inputs) for _, pattern in members)
    clusters: list[_Cluster] = []
    where: dict[frozenset[str], _Cluster] = {}
    for inputs, _ in sorted(counts.items(), key=lambda entry: (-entry[1], len(entry[0]), sorted(entry[0]))):
        near = [c for c in clusters if len(c.core & inputs) >= ALIKE * min(len(c.core), len(inputs))]
        where[inputs] = near[0] if near else _Cluster(core=inputs)
        if not near:
            clusters.append(where[inputs])
    for member in members:
        where[frozenset(member[1].inputs)].members.append(member)
    return clusters


def _finding(cluster: _Cluster, explained: Mapping[str, Explanation]) -> Finding:
    patterns = [pattern for _, pattern in cluster.members]
    files = list({_id(file): file for file, _ in cluster.members}.values())
    lead = _lead(cluster)
    stated, weakest, agreeing = _graded(lead, patterns)
    shared = _shared(patterns)
    rows = sorted({_label(file, pattern.witness) for file, pattern in cluster.members})
    nature, basis = _nature(files, explained)
    radius = _smallest_radius(files)
    cases = f"{len(rows)} case{'s' if len(rows) != 1 else ''}{', first at ±' + radius if radius else ''}"
    return Finding(
        title=f"{_subjects(files)}: fails through {_few(shared)} ({cases})",
        summary=f"{_statement(files)} This fails: {_listed(rows)}. In at least half of the failures "
        f"looked at, the smallest set of inputs that keeps the failure holds {_few(shared, most=40)}.",
        claims=tuple(_id(file) for file in files),
        evidence=tuple(
            dict.fromkeys(record_id(record) for pattern in patterns for record in (pattern.witness, *pattern.ablations))
        ),
        severity=_severity(files, len(rows)),
        cause=_few(sorted(lead.inputs), most=12)
        + (", together, at their failing values" if len(lead.inputs) > 1 else ", at its failing value"),
        grade=stated,
        weakest_link=weakest,
        rivals=_rivals(patterns),
        nature=nature,  # type: ignore[arg-type]
        nature_basis=basis,
        detail={
            "inputs": list(sorted(lead.inputs)),
            "shared": list(shared),
            "cases": list(rows[:200]),
            "lead": record_id(lead.witness),
            "experiments_agreeing": agreeing,
            "experiments": len(patterns),
            "not_looked_at": sum(explained[_id(file)].unexplained for file in files),
        },
    )


def _lead(cluster: _Cluster) -> Pattern:
    """Choose the case that speaks for the others: the smallest change that fails, then what is best supported."""

    def weight(member: tuple[File, Pattern]) -> tuple[Fraction, int, Fraction, int]:
        file, pattern = member
        radius = parse_rational(str(file.asked.claim.extra.get("radius", "0")))
        return -radius, RANK[grade(pattern.ablations)[0]], _harm(pattern.witness), -pattern.witness.cell

    return max(cluster.members, key=weight)[1]


def _shared(patterns: Sequence[Pattern]) -> list[str]:
    """List inputs that lie in the minimal sets of at least half of the failures, the most common first."""
    counts = Counter(name for pattern in patterns for name in pattern.inputs)
    common = [name for name, count in counts.items() if 2 * count >= len(patterns)]
    return sorted(common, key=lambda name: (-counts[name], name)) or sorted(counts)[:1]


def _few(names: Sequence[str], most: int = NAMED) -> str:
    if not names:
        return "no input in particular"
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _graded(lead: Pattern, patterns: Sequence[Pattern]) -> tuple[Grade, str, int]:
    """Grade by the leading case; a pattern whose cases disagree is not established."""
    stated, weakest = grade(lead.ablations)
    others = [grade(pattern.ablations)[0] for pattern in patterns]
    agreeing = sum(RANK[other] >= RANK[stated] for other in others)
    if stated == "established" and agreeing < len(others):
        return "probable", f"the experiments agree in {agreeing} of {len(others)} cases", agreeing
    return stated, weakest, agreeing


def _rivals(patterns: Sequence[Pattern]) -> tuple[Rival, ...]:
    """List other explanations; one stands as long as any case leaves it standing."""
    held: dict[str, list[Ablation]] = {}
    for pattern in patterns:
        for ablation in pattern.ablations:
            if ablation.role == "rival":
                held.setdefault(ablation.factor, []).append(ablation)
    status = {"against": "rejected", "for": "supported", "unclear": "untested"}
    return tuple(
        Rival(
            factor=factor,
            status=_worst([status[each.outcome] for each in group]),  # type: ignore[arg-type]
            evidence=tuple(record_id(each) for each in group),
        )
        for factor, group in held.items()
    )


def _worst(statuses: Sequence[str]) -> str:
    return next(word for word in ("supported", "untested", "rejected") if word in statuses)


def _nature(files: Sequence[File], explained: Mapping[str, Explanation]) -> tuple[str, str]:
    """Call failures benign only when observed inputs show it: those that flip sit nearest to the boundary."""
    flipped: list[float] = []
    kept: list[float] = []
    for file in files:
        fallen = {record.cell for record in file.evidence if isinstance(record, Witness)}
        for cell, margin in explained[_id(file)].margins.items():
            (flipped if cell in fallen else kept).append(margin)
    if min(len(flipped), len(kept)) < ENOUGH:
        return "unclear", "too few observed inputs to compare those that flip with those that do not"
    below = sum((a < b) + 0.5 * (a == b) for a in flipped for b in kept) / (len(flipped) * len(kept))
    said = (
        f"{len(flipped)} observed inputs flip (median margin {median(flipped):.3g}), {len(kept)} do not "
        f"({median(kept):.3g}); a flipping one has the smaller margin in {100 * below:.0f} % of pairs"
    )
    if below >= SEPARATED:
        return "benign", f"competence lost near the boundary: {said}"
    return "unclear", f"margins do not settle it: {said}"


def _reason(known: Explanation | None) -> str:
    nulls = known.nulls if known is not None else ()
    return " ".join(dict.fromkeys(null.obstruction for null in nulls)) or "no experiment was made"


def _unexplained(files: Sequence[File], explained: Mapping[str, Explanation], reason: str) -> Finding:
    """State failures whose cause was not found: unknown is a respectable answer."""
    witnesses = [(file, record) for file in files for record in file.evidence if isinstance(record, Witness)]
    nulls = [null for file in files if _id(file) in explained for null in explained[_id(file)].nulls]
    rows = sorted({_label(file, witness) for file, witness in witnesses})
    return Finding(
        title=f"{_subjects(files)}: fails, cause not found ({len(rows)} case{'s' if len(rows) != 1 else ''})",
        summary=f"{_statement(files)} This fails: {_listed(rows)}.",
        claims=tuple(_id(file) for file in files),
        evidence=tuple(record_id(record) for record in (*(witness for _, witness in witnesses), *nulls)),
        severity=_severity(files, len(rows)),
        cause="unknown",
        grade="unknown",
        weakest_link=reason,
        nature="unclear",
        nature_basis="the cause is not known",
        detail={"cases": list(rows[:200])},
    )


def _severity(files: Sequence[File], cases: int) -> int:
    """Order findings: tier first, then how small a change is enough, then how many cases."""
    tier = max(TIERS[file.asked.claim.tier] for file in files)
    radii = [parse_rational(str(f.asked.claim.extra["radius"])) for f in files if "radius" in f.asked.claim.extra]
    near = int(100 / (1 + 100 * min(radii))) if radii else 50
    return tier * 1_000_000 + near * 1_000 + min(cases, 999)


def _statement(files: Sequence[File]) -> str:
    said = list(dict.fromkeys(file.asked.claim.statement for file in files))
    return said[0] if len(said) == 1 else f"{said[0]} And {len(said) - 1} more claims of this kind."


def _smallest_radius(files: Sequence[File]) -> str:
    named = [
        (parse_rational(str(file.asked.claim.extra["radius"])), str(file.asked.claim.extra["name"]).partition("@")[2])
        for file in files
        if "radius" in file.asked.claim.extra
    ]
    return min(named, key=lambda entry: entry[0])[1] if named else ""


def _harm(witness: Witness) -> Fraction:
    return parse_rational(witness.harm_exact)


def _label(file: File, witness: Witness) -> str:
    label = file.asked.domain.cells[witness.cell].label
    return label if file.asked.domain.cells[witness.cell].centre else f"{file.label} {label}"


def _subjects(files: Sequence[File]) -> str:
    names = list(dict.fromkeys(file.asked.subject_name for file in files))
    return names[0] if len(names) == 1 else f"{len(names)} networks ({names[0]}, …)"


def _listed(rows: Sequence[str]) -> str:
    return ", ".join(rows[:8]) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")
