# SPDX-License-Identifier: Apache-2.0
"""What an investigation is asked to do: the options, and how they divide into work units."""

from dataclasses import dataclass
from pathlib import Path

from safetyboard.terms.canonical import Plain

DEFAULT_BUDGET = 20_000_000
SEARCH_SHARE, PROOF_SHARE = 100, 2
"""One part in so many of a claim's budget goes to the first search, and to the proof."""
MOST_SEARCH_A_CELL = 20_000


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Say where an agent's model can be asked again, and how often each question is put.

    Args:    url: of an OpenAI-compatible endpoint; empty: only what the ledger holds is answered. key_variable: name of
             the environment variable that holds its key. ledger: file of replies, so that a rerun costs nothing.
    """

    model: str
    url: str = ""
    key_variable: str = ""
    samples: int = 24
    ledger: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """Hold the options of one investigation.

    Args:    budget: work units a claim (about one network evaluation each). seconds: safety stop, or None.
             repair: False leaves the repair stage out. weightless: leave subject bytes out of the docket.
             pack: prohibitions laid upon the default ones. screen: a learned screen that judges recorded runs too.
             trusted: fingerprints of keys that may begin a chain of delegations. asking: where an agent's model can
             be asked again.
    """

    path: Path
    out: Path
    chosen: Path | None = None
    budget: int | None = None
    seconds: float | None = None
    seed: int = 0
    workers: int = 1
    repair: bool = True
    weightless: bool = False
    resume: bool = False
    replace: bool = False
    pack: Path | None = None
    screen: Path | None = None
    trusted: tuple[str, ...] = ()
    asking: Asking | None = None

    @property
    def units(self) -> int:
        """Give the work units of one claim."""
        return self.budget if self.budget is not None else DEFAULT_BUDGET

    def search_units(self, cells: int) -> int:
        """Allot network evaluations to the first search of a claim."""
        return max(1, min(self.units // SEARCH_SHARE, MOST_SEARCH_A_CELL * max(1, cells)))

    @property
    def proof_units(self) -> int:
        """Allot work units to the proof of a claim."""
        return max(1, self.units // PROOF_SHARE)

    def weaker(self) -> list[Plain]:
        """State what was relaxed against the full investigation: each is a weaker statement, on record."""
        stated: list[Plain] = []
        if self.budget is not None and self.budget < DEFAULT_BUDGET:
            stated.append(
                f"--budget {self.budget}: UNKNOWN means undecided in {self.budget} work units a claim, "
                f"not in the usual {DEFAULT_BUDGET}"
            )
        if not self.repair:
            stated.append("--no-repair: nothing is said on whether the failures can be repaired")
        if self.weightless:
            stated.append("--weightless: a checker without the subject's bytes cannot replay or recheck proofs")
        if self.seconds is not None:
            stated.append(f"--seconds {self.seconds:g}: the run may have stopped before its budget was used")
        return stated

    def plain(self) -> dict[str, Plain]:
        """Write the options for the case record; nothing of the machine is in it."""
        return {
            "budget": self.units,
            "seed": self.seed,
            "repair": self.repair,
            "weightless": self.weightless,
            "relaxed": self.weaker(),
            **({"pack": self.pack.name} if self.pack is not None else {}),
            **({"screen": self.screen.name} if self.screen is not None else {}),
        }
