# SPDX-License-Identifier: Apache-2.0
"""Pair networks with what is asked of them: a list, equal names, a named property, or nothing at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from safetyboard.readers.catalog import kind_of
from safetyboard.readers.compressed import bare_name
from safetyboard.readers.instances import NAME, Instance


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Put one property to one network, both by their names in custody; an empty property asks nothing.

    Args:    missing: what a list names but custody does not hold.
    """

    network: str
    property: str
    missing: str = ""


def is_network(name: str) -> bool:
    """Tell whether a file's name says ONNX."""
    return kind_of(name) == "onnx"


def is_property(name: str) -> bool:
    """Tell whether a file's name says VNN-LIB."""
    return kind_of(name) == "vnnlib"


def is_claims(name: str) -> bool:
    """Tell whether a file is a claims file."""
    return kind_of(name) == "claims"


def listed(instances: Sequence[Instance], names: Sequence[str], place: str = NAME) -> tuple[Pair, ...]:
    """Pair as the list says, in its order; each pair once.

    Args:    place: name of the list in custody; what it names lies beside it.
    """
    by_bare = {bare_name(name): name for name in sorted(names, reverse=True)}
    folder = PurePosixPath(place).parent
    pairs = []
    for instance in instances:
        wanted = [str(folder / name) for name in (instance.network, instance.property)]
        absent = [name for name in wanted if name not in by_bare]
        missing = f"{place}, line {instance.line}: {absent[0]} is not there" if absent else ""
        network, asked = (by_bare.get(name, name) for name in wanted)
        pairs.append(Pair(network=network, property=asked, missing=missing))
    return tuple(dict.fromkeys(pairs))


def outside(names: Sequence[str], lists: Sequence[str]) -> list[str]:
    """Keep the names that lie in no folder with a list: there the list alone says what is asked."""
    folders = [PurePosixPath(name).parent for name in lists]
    return [name for name in names if not any(PurePosixPath(name).is_relative_to(folder) for folder in folders)]


def by_names(names: Sequence[str], *, chosen: str | None, claimed: Sequence[str] = ()) -> tuple[Pair, ...]:
    """Pair equal names in equal folders; a network without a partner gets a lone property, or is asked nothing.

    Args:    chosen: the property given for every network, or None. claimed: networks a claims file speaks of.
    """
    networks = _once(name for name in names if is_network(name))
    properties = {_stem(name): name for name in sorted(names, reverse=True) if is_property(name)}
    lone = next(iter(properties.values())) if len(networks) == 1 and len(properties) == 1 else None
    pairs = []
    for network in networks:
        partner = chosen or properties.get(_stem(network)) or lone
        if partner is not None or network not in claimed:
            pairs.append(Pair(network=network, property=partner or ""))
    return tuple(pairs)


def _once(names: Iterable[str]) -> list[str]:
    """Keep one of ``net.onnx`` and ``net.onnx.gz``: the first in order of names."""
    kept: dict[str, str] = {}
    for name in sorted(names):
        kept.setdefault(bare_name(name), name)
    return list(kept.values())


def _stem(name: str) -> str:
    path = PurePosixPath(bare_name(name))
    return str(path.with_suffix(""))
