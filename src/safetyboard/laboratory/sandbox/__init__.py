# SPDX-License-Identifier: Apache-2.0
"""Run a subject's commands on a copy of a folder, with nothing else in reach, and probe that this is so."""
