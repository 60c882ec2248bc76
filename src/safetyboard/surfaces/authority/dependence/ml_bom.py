# SPDX-License-Identifier: Apache-2.0
"""The inventory of model components as a bill of materials that other tools read: CycloneDX 1.6, JSON."""

import base64
import binascii
import json
import re
from collections import defaultdict
from typing import Any

from safetyboard.readers.components.component import Component, Inventory
from safetyboard.terms.canonical import content_id

_TYPES = {"weights": "machine-learning-model", "model": "machine-learning-model", "image": "container",
          "library": "library", "call": "library", "dependency": "library", "action": "application",
          "program": "application"}  # fmt: skip
_SERVICES = ("endpoint", "server")


def ml_bom(inventory: Inventory) -> bytes:
    """Write a bill of materials; the same inventory gives the same bytes, without a time or a serial number.

    Source:  CycloneDX 1.6, ECMA-424; occurrences as in `evidence.occurrences`.
    """
    groups: dict[tuple[str, str, str], list[Component]] = defaultdict(list)
    for each in inventory.components:
        kind = "service" if each.kind in _SERVICES else _TYPES[each.kind]
        groups[kind, each.name, each.version if each.kind != "dependency" or each.pinned else ""].append(each)
    components, services = list[Any](), list[Any]()
    for (kind, name, version), places in sorted(groups.items()):
        if kind == "service":
            services.append(_service(name, places))
        else:
            components.append(_component(kind, name, version, places))
    whole = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"tools": {"components": [{"type": "application", "name": "safetyboard"}]}},
        "components": components,
        "services": services,
    }
    return (json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8", "replace")


def _reference(kind: str, name: str, version: str) -> str:
    return content_id([kind, name, version])


def _component(kind: str, name: str, version: str, places: list[Component]) -> dict[str, Any]:
    supplier = next((each.supplier for each in places if each.supplier), "")
    made: dict[str, Any] = {
        "type": kind,
        "bom-ref": _reference(kind, name, version),
        "name": name,
        "evidence": {"occurrences": [_occurrence(each) for each in places]},
        "properties": _properties(places),
    }
    if version:
        made["version"] = version
    if supplier:
        made["supplier"] = {"name": supplier}
    hashes = [found for digest in sorted({each.digest for each in places}) if (found := _hash(digest))]
    if hashes:
        made["hashes"] = hashes
    return made


def _occurrence(each: Component) -> dict[str, Any]:
    more = {"line": each.line} if each.line else {}
    return {"location": each.file, "additionalContext": f"{each.kind}: {each.quotation}", **more}


def _service(name: str, places: list[Component]) -> dict[str, Any]:
    supplier = next((each.supplier for each in places if each.supplier), "")
    found = [{"name": "safetyboard:occurrence", "value": f"{each.file}:{each.line}"} for each in places]
    more = {"provider": {"name": supplier}} if supplier else {}
    return {
        "bom-ref": _reference("service", name, ""),
        "name": name,
        "properties": [*_properties(places), *found],
        **more,
    }


def _properties(places: list[Component]) -> list[dict[str, str]]:
    said = {("safetyboard:kind", str(each.kind)) for each in places}
    said |= {("safetyboard:pinned", str(each.pinned).lower()) for each in places if each.pinned is not None}
    said |= {("safetyboard:warning", each.warning) for each in places if each.warning}
    return [{"name": name, "value": value} for name, value in sorted(said)]


def _hash(digest: str) -> dict[str, str] | None:
    """Write a digest of ours, or the integrity of a lock file, as the format has it."""
    if re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return {"alg": "SHA-256", "content": digest.removeprefix("sha256:")}
    match = re.match(r"sha(256|384|512)-([A-Za-z0-9+/=]+)", digest)
    try:
        content = base64.b64decode(match[2], validate=True) if match else b""
    except (ValueError, binascii.Error):
        return None
    whole = match is not None and len(content) == int(match[1]) // 8
    return {"alg": f"SHA-{match[1]}", "content": content.hex()} if match and whole else None
