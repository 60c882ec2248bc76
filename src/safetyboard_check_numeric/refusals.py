# SPDX-License-Identifier: Apache-2.0
"""Why a docket is not accepted: each refusal is one sentence and an exit code."""


class Refusal(Exception):
    """Say in one sentence why the certificates were not accepted."""

    code = 1


class Rejected(Refusal):
    """Something the docket states does not hold."""

    code = 1


class NotADocket(Refusal):
    """What was named is no docket, or one of a newer format."""

    code = 2


class BytesWithheld(Refusal):
    """The bytes that would be needed are not in the docket, and the docket says so."""

    code = 3
