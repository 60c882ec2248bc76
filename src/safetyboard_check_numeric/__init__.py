# SPDX-License-Identifier: Apache-2.0
"""Recheck every leaf of a large proof with numpy, sharing no code with the engine."""
