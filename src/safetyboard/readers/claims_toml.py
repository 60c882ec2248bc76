# SPDX-License-Identifier: Apache-2.0
"""Read claims.toml: claims about a network over a data file, each row or box a cell (docs/reference/claims.md)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from safetyboard.readers.claims_book import Book, ClaimsFile, Made, Predict
from safetyboard.readers.claims_cells import KINDS
from safetyboard.readers.claims_classes import Labelled
from safetyboard.readers.claims_schema import (
    KEYS_OF_ALL,
    KEYS_OF_KIND,
    SCHEMA,
    SEE,
    check_keys,
    decimal,
    listed,
    shown,
    text_of,
)
from safetyboard.readers.compressed import bare_name, opened
from safetyboard.readers.data_table import Table
from safetyboard.readers.stored import Reading, Stored
from safetyboard.terms.domain import Domain, Variable
from safetyboard.terms.errors import SyntaxFault
from safetyboard.terms.network import Network
from safetyboard.terms.numbers import rational_text

if TYPE_CHECKING:
    from safetyboard.terms.network import Matrix


NAME = "claims.toml"
LARGEST_TEXT = 4 << 20


@dataclass(frozen=True, kw_only=True)
class ClaimDraft:
    """Hold one claim as written: its domain, its words, and the data it was measured on.

    Args:    name: unique in the file, ``claim@0.5%`` where a list of radii makes several. radius: or None.
             counts: what was judged, as plain data (rows, wrong before any change, ...).
    Shapes:  reference (rows, inputs).
    """

    name: str
    statement: str
    domain: Domain
    tier: str = "non-disastrous"
    intended: str = ""
    measured: str = ""
    reference: "Matrix | None" = None
    labelled: Labelled | None = None
    radius: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def sniff(name: str) -> bool:
    """Tell whether the name is that of a claims file, in whatever folder."""
    return bare_name(name).rpartition("/")[2] == NAME


def read(stored: Stored) -> Reading[ClaimsFile]:
    """Read what a claims file says and names; its claims are made by `read_claims` once the files it names are read.

    Raises:  SyntaxFault: with the table, the key and the remedy. TooLarge.
    """
    header = read_header(opened(stored, LARGEST_TEXT), stored.name)
    return Reading(made=header, unit="claims", met=len(listed(header.plain, "claims", header.name)))


def read_header(content: bytes, name: str) -> ClaimsFile:
    """Read the file and check its keys; says which network and data file it needs.

    Raises:  SyntaxFault: with the table, the key and the remedy.
    """
    try:
        plain = tomllib.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise SyntaxFault(f"{name}: nested too deep.", hint=SEE) from error
    except ValueError as error:
        raise SyntaxFault(f"{name}: not TOML ({' '.join(str(error).split())[:200]}).", hint=SEE) from error
    check_keys(plain, name)
    if plain.get("schema") != SCHEMA:
        raise SyntaxFault(f"{name}: schema is {shown(plain.get('schema'))}.", hint=f'Write schema = "{SCHEMA}".')
    network = text_of(plain.get("network", {}), "file", f"{name}: [network]")
    data = plain.get("data", {}).get("file")
    return ClaimsFile(network=network, data=data, plain=plain, name=name)


def read_claims(
    header: ClaimsFile, *, table: Table | None, network: Network, predict: Predict
) -> tuple[ClaimDraft, ...]:
    """Make every claim of the file; rows already wrong before any change are excluded and counted.

    Args:    table: the data file, where one is named. predict: runs the network as deployed.
    Raises:  SyntaxFault, UnreadableInput: each names file, table, key or row, and the remedy.
    """
    book = Book(header, table, network, predict)
    drafts = [draft for entry in listed(header.plain, "claims", header.name) for draft in _drafts(book, entry)]
    if not drafts:
        raise SyntaxFault(f"{header.name}: there is no [[claims]].", hint=SEE)
    names = [draft.name for draft in drafts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SyntaxFault(f"{header.name}: two claims are called {twice!r}.", hint="Names must differ.")
    return tuple(drafts)


def _drafts(book: Book, entry: Mapping[str, Any]) -> list[ClaimDraft]:
    """Make the claims of one [[claims]] table, one for each radius."""
    name = text_of(entry, "name", f"{book.name}: [[claims]]")
    place = f"[[claims]] {name!r}"
    kind = text_of(entry, "kind", f"{book.name}: {place}")
    if kind not in KINDS:
        raise book.fault(place, f"kind is {shown(kind)}; known: {', '.join(sorted(KINDS))}.")
    _suits(entry, kind, f"{book.name}: {place}")
    radii: list[Fraction | None] = [decimal(value, f"{book.name}: {place}") for value in entry.get("radii", [])]
    relative = entry.get("tolerance", "relative") == "relative"
    return [
        _draft(book, entry, _title(name, radius, relative=relative), KINDS[kind](book, entry, place, radius), radius)
        for radius in radii or [None]
    ]


def _suits(entry: Mapping[str, Any], kind: str, place: str) -> None:
    """Refuse keys that mean nothing to a kind of claim: a check that is not made must not look like one."""
    idle = sorted(set(entry) - set(KEYS_OF_ALL) - set(KEYS_OF_KIND[kind]))
    if idle:
        raise SyntaxFault(
            f"{place}: {idle[0]} means nothing to {kind}.", hint=f"It takes: {', '.join(KEYS_OF_KIND[kind])}."
        )
    if {"radius", "radii"} <= set(entry):
        raise SyntaxFault(f"{place}: both radius and radii are given.", hint="Give one of them.")


def _title(name: str, radius: Fraction | None, *, relative: bool) -> tuple[str, str]:
    """Name a claim, and its radius as shown in statements."""
    shown = "" if radius is None else _percent(radius) if relative else str(float(radius))
    return (f"{name}@{shown}" if shown else name), shown


def _draft(
    book: Book, entry: Mapping[str, Any], title: tuple[str, str], made: Made, radius: Fraction | None
) -> ClaimDraft:
    name, shown_radius = title
    named = book.classes.outputs_named()
    features = [Variable(name=str(f["name"]), unit=str(f.get("unit", ""))) for f in book.features]
    if made.lift.get("kind") == "twin":
        feature = features[int(made.lift["feature"])]
        features.append(Variable(name=f"rise of {feature.name}", unit=feature.unit))
    labels = book.table.labels if book.table is not None and made.lift.get("kind") != "twin" else ()
    labelled = book.classes.labelled(labels)
    judged = f"{len(made.cells)} cells judged, {len(made.excluded)} excluded; {made.measured}"
    return ClaimDraft(
        name=name,
        statement=str(entry.get("statement", entry["name"])).replace("{radius}", shown_radius),
        tier=str(entry.get("tier", "non-disastrous")),
        intended=str(entry.get("intended", "")),
        measured=str(entry.get("measured", "")) or judged,
        domain=Domain(
            inputs=tuple(features),
            outputs=tuple(Variable(name=named.get(i, f"Y_{i}")) for i in range(made.outputs)),
            cells=tuple(made.cells),
            unsafe_sets=tuple(made.unsafe),
            lift=dict(made.lift),
            excluded=tuple(made.excluded),
        ),
        reference=book.rows() if book.table is not None and made.lift.get("kind") != "twin" else None,
        labelled=labelled,
        radius=None if radius is None else rational_text(radius),
        counts={"rows": len(made.cells) + len(made.excluded), "excluded": len(made.excluded)},
    )


def _percent(radius: Fraction) -> str:
    value = float(radius * 100)
    return f"{value:g}%"
