# SPDX-License-Identifier: Apache-2.0
"""Read trajectories of SWE-agent (`.traj`): one JSON object whose history and trajectory tell the same twice.

The history is what the model saw and said, the trajectory what was done and observed. The history leads; each turn of
the trajectory is matched with it, and what the history lacks is told from the trajectory.

Source:  SWE-agent documentation, "Output files"; files of versions 0.6 to 1.0.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.compressed import opened
from safetyboard.readers.records.json_lines import LARGEST_DOCUMENT, TOO_DEEP, parsed
from safetyboard.readers.records.place import Place, file_of, plain_object, text_in
from safetyboard.readers.records.swe_agent_turns import merged
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of, well_formed
from safetyboard.terms.episode import Episode, Outcome
from safetyboard.terms.errors import UnreadableInput

FORMAT = "swe-agent"
TOLD = ("history", "trajectory")
KNOWN = frozenset((*TOLD, "environment", "info", "replay_config", "attempts"))


def sniff(name: str, head: bytes) -> bool:
    """Tell whether the name or the first keys are those of a trajectory."""
    start = head[:4096].lstrip()
    keys = (b'"trajectory"', b'"environment"', b'"history"')
    return start[:1] == b"{" and (name.lower().endswith(".traj") or start[1:].lstrip().startswith(keys))


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give the episode of a trajectory file; of a file with several attempts one each.

    Raises:  UnreadableInput: not one JSON object with a history or a trajectory. TooLarge: over 256 MiB.
    """
    content = opened(stored, LARGEST_DOCUMENT)
    document, reason = parsed(content)
    if reason:
        raise UnreadableInput(f"{stored.name}: {_fault_of(content, reason)}.", hint="Fetch the file again.")
    if not isinstance(document, dict) or not any(isinstance(document.get(key), list) for key in (*TOLD, "attempts")):
        raise UnreadableInput(
            f"{stored.name}: there is no list named history or trajectory.", hint="Give a file written by SWE-agent."
        )
    name, place = _name(stored.name), Place(file=file_of(stored))
    attempts = document.get("attempts")
    for index, attempt in enumerate(attempts if isinstance(attempts, list) else []):
        if isinstance(attempt, dict):
            yield _episode(
                attempt,
                f"/attempts/{index}",
                Place(file=file_of(stored)),
                account,
                (f"{name}/{index}", name, str(index)),
            )
        else:
            account.leave("attempts that are no objects")
    if any(isinstance(document.get(key), list) for key in TOLD):
        yield _episode(document, "", place, account, (name, "", ""))


def _fault_of(content: bytes, reason: str) -> str:
    """Say where the text breaks off, if it does."""
    if reason == TOO_DEEP:
        return f"the JSON is {reason}"
    try:
        json.loads(content)
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        return f"it is not JSON from line {error.lineno}, column {error.colno} on"
    except ValueError:
        return "it holds a number too long to be read"
    return f"it is {reason}"


def _episode(
    document: Mapping[str, Any], base: str, place: Place, account: Account, named: tuple[str, str, str]
) -> Episode:
    name, parent, branch = named
    extra: dict[str, Plain] = {}
    for key, value in document.items():
        if key in ("info", "environment", "replay_config"):
            extra[key] = plain_of(value)
        elif key not in KNOWN:
            extra[well_formed(key)] = plain_of(value)
            account.pass_unknown(f"part {well_formed(key)}")
        elif key != "attempts" and not isinstance(value, list):
            account.leave(f"{key} that is no list")
    steps = merged(document, base, place, account)
    info = document.get("info")
    info = info if isinstance(info, dict) else {}
    status = info.get("exit_status")
    true: tuple[Outcome, ...] = ()
    if isinstance(status, str):
        where = place.source(f"{base}/info/exit_status")
        true = (Outcome(value=well_formed(status), by="environment", name="exit_status", source=where),)
    if not document.get("trajectory") and not steps:
        account.discrepancies.append(
            Discrepancy(between="history, trajectory", name=name, what="missing", where="history, trajectory")
        )
    return Episode(
        file=place.file,
        format=FORMAT,
        name=name,
        parent=parent,
        branch=branch,
        task=next((step.content for step in steps if step.actor == "user"), ""),
        system=_system(document),
        condition=plain_object({"environment": document["environment"]}) if "environment" in document else {},
        true=true,
        steps=steps,
        extra=extra,
    )


def _system(document: Mapping[str, Any]) -> dict[str, Plain]:
    """Name scaffold, and the model where the configuration does; newer files keep it as JSON text."""
    system: dict[str, Plain] = {"scaffold": "SWE-agent"}
    config = document.get("replay_config")
    if isinstance(config, str):
        config = parsed(config.encode("utf-8", "surrogatepass"))[0]
    agent = config.get("agent") if isinstance(config, dict) else None
    model = agent.get("model") if isinstance(agent, dict) else None
    if isinstance(model, dict):
        if name := text_in(model, "name"):
            system["model"] = name
        system["parameters"] = plain_object({key: value for key, value in model.items() if key != "api_key"})
    return system


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".traj")
