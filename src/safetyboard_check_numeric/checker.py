# SPDX-License-Identifier: Apache-2.0
"""Recheck all certificates of a docket, and say what was not looked at."""

from dataclasses import dataclass
from pathlib import Path

from safetyboard_check_numeric.certificates import Rechecked, recheck
from safetyboard_check_numeric.chain import Layer
from safetyboard_check_numeric.docket import read_docket
from safetyboard_check_numeric.refusals import BytesWithheld, Rejected

NOT_RECHECKED = "signatures, the log, witnesses, counts and verdicts (safetyboard_check rechecks those)"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Hold what came of a docket whose certificates all hold, as far as their bytes are there.

    Args:    certificates: what each came to, by id. withheld: why one could not be rechecked, a sentence each.
    """

    certificates: dict[str, Rechecked]
    withheld: tuple[str, ...]

    @property
    def leaves(self) -> int:
        """Return how many leaves were rechecked."""
        return sum(done.leaves for done in self.certificates.values())

    @property
    def code(self) -> int:
        """Return the exit code: 0, or 3 where bytes are withheld."""
        return BytesWithheld.code if self.withheld else 0


def check(path: Path) -> Answer:
    """Recheck every leaf of every certificate.

    Raises:  Rejected; NotADocket.
    """
    docket = read_docket(path)
    networks: dict[str, tuple[Layer, ...]] = {}
    done: dict[str, Rechecked] = {}
    withheld: list[str] = []
    for name, record in docket.of_kind("certificate"):
        try:
            done[name] = recheck(docket, name, record, networks)
        except BytesWithheld as refusal:
            withheld.append(str(refusal))
        except MemoryError as problem:
            raise Rejected(f"certificate {name} speaks of a network too large for this machine's memory") from problem
    return Answer(certificates=done, withheld=tuple(withheld))
