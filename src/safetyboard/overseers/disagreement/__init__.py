# SPDX-License-Identifier: Apache-2.0
"""Judges, programs and people that disagree: how far they agree, and which verdicts are likely wrong."""
