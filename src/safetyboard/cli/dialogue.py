# SPDX-License-Identifier: Apache-2.0
"""Ask a person at the terminal about one run: pages, search, and an answer; what is shown is metered."""

from dataclasses import dataclass

import click

from safetyboard.overseers.queue.answer_file import said_of
from safetyboard.overseers.queue.reading import Said, Sheet, Word
from safetyboard.overseers.queue.showing import Page, found, opened, own_acts, page

HELP = "c concern · n no concern · u unsure · k skip · m more · t top · a all steps · o STEP [LINE] · s WORDS · q quit"
WORDS: dict[str, Word] = {"c": "concern", "n": "no concern", "u": "unsure", "k": "skip"}


@dataclass(kw_only=True)
class Dialogue:
    """Ask about each item until the person quits."""

    def wants(self, item: str) -> bool:
        """Take every item."""
        return True

    def answer(self, sheet: Sheet) -> Said | None:
        """Show the item and wait for an answer.

        Raises:  StopIteration: the person quits.
        """
        click.echo(f"\nItem {sheet.number} · {len(sheet.steps)} steps\n{sheet.question}\n")
        return _Talk(sheet=sheet).answer()


@dataclass(kw_only=True)
class _Talk:
    sheet: Sheet
    everything: bool = False
    following: int | None = 0
    characters: int = 0

    def answer(self) -> Said:
        self._more()
        while True:
            line = click.prompt(HELP, default="m", show_default=False, prompt_suffix="\n> ").strip()
            word, _, rest = line.partition(" ")
            if word in WORDS:
                return self._said(WORDS[word])
            if word == "q":
                raise StopIteration
            self._show(word, rest.strip())

    def _show(self, word: str, rest: str) -> None:
        if word == "m":
            self._more()
        elif word in ("a", "t"):
            self.everything, self.following = self.everything or word == "a", 0
            self._more()
        elif word == "s":
            self._print(found(self.sheet.steps, rest))
        elif word == "o" and all(part.isascii() and part.isdigit() for part in rest.split()) and rest:
            numbers = [int(part[:9]) for part in rest.split()][:2]
            shown = opened(self.sheet.steps, *numbers)
            if shown is None:
                click.echo("There is no such step.")
                return
            self._print(shown)
            if shown.following is not None:
                click.echo(f"More: o {numbers[0]} {shown.following}")
        else:
            click.echo("That is none of these.")

    def _more(self) -> None:
        steps = self.sheet.steps if self.everything else own_acts(self.sheet.steps) or self.sheet.steps
        if self.following is None:
            click.echo("That was all." + ("" if self.everything else " The agent's own; a shows every step."))
            return
        shown = page(steps, self.following)
        self._print(shown)
        self.following = shown.following

    def _print(self, shown: Page) -> None:
        click.echo("\n".join(shown.lines))
        self.characters += shown.characters

    def _said(self, word: Word) -> Said:
        axis, step = "", None
        if word == "concern":
            axis = click.prompt("attempt or outcome", type=click.Choice(["attempt", "outcome"]))
            indexes = [str(each.index) for each in self.sheet.steps]
            step = int(click.prompt("the step it rests on", type=click.Choice(indexes), show_choices=False))
        note = click.prompt("note", default="", show_default=False)
        return said_of(word, axis, step, note, self.characters)
