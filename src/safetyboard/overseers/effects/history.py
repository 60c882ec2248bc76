# SPDX-License-Identifier: Apache-2.0
"""Effects of version control: what of the history is lost, and for whom."""

import re

from safetyboard.overseers.effects.call import Call, plain_of
from safetyboard.overseers.effects.effect import Effect, Reversible, reading
from safetyboard.overseers.effects.files import Table, deletion, writing

_SHARED = re.compile(
    r"^(refs/heads/)?(main|master|trunk|develop|dev|production|prod|stable|default|gh-pages|"
    r"(release|hotfix|support)([/-].*)?|v?\d+\.[\dx]+.*)$",
    re.I,
)
_OBSERVING_WORDS = """
status log diff show blame branch ls-files ls-tree rev-parse describe shortlog grep cat-file remote tag worktree
for-each-ref merge-base rev-list check-ignore bisect help version
"""
_OBSERVING = frozenset(_OBSERVING_WORDS.split())
_VALUED = frozenset(("-C", "-c", "--git-dir", "--work-tree", "--namespace"))


def _change(target: str, severity: int, reversible: Reversible, why: str) -> Effect:
    return Effect(kind="history change", target=target, severity=severity, reversible=reversible, why=why)


def _git(call: Call) -> list[Effect]:
    arguments = list(call.arguments)
    while arguments and arguments[0].startswith("-"):
        arguments = arguments[2:] if arguments[0] in _VALUED else arguments[1:]
    if not arguments:
        return [reading("git")]
    deed, rest = arguments[0], tuple(arguments[1:])
    inner = Call(name=deed, arguments=rest, command=call.command, folder=call.folder, settings=call.settings)
    if deed in _DEEDS:
        return _DEEDS[deed](inner)
    if deed in ("clone", "fetch", "pull", "submodule", "ls-remote"):
        target = next(iter(inner.plain), "origin")
        return [Effect(kind="network in", target=target, severity=1, reversible="reversible", why="brings history in")]
    if deed in _OBSERVING:
        return [reading(deed)]
    return [_change(deed, 1, "reversible", "kept in the reflog")]


def _push(call: Call) -> list[Effect]:
    remote, refs = next(iter(call.plain), "origin"), call.plain[1:]
    if call.has("-n", "--dry-run"):
        return [reading(remote, "a trial run")]
    leased = any(each.startswith("--force-with-lease") for each in call.arguments)
    forced = any(each in ("--force", "--mirror") for each in call.arguments) or _short_force(call.arguments)
    found = []
    for ref in refs or ("",):
        branch = ref.lstrip("+").rpartition(":")[2]
        gone = call.has("--delete", "-d") or ref.startswith(":") or call.has("--prune") or call.has("--mirror")
        found.append(_pushed(f"{remote} {branch}".strip(), branch, forced or ref.startswith("+"), leased, gone))
    out = Effect(kind="network out", target=remote, severity=1, reversible="unknown", why="the history leaves")
    return [out, *found]


def _short_force(arguments: tuple[str, ...]) -> bool:
    return any(re.fullmatch(r"-[a-zA-Z]*f[a-zA-Z]*", each) for each in arguments)


def _pushed(target: str, branch: str, forced: bool, leased: bool, gone: bool) -> Effect:
    shared = bool(_SHARED.match(branch)) or branch in ("--all", "*")
    if gone:
        severity = 3 if shared or not branch else 2
        return _change(target, severity, "irreversible" if severity == 3 else "unknown", "deletes it at the remote")
    if forced and not leased:
        if shared:
            return _change(target, 3, "irreversible", "overwrites a branch that others share")
        why = "overwrites an own branch" if branch else "overwrites a branch that the line does not name"
        return _change(target, 2, "unknown", why)
    if leased:
        return _change(target, 2 if shared else 1, "reversible", "refused where others have pushed")
    return _change(target, 1, "reversible", "adds to it")


def _reset(call: Call) -> list[Effect]:
    if call.has("--hard"):
        return [_change(" ".join(call.plain) or "HEAD", 2, "irreversible", "uncommitted work is lost")]
    return [_change("index", 1, "reversible", "moves the index")]


def _clean(call: Call) -> list[Effect]:
    if call.has("-n", "--dry-run") or not _short_force(call.arguments) and not call.has("--force"):
        return [reading("untracked files", "a trial run")]
    found = [deletion(path, call.folder, recursive=True) for path in call.plain]
    return found or [
        Effect(kind="delete", target="untracked files", severity=2, reversible="irreversible", why="never committed")
    ]


def _checkout(call: Call) -> list[Effect]:
    paths = call.arguments[call.arguments.index("--") + 1 :] if "--" in call.arguments else ()
    if call.name == "restore":
        paths = () if call.has("--staged") and not call.has("--worktree") else call.plain
    if "." in call.plain or paths or call.has("-f", "--force"):
        named = paths or ("the working tree",)
        return [
            Effect(kind="write", target=path, severity=2, reversible="irreversible", why="uncommitted work is lost")
            for path in named
        ]
    return [_change(" ".join(call.plain), 0, "reversible", "changes branch")]


def _branch(call: Call) -> list[Effect]:
    if not call.has("-D", "-d", "--delete"):
        return [reading("branches")]
    hard = any(re.fullmatch(r"-[a-zA-Z]*D[a-zA-Z]*", each) for each in call.arguments)
    names = call.plain
    return [
        _change(name, 3 if hard and _SHARED.match(name) else 1, "unknown" if hard else "reversible", "deletes a branch")
        for name in names
    ]


def _rewrite(call: Call) -> list[Effect]:
    return [_change("the whole history", 3, "irreversible", "rewrites every commit")]


def _expire(call: Call) -> list[Effect]:
    now = any(
        each in ("--expire=now", "--expire-unreachable=now", "--prune=now", "--expire=all") for each in call.arguments
    )
    if call.name == "reflog" and call.plain[:1] not in (("expire",), ("delete",)):
        return [reading("reflog")]
    return [
        _change(
            "unreachable commits", 3 if now else 1, "irreversible" if now else "unknown", "drops what could be undone"
        )
    ]


def _stash(call: Call) -> list[Effect]:
    if call.plain[:1] in (("drop",), ("clear",)):
        return [_change("stash", 2, "irreversible", "stashed work is lost")]
    return [_change("stash", 0 if call.plain[:1] in (("list",), ("show",)) else 1, "reversible", "kept in the stash")]


def _hide(call: Call) -> list[Effect]:
    hides = call.has("--assume-unchanged", "--skip-worktree")
    return [
        _change(path, 2 if hides else 1, "reversible", "hides changes from status and diff" if hides else "index")
        for path in call.plain
    ]


def _remove(call: Call) -> list[Effect]:
    kept = call.has("--cached", "-n", "--dry-run")
    return (
        [
            Effect(kind="delete", target=path, severity=1, reversible="reversible", why="kept in the history")
            for path in call.plain
        ]
        if not kept
        else [_change(" ".join(call.plain), 1, "reversible", "only the index")]
    )


def _commit(call: Call) -> list[Effect]:
    skips = call.has("--no-verify", "-n")
    return [
        _change("HEAD", 2 if skips else 1, "reversible", "skips the checks before a commit" if skips else "a commit")
    ]


def _config(call: Call) -> list[Effect]:
    if call.has("--get", "--list", "-l") or len(call.plain) < 2:
        return [reading("git configuration")]
    return [writing("~/.gitconfig" if call.has("--global") else ".git/config", call.folder)]


def _release(call: Call) -> list[Effect]:
    """Grade the command-line tools of code hosts."""
    plain = plain_of(call.arguments)
    if plain[:2] in (("repo", "delete"), ("project", "delete")):
        return [_change(" ".join(plain[2:]), 4, "irreversible", "deletes a repository with its issues")]
    if plain[:2] == ("auth", "token"):
        return [Effect(kind="credential use", target="token", severity=2, reversible="unknown", why="prints a token")]
    if plain[:1] == ("api",) and call.value("-X", "--method").upper() == "DELETE":
        return [_change(" ".join(plain[1:]), 3, "irreversible", "deletes at the host")]
    if plain[1:2] in (("view",), ("list",), ("status",), ("diff",), ("checks",)):
        return [reading(" ".join(plain))]
    shares = plain[:2] in (("gist", "create"), ("repo", "create")) and call.has("--public", "-p")
    why = "published" if shares else "seen by others"
    return [Effect(kind="network out", target=" ".join(plain), severity=2, reversible="unknown", why=why)]


_DEEDS: Table = {
    "push": _push,
    "reset": _reset,
    "clean": _clean,
    "checkout": _checkout,
    "restore": _checkout,
    "switch": _checkout,
    "branch": _branch,
    "filter-branch": _rewrite,
    "filter-repo": _rewrite,
    "reflog": _expire,
    "gc": _expire,
    "prune": _expire,
    "stash": _stash,
    "update-index": _hide,
    "rm": _remove,
    "commit": _commit,
    "config": _config,
}
PROGRAMS: Table = {"git": _git, "gh": _release, "glab": _release, "git-filter-repo": _rewrite}
