# SPDX-License-Identifier: Apache-2.0
"""One program call with what surrounds it, as the tables of programs see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from safetyboard.overseers.effects.shell import Command
from safetyboard.overseers.effects.targets import is_production, is_rehearsal


@dataclass(frozen=True, kw_only=True)
class Call:
    """Hold one program call.

    Args:    name: of the program, without its folder. arguments: after it. folder: where the line has gone by ``cd``.
             privileged: through sudo or the like. host: machine it runs on, or container; empty for this one.
             settings: environment variables set for it or before it.
    """

    name: str
    arguments: tuple[str, ...]
    command: Command = field(default_factory=Command)
    folder: str = ""
    privileged: bool = False
    host: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> tuple[str, ...]:
        """Arguments that are no options."""
        return plain_of(self.arguments)

    def has(self, *options: str) -> bool:
        """Tell whether an option is given; ``-f`` is found inside ``-rf``, ``--x`` also as ``--x=…``."""
        return any(_is(each, option) for each in self.arguments for option in options)

    def value(self, *options: str) -> str:
        """Give the value of an option, written beside it or after ``=``; empty where it is not given."""
        for index, each in enumerate(self.arguments):
            for option in options:
                if each == option and index + 1 < len(self.arguments):
                    return self.arguments[index + 1]
                if each.startswith(option + "="):
                    return each.removeprefix(option + "=")
                if (
                    len(option) == 2
                    and option[1].isalpha()
                    and each.startswith(option)
                    and each[:2] != "--"
                    and len(each) > 2
                ):
                    return each[2:]
        return ""

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that can say which surroundings are meant: arguments, settings, folder, host."""
        return (*self.arguments, *(f"{name}={value}" for name, value in self.settings), self.folder, self.host)

    @property
    def rehearsed(self) -> bool:
        """Tell whether the words say that what is touched can be made again."""
        return is_rehearsal(*self.words)

    @property
    def in_production(self) -> bool:
        """Tell whether the words say that real users are served."""
        return is_production(*self.words)


def _is(argument: str, option: str) -> bool:
    if option.startswith("--") or len(option) != 2:
        return argument == option or argument.startswith(option + "=")
    return argument == option or (
        argument[:1] == "-" and argument[:2] != "--" and argument[1:].isalpha() and option[1] in argument[1:]
    )


def plain_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """Give the arguments that are no options; all that follow ``--``."""
    if "--" in arguments:
        cut = list(arguments).index("--")
        return (*plain_of(arguments[:cut]), *arguments[cut + 1 :])
    return tuple(each for each in arguments if not each.startswith("-") or each == "-")
