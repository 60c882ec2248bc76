# SPDX-License-Identifier: Apache-2.0
"""Recheck what an execution says of itself: the folder it was given, what it changed, and whether that is a failure."""

from typing import Any

from safetyboard_check.canonical import decode
from safetyboard_check.docket import Docket
from safetyboard_check.faults import need
from safetyboard_check.records import is_digest

SCHEMA = "safetyboard.folder/1"
LIFT = {"kind": "executions"}
MODES = (0o644, 0o755)


def check_execution(docket: Docket, record: dict[str, Any], where: str) -> list[str]:
    """Reject unless the result is told without contradiction; returns what could not be looked up.

    The command is never run here: that it does this is what its replay shows, and what the checker counts as not rerun.
    """
    need(record["command"] and record["runs"] >= 1, f"{where}: runs no command, or never")
    missing = []
    folder, output = docket.files.blob(record["folder"]), docket.files.blob(record["output"])
    for name, digest, content in (("folder", record["folder"], folder), ("output", record["output"], output)):
        if content is None:
            need(digest in docket.withheld, f"{where}: its {name} is missing")
            missing.append(f"{where}: its {name} is withheld")
    changed = record.get("changed", {})
    for path, pair in changed.items():
        need(_plain(path), f"{where}: changed: {path[:100]!r} is no path inside a folder")
        good = isinstance(pair, list) and len(pair) == 2 and all(each is None or _state(each) for each in pair)
        need(good and pair[0] != pair[1], f"{where}: changed: {path[:100]!r} is no pair of different contents")
    if folder is not None:
        missing += _check_folder(docket, decode(folder, f"{where}: folder"), changed, where)
    holds = _holds(record, output, where)
    if record["shows"] == "failure":
        need(record["runs"] >= 2, f"{where}: a failure that was run once is not replayed")
        need(holds is not False, f"{where}: shows a failure, but its result does not meet its criterion")
    if record["shows"] == "control":
        need(holds is not True, f"{where}: is a control, but its result meets the criterion")
    return missing


def _state(value: Any) -> bool:
    return is_digest(value) or (isinstance(value, str) and value.startswith("-> "))


def _plain(path: str) -> bool:
    return not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))


def _check_folder(docket: Docket, plain: Any, changed: dict[str, Any], where: str) -> list[str]:
    good = isinstance(plain, dict) and plain.get("schema") == SCHEMA and isinstance(plain.get("files"), dict)
    need(good, f"{where}: its folder is no manifest of files")
    files = plain["files"]
    for path, entry in files.items():
        need(_plain(path), f"{where}: folder: {path[:100]!r} is no path inside a folder")
        listed = isinstance(entry, list) and len(entry) == 2 and is_digest(entry[0]) and entry[1] in MODES
        need(listed, f"{where}: folder: {path[:100]!r} is no digest with a mode")
    for path, (before, _) in changed.items():
        known = files[path][0] if path in files else None
        need(before == known, f"{where}: changed: {path[:100]!r} was otherwise in the folder it was given")
    absent = {entry[0] for entry in files.values() if docket.files.blob(entry[0]) is None}
    return [f"{where}: {len(absent)} files of its folder are not here, so nobody can run it again"] if absent else []


def _holds(record: dict[str, Any], output: bytes | None, where: str) -> bool | None:
    """Tell whether the criterion is met; None where the output that decides is withheld."""
    criterion, answers = record["criterion"], []
    unknown = set(criterion) - {"changed", "code", "line"}
    need(criterion and not unknown, f"{where}: its criterion is empty, or knows {sorted(unknown)[:3]}")
    if "changed" in criterion:
        starts = criterion["changed"]
        good = isinstance(starts, list) and starts and all(isinstance(each, str) and each for each in starts)
        need(good, f"{where}: criterion: changed")
        answers.append(any(path.startswith(tuple(starts)) for path in record.get("changed", {})))
    if "code" in criterion:
        codes = criterion["code"]
        good = isinstance(codes, list) and codes and all(type(each) is int for each in codes)
        need(good, f"{where}: criterion: code")
        answers.append(record["code"] in criterion["code"])
    if "line" in criterion:
        line = criterion["line"]
        need(isinstance(line, str) and line and "\n" not in line, f"{where}: criterion: line")
        if output is None:
            return None if all(answers) else False
        answers.append(criterion["line"] in output.decode("utf-8", "replace").split("\n"))
    return all(answers)
