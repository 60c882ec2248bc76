# SPDX-License-Identifier: Apache-2.0
r"""What secrets look like: one pattern a kind, each with the literals without one of which it is not tried.

Quotes may stand escaped (``\"``) and line breaks written out (``\n``), as they do inside JSON. A group named ``secret``
is what is taken out; without one, all that matched is.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Hold one kind of secret.

    Args:    hints: lower-case literals, one of which must stand in the text, in any case, for the pattern to be tried.
             guarded: what was found must also look random, and be no placeholder.
             named: what stands before must make it the name of a secret. far: it may be thousands of characters long.
    """

    kind: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...]
    guarded: bool = False
    named: bool = False
    far: bool = False


def _of(kind: str, pattern: str, *hints: str, guarded: bool = False, named: bool = False, far: bool = False) -> Pattern:
    return Pattern(kind=kind, pattern=re.compile(pattern), hints=hints, guarded=guarded, named=named, far=far)


_BREAK = r"(?:\s|\\+[nr])"
_QUOTE = r"\\*[\"'`]?"
# Begins at its last word, so that the search for it is one for literals; `set_to_a_secret` looks at what stands before.
_KEY = r"(?:keys?|secret|token|passw(?:or)?d|passwd|pwd|passphrase|credentials?)(?:[_.-]?(?:value|string|base64))?"
_NAMES = ("key", "secret", "token", "passw", "pwd", "passphrase", "credential")
"""The literals one of which stands in whatever `_KEY` matches."""
_QUALIFIED = re.compile(
    r"(?i)(?:api|app|auth|access|secret|private|client|service|account|session|encryption|signing|master|storage|webhook"
    r"|consumer|admin|root|db|database|user|login|ssh|bot|deploy|aws|gcp|azure|pg|mysql|redis|smtp|ftp|mail)[_. -]?\Z"
)
PATTERNS: tuple[Pattern, ...] = (
    _of(
        "private key",
        rf"-----BEGIN [A-Z0-9 ]{{0,30}}PRIVATE KEY(?: BLOCK)?-----(?:{_BREAK}+[A-Za-z-]{{1,30}}: [^\n\\]{{0,100}})*"
        rf"{_BREAK}*[A-Za-z0-9+/=]{{16,}}(?:{_BREAK}+[A-Za-z0-9+/=]+)*(?:{_BREAK}*-----END [A-Z0-9 ]{{0,30}}PRIVATE KEY"
        r"(?: BLOCK)?-----)?",
        "private key",
        far=True,
    ),
    _of(
        "AWS key id",
        r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        "akia",
        "asia",
        "abia",
        "acca",
    ),
    _of(
        "AWS secret key",
        rf"(?i)aws.{{0,20}}?(?:secret|key).{{0,20}}?{_QUOTE}\s*[:=]\s*{_QUOTE}(?P<secret>[A-Za-z0-9/+]{{40}})(?![A-Za-z0-9/+])",
        "aws",
        guarded=True,
    ),
    _of(
        "GitHub token",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255})",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
    ),
    _of(
        "GitLab token",
        r"(?<![A-Za-z0-9])gl(?:pat|oas|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}",
        "glpat-",
        "gloas-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glsoat-",
    ),
    _of("Slack token", r"(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-\d-[A-Za-z0-9-]{20,}", "xox", "xapp-"),
    _of(
        "Slack webhook",
        r"hooks\.slack\.com\\?/(?:services|workflows|triggers)(?P<secret>(?:\\?/[\w+-]+){3,})",
        "hooks.slack.com",
    ),
    _of(
        "Discord webhook", r"discord(?:app)?\.com\\?/api\\?/webhooks\\?/\d{15,22}\\?/(?P<secret>[\w-]{40,})", "webhooks"
    ),
    _of("Discord token", r"(?<![\w-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![\w-])", "."),
    _of(
        "model provider key",
        r"(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin|ant|or|lf|None)-[A-Za-z0-9_-]{16,}" r"|[A-Za-z0-9]{32,})",
        "sk-",
    ),
    _of(
        "model provider key",
        r"(?<![A-Za-z0-9])(?:gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}"
        r"|r8_[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{40,}|tgp_v1_[\w-]{30,})",
        "gsk_",
        "xai-",
        "r8_",
        "pplx-",
        "tgp_v1_",
    ),
    _of("Hugging Face token", r"(?<![A-Za-z0-9])(?:hf|api_org)_[A-Za-z]{30,40}(?![A-Za-z0-9_])", "hf_", "api_org_"),
    _of(
        "Google key",
        r"(?<![A-Za-z0-9_-])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"
        r"|(?<![A-Za-z0-9])ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[\w-]{28}",
        "aiza",
        "ya29.",
        "gocspx-",
    ),
    _of(
        "Stripe key",
        r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)_[0-9a-zA-Z]{16,}|whsec_[A-Za-z0-9+/=]{24,})",
        "k_live_",
        "k_test_",
        "whsec_",
    ),
    _of(
        "npm token",
        r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])|_authToken=(?P<secret>[A-Za-z0-9_.=+/-]{20,})",
        "npm_",
        "_authtoken",
    ),
    _of("PyPI token", r"pypi-AgE[A-Za-z0-9_-]{50,}", "pypi-age"),
    _of("SendGrid key", r"(?<![A-Za-z0-9])SG\.[\w-]{20,24}\.[\w-]{39,50}", "sg."),
    _of("Twilio key", r"(?<![A-Za-z0-9])(?:SK|AC)[0-9a-f]{32}(?![0-9a-zA-Z])", "sk", "ac"),
    _of("Mailchimp key", r"(?<![0-9a-zA-Z])[0-9a-f]{32}-us\d{1,2}(?!\d)", "-us"),
    _of("Telegram token", r"(?<![0-9A-Za-z])\d{8,10}:AA[\w-]{33}(?![\w-])", ":aa"),
    _of("Square token", r"sq0(?:atp|csp|idp)-[\w-]{22,43}|(?<![A-Za-z0-9])EAAA[\w-]{60}(?![\w-])", "sq0", "eaaa"),
    _of("DigitalOcean token", r"(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}", "_v1_"),
    _of("Vault token", r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,}", "hvs.", "hvb.", "hvr."),
    _of("Databricks token", r"(?<![A-Za-z0-9])dapi[0-9a-f]{32}(?![0-9a-f])", "dapi"),
    _of("Shopify token", r"(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shpat_", "shpca_", "shppa_", "shpss_"),
    _of("JSON web token", r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]{10,})?", "eyj"),
    _of(
        "Azure key",
        r"(?i)(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,90}={0,2})"
        r"|[?&]sig=(?P<secret_2>[A-Za-z0-9%+/]{40,}={0,2})",
        "accountkey",
        "sharedaccesskey",
        "sig=",
    ),
    _of(
        "password in an address",
        r"(?i)(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}:(?:\\?/){2}[^\s/:@\"'<>\\]{0,100}:(?P<secret>[^\s/@\"'<>\\{}$]{3,200})@[\w\[]",
        "@",
        guarded=True,
    ),
    _of(
        "token in an address",
        r"(?i)[?&](?:access_token|api_?key|apikey|auth_?token|client_secret|x-amz-signature|x-amz-security-token|token|key|secret|password)="
        r"(?P<secret>[A-Za-z0-9_.%+/~-]{16,})",
        "=",
        guarded=True,
    ),
    _of(
        "authorization header",
        rf"(?i)authorization{_QUOTE}\s*[:=,]\s*{_QUOTE}(?:(?:bearer|basic|token|apikey|digest)\s+)?(?P<secret>[A-Za-z0-9._~+/=-]{{12,}})",
        "authorization",
        guarded=True,
    ),
    _of("bearer token", r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9._~+/=-]{20,})", "bearer", guarded=True),
    _of(
        "key header",
        rf"(?i)x-(?:api-key|auth-token|goog-api-key|access-token|vault-token|gitlab-token)"
        rf"{_QUOTE}\s*[:=]\s*{_QUOTE}(?P<secret>[\w.~+/=-]{{12,}})",
        "x-",
        guarded=True,
    ),
    _of(
        "password on a command line", rf"\bsshpass\s+-p\s*{_QUOTE}(?P<secret>[^\s\"'\\]{{3,}})", "sshpass", guarded=True
    ),
    _of(
        "password on a command line",
        rf"\bcurl\b[^\n]{{0,300}}?\s(?:-u|--user)[\s=]+{_QUOTE}[^\s:\"'\\]+:(?P<secret>[^\s\"'\\]{{3,}})",
        "curl",
        guarded=True,
    ),
    _of(
        "password on a command line",
        rf"(?i)\s--?(?:password|passwd|token|api-key|secret)(?:\s+|=)"
        rf"{_QUOTE}(?P<secret>[^\s\"'\\<>${{}}()]{{6,200}})",
        "--pass",
        "-pass",
        "--token",
        "--api-key",
        "--secret",
        guarded=True,
    ),
    _of(
        "password in a sentence",
        rf"(?i)\bpass(?:word|wd|phrase|code) (?:is|was|to|of)[: ]+{_QUOTE}(?P<secret>[^\s\"'`\\<>]{{6,100}})",
        "pass",
        guarded=True,
    ),
    _of(
        "password on a command line",
        r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,200}?\s-p(?P<secret>[^\s\"'\\-][^\s\"'\\]{4,})",
        "mysql",
        "mariadb",
        guarded=True,
    ),
    _of(
        "password on a command line",
        rf"\b(?:echo|printf)\s+{_QUOTE}(?P<secret>[^\s\"'\\|]{{6,100}}){_QUOTE}\s*\|\s*sudo\s+(?:-\w+\s+)*-S",
        "sudo",
        guarded=True,
    ),
    _of(
        "password hash",
        r"\$(?:1|5|6|y|7|2[abxy])\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,40}\$?[./A-Za-z0-9$]{20,}"
        r"|\$argon2(?:id|i|d)\$v=\d+\$[^\s\"'\\]{20,}",
        "$",
    ),
    _of(
        "password set",
        rf"(?i){_KEY}{_QUOTE}\s*(?:=>|:=|=|:)\s*(?:str\s*=\s*)?\\*(?P<mark>[\"'`])(?P<secret>[^\s\"'`\\]{{6,200}})\\*(?P=mark)",
        *_NAMES,
        guarded=True,
        named=True,
    ),
    _of(
        "password set",
        rf"(?i){_KEY}{_QUOTE}[ \t]*(?:=|:)[ \t]*(?P<secret>[A-Za-z0-9_!@#%^&*+/.~?-]{{8,200}}={{0,2}})(?![\w(\[{{.])",
        *_NAMES,
        guarded=True,
        named=True,
    ),
)
_PLACEHOLDER = re.compile(
    r"(?i)^(?:[<\[({*]|\$[A-Za-z{(_]|%[({A-Za-z_]+%?\Z).*|.*(?:example|sample|changeme|change-me|placeholder|your[-_.]?|dummy|redacted|xxxx|\*\*\*|\.\.\.|…|12345678$"
    r"|environ|getenv|process\.env|secrets\.|config\.|settings\.|self\.|args\.|none$|null$|true$|false$|undefined$).*"
    r"|(?:pass|passw(?:or)?d|secret|token|user|username|key|apikey|api_key|test|foo|bar|string|value)\d{0,3}$"
)
_WORDY = re.compile(r"[A-Za-z]+(?:[_./:-]+[A-Za-z]+)*[_./:;,!?-]*\Z|[\d.,:_/-]+\Z")
LEAST_BITS = 2.0
"""Bits a character (Shannon), below which what stands after ``password =`` is a word or a run of one sign."""


def random_looking(value: str) -> bool:
    """Tell whether a value may be a secret: no placeholder, no plain words or number, and not one sign repeated."""
    if _PLACEHOLDER.match(value) or _WORDY.match(value):
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return bits >= LEAST_BITS and sum(map(str.isalnum, value)) >= len(value) / 2


def names_a_secret(before: str, noun: str) -> bool:
    """Tell whether a word such as ``key`` is the name of a secret: by what stands before it, or by itself."""
    if before[-1:].isalnum() or before[-1:] in ("_", "-", "."):
        return bool(_QUALIFIED.search(before)) or (
            before[-1:] in ("_", "-", ".") and not noun.lower().startswith("key")
        )
    return not noun.lower().startswith(("key", "credential"))
