# SPDX-License-Identifier: Apache-2.0
"""What a call does to the world, by the dotted name it goes by in the code; names alone decide."""

import ast
import re
from dataclasses import dataclass

from safetyboard.readers.components.python_names import dotted, full_name

_BY_NAME: tuple[tuple[str, str, int], ...] = (
    (r"(?:stripe|paypalrestsdk|braintree|square|coinbase|web3)\..+", "money", 4),
    (r"(?:builtins\.)?(?:eval|exec)", "program run", 4),
    (r"os\.(?:system|popen|exec\w+|spawn\w+|posix_spawn\w*)", "program run", 4),
    (r"subprocess\.(?:run|call|Popen|check_call|check_output|getoutput|getstatusoutput)", "program run", 4),
    (r"asyncio\.create_subprocess_\w+|pty\.spawn|runpy\.run_\w+|paramiko\..+|fabric\..+", "program run", 4),
    (r"shutil\.rmtree|os\.(?:remove|unlink|rmdir|removedirs)", "deletion", 3),
    (r"os\.(?:chmod|chown|setuid|setgid)", "permission", 3),
    (r"boto3\..+|google\.cloud\.(?!aiplatform).+|kubernetes\..+|docker\..+", "infrastructure", 3),
    (r"(?:smtplib|sendgrid|twilio|slack_sdk|telegram|discord)\..+", "message", 3),
    (r"(?:requests|httpx)\.(?:post|put|patch|delete|request)", "network out", 2),
    (
        r"(?:requests|httpx)\.(?:get|head|stream)|urllib\.request\.\w+|socket\.(?:socket|create_connection)",
        "network",
        1,
    ),
    (r"(?:aiohttp|ftplib|websockets?)\..+", "network", 1),
    (r"os\.(?:rename|replace|makedirs|mkdir|symlink)|shutil\.(?:copy\w*|move)", "file write", 2),
)
_TABLE = tuple((re.compile(pattern), kind, severity) for pattern, kind, severity in _BY_NAME)
_DATABASE = re.compile(r"(?:^|[._])(?:cursor|cur|conn|connection|session|db|database|engine|tx|transaction)\b.*"
                       r"\.(?:execute|executemany|executescript|raw)$", re.I)  # fmt: skip
_METHODS = {
    "write_text": ("file write", 2), "write_bytes": ("file write", 2), "unlink": ("deletion", 3),
    "rmtree": ("deletion", 3), "executescript": ("database", 3), "executemany": ("database", 3),
    "sendmail": ("message", 3), "send_message": ("message", 3),
}  # fmt: skip
_PERMITS = re.compile(
    r"^_?(?:has_|check_|is_)?(?:permission|permitted|authori[sz]ed?|allowed|access_granted)\w*$|"
    r"^_?(?:authori[sz]e|grant_access|approve|can_access)\w*$|^_?is_(?:allowed|authori[sz]ed|permitted|admin)\w*$"
)


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """Hold one place where code acts on the world, or decides what is permitted.

    Args:    severity: 1 (asks others) to 4 (runs programs, moves money). function: the node of the code graph.
    """

    kind: str
    severity: int
    function: str
    file: str
    line: int
    quotation: str


def consequence_of(call: ast.Call, names: dict[str, str]) -> tuple[str, int] | None:
    """Say what a call does, as its name has it; None where the name says nothing."""
    name, written = full_name(call.func, names), dotted(call.func)
    for pattern, kind, severity in _TABLE:
        if pattern.fullmatch(name):
            return kind, severity
    if name in ("open", "io.open", "codecs.open") or written.endswith(".open"):
        return ("file write", 2) if _writes(call) else None
    if _DATABASE.search(written):
        return "database", 3
    method = written.rpartition(".")[2] if "." in written or isinstance(call.func, ast.Attribute) else ""
    return _METHODS.get(method)


def is_permission(name: str) -> bool:
    """Tell whether a function's name says that it decides what is permitted."""
    return bool(_PERMITS.match(name))


def _writes(call: ast.Call) -> bool:
    modes = [each.value for each in call.keywords if each.arg == "mode"]
    modes += call.args[1:2] if dotted(call.func) in ("open", "io.open", "codecs.open") else call.args[:2]
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) and re.fullmatch(r"[rwaxbt+U]{1,4}", each.value)
        and set(each.value) & set("wax+")
        for each in modes
    )  # fmt: skip
