# SPDX-License-Identifier: Apache-2.0
"""Read tau-bench trajectories: a simulated user, an agent with tools, and a reward that a program computed."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.chat_messages import Path, Steps, below, name_of, root_of, text_of
from safetyboard.readers.records.json_lines import values
from safetyboard.readers.stored import Stored
from safetyboard.terms.canonical import Plain, plain_of
from safetyboard.terms.episode import Episode, Outcome, Source


def sniff(name: str, head: bytes) -> bool:
    """Tell whether a file holds tau-bench runs."""
    return b'"task_id"' in head and b'"reward"' in head and (b'"traj"' in head or b'"instruction"' in head)


def episodes(stored: Stored, account: Account) -> Iterator[Episode]:
    """Give each run; the reward is the true outcome, by a program, and the gold actions are a condition of the run.

    Source:  sierra-research/tau-bench, ``tau_bench/types.py`` (EnvRunResult, RewardResult).
    """
    account.unit = "runs"
    root = root_of(stored)
    seen: set[str] = set()
    for line, pointer, run in values(stored, account):
        if not isinstance(run, dict) or not isinstance(run.get("traj"), list):
            account.pass_unknown("records without a trajectory")
            continue
        account.take()
        at = Source(file=root.file, line=line, pointer=pointer)
        episode = _episode(run, at, account)
        if episode.name in seen:
            account.discrepancies.append(
                Discrepancy(between="runs", name=episode.name, what="duplicate", where=f"{pointer or line}")
            )
        seen.add(episode.name)
        yield episode


def _episode(run: Mapping[str, Any], at: Source, account: Account) -> Episode:
    steps = Steps()
    for index, message in enumerate(run["traj"]):
        steps.message(message, partial(_at, below(at, "traj", index)))
    name = f"task {name_of(run.get('task_id'))} trial {name_of(run.get('trial'))}"
    info = _object(run.get("info"))
    task = _object(info.get("task"))
    condition: dict[str, Plain] = {"task_id": plain_of(run.get("task_id")), "trial": plain_of(run.get("trial"))}
    if "actions" in task:
        condition["gold_actions"] = plain_of(task["actions"])
        condition["gold_actions_at"] = below(at, "info", "task", "actions").pointer
    if task.get("outputs"):
        condition["gold_outputs"] = plain_of(task["outputs"])
        condition["gold_outputs_at"] = below(at, "info", "task", "outputs").pointer
    extra = {key: plain_of(value) for key, value in info.items() if key != "task"}
    extra["task"] = plain_of({key: value for key, value in task.items() if key not in ("actions", "outputs")})
    taken = ("traj", "info", "task_id", "trial", "reward")
    return Episode(
        file=at.file,
        format="tau_bench",
        name=name,
        steps=tuple(steps.made),
        task=text_of(task.get("instruction")),
        condition=condition,
        true=tuple(_outcomes(run, info, at, name, account)),
        extra={**extra, **{key: plain_of(value) for key, value in run.items() if key not in taken}},
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(here: Source, path: Path) -> Source:
    return below(here, *path)


def _outcomes(
    run: Mapping[str, Any], info: Mapping[str, Any], at: Source, name: str, account: Account
) -> Iterator[Outcome]:
    """Give the reward and its parts; that of the run and that of its details must be one."""
    if run.get("reward") is not None:
        yield Outcome(value=_number(run["reward"]), by="program", source=below(at, "reward"), name="reward")
    details = info.get("reward_info")
    if not isinstance(details, dict):
        return
    if "reward" in details and details["reward"] != run.get("reward"):
        where = f"run says {_number(run.get('reward'))[:20]}, reward_info {_number(details['reward'])[:20]}"
        account.discrepancies.append(
            Discrepancy(between="reward, reward_info", name=name, what="edited", where=where)
        )  # fmt: skip
    parts = details.get("info")
    for key in ("r_actions", "r_outputs"):
        if isinstance(parts, dict) and parts.get(key) is not None:
            here = below(at, "info", "reward_info", "info", key)
            yield Outcome(value=_number(parts[key]), by="program", source=here, name=key)


def _number(value: Any) -> str:
    """Write a number as people read it."""
    return repr(value) if isinstance(value, int | float) else text_of(value)
