# SPDX-License-Identifier: Apache-2.0
"""Keys, statements and runs of one agent, with which delegations are tested."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safetyboard.evidence.keys import SigningKey
from safetyboard.readers.delegations.delegation import Delegations
from safetyboard.readers.delegations.delegation_file import added, read, signed
from safetyboard.readers.stored import Stored
from safetyboard.terms.episode import Episode, Source, Step


def key_of(number: int) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


ROOT, TEAM, OTHER = key_of(1), key_of(2), key_of(3)
NAMES = {ROOT.fingerprint: "Head of operations", TEAM.fingerprint: "Team of repair", OTHER.fingerprint: "Somebody else"}


def statement(key: SigningKey = ROOT, **changed: Any) -> dict[str, Any]:
    """Write a delegation of network and push acts to the agent ``fixer`` for the year 2026."""
    whole = {
        "kind": "delegation",
        "schema": 1,
        "principal": {"name": NAMES[key.fingerprint], "nature": "legal person", "contact": "ops@example.org"},
        "delegate": {"agent": "fixer"},
        "scope": {"effects": ["network", "push"]},
        "from": "2026-01-01T00:00:00Z",
        "until": "2027-01-01T00:00:00Z",
    }
    return {name: value for name, value in {**whole, **changed}.items() if value is not None}


def revocation(of: str, at: str, key: SigningKey = ROOT) -> dict[str, Any]:
    principal = {"name": NAMES[key.fingerprint], "nature": "legal person", "contact": "ops@example.org"}
    return {"kind": "revocation", "schema": 1, "principal": principal, "delegation": of, "at": at}


def file_of(statements: Sequence[tuple[Mapping[str, Any], SigningKey]]) -> bytes:
    content = b""
    for record, key in statements:
        content = added(content, "delegations.json", signed(record, key)[0])
    return content or json.dumps({"schema": "safetyboard.delegations/1", "statements": []}).encode()


def read_file(content: bytes, *trusted: SigningKey) -> Delegations:
    stored = Stored(name="delegations.json", size=len(content), load=lambda: content)
    return read(stored, [key.fingerprint for key in trusted or (ROOT,)])


def delegations(*statements: tuple[Mapping[str, Any], SigningKey]) -> Delegations:
    return read_file(file_of(statements))


def acted(
    *calls: tuple[str, Mapping[str, Any], str],
    at: str = "2026-06-01T12:00:00Z",
    agent: str = "fixer",
    name: str = "run 1",
) -> Episode:
    """Tell a run: tool, arguments and what came back for each call; an empty answer is none."""
    steps = [Step(index=0, actor="user", kind="observe", content="Do it.", source=Source(file="sha256:00"), at=at)]
    for number, (tool, arguments, answer) in enumerate(calls):
        place = Source(file="sha256:00", line=number + 2)
        steps.append(
            Step(
                index=len(steps),
                actor="agent",
                kind="act",
                tool=tool,
                arguments=dict(arguments),
                call=f"c{number}",
                source=place,
                at=at,
            )  # fmt: skip
        )
        if answer:
            steps.append(
                Step(
                    index=len(steps),
                    actor="tool",
                    kind="result",
                    content=answer,
                    call=f"c{number}",
                    source=place,
                    at=at,
                )
            )
    return Episode(file="sha256:00", format="test", name=name, steps=tuple(steps), system={"agent": agent})


def bash(command: str, answer: str = "ok") -> tuple[str, dict[str, Any], str]:
    return "bash", {"command": command}, answer
