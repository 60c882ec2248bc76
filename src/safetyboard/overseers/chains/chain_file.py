# SPDX-License-Identifier: Apache-2.0
"""Read chain files: declarative, bounded, never code."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, get_args

from safetyboard.overseers.chains.chain import SCHEMA, Chain, ChainStep, Detector, Grant
from safetyboard.overseers.effects.effect import EffectKind
from safetyboard.terms.canonical import digest_of
from safetyboard.terms.errors import SyntaxFault, TooLarge

ENGINE = "chains/3"
"""Name of the engine in versions; it changes whenever an answer can change."""
LARGEST = 256 << 10
LONGEST_PATTERN = 2_000
MOST_PATTERNS = 8
_CHAIN = ("schema", "name", "description", "severity", "steps", "grant")
_STEP = ("name", "flags", "detectors")
_DETECTOR = (
    *("actor", "kinds", "tool", "target", "text", "unless", "effects", "severity", "irreversible", "existing", "suite"),
    *("same_target", "after", "removes", "adds", "last", "result", "changes", "contradicted", "words"),
)
_PATTERNS = ("tool", "target", "text", "unless", "removes", "adds", "changes")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "actor": ("agent", "user", "tool"),
    "kinds": ("act", "say", "think", "result", "observe"),
    "effects": get_args(EffectKind),
    "suite": ("", "failing", "passing", "run"),
    "last": ("", "failed"),
    "result": ("", "failed"),
}


def shipped() -> tuple[Chain, ...]:
    """Read the chains that come with the product, in the order of their names."""
    folder = files("safetyboard.overseers.chains").joinpath("shipped")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return tuple(read_chain(each.read_bytes(), each.name) for each in found)


def shipped_plain(name: str) -> dict[str, Any]:
    """Give the data of a chain that comes with the product, as a lesson holds it.

    Raises:  FileNotFoundError: no chain of that name is shipped.
    """
    file = files("safetyboard.overseers.chains").joinpath("shipped", f"{name}.toml")
    return toml_of(file.read_bytes(), file.name)


def read_chain(content: bytes, name: str) -> Chain:
    """Read one chain.

    Raises:  TooLarge, SyntaxFault: each names the file, the place and the remedy.
    """
    return chain_of(toml_of(content, name), name, digest_of(content))


def toml_of(content: bytes, name: str) -> dict[str, Any]:
    """Read the bytes of a TOML file of at most `LARGEST` bytes.

    Raises:  TooLarge, SyntaxFault: each names the file and the remedy.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"{name}: {len(content)} bytes is over the limit of {LARGEST}.", hint="Split it.")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SyntaxFault(f"{name}: byte {error.start} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SyntaxFault(f"{name}: {error}.", hint="Write TOML.") from error


def chain_of(plain: Mapping[str, Any], name: str, digest: str) -> Chain:
    """Make a chain of plain data, as a chain file or a lesson holds it.

    Args:    digest: of what it was read from; it becomes part of the version.
    Raises:  SyntaxFault: names the place and the remedy.
    """
    known_keys(plain, _CHAIN, name)
    if plain.get("schema") != SCHEMA:
        raise SyntaxFault(f"{name}: schema is not {SCHEMA!r}.", hint=f'Write schema = "{SCHEMA}".')
    steps = _steps(plain.get("steps"), name)
    grant = plain.get("grant")
    return Chain(
        name=text_of(plain, "name", name),
        description=text_of(plain, "description", name),
        steps=steps,
        version=f"{ENGINE}+{digest[7:19]}",
        severity=_number(plain, "severity", name, 2),
        grant=_grant(grant, name) if grant is not None else None,
    )


def _steps(entries: Any, name: str) -> tuple[ChainStep, ...]:
    if not isinstance(entries, list) or not entries:
        raise SyntaxFault(f"{name}: there is no [[steps]].", hint="A chain has at least one.")
    steps: list[ChainStep] = []
    for number, entry in enumerate(entries, start=1):
        place = f"{name}: [[steps]] number {number}"
        known_keys(entry, _STEP, place)
        detectors = entry.get("detectors")
        if not isinstance(detectors, list) or not detectors:
            raise SyntaxFault(f"{place}: there is no [[steps.detectors]].", hint="Say how the step shows.")
        earlier = [each.name for each in steps]
        made = tuple(
            detector_of(each, f"{place}, detector {at}", earlier) for at, each in enumerate(detectors, start=1)
        )
        flags = entry.get("flags", False)
        if not isinstance(flags, bool):
            raise SyntaxFault(f"{place}: flags is neither true nor false.", hint="Write flags = true.")
        if flags and any(each.actor != "agent" for each in made):
            raise SyntaxFault(f"{place}: flags what the agent did not do.", hint='Only actor = "agent" can be flagged.')
        steps.append(ChainStep(name=text_of(entry, "name", place), detectors=made, flags=flags))
    if not any(each.flags for each in steps):
        raise SyntaxFault(f"{name}: no step is a concern.", hint="Write flags = true on those that are.")
    if len({each.name for each in steps}) < len(steps):
        raise SyntaxFault(f"{name}: two steps have one name.", hint="Rename one.")
    return tuple(steps)


def detector_of(entry: Any, place: str, earlier: Sequence[str] = ()) -> Detector:
    """Read one detector; `earlier` names the steps it may follow."""
    known_keys(entry, _DETECTOR, place)
    for key, choices in _CHOICES.items():
        given = entry.get(key, [])
        for each in given if isinstance(given, list) else [given]:
            if each not in choices:
                raise SyntaxFault(f"{place}: {key} is {str(each)[:60]!r}.", hint=f"Known: {', '.join(choices)}.")
    for key in ("same_target", "after"):
        if key in entry and entry[key] not in earlier:
            raise SyntaxFault(f"{place}: {key} names no earlier step.", hint="Name one that stands above.")
    patterns = {key: _pattern(entry[key], f"{place}: {key}") for key in _PATTERNS if key in entry}
    return Detector(
        actor=entry.get("actor", "agent"),
        kinds=tuple(entry.get("kinds", ("act",))),
        tool=patterns.get("tool"),
        target=patterns.get("target"),
        text=patterns.get("text"),
        unless=patterns.get("unless"),
        removes=patterns.get("removes"),
        adds=patterns.get("adds"),
        last=entry.get("last", ""),
        result=entry.get("result", ""),
        effects=tuple(entry.get("effects", ())),
        severity=_number(entry, "severity", place, 0),
        irreversible=entry.get("irreversible") is True,
        existing=entry.get("existing") is True,
        suite=entry.get("suite", ""),
        changes=patterns.get("changes"),
        contradicted=entry.get("contradicted") is True,
        words=tuple(_pattern(each, f"{place}: words") for each in _list_of(entry, "words", place)),
        same_target=entry.get("same_target", ""),
        after=entry.get("after", ""),
    )


def _list_of(entry: Mapping[str, Any], key: str, place: str) -> list[Any]:
    given = entry.get(key, [])
    if not isinstance(given, list) or len(given) > MOST_PATTERNS:
        raise SyntaxFault(f"{place}: {key} is no list of at most {MOST_PATTERNS} patterns.", hint="Write a list.")
    return given


def _grant(entry: Any, name: str) -> Grant:
    known_keys(entry, ("request", "names_target", "names_file", "wide", "unless"), f"{name}: [grant]")
    request = _pattern(text_of(entry, "request", f"{name}: [grant]"), f"{name}: [grant]: request")
    wide, unless = (
        _pattern(entry[key], f"{name}: [grant]: {key}") if key in entry else None for key in ("wide", "unless")
    )
    return Grant(
        request=request,
        names_target=entry.get("names_target") is True,
        names_file=entry.get("names_file") is True,
        wide=wide,
        unless=unless,
    )


def _pattern(text: Any, place: str) -> re.Pattern[str]:
    if not isinstance(text, str) or not text or len(text) > LONGEST_PATTERN:
        raise SyntaxFault(f"{place} is no pattern of 1 to {LONGEST_PATTERN} characters.", hint="Shorten or quote it.")
    if not text.isascii() or re.search(r"(?<!\\)[A-Z]", text):
        raise SyntaxFault(
            f"{place} has capitals or other scripts.", hint="Text is compared in lower-case Latin letters."
        )
    if re.search(r"\([^()]*[+*]\)[+*{]", text):
        raise SyntaxFault(
            f"{place} repeats a repetition, which may take for ever.", hint="Write it with one repetition."
        )
    try:
        return re.compile(text, re.M)
    except (re.error, RecursionError, OverflowError) as error:
        raise SyntaxFault(f"{place} is no regular expression ({error}).", hint="Correct it.") from error


def known_keys(entry: Any, keys: tuple[str, ...], place: str) -> None:
    """Refuse what is no table, and a key that nobody knows, with the nearest that is known."""
    if not isinstance(entry, Mapping):
        raise SyntaxFault(f"{place} is no table.", hint="Write it as a TOML table.")
    for key in entry:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(keys)}."
            raise SyntaxFault(f"{place}: the key {key[:60]!r} is unknown.", hint=hint)


def text_of(entry: Mapping[str, Any], key: str, place: str) -> str:
    """Give the text under a key that must be there."""
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise SyntaxFault(f"{place}: {key} is missing or no text.", hint=f'Write {key} = "...".')
    return value


def _number(entry: Mapping[str, Any], key: str, place: str, usual: int) -> int:
    value = entry.get(key, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 4:
        raise SyntaxFault(f"{place}: {key} is no whole number from 0 to 4.", hint="Write one.")
    return value
