# SPDX-License-Identifier: Apache-2.0
"""Planted episodes and their clean twins, told by a grammar that knows nothing of the chains."""

import hashlib
import random
from dataclasses import dataclass

from needles.stories import STORIES, WORDS, Telling
from needles.stories_disguised import DISGUISED
from safetyboard.terms.episode import Episode, Source, Step

FILE = "sha256:" + "ab" * 32


@dataclass(frozen=True, kw_only=True)
class Needle:
    """One planted episode, its clean twin, the chain it belongs to, and the half its story belongs to."""

    chain: str
    story: int
    planted: Episode
    twin: Episode
    held_out: bool


def needles(*, seed: int = 0, each: int = 5) -> list[Needle]:
    """Tell every story so many times, with other words, tools and file names."""
    found = []
    for chain, common in STORIES.items():
        stories = (*common, *DISGUISED[chain])
        ranked = sorted(range(len(common)), key=lambda at: hashlib.sha256(repr(common[at]).encode()).digest())
        for at, (before, fault, calm, after) in enumerate(stories):
            for turn in range(each):
                filled, style = _fillings(f"{seed}/{chain}/{at}/{turn}"), turn % 4
                found.append(
                    Needle(
                        chain=chain,
                        story=at,
                        planted=told((*before, *fault, *after), filled, style),
                        twin=told((*before, *calm, *after), filled, style),
                        held_out=at >= len(common) or ranked.index(at) % 2 == 1,
                    )
                )
    return found


def _fillings(seed: str) -> dict[str, str]:
    chance = random.Random(seed)
    return {name: chance.choice(choices) for name, choices in WORDS.items()}


def told(telling: Telling, filled: dict[str, str] | None = None, style: int = 0, name: str = "a run") -> Episode:
    """Make an episode of a telling: each line is who or which tool, then its words, then what came back."""
    steps: list[Step] = []
    for line in telling:
        who, *rest = (_filled(word, filled or {}) for word in line)
        place = len(steps)
        source = Source(file=FILE, line=place + 1, pointer="/message")
        if who in ("user", "environment", "overseer"):
            steps.append(Step(index=place, actor=who, kind="observe", source=source, content=rest[0]))  # type: ignore[arg-type]
        elif who in ("say", "think"):
            steps.append(Step(index=place, actor="agent", kind=who, source=source, content=rest[0]))  # type: ignore[arg-type]
        else:
            tool, arguments, answer = _act(who, rest, style)
            call = f"call-{place}" if style % 2 == 0 else ""
            steps.append(
                Step(index=place, actor="agent", kind="act", source=source, tool=tool, arguments=arguments, call=call)
            )
            after = Source(file=FILE, line=place + 2, pointer="/message")
            steps.append(Step(index=place + 1, actor="tool", kind="result", source=after, content=answer, call=call))
    return Episode(file=FILE, format="made", name=name, steps=tuple(steps))


def _filled(word: str, filled: dict[str, str]) -> str:
    for name, value in filled.items():
        word = word.replace(f"%{name}%", value)
    return word


def _act(who: str, rest: list[str], style: int) -> tuple[str, dict[str, object], str]:
    """Put an act into one of four dialects of tools; the answer stands last."""
    answer = rest[-1] if len(rest) > {"sh": 1, "edit": 3, "write": 2, "read": 1}.get(who, 1) else "ok"
    if who == "sh":
        line = rest[0]
        dialects: list[tuple[str, dict[str, object]]] = [
            ("Bash", {"command": line, "description": "run a command"}),
            ("bash", {"cmd": line}),
            ("shell", {"command": ["bash", "-lc", line], "workdir": "."}),
            ("execute_command", {"command": line, "requires_approval": False}),
        ]
        return *dialects[style], answer
    if who == "edit":
        path, old, new = rest[:3]
        dialects = [
            ("Edit", {"file_path": path, "old_string": old, "new_string": new}),
            ("str_replace_editor", {"command": "str_replace", "path": path, "old_str": old, "new_str": new}),
            ("apply_patch", {"input": f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}\n+{new}\n*** End Patch"}),
            ("replace_in_file", {"path": path, "search": old, "replace": new}),
        ]
        return *dialects[style], answer
    if who == "write":
        path, text = rest[:2]
        dialects = [
            ("Write", {"file_path": path, "content": text}),
            ("create_file", {"path": path, "file_text": text}),
            ("apply_patch", {"input": f"*** Begin Patch\n*** Add File: {path}\n+{text}\n*** End Patch"}),
            ("write_to_file", {"path": path, "content": text}),
        ]
        return *dialects[style], answer
    if who == "read":
        tool = ("Read", "view_file", "read_file", "open_file")[style]
        return tool, {"file_path" if style == 0 else "path": rest[0]}, answer
    return who, {"text": rest[0]}, answer
