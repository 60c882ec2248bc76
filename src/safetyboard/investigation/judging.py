# SPDX-License-Identifier: Apache-2.0
"""Judging: ask a model about recorded runs, secrets taken out first, and account for every run."""
