# SPDX-License-Identifier: Apache-2.0
"""The agent's own acts and words in overlapping pieces, and the hashed features of a piece."""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from safetyboard.overseers.chains.normal_text import NormalText
from safetyboard.terms.episode import Episode, Step

Channel = Literal["acts", "words", "results"]
OWN: tuple[Channel, ...] = ("acts", "words")
BINS = 1 << 20
SIZE, STRIDE = 64, 32
"""Tokens a piece, and from one piece to the next: every stretch of 32 tokens stands whole in some piece."""
LONGEST_EPISODE = 64 << 20
LONGEST_TOKEN = 40
# A token ends where letters and digits end; runs of signs are one token, so that quoting and spacing count for little.
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]+|_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CHANNELS: Mapping[tuple[str, str], Channel] = {
    ("agent", "act"): "acts",
    ("agent", "say"): "words",
    ("agent", "think"): "words",
    ("tool", "result"): "results",
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Hold the features of a piece of one step's text.

    Args:    index: of the step in the episode. features: distinct hashed features in rising order.
    """

    index: int
    channel: Channel
    features: tuple[int, ...]


def pieces_of(episode: Episode, channels: tuple[Channel, ...] = OWN) -> Iterator[Piece]:
    """Give the pieces of an episode, step by step.

    Only who acted, what kind of step it is, the tool's name, the arguments and the words are looked at: no environment,
    overseer or monitor, no outcome, judgement, tag, task, id, time or file name.
    """
    for step in episode.steps:
        channel = _CHANNELS.get((step.actor, step.kind))
        if channel is None or channel not in channels:
            continue
        tokens = _tokens(_text(step))
        for start in range(0, max(1, len(tokens) - STRIDE), STRIDE):
            found = _features(channel, tokens[start : start + SIZE])
            if found:
                yield Piece(index=step.index, channel=channel, features=found)


def length(episode: Episode, channels: tuple[Channel, ...] = OWN) -> int:
    """Count the characters a screen would read."""
    steps = (step for step in episode.steps if _CHANNELS.get((step.actor, step.kind)) in channels)
    return sum(len(_text(step)) for step in steps)


def _text(step: Step) -> str:
    if step.kind != "act":
        return step.content
    leaves = list(_leaves(step.arguments))
    return "\n".join([step.tool, *leaves] if leaves else [step.tool, step.content])


def _leaves(value: Any) -> Iterator[str]:
    """Give the texts in a tool's arguments, names of arguments before their values."""
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield str(key)
            yield from _leaves(value[key])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    elif value is not None:
        yield str(value)


def _tokens(text: str) -> list[str]:
    """Cut text into tokens that do not depend on case, look-alike letters or invisible signs."""
    parted = _HUMP.sub(" ", text)
    return [token[:LONGEST_TOKEN] for token in _TOKEN.findall(NormalText(parted).text)]


def _features(channel: Channel, tokens: list[str]) -> tuple[int, ...]:
    """Hash tokens, pairs of neighbouring words, and the four-letter parts of each token."""
    found: set[int] = set()
    words = [token for token in tokens if token[0].isalnum()]
    for token in tokens:
        found.update(_parts(channel, token))
    for first, second in zip(words, words[1:]):
        found.add(_bin(f"{channel} 2 {first} {second}"))
    return tuple(sorted(found))


@lru_cache(maxsize=1 << 16)
def _parts(channel: Channel, token: str) -> tuple[int, ...]:
    framed = f"<{token}>"
    parts = [framed[at : at + 4] for at in range(len(framed) - 3)] if len(token) > 3 else []
    return (_bin(f"{channel} 1 {token}"), *(_bin(f"{channel} 4 {part}") for part in parts))


def _bin(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % BINS
