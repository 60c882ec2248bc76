# SPDX-License-Identifier: Apache-2.0
"""One tree of errors: each says what is wrong, where, and what to do, and knows its exit code.

::

    SafetyboardError                exit 4   internal or environment error
      WrongUse                      exit 2   the question could not be asked as it was put
      UnreadableInput               exit 2   a file is missing, damaged, hostile or of an unknown kind
        UnsupportedOperator         exit 2   a network uses an operator outside the supported list
        SyntaxFault                 exit 2   a text file does not parse; names line and column
        TooLarge                    exit 2   a declared or real size is over the stated limit
        NewerFormat                 exit 2   a docket of a later version than this program reads
      EmptyDomain                   exit 3   the claim speaks of no input at all (vacuous)
      NotDifferentiable             exit 4   an instrument was given a setting it cannot work on
      BudgetSpent                   exit 3   work units ran out before an answer
      EnvironmentFault              exit 4   disk full, folder not writable, library missing
      UntrustedEvidence             exit 4   stored bytes do not match their digest
      Unsound                       exit 70  two engines contradict each other: a witness above a certificate
"""


class SafetyboardError(Exception):
    """State what is wrong in one sentence; `hint` is the remedy, `exit_code` what the command ends with."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class WrongUse(SafetyboardError):
    """Refuse a question that cannot be asked as it was put."""

    exit_code = 2


class UnreadableInput(SafetyboardError):
    """Refuse bytes that cannot be interpreted; the message names the file and the place."""

    exit_code = 2


class UnsupportedOperator(UnreadableInput):
    """Refuse a network with an operator outside the supported list."""


class SyntaxFault(UnreadableInput):
    """Refuse a text that does not parse; the message names line and column."""


class TooLarge(UnreadableInput):
    """Refuse an input whose declared or real size is over the stated limit."""


class NewerFormat(UnreadableInput):
    """Refuse a docket written by a later version of the format."""


class EmptyDomain(SafetyboardError):
    """Say that a claim speaks of no input at all, so that nothing can be shown of it."""

    exit_code = 3


class NotDifferentiable(SafetyboardError):
    """Say that an instrument needs a gradient which the setting does not give."""


class BudgetSpent(SafetyboardError):
    """Say that the allotted work units ran out before an answer."""

    exit_code = 3


class EnvironmentFault(SafetyboardError):
    """Say that the machine refuses: disk full, folder not writable, library missing."""


class UntrustedEvidence(SafetyboardError):
    """Say that stored bytes do not match their digest."""


class Unsound(SafetyboardError):
    """Stop the run: a witness stands above a certificate, or two engines contradict each other."""

    exit_code = 70
