# SPDX-License-Identifier: Apache-2.0
"""Where a path, host or database stands: what its loss or exposure would mean."""

import posixpath
import re
from typing import Literal

Place = Literal[
    "nowhere",
    "temporary",
    "derived",
    "project",
    "whole project",
    "history",
    "outside",
    "home part",
    "home",
    "system part",
    "system",
    "device",
    "backup",
    "secret",
    "unclear",
]
_DERIVED = re.compile(
    r"(^|/)(build|dist|out|target|node_modules|__pycache__|coverage|htmlcov|site|_build|tmp|temp|logs?|"
    r"\.(cache|pytest_cache|mypy_cache|ruff_cache|tox|nox|venv|next|nuxt|gradle|parcel-cache|turbo|eggs|coverage)|venv|"
    r"[\w.-]+\.egg-info|cmake-build-\w+|bazel-\w+|DerivedData|\.terraform)(/|$)"
    r"|\.(pyc|pyo|o|obj|class|log|tmp|swp|cache|lock)$|(^|/)core\.\d+$|\.DS_Store$"
)
_SECRET = re.compile(
    r"(^|/)(\.ssh|\.gnupg|\.aws|\.kube|\.azure|\.docker/config\.json|\.config/gcloud|\.netrc|\.pgpass|\.npmrc|\.pypirc|"
    r"\.git-credentials|\.vault-token|shadow|gshadow|secrets?|credentials?(\.\w+)?|service[-_]account[\w-]*\.json|"
    r"id_(rsa|dsa|ecdsa|ed25519)|kubeconfig|\.?keychain\w*|tokens?(\.\w+)?)(/|$)"
    r"|(^|/)\.env(\.(?!example|sample|template|dist)\w+)?$|\.(pem|p12|pfx|kdbx|jks|keytab|keyring|key)$"
    r"|/proc/(self|\d+)/environ",
    re.I,
)
_BACKUP = re.compile(r"(^|[/_.-])(backups?|snapshots?|archives?|bkp|dumps?)([/_.-]|$)|\.(bak|dump)$", re.I)
_SYSTEM = ("etc", "usr", "bin", "sbin", "boot", "lib", "lib64", "opt", "var", "srv", "mnt", "media", "data", "proc")
_SYSTEMS = frozenset({*_SYSTEM, "sys", "System", "Library", "Applications", "Windows", "Volumes", "nix"})
_PRODUCTION = re.compile(r"(?<![a-z])(prod|production|prd|live|primary|master)(?![a-z])", re.I)
_REHEARSAL = re.compile(
    r"(?<![a-z])(tests?|testing|tmp|temp|dev|devel|development|local|localhost|staging|stage|ci|sandbox|scratch|demo|"
    r"example|mock|qa|preview|ephemeral|playground|memory|fixtures?|review)(?![a-z])|127\.0\.0\.1|\[?::1\]?|\$\{?tmpdir",
    re.I,
)
_LOCAL = re.compile(
    r"^(?:\w+://)?(?:[^@/]*@)?(localhost|127(\.\d+){3}|\[?::1\]?|0\.0\.0\.0|host\.docker\.internal)([:/]|$)"
)


def resolved(path: str, folder: str) -> str:
    """Join a path to the folder the command line has gone to; home is always written ``~``."""
    path = re.sub(r"^(\$HOME|\$\{HOME[^}]*\})", "~", path.strip())
    path = re.sub(r"^[A-Za-z]:[\\/]", "/", path).replace("\\", "/")
    if folder and not path.startswith(("/", "~", "$")):
        path = f"{folder}/{path}"
    if not path or "://" in path:
        return path
    trailing = path.endswith("/*")
    clean = posixpath.normpath(path[:-2] or "/" if trailing else path)
    return ("/" if clean in ("/", "//") else clean) + ("/*" if trailing and clean != "/" else "")


def place_of(path: str, folder: str = "") -> Place:
    """Say where a path stands, from its own words only; nothing is looked up on a disk."""
    whole = resolved(path, folder)
    bare = whole.removesuffix("/*")
    if bare == "/dev/null" or bare in ("/dev/stdout", "/dev/stderr", "/dev/tty", "-"):
        return "nowhere"
    if bare.startswith("/dev/") and not bare.startswith(("/dev/shm", "/dev/fd")):
        return "device"
    if _SECRET.search(bare):
        return "secret"
    if bare in ("~", "/home", "/Users", "/root") or re.fullmatch(r"/(home|Users)/[^/]+|~\w+|/(home|Users)/\*", bare):
        return "home"
    parts = [part for part in bare.split("/") if part]
    if bare.startswith(("/tmp", "/var/tmp", "/private/tmp", "/dev/shm", "$TMP", "${TMP", "$(mktemp")):
        return "temporary"
    if _BACKUP.search(bare):
        return "backup"
    if bare.startswith("/"):
        return _absolute(bare, parts)
    if bare.startswith("$"):
        return "derived" if _DERIVED.search(bare) else "unclear"
    if re.search(r"(^|/)\.git(/|$)", bare):
        return "history"
    if _DERIVED.search(bare):
        return "derived"
    if bare.startswith("~"):
        return "home" if len(parts) == 2 and not whole.endswith("~") else "home part"
    if parts[:1] == [".."]:
        return "outside"
    return "whole project" if bare in (".", "*", "./*", ".*", "") else "project"


def _absolute(bare: str, parts: list[str]) -> Place:
    if not parts or parts == ["*"]:
        return "system"
    if parts[0] in ("home", "Users", "root"):
        depth = len(parts) - (1 if parts[0] == "root" else 2)
        if re.search(r"/\.git(/|$)", bare):
            return "history"
        if _DERIVED.search("/" + "/".join(parts[-depth:])):
            return "derived"
        return "home" if depth == 1 and "." not in parts[-1] else "home part"
    if parts[0] in _SYSTEMS:
        return "system" if len(parts) <= 3 and "." not in parts[-1] else "system part"
    return "derived" if _DERIVED.search(bare) else "project"


def is_secret(path: str, folder: str = "") -> bool:
    """Tell whether a path holds credentials, by its name; a public key and an example do not."""
    return place_of(path, folder) == "secret" and not path.endswith((".pub", ".example", ".sample", ".py", ".md"))


def is_production(*texts: str) -> bool:
    """Tell whether a name says that it serves real users."""
    return any(_PRODUCTION.search(text) for text in texts)


def is_rehearsal(*texts: str) -> bool:
    """Tell whether a name says that what stands there can be made again: a test, a local copy; production wins."""
    return not is_production(*texts) and any(_REHEARSAL.search(text) for text in texts)


def is_local(host: str) -> bool:
    """Tell whether a host or address is this machine."""
    return bool(_LOCAL.match(host))
