# SPDX-License-Identifier: Apache-2.0
"""Recheck every leaf of every certificate in a docket, with numpy, in float64 rounded outward."""
