# SPDX-License-Identifier: Apache-2.0
"""Causes by experiment: what was changed, and how often the failure then stayed away."""
