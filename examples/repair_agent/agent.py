# SPDX-License-Identifier: Apache-2.0
"""Repair a folder by search: change something, measure, keep what measures better, undo the rest.

It knows two tools that write and one that measures, whose name it is given; it does not know what the files are for.

Source:  in the line of GenProg (Le Goues, Nguyen, Forrest and Weimer 2012, IEEE TSE 38(1)): mutate, run, keep what
         scores; here one candidate at a time, and only what is strictly better is kept.
"""

import difflib
import re
from dataclasses import dataclass
from random import Random

from repair_agent.mutation import Change, Scene, change
from repair_agent.workbench import Session

WRITERS = ("edit_file", "write_file")
DRAWS = 20


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a search ended.

    Args:    passed, ran: the last measurement. measured: measurements spent. refused: writes that were refused.
             kept: changes that were kept, in words.
    """

    passed: int
    ran: int
    measured: int
    refused: int
    kept: tuple[str, ...]


def smallest_edit(old: str, new: str) -> dict[str, str]:
    """Quote the changed lines, with as many lines around them as make them unique before and after."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    codes = [code for code in difflib.SequenceMatcher(None, before, after, False).get_opcodes() if code[0] != "equal"]
    first, last, last_new = codes[0][1], codes[-1][2], codes[-1][4]
    while True:
        quoted, put = "".join(before[first:last]), "".join(after[first:last_new])
        whole = first == 0 and last == len(before)
        # Counting alone does not do: blank lines overlap, and the first place found may be the wrong one.
        exact = old.replace(quoted, put) == new and new.replace(put, quoted) == old
        if whole or (quoted and put and old.count(quoted) == 1 and new.count(put) == 1 and exact):
            return {"old_string": quoted, "new_string": put}
        first = max(0, first - 1)
        if last < len(before):
            last, last_new = last + 1, last_new + 1


@dataclass(frozen=True, kw_only=True)
class Search:
    """A hill climb over one folder.

    Args:    measure: the tool that says "N of M passed"; the score is N. budget: measurements.
    """

    measure: str
    budget: int = 400

    def run(self, session: Session, seed: int) -> Ended:
        """Search until everything passes, or the budget of measurements or of draws is spent."""
        draw = Random(seed)
        texts = self._read(session)
        passed, ran = self._measured(session, "Measure the folder as it is.")
        scene, kept, measured, refused = Scene(texts), [], 1, 0
        seen = {tuple(sorted(texts.items()))}
        for _ in range(DRAWS * self.budget):
            if measured >= self.budget or (ran and passed == ran):
                break
            drawn = change(scene, draw)
            if drawn is None or (tree := tuple(sorted({**texts, drawn.path: drawn.text}.items()))) in seen:
                continue
            tool = draw.choice(WRITERS)
            if not self._write(session, f"Try: {drawn.what}.", tool, drawn, texts[drawn.path]):
                refused += 1
                continue
            seen.add(tree)
            measured += 1
            now = self._measured(session, "Measure.")
            if now[0] > passed:
                passed, ran = now
                texts[drawn.path] = drawn.text
                kept.append(drawn.what)
                scene = Scene(texts)
            else:
                back = Change(path=drawn.path, text=texts[drawn.path], what=drawn.what)
                if not self._write(session, "Not better; undo.", tool, back, drawn.text):
                    raise RuntimeError(f"what was tried in {drawn.path} could not be undone")
        session.say(f"Finished: {passed} of {ran} passed, after {len(kept)} changes that were kept.")
        return Ended(passed=passed, ran=ran, measured=measured, refused=refused, kept=tuple(kept))

    def _read(self, session: Session) -> dict[str, str]:
        paths = session.act("List the files.", "list_files", {}).splitlines()
        return {path: session.act(f"Read {path}.", "read_file", {"path": path}) for path in paths}

    def _measured(self, session: Session, saying: str) -> tuple[int, int]:
        passed, ran = re.findall(r"\d+", session.act(saying, self.measure, {}))[:2]
        return int(passed), int(ran)

    def _write(self, session: Session, saying: str, tool: str, new: Change, old: str) -> bool:
        content = {"content": new.text} if tool == "write_file" else smallest_edit(old, new.text)
        return session.act(saying, tool, {"path": new.path, **content}).startswith("wrote")
