# SPDX-License-Identifier: Apache-2.0
"""Take secrets out of text before it leaves the store: keys, tokens, passwords, each replaced by a stable mark."""

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from safetyboard.evidence.keys import home
from safetyboard.evidence.secret_patterns import PATTERNS, Pattern, names_a_secret, random_looking
from safetyboard.evidence.store import machine_faults, write_durably
from safetyboard.terms.errors import UnreadableInput

FILE = "redaction.salt"
MARK = re.compile(r"\[redacted [A-Za-z ]{1,40}(?: [0-9a-f]{8})?\]")
# The plug-ins that know a provider's own format; those that guess by entropy or by the name of a variable call commit
# ids, UUIDs and images secrets, and `PATTERNS` guess more narrowly.
PLUGINS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("cloudant", "CloudantDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("ibm_cloud_iam", "IbmCloudIamDetector"),
    ("ibm_cos_hmac", "IbmCosHmacDetector"),
    ("jwt", "JwtTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("softlayer", "SoftlayerDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
LONGEST_LINE = 100_000
"""Characters of a line that the plug-ins are shown at once; longer lines are shown in overlapping pieces."""
WINDOW, OVERLAP = 16_000, 2_000
"""Characters in which a pattern is tried at once; but for private keys, a secret fits into what two windows share."""
LEAST = 6
"""Signs of the shortest secret."""
MOST_KNOWN = 2_000
_BREAKS = re.compile(r"(?:\s|\\+[nr])+")
HINTS = frozenset(hint for each in PATTERNS for hint in each.hints)
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([/]))")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Hold where a secret stands in a text, and of what kind it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """Hold a text without its secrets.

    Args:    count: how many were taken out. kinds: kind -> how many.
    """

    text: str
    count: int
    kinds: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """Say what was taken out; empty where nothing was."""
        return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(self.kinds.items()))


def redacted(text: str, *, salt: bytes, known: re.Pattern[str] | None = None) -> Redacted:
    """Replace every secret by ``[redacted KIND 8-hex]``; the same secret gets the same mark under the same salt.

    Finds what `PATTERNS` and, where it is installed, detect-secrets know; see docs/explain/redaction.md for how much
    that misses. Nothing is verified over the network.

    Args:    known: secrets that were recognised elsewhere, see `known_again`; here they may stand bare.
    """
    found = spans(text, known=known)
    parts, place = [], 0
    for span in found:
        parts += [text[place : span.start], mark_of(text[span.start : span.end], span.kind, salt)]
        place = span.end
    return Redacted(
        text="".join((*parts, text[place:])), count=len(found), kinds=dict(Counter(span.kind for span in found))
    )


def spans(text: str, *, plugins: bool = True, known: re.Pattern[str] | None = None) -> list[Span]:
    """List the secrets in a text by place; those that overlap become one.

    Args:    plugins: look with those of detect-secrets too, which takes about as long again.
    """
    if len(text) < LEAST or text.isspace():
        return []
    plain, places = _unescaped(text)
    again = known.finditer(plain) if known is not None else ()
    bare = (Span(start=match.start(), end=match.end(), kind="known secret") for match in again)
    looked = chain(_found(plain), _of_plugins(plain) if plugins else (), bare)
    found = [Span(start=places(s.start), end=places(s.end), kind=s.kind) for s in looked]
    marks = [(match.start(), match.end()) for match in MARK.finditer(text)] if "[redacted " in text else []
    joined: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if any(start < span.end and span.start < end for start, end in marks):
            continue
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            joined.append(Span(start=last.start, end=max(last.end, span.end), kind=last.kind))
        else:
            joined.append(span)
    return joined


def known_again(values: Iterable[str]) -> re.Pattern[str] | None:
    """Make what finds secrets again that were recognised before, whatever stands around them.

    What stands on several lines is found again line by line. None where there is nothing to find.
    """
    pieces = {piece for value in values for piece in _BREAKS.split(_unescaped(value)[0]) if len(piece) >= LEAST}
    longest = sorted(pieces, key=lambda piece: (-len(piece), piece))[:MOST_KNOWN]
    return re.compile("|".join(map(re.escape, longest))) if longest else None


def mark_of(secret: str, kind: str, salt: bytes) -> str:
    """Write what stands in a secret's place; without the salt nobody can try passwords on it. No salt, no digest."""
    if not salt:
        return f"[redacted {kind}]"
    return f"[redacted {kind} {hmac.new(salt, secret.encode('utf-8', 'replace'), hashlib.sha256).hexdigest()[:8]}]"


def fragments(text: str, start: int, end: int, found: Iterable[Span]) -> list[str]:
    """Give what is left of ``text[start:end]`` around secrets: pieces that stand there word for word."""
    pieces, place = [], start
    for span in found:
        if span.end <= start or span.start >= end:
            continue
        pieces.append(text[place : max(place, span.start)])
        place = max(place, span.end)
    pieces.append(text[place:end] if place < end else "")
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


def detects() -> str:
    """Say what looks for secrets on this machine."""
    if _plugins():
        return f"{len(PATTERNS)} patterns of its own and {len(_plugins())} plug-ins of detect-secrets"
    return f"{len(PATTERNS)} patterns of its own (detect-secrets is missing: pip install 'safetyboard[records]')"


def installation_salt(folder: Path | None = None) -> bytes:
    """Load this installation's salt, making it on first use, readable by its owner only.

    Raises:  UnreadableInput: its file is damaged. EnvironmentFault: it cannot be made.
    """
    path = (folder or home()) / FILE
    if not path.exists():
        with machine_faults(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            write_durably(path, secrets.token_hex(32).encode() + b"\n", mode=0o600, fresh=True)
    try:
        salt = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise UnreadableInput(f"{path}: is no salt for redaction.", hint="Remove it; it is made again.") from error
    if len(salt) != 32:
        raise UnreadableInput(f"{path}: is no salt for redaction.", hint="Remove it; it is made again.")
    return salt


def _found(text: str) -> Iterator[Span]:
    """Try every pattern; those that cannot match far are tried only in windows in which one of their hints stands."""
    lowered = text.lower()
    # Most hints stand nowhere in a text, and one look for each shows it.
    hinted = {hint for hint in HINTS if hint in lowered}
    tried = [each for each in PATTERNS if not hinted.isdisjoint(each.hints)]
    for each in tried:
        if each.far:
            yield from _matches(each, text, 0)
    for start in range(0, max(1, len(text) - OVERLAP), WINDOW - OVERLAP):
        piece, held = text[start : start + WINDOW], lowered[start : start + WINDOW]
        for each in tried:
            if not each.far and any(hint in held for hint in each.hints if hint in hinted):
                yield from _matches(each, piece, start)


def _matches(each: Pattern, text: str, start: int) -> Iterator[Span]:
    for match in each.pattern.finditer(text):
        if each.named and not names_a_secret(text[max(0, match.start() - 24) : match.start()], match[0]):
            continue
        group = next((name for name in ("secret", "secret_2") if name in match.re.groupindex and match[name]), 0)
        if not each.guarded or random_looking(match[group]):
            yield Span(start=start + match.start(group), end=start + match.end(group), kind=each.kind)


def _of_plugins(text: str) -> Iterator[Span]:
    for kind, expressions in _plugins():
        for start in range(0, max(1, len(text) - OVERLAP), LONGEST_LINE - OVERLAP):
            piece = text[start : start + LONGEST_LINE]
            for expression in expressions:
                for match in expression.finditer(piece):
                    # As the plug-ins do: the last group that took part, else all of it.
                    groups = [number for number in range(1, expression.groups + 1) if match[number]]
                    place = groups[-1] if groups else 0
                    if match[place].strip():
                        yield Span(start=start + match.start(place), end=start + match.end(place), kind=kind)


@cache
def _plugins() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    """Take the compiled expressions of the plug-ins that know a format; none where detect-secrets is missing."""
    try:
        made: list[tuple[str, Any]] = [
            (name, getattr(import_module(f"detect_secrets.plugins.{module}"), name)()) for module, name in PLUGINS
        ]
    except ModuleNotFoundError:
        return ()
    words = re.compile(r"[^A-Za-z ]+")
    return tuple((words.sub(" ", plugin.secret_type)[:40].strip(), tuple(plugin.denylist)) for _, plugin in made)


def _unescaped(text: str) -> tuple[str, Any]:
    r"""Undo ``\/`` and ``\uXXXX`` of printable ASCII; gives the text, and the way from its places to the original's."""
    if "\\u00" not in text and "\\/" not in text:
        return text, lambda place: place
    parts: list[str] = []
    # For each replaced escape: where the letter stands in the new text, and how much longer the escape was.
    shifts: list[tuple[int, int]] = []
    place = size = 0
    for match in _ESCAPE.finditer(text):
        letter = match[2] or chr(int(match[1], 16))
        if not " " <= letter <= "~":
            continue
        size += match.start() - place + 1
        parts += [text[place : match.start()], letter]
        shifts.append((size - 1, len(match[0]) - 1))
        place = match.end()

    def original(where: int) -> int:
        return where + sum(longer for at, longer in shifts if at < where)

    return "".join((*parts, text[place:])), original


def cleaned(text: str) -> str:
    """Take the secrets out of one text, marked under this installation's salt."""
    return redacted(text, salt=installation_salt()).text
