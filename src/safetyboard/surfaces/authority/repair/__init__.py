# SPDX-License-Identifier: Apache-2.0
"""Remedies as files that can be applied, each set up, probed and attacked before anything is said of it."""
