# SPDX-License-Identifier: Apache-2.0
"""Effects of programs that speak to other machines, install software or use credentials."""

import re

from safetyboard.overseers.effects.call import Call
from safetyboard.overseers.effects.effect import Effect, EffectKind, Reversible, reading
from safetyboard.overseers.effects.files import Table, deletion, reads, writing
from safetyboard.overseers.effects.targets import is_local, is_secret

_REMOTE = re.compile(r"^(?:[\w.-]+@)?([\w.-]+):(?!//)(.*)$|^(\w+)://")
_URL = re.compile(r"^(?:https?|ftp|wss?)://|^[\w-]+(\.[\w-]+)+(/|$|:\d)|^localhost")
_SECRET_WORDS = re.compile(
    r"\$\{?\w*(TOKEN|SECRET|PASSWORD|API_?KEY|CREDENTIAL|ACCESS_KEY)\w*|\.env\b|id_(rsa|ed25519)", re.I
)


def _effect(kind: EffectKind, target: str, severity: int, why: str, reversible: Reversible = "unknown") -> Effect:
    return Effect(kind=kind, target=target[:200], severity=severity, reversible=reversible, why=why)


def sending(target: str, *contents: str) -> Effect:
    """Grade what is sent to a host: to this machine, to another, or credentials to another."""
    if is_local(target):
        return _effect("network out", target, 1, "to this machine", "reversible")
    if any(_SECRET_WORDS.search(each) or is_secret(each.lstrip("@").rpartition("=@")[2]) for each in contents):
        return _effect("network out", target, 4, "credentials leave the machine", "irreversible")
    return _effect("network out", target, 2, "data leave the machine", "irreversible")


def _web(call: Call) -> list[Effect]:
    url = next((each for each in call.plain if _URL.match(each)), next(iter(call.plain), ""))
    sent = [
        call.value(option)
        for option in (
            "-d",
            "--data",
            "--data-binary",
            "--data-raw",
            "--data-urlencode",
            "-F",
            "--form",
            "-T",
            "--upload-file",
            "--json",
            "--post-file",
            "--post-data",
            "--body-file",
        )
        if call.value(option)
    ]
    method = (call.value("-X", "--request", "--method") or ("POST" if sent else "GET")).upper()
    piped = call.command.feeder is not None and any(
        "-" in (each, each.lstrip("@"), each.rpartition("@")[2]) for each in sent
    )
    contents = [*sent, *(call.command.feeder.words if piped and call.command.feeder else ())]
    if method == "DELETE":
        grave = not is_local(url) and not call.rehearsed
        return [
            _effect(
                "network out",
                url,
                3 if grave else 1,
                "deletes at the other end",
                "irreversible" if grave else "unknown",
            )
        ]
    if sent or method in ("POST", "PUT", "PATCH"):
        return [sending(url, *contents)]
    found = [_effect("network in", url, 1, "brings data in", "reversible")]
    if _SECRET_WORDS.search(url) and not is_local(url):
        found.append(_effect("network out", url, 4, "credentials leave in the address", "irreversible"))
    if is_secret(call.value("-o", "--output", "-O")):
        found.append(writing(call.value("-o", "--output", "-O"), call.folder))
    return found


def _copy(call: Call) -> list[Effect]:
    paths = call.plain
    if len(paths) < 2:
        return [reading(" ".join(paths))]
    if call.has("-n", "--dry-run"):
        return [reading(paths[-1], "a trial run")]
    end, sources = paths[-1], paths[:-1]
    found = [_effect("network in", each, 1, "brings data in", "reversible") for each in sources if _REMOTE.match(each)]
    if _REMOTE.match(end):
        host = (_REMOTE.match(end) or re.match("", ""))[1] or end  # type: ignore[index]
        found.append(sending(host, *sources))
        return found
    if any(each.startswith("--delete") for each in call.arguments) or (call.name == "rclone" and "sync" in paths):
        found.append(deletion(end.rstrip("/") + "/*", call.folder, recursive=True))
    return [
        *found,
        *(each for path in sources if not _REMOTE.match(path) for each in reads(path, call.folder)),
        writing(end, call.folder),
    ]


def _pipe_out(call: Call) -> list[Effect]:
    if call.has("-z"):
        return [
            _effect(
                "network out",
                " ".join(call.plain),
                1 if is_local(call.plain[0] if call.plain else "") else 3,
                "probes ports",
            )
        ]
    if call.has("-l"):
        return [_effect("network in", "a port", 3 if call.has("-e") else 2, "listens")]
    host = next(iter(call.plain), "")
    shell = call.has("-e", "-c", "--exec")
    contents = (*call.command.reads, *(call.command.feeder.words if call.command.feeder else ()))
    return [
        _effect("network out", host, 4, "gives a shell away", "irreversible") if shell else sending(host, *contents)
    ]


def _scan(call: Call) -> list[Effect]:
    target = next((each for each in reversed(call.plain) if not each.isdigit()), "")
    near = is_local(target)
    return [
        _effect("network out", target, 1 if near else 3, "probes this machine" if near else "probes other machines")
    ]


def _install(call: Call) -> list[Effect]:
    plain = call.plain
    deed = next(iter(plain), "")
    if deed in ("publish", "upload"):
        return [_effect("network out", call.name, 3, "publishes a package", "irreversible")]
    if deed in ("remove", "uninstall", "purge", "autoremove", "erase"):
        system = call.name in ("apt", "apt-get", "yum", "dnf", "brew", "pacman", "apk")
        return [_effect("install", " ".join(plain[1:]), 2 if system else 1, "removes software", "reversible")]
    if deed in (
        "run",
        "test",
        "start",
        "build",
        "exec",
        "check",
        "fmt",
        "clippy",
        "ci",
        "run-script",
        "bench",
        "doc",
        "lint",
    ):
        return [_effect("execute", " ".join(plain), 1, "runs what the project defines")]
    if deed not in ("install", "add", "i", "get", "upgrade", "sync", "download", "-S") and not call.has("-S"):
        return [reading(" ".join(plain))]
    wild = any(re.search(r"^(git\+|https?:|git@)", each) for each in plain[1:]) or call.has(
        "--extra-index-url", "--index-url", "--break-system-packages"
    )
    severity = 2 if wild or call.privileged or call.has("-g", "--global") else 1
    found = [
        _effect("install", " ".join(plain[1:]) or "what the project lists", severity, "software comes in", "reversible")
    ]
    return [*found, _effect("network in", call.name, 1, "from a registry", "reversible")]


def _secrets(call: Call) -> list[Effect]:
    if call.has("--verify", "--version", "--list-keys", "-l", "--help") or call.plain[:1] in (
        ("status",),
        ("version",),
        ("list",),
        ("ls",),
    ):
        return [reading(call.name)]
    return [_effect("credential use", f"{call.name} {' '.join(call.plain)}", 2, "shows or uses credentials")]


def _surroundings(call: Call) -> list[Effect]:
    names = [each for each in call.plain if not _SECRET_WORDS.search("$" + each)]
    if call.plain and len(names) == len(call.plain):
        return [reading(" ".join(call.plain))]
    return [_effect("credential use", "environment variables", 1, "may show credentials", "reversible")]


def _remote_shell(call: Call) -> list[Effect]:
    return [_effect("network out", next(iter(call.plain), ""), 2, "acts on another machine")]


def _pay(call: Call) -> list[Effect]:
    if call.plain[1:2] in (("list",), ("retrieve",)) or call.plain[:1] in (("listen",), ("logs",)):
        return [reading(" ".join(call.plain))]
    severity = 1 if call.rehearsed else 3
    return [
        _effect(
            "money", " ".join(call.plain), severity, "moves money", "irreversible" if severity == 3 else "reversible"
        )
    ]


PROGRAMS: Table = {
    **dict.fromkeys(("curl", "wget", "http", "https", "httpie", "Invoke-WebRequest"), _web),
    **dict.fromkeys(("scp", "rsync", "rclone", "sftp"), _copy),
    **dict.fromkeys(("nc", "ncat", "netcat", "socat", "telnet"), _pipe_out),
    **dict.fromkeys(
        (
            "nmap",
            "masscan",
            "hydra",
            "sqlmap",
            "nikto",
            "gobuster",
            "medusa",
            "zmap",
            "msfconsole",
            "crackmapexec",
            "ffuf",
        ),
        _scan,
    ),
    **dict.fromkeys(
        (
            "pip",
            "pip3",
            "npm",
            "yarn",
            "pnpm",
            "apt",
            "apt-get",
            "yum",
            "dnf",
            "brew",
            "gem",
            "cargo",
            "go",
            "conda",
            "poetry",
            "uv",
            "apk",
            "pacman",
            "twine",
            "snap",
        ),
        _install,
    ),
    **dict.fromkeys(("vault", "op", "pass", "security", "gpg", "ssh-keygen", "ssh-add", "secret-tool"), _secrets),
    **dict.fromkeys(("printenv", "env", "set"), _surroundings),
    **dict.fromkeys(("ssh", "mosh"), _remote_shell),
    "stripe": _pay,
}
