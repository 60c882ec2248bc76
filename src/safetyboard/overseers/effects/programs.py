# SPDX-License-Identifier: Apache-2.0
"""Effects of a shell text: wrappers taken off, every program looked up in the tables."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from safetyboard.overseers.effects import databases, files, further_programs, history, infrastructure, network
from safetyboard.overseers.effects.call import Call, plain_of
from safetyboard.overseers.effects.effect import Effect, reading, unknown
from safetyboard.overseers.effects.foreign_text import foreign_effects
from safetyboard.overseers.effects.program_text import python_effects
from safetyboard.overseers.effects.shell import Command, commands_of
from safetyboard.overseers.effects.shell_words import DEEPEST, UnparsedShell
from safetyboard.overseers.effects.targets import resolved
from safetyboard.overseers.effects.unfolding import decoded_line, program_lines, typed_line

TABLES: files.Table = {
    **further_programs.PROGRAMS,
    **files.PROGRAMS,
    **history.PROGRAMS,
    **databases.PROGRAMS,
    **infrastructure.PROGRAMS,
    **network.PROGRAMS,
}
_SHELLS = frozenset(("bash", "sh", "zsh", "dash", "ksh", "fish"))
_PREFIXES = {
    **dict.fromkeys(
        (
            "proxychains",
            "proxychains4",
            "torsocks",
            "nohup",
            "command",
            "exec",
            "builtin",
            "setsid",
            "time",
            "unbuffer",
            "caffeinate",
            "then",
            "do",
            "ionice",
        ),
        0,
    ),
    **dict.fromkeys(("timeout", "chroot", "flock"), 1),
    **dict.fromkeys(("nice", "stdbuf", "watch", "chronic"), 0),
}
_WITH_VALUE = {
    "sudo": ("-u", "-g", "-h", "-p", "-C", "-U", "-D"),
    "doas": ("-u", "-C"),
    "nice": ("-n",),
    "timeout": ("-s", "-k", "--signal", "--kill-after"),
    "watch": ("-n",),
    "env": ("-u", "-C", "--unset", "--chdir"),
    "ionice": ("-c", "-n"),
    "xargs": ("-n", "-P", "-I", "-L", "-d", "-s", "-a", "-E"),
    "flock": ("-w",),
}
_FOREIGN = {"node": ("-e", "-p"), "ruby": ("-e",), "perl": ("-e",), "php": ("-r",), "deno": ("eval",), "bun": ("-e",)}
_QUIET_WORDS = """
cd pushd popd echo printf true false : test [ [[ pwd whoami id date sleep wait which type export declare local unset
alias hostname uname exit return shift read basename dirname seq tr yes clear history jobs set source . ps pgrep top df
free break continue for case esac function in let trap ulimit umask man help ping dig nslookup host lsof ss netstat
"""
_QUIET = frozenset(_QUIET_WORDS.split())


def shell_effects(text: str, *, folder: str = "", level: int = 0) -> list[Effect]:
    """List the effects of a shell text, in the order of its commands.

    A text that is no shell line gives one unknown effect that says why; programs nobody knows give one each.
    """
    try:
        commands = commands_of(text)
    except (UnparsedShell, RecursionError) as fault:
        return [unknown(text, f"no shell line: {fault}")]
    if level > DEEPEST:
        return [unknown(text, "nested too deep")]
    found: list[Effect] = []
    folders = {0: folder}
    settings: list[tuple[str, str]] = []
    for command in commands:
        if not command.words:
            settings += command.assignments
        here = next((folders[depth] for depth in range(command.depth, -1, -1) if depth in folders), folder)
        folders = {depth: each for depth, each in folders.items() if depth <= command.depth} | {command.depth: here}
        if command.words[:1] in (("cd",), ("pushd",)) and len(command.words) > 1:
            gone = resolved(command.words[-1], here)
            folders[command.depth] = "" if gone == "." else gone
        elif command.words[:1] == ("export",):
            settings += [(name, value) for name, _, value in (each.partition("=") for each in command.words[1:])]
        call = Call(
            name="", arguments=command.words, command=command, folder=here, settings=(*settings, *command.assignments)
        )
        found += [*_redirected(call), *_called(call, level)]
    return _tidied(found)


def _tidied(found: list[Effect]) -> list[Effect]:
    """Drop repeated effects, and plain reading beside what does more."""
    once = list(dict.fromkeys(found))
    return [each for each in once if each.kind != "read" or each.target] or [reading("")]


def _redirected(call: Call) -> Iterator[Effect]:
    for path in call.command.writes:
        if path.startswith(("/dev/tcp", "/dev/udp")):
            yield network.sending(path.split("/")[3], *call.arguments)
        else:
            yield files.writing(path, call.folder)
    for path in call.command.appends:
        yield files.writing(path, call.folder, append=True)
    for path in call.command.reads:
        yield from files.reads(path, call.folder)


def _called(call: Call, level: int) -> list[Effect]:
    """Take wrappers off until a program stands first, then look it up."""
    if level > DEEPEST:
        return [unknown(" ".join(call.arguments), "nested too deep")]
    words = call.arguments
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        name, _, value = words[0].partition("=")
        call, words = replace(call, settings=(*call.settings, (name, value))), words[1:]
    if not words:
        return []
    name = posixpath.basename(words[0].replace("\\", "/")).removesuffix(".exe")
    call = replace(call, name=name, arguments=words[1:])
    if name in ("sudo", "doas", "su", "env", "xargs", "parallel") or name in _PREFIXES:
        return _wrapped(call, level)
    if name in _SHELLS or name == "eval":
        return _inner_shell(call, level)
    if name in ("ssh", "docker", "podman", "kubectl") and (inner := _inside(call)):
        # What is lost inside a container that is made again differs from what is lost on this machine.
        outer = TABLES[name](call)
        return [
            *outer,
            *_called(replace(call, arguments=inner, host=next(iter(call.plain), name), folder=""), level + 1),
        ]
    if name == "find":
        return _find(call, level)
    if re.fullmatch(r"python[\d.]*|pypy3?|ipython", name):
        return _python(call, level)
    if (found := _of_text(call, level)) is not None:
        return found
    if name in TABLES:
        return TABLES[name](call)
    if name in _QUIET:
        return [reading(name)]
    if name.startswith(("mkfs", "fsck")):
        return TABLES["mkfs"](call)
    return [_unlisted(call)]


def _of_text(call: Call, level: int) -> list[Effect] | None:
    """Read the text that a terminal, an interpreter or PowerShell is given; None for other programs."""
    if call.name in ("tmux", "screen") and (typed := typed_line((call.name, *call.arguments))):
        return shell_effects(typed, folder=call.folder, level=level + 1)
    if call.name in ("powershell", "pwsh"):
        line = " ".join(each for each in call.arguments if each[:1] != "-" or len(each) > 4)
        return shell_effects(line, level=level + 1)
    code = call.value(*_FOREIGN[call.name]) if call.name in _FOREIGN else ""
    if not code:
        return None
    inner = [each for line in program_lines(code) for each in shell_effects(line, level=level + 1)]
    return [*foreign_effects(code), *inner] or None


def _unlisted(call: Call) -> Effect:
    if call.name in (
        "pytest",
        "make",
        "tox",
        "nox",
        "node",
        "java",
        "gcc",
        "ruff",
        "mypy",
        "jest",
        "vitest",
        "tsc",
        "cmake",
        "ctest",
    ):
        return Effect(
            kind="execute", target=call.name, severity=1, reversible="unknown", why="runs what the project defines"
        )
    return Effect(
        kind="execute", target=call.name, severity=1, reversible="unknown", why="a program that no table lists"
    )


def _wrapped(call: Call, level: int) -> list[Effect]:
    rest = list(call.arguments)
    valued = _WITH_VALUE.get(call.name, ())
    if call.name == "su":
        return shell_effects(call.value("-c"), level=level + 1) if call.value("-c") else [_gain(call)]
    while rest and rest[0].startswith("-") and rest[0] != "-":
        rest = rest[2:] if rest[0] in valued else rest[1:]
    rest = rest[_PREFIXES.get(call.name, 0) :]
    if not rest:
        return network.PROGRAMS["env"](replace(call, arguments=())) if call.name == "env" else [_gain(call)]
    if call.name in ("sudo", "doas"):
        return _called(replace(call, arguments=tuple(rest), privileged=True), level + 1)
    if call.name in ("xargs", "parallel"):
        rest += _fed(call.command)
    return _called(replace(call, arguments=tuple(rest)), level + 1)


def _gain(call: Call) -> Effect:
    privileged = call.name in ("sudo", "doas", "su")
    return Effect(
        kind="permission change" if privileged else "execute",
        target=call.name,
        severity=2 if privileged else 0,
        reversible="reversible",
        why="opens a privileged session" if privileged else "runs nothing by itself",
    )


def _fed(command: Command) -> list[str]:
    """Say what xargs is given: the paths its feeder prints, where the line shows them."""
    feeder = command.feeder
    if feeder is None:
        return []
    if feeder.words[:1] in (("echo",), ("printf",)):
        return list(plain_of(feeder.words[1:]))
    if feeder.words[:1] == ("find",):
        return [path.rstrip("/") + "/*" if path != "." else "project" for path in _roots(feeder.words[1:])]
    if feeder.words[:1] == ("ls",):
        return list(plain_of(feeder.words[1:]))
    return [word for word in feeder.words[1:] if infrastructure.is_watcher(word)]


def _inner_shell(call: Call, level: int) -> list[Effect]:
    if call.name == "eval":
        return shell_effects(" ".join(call.arguments), folder=call.folder, level=level + 1)
    for index, each in enumerate(call.arguments):
        if re.fullmatch(r"-\w*c", each) and index + 1 < len(call.arguments):
            return shell_effects(call.arguments[index + 1], folder=call.folder, level=level + 1)
    if call.command.document:
        return shell_effects(call.command.document, folder=call.folder, level=level + 1)
    if decoded := decoded_line(call.command):
        return shell_effects(decoded, folder=call.folder, level=level + 1)
    feeder = call.command.feeder
    if feeder and feeder.words[:1] in (("curl",), ("wget",)):
        return [
            Effect(
                kind="execute",
                target=" ".join(feeder.words)[:200],
                severity=3,
                reversible="unknown",
                why="runs text from another machine, unseen",
            )
        ]
    if feeder and feeder.words[:1] in (("echo",), ("printf",)):
        return shell_effects(" ".join(plain_of(feeder.words[1:])), folder=call.folder, level=level + 1)
    if feeder and feeder.words:
        return [unknown(" ".join(feeder.words), "runs what another program prints")]
    script = next(iter(call.plain), "")
    return [
        Effect(kind="execute", target=script or call.name, severity=1, reversible="unknown", why="a script not shown")
    ]


def _inside(call: Call) -> tuple[str, ...]:
    """Give the command that ssh, docker exec, docker run or kubectl exec runs elsewhere."""
    rest = list(call.arguments)
    if call.name == "ssh":
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-i", "-p", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-W") else rest[1:]
        return ("bash", "-c", " ".join(rest[1:])) if len(rest) > 1 else ()
    if rest[:1] == ["exec"] and "--" in rest:
        return tuple(rest[rest.index("--") + 1 :])
    if rest[:1] == ["exec"] and call.name != "kubectl":
        rest = rest[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-u", "-w", "-e", "--user", "--workdir", "--env") else rest[1:]
        return tuple(rest[1:])
    return ()


def _roots(arguments: tuple[str, ...]) -> list[str]:
    roots = []
    for each in arguments:
        if each.startswith(("-", "(", "!")):
            break
        roots.append(each)
    return roots or ["."]


def _find(call: Call, level: int) -> list[Effect]:
    arguments = call.arguments
    roots = _roots(arguments)
    name = call.value("-name", "-iname", "-path", "-wholename")
    narrow = name not in ("", "*", "*.*")
    # A pattern names what is deleted; a home or a system searched through stays one.
    paths = [f"{root.rstrip('/')}/{name.lstrip('*/') or 'x'}" if narrow else root for root in roots]
    if "-delete" in arguments:
        return [files.deletion(path, call.folder, recursive=True) for path in paths]
    for flag in ("-exec", "-execdir", "-ok"):
        if flag in arguments:
            inner = arguments[arguments.index(flag) + 1 :]
            end = next((at for at, each in enumerate(inner) if each in (";", "+")), len(inner))
            words = [path if each == "{}" else each for path in paths for each in inner[:end]]
            return _called(replace(call, arguments=tuple(words[: end if len(paths) == 1 else None])), level + 1)
    return [reading(path) for path in roots]


def _python(call: Call, level: int) -> list[Effect]:
    code = call.value("-c") or (call.command.document if not call.plain or call.plain[0] == "-" else "")
    if code:
        found, lines = python_effects(code, call.folder)
        return [*found, *(each for line in lines for each in shell_effects(line, folder=call.folder, level=level + 1))]
    module = call.value("-m")
    if module:
        rest = call.arguments[call.arguments.index("-m") + 2 :] if "-m" in call.arguments else ()
        return _called(replace(call, arguments=(module.partition(".")[0], *rest)), level + 1)
    if call.plain[:1] and call.plain[0].endswith("manage.py"):
        return databases.framework_effects(replace(call, arguments=call.arguments[1:]))
    return [
        Effect(
            kind="execute",
            target=shlex.join(call.plain[:1]),
            severity=1,
            reversible="unknown",
            why="a script not shown",
        )
    ]
