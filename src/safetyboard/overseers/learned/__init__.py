# SPDX-License-Identifier: Apache-2.0
"""Screens that learn from labelled runs, and the bound on what they miss."""
