# SPDX-License-Identifier: Apache-2.0
"""Recheck every leaf of every certificate in a docket with numpy, sharing no code with the engine or the other checker."""
