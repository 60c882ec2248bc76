# SPDX-License-Identifier: Apache-2.0
"""Language models behind a URL: questions, answers, and a ledger of both that replays without a network."""
